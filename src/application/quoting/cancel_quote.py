"""Give an offer up."""

from dataclasses import dataclass

from src.application.approvals.subjects.quote import KIND
from src.application.ports.clock import Clock
from src.application.prices.coupons import save_quote
from src.application.transactions import Transactions
from src.domain.identity.actor import Actor, Permission
from src.domain.quoting.quote import Quote
from src.domain.quoting.revision import CancelReason
from src.domain.quoting.states import QuoteStatus
from src.domain.shared.ids import QuoteId


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelQuoteCommand:
    quote_id: QuoteId
    reason: CancelReason
    expected_version: int | None = None


class CancelQuote:
    """A pending approval is withdrawn with it. Raises QuoteNotFound, QuoteChangedMeanwhile, InvalidTransition."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions, self._clock = transactions, clock

    async def __call__(self, actor: Actor, command: CancelQuoteCommand) -> Quote:
        now = self._clock.now()
        async with self._transactions.begin(actor, Permission.EDIT_QUOTES) as uow:
            quote = await uow.quotes.lock(command.quote_id)
            quote.check_version(command.expected_version)
            cancelled = await save_quote(uow, quote.cancel(at=now, reason=command.reason))
            if quote.current.status is QuoteStatus.PENDING_APPROVAL:
                request = await uow.approvals.latest(KIND, quote.id)
                await uow.approvals.save(request.withdraw(at=now))
            await uow.commit()
        return cancelled
