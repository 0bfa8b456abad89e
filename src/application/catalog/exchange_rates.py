"""Keep exchange rates."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from src.application.ports.clock import Clock, IdFactory
from src.application.ports.paging import Page, Paging
from src.application.transactions import Transactions
from src.domain.catalog.exchange_rate import ExchangeRate
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.currency import Currency
from src.domain.shared.ids import ExchangeRateId


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRate:
    """One unit of *base* is *rate* units of *target*, as *source* said for *as_of*."""

    base: Currency
    target: Currency
    rate: Decimal
    source: str
    as_of: date


class AddExchangeRates:
    """Add rates, all or none. Raises ExchangeRateTaken, Invalid."""

    def __init__(self, transactions: Transactions, clock: Clock, ids: IdFactory) -> None:
        self._transactions, self._clock, self._ids = transactions, clock, ids

    async def __call__(self, actor: Actor, rates: Sequence[NewRate]) -> Sequence[ExchangeRate]:
        now = self._clock.now()
        async with self._transactions.begin(actor, Permission.MANAGE_PRICES) as uow:
            stored = [
                await uow.exchange_rates.save(
                    ExchangeRate(
                        id=ExchangeRateId(self._ids.new()),
                        base=rate.base,
                        target=rate.target,
                        rate=rate.rate,
                        source=rate.source,
                        as_of=rate.as_of,
                        created_at=now,
                    ).add()
                )
                for rate in rates
            ]
            await uow.commit()
        return stored


class ListExchangeRates:
    """Newest first. Raises CursorRefused."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, paging: Paging) -> Page[ExchangeRate]:
        async with self._transactions.begin(actor, Permission.VIEW_PRODUCTS) as uow:
            return await uow.exchange_rates.page(paging)
