"""Keep the taxes that products carry, with their dates."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypedDict

from src.application.ports.clock import Clock, IdFactory
from src.application.transactions import Transactions
from src.application.versions import check_version
from src.domain.catalog.tax_rate import TaxPeriod, TaxRate
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.ids import TaxRateId


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTaxRateCommand:
    code: str
    name: str
    category: str
    periods: tuple[TaxPeriod, ...]
    exemption_code: str = ""
    surcharge_percent: Decimal | None = None
    retained: bool = False


class CreateTaxRate:
    """Raises TaxRateCodeTaken, Invalid."""

    def __init__(self, transactions: Transactions, clock: Clock, ids: IdFactory) -> None:
        self._transactions, self._clock, self._ids = transactions, clock, ids

    async def __call__(self, actor: Actor, command: CreateTaxRateCommand) -> TaxRate:
        async with self._transactions.begin(actor, Permission.MANAGE_PRICES) as uow:
            tax_rate = TaxRate(
                id=TaxRateId(self._ids.new()),
                code=command.code,
                name=command.name,
                category=command.category,
                periods=command.periods,
                exemption_code=command.exemption_code,
                surcharge_percent=command.surcharge_percent,
                retained=command.retained,
                created_at=self._clock.now(),
            )
            stored = await uow.tax_rates.save(tax_rate.create())
            await uow.commit()
        return stored


class TaxRateChanges(TypedDict, total=False):
    code: str
    name: str
    category: str
    periods: tuple[TaxPeriod, ...]
    exemption_code: str
    surcharge_percent: Decimal | None
    retained: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeTaxRateCommand:
    tax_rate_id: TaxRateId
    changes: TaxRateChanges
    expected_version: int | None = None


class ChangeTaxRate:
    """Raises TaxRateNotFound, TaxRateCodeTaken, VersionChanged, Invalid."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions, self._clock = transactions, clock

    async def __call__(self, actor: Actor, command: ChangeTaxRateCommand) -> TaxRate:
        async with self._transactions.begin(actor, Permission.MANAGE_PRICES) as uow:
            tax_rate = await uow.tax_rates.get(command.tax_rate_id)
            check_version(tax_rate, command.expected_version)
            changed = replace(tax_rate, **command.changes)
            stored = await uow.tax_rates.save(tax_rate.become(changed, self._clock.now()))
            await uow.commit()
        return stored


class DeleteTaxRate:
    """Raises TaxRateNotFound, VersionChanged, and TaxRateInUse while products have it."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions, self._clock = transactions, clock

    async def __call__(self, actor: Actor, tax_rate_id: TaxRateId, expected_version: int | None = None) -> None:
        async with self._transactions.begin(actor, Permission.MANAGE_PRICES) as uow:
            tax_rate = await uow.tax_rates.get(tax_rate_id)
            check_version(tax_rate, expected_version)
            await uow.tax_rates.delete(tax_rate.delete(self._clock.now()))
            await uow.commit()


class ListTaxRates:
    """All of them, by code."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor) -> Sequence[TaxRate]:
        async with self._transactions.begin(actor, Permission.VIEW_PRODUCTS) as uow:
            return await uow.tax_rates.all()


class GetTaxRate:
    """Raises TaxRateNotFound."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, tax_rate_id: TaxRateId) -> TaxRate:
        async with self._transactions.begin(actor, Permission.VIEW_PRODUCTS) as uow:
            return await uow.tax_rates.get(tax_rate_id)
