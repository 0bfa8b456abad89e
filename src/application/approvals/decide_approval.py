"""Approve or reject a submitted quote."""

from dataclasses import dataclass

from src.application.ports.clock import Clock
from src.application.ports.unit_of_work import UnitOfWork
from src.application.prices.coupons import save_quote
from src.application.transactions import Transactions
from src.domain.approvals.errors import RequestNotFound
from src.domain.approvals.request import ApprovalRequest, RequestStatus
from src.domain.identity.actor import Actor, Permission
from src.domain.quoting.quote import Quote
from src.domain.quoting.states import QuoteStatus, Verb
from src.domain.shared.ids import QuoteId

_DECIDED_OR_ASKED = frozenset({QuoteStatus.PENDING_APPROVAL, QuoteStatus.APPROVED, QuoteStatus.REJECTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideApprovalCommand:
    """*content_digest* is that of the quote which the approver looked at; a rejection needs a *reason*."""

    quote_id: QuoteId
    approved: bool
    content_digest: str
    reason: str = ""


class DecideApproval:
    """One decision on the open step that is the actor's; the last one settles the quote.

    Saying the same again changes nothing. Raises QuoteNotFound, InvalidTransition, RequestContentChanged,
    ReasonMissing, NotAnApprover, AlreadyDecided, RequestClosed.
    """

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions, self._clock = transactions, clock

    async def __call__(self, actor: Actor, command: DecideApprovalCommand) -> Quote:
        now = self._clock.now()
        async with self._transactions.begin(actor, Permission.DECIDE_APPROVALS) as uow:
            quote = await uow.quotes.lock(command.quote_id)
            request = await self._request(uow, quote, Verb.APPROVE if command.approved else Verb.REJECT)
            decision = request.decide(
                await uow.users.get(actor.person),
                approved=command.approved,
                reason=command.reason,
                content_digest=command.content_digest,
                at=now,
            )
            if decision is None:
                return quote
            decided = await uow.approvals.save(decision)
            if decided.status is RequestStatus.APPROVED:
                quote = await save_quote(uow, quote.approve(at=now, expected_digest=request.content_digest))
            elif decided.status is RequestStatus.REJECTED:
                rejection = quote.reject(at=now, expected_digest=request.content_digest, reason=command.reason)
                quote = await save_quote(uow, rejection)
            await uow.commit()
        return quote

    async def _request(self, uow: UnitOfWork, quote: Quote, verb: Verb) -> ApprovalRequest:
        if quote.current.status not in _DECIDED_OR_ASKED:
            quote.current.check(verb)
        try:
            return await uow.approvals.latest(quote.id)
        except RequestNotFound:
            quote.current.check(verb)  # Approved without any policy asking: there is nothing to decide.
            raise
