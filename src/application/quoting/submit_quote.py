"""Ask for the approvals that the organisation's policies want."""

from dataclasses import dataclass

from src.application.ports.clock import Clock, IdFactory
from src.application.transactions import Transactions
from src.domain.approvals.matching import evaluate
from src.domain.approvals.request import ApprovalRequest
from src.domain.identity.actor import Actor, Permission
from src.domain.quoting.facts import facts_of
from src.domain.quoting.quote import Quote
from src.domain.shared.ids import QuoteId, RequestId


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitQuoteCommand:
    quote_id: QuoteId
    expected_version: int | None = None


class SubmitQuote:
    """Freeze the draft; approved at once when no policy asks.

    Raises QuoteNotFound, QuoteChangedMeanwhile, InvalidTransition, QuoteHasNoLines, RecipientMissing, ValidityOver,
    NoEligibleApprover.
    """

    def __init__(self, transactions: Transactions, clock: Clock, ids: IdFactory) -> None:
        self._transactions, self._clock, self._ids = transactions, clock, ids

    async def __call__(self, actor: Actor, command: SubmitQuoteCommand) -> Quote:
        now = self._clock.now()
        async with self._transactions.begin(actor, Permission.SUBMIT_QUOTES) as uow:
            quote = await uow.quotes.lock(command.quote_id)
            quote.check_version(command.expected_version)
            facts = facts_of(quote.current.calculation)
            matched = [result for result in evaluate(facts, await uow.policies.all()) if result.matched]
            submission = quote.submit(by=actor.person, at=now, needs_approval=bool(matched))
            submitted = await uow.quotes.save(submission)
            if matched:
                request = ApprovalRequest.open(
                    request_id=RequestId(self._ids.new()),
                    quote_id=quote.id,
                    revision=submitted.current.number,
                    content_digest=submitted.current.digest(quote.number),
                    submitted_by=actor.person,
                    last_edited_by=submitted.current.last_edited_by,
                    facts=facts,
                    matched=matched,
                    users=await uow.users.all(),
                    at=now,
                )
                await uow.approvals.save(request)
            await uow.commit()
        return submitted
