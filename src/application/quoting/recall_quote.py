"""Take a submitted quote back for editing."""

from dataclasses import dataclass

from src.application.approvals.subjects.quote import KIND
from src.application.ports.clock import Clock
from src.application.prices.coupons import save_quote
from src.application.transactions import Transactions
from src.domain.identity.actor import Actor, Permission
from src.domain.quoting.quote import Quote
from src.domain.shared.ids import QuoteId


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallQuoteCommand:
    quote_id: QuoteId
    expected_version: int | None = None


class RecallQuote:
    """The submitter, or whoever may recall any quote. Raises QuoteNotFound, InvalidTransition, NotTheSubmitter."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions, self._clock = transactions, clock

    async def __call__(self, actor: Actor, command: RecallQuoteCommand) -> Quote:
        now = self._clock.now()
        async with self._transactions.begin(actor, Permission.SUBMIT_QUOTES) as uow:
            quote = await uow.quotes.lock(command.quote_id)
            quote.check_version(command.expected_version)
            recall = quote.recall(by=actor.person, at=now, may_recall_any=actor.may(Permission.RECALL_ANY_QUOTE))
            recalled = await save_quote(uow, recall)
            request = await uow.approvals.latest(KIND, quote.id)
            await uow.approvals.save(request.withdraw(at=now))
            await uow.commit()
        return recalled
