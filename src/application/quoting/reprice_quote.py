"""Take the catalogue's prices into a draft, or look at what that would do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from src.application.ports.clock import Clock
from src.application.ports.unit_of_work import UnitOfWork
from src.application.prices.pricebook import Pricebook
from src.application.prices.staleness import LineCheck, StaleReason, check_prices, products_of, repriced
from src.application.transactions import Transactions
from src.domain.identity.actor import Actor, Permission
from src.domain.quoting.errors import PricesStale
from src.domain.quoting.quote import Quote
from src.domain.quoting.states import Verb
from src.domain.shared.ids import QuoteId


@dataclass(frozen=True, slots=True, kw_only=True)
class RepriceQuoteCommand:
    """*pricing_date* None: the draft's. Typed prices are replaced with *include_manual* only; *dry_run* changes nothing."""

    quote_id: QuoteId
    pricing_date: date | None = None
    include_manual: bool = False
    dry_run: bool = False
    expected_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Repricing:
    """The quote, and per line what was (or would be) changed."""

    quote: Quote
    lines: Sequence[LineCheck]


class RepriceQuote:
    """Raises QuoteNotFound, QuoteChangedMeanwhile, InvalidTransition, and PricesStale when a line has no price any more."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions, self._clock = transactions, clock

    async def __call__(self, actor: Actor, command: RepriceQuoteCommand) -> Repricing:
        now = self._clock.now()
        async with self._transactions.begin(actor, Permission.EDIT_QUOTES) as uow:
            quote = await uow.quotes.lock(command.quote_id)
            quote.check_version(command.expected_version)
            quote.current.check(Verb.REPRICE)
            content = quote.current.content
            day = command.pricing_date or content.pricing_date or now.astimezone(content.zone).date()
            pricebook, lines = await _look(uow, quote, day, include_manual=command.include_manual)
            if command.dry_run or not (lines or day != content.pricing_date):
                return Repricing(quote=quote, lines=lines)
            _check_all_priced(lines)
            new = repriced(content, lines, pricebook, day)
            change = quote.reprice(new, lines=len(lines), by=actor.person, at=now)
            saved = await uow.quotes.save(change)
            await uow.commit()
        return Repricing(quote=saved, lines=lines)


class CheckQuotePrices:
    """The lines of a draft whose prices are stale; none for other states. Raises QuoteNotFound."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions, self._clock = transactions, clock

    async def __call__(self, actor: Actor, quote_id: QuoteId) -> Repricing:
        async with self._transactions.begin(actor, Permission.VIEW_QUOTES) as uow:
            quote = await uow.quotes.get(quote_id)
            content = quote.current.content
            if not quote.current.allows(Verb.REPRICE):
                return Repricing(quote=quote, lines=())
            day = content.pricing_date or self._clock.now().astimezone(content.zone).date()
            _, lines = await _look(uow, quote, day, include_manual=False)
        return Repricing(quote=quote, lines=lines)


async def _look(
    uow: UnitOfWork, quote: Quote, day: date, *, include_manual: bool
) -> tuple[Pricebook, Sequence[LineCheck]]:
    content = quote.current.content
    products = products_of(content)
    customer = await uow.customers.get(quote.customer_id) if products else None
    pricebook = await Pricebook.read(uow, products, customer)
    return pricebook, check_prices(content, pricebook, day, include_manual=include_manual)


def _check_all_priced(lines: Sequence[LineCheck]) -> None:
    gone = [check.sku for check in lines if StaleReason.PRICE_NOT_FOUND in check.reasons]
    if gone:
        raise PricesStale(
            f"The catalogue has no price for {', '.join(gone[:20])} any more: give these lines a price of their own, or "
            "take them off.",
            skus=gone[:100],
        )
