"""Begin a new revision of an offer."""

from dataclasses import dataclass

from src.application.ports.clock import Clock
from src.application.prices.coupons import save_quote
from src.application.transactions import Transactions
from src.domain.identity.actor import Actor, Permission
from src.domain.quoting.quote import Quote
from src.domain.shared.ids import QuoteId


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviseQuoteCommand:
    quote_id: QuoteId
    expected_version: int | None = None


class ReviseQuote:
    """Raises QuoteNotFound, QuoteChangedMeanwhile, OpenRevisionExists, InvalidTransition."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions, self._clock = transactions, clock

    async def __call__(self, actor: Actor, command: ReviseQuoteCommand) -> Quote:
        async with self._transactions.begin(actor, Permission.EDIT_QUOTES) as uow:
            quote = await uow.quotes.lock(command.quote_id)
            quote.check_version(command.expected_version)
            revised = await save_quote(uow, quote.revise(by=actor.person, at=self._clock.now()))
            await uow.commit()
        return revised
