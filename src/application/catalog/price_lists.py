"""Keep price lists."""

from dataclasses import dataclass, replace
from datetime import date
from typing import TypedDict
from uuid import UUID

from src.application.ports.clock import Clock, IdFactory
from src.application.ports.paging import Page, Paging
from src.application.ports.unit_of_work import UnitOfWork
from src.application.prices.ambiguity import check_unambiguous
from src.application.transactions import Transactions
from src.application.versions import check_version
from src.domain.catalog.price_list import PriceList, PriceListInUse, Scope, check_source
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.currency import Currency
from src.domain.shared.ids import CustomerGroupId, CustomerId, PriceListId


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatePriceListCommand:
    """*currency* None: the organisation's. *scope_id* is the customer or group that the scope speaks of."""

    name: str
    currency: Currency | None = None
    scope: Scope = Scope.EVERYONE
    scope_id: UUID | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    priority: int = 0
    active: bool = True
    tiers_from: PriceListId | None = None


class CreatePriceList:
    """Raises PriceListNameTaken, CustomerNotFound, CustomerGroupNotFound, PriceListNotFound, AmbiguousPrice, Invalid."""

    def __init__(self, transactions: Transactions, clock: Clock, ids: IdFactory) -> None:
        self._transactions, self._clock, self._ids = transactions, clock, ids

    async def __call__(self, actor: Actor, command: CreatePriceListCommand) -> PriceList:
        async with self._transactions.begin(actor, Permission.MANAGE_PRICES) as uow:
            await uow.price_lists.lock_prices()
            price_list = PriceList(
                id=PriceListId(self._ids.new()),
                name=command.name,
                currency=command.currency or (await uow.organizations.current()).default_currency,
                scope=command.scope,
                scope_id=command.scope_id,
                valid_from=command.valid_from,
                valid_until=command.valid_until,
                priority=command.priority,
                active=command.active,
                tiers_from=command.tiers_from,
                created_at=self._clock.now(),
            )
            await _check(uow, price_list)
            stored = await uow.price_lists.save(price_list.create())
            await check_unambiguous(uow, stored)
            await uow.commit()
        return stored


class PriceListChanges(TypedDict, total=False):
    name: str
    scope: Scope
    scope_id: UUID | None
    valid_from: date | None
    valid_until: date | None
    priority: int
    active: bool
    tiers_from: PriceListId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePriceListCommand:
    price_list_id: PriceListId
    changes: PriceListChanges
    expected_version: int | None = None


class ChangePriceList:
    """Raises PriceListNotFound, PriceListNameTaken, PriceListInUse, AmbiguousPrice, VersionChanged, Invalid."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions, self._clock = transactions, clock

    async def __call__(self, actor: Actor, command: ChangePriceListCommand) -> PriceList:
        async with self._transactions.begin(actor, Permission.MANAGE_PRICES) as uow:
            await uow.price_lists.lock_prices()
            price_list = await uow.price_lists.get(command.price_list_id)
            check_version(price_list, command.expected_version)
            changed = replace(price_list, **command.changes)
            await _check(uow, changed)
            stored = await uow.price_lists.save(price_list.become(changed, self._clock.now()))
            await check_unambiguous(uow, stored)
            await uow.commit()
        return stored


class GetPriceList:
    """Raises PriceListNotFound."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, price_list_id: PriceListId) -> PriceList:
        async with self._transactions.begin(actor, Permission.VIEW_PRODUCTS) as uow:
            return await uow.price_lists.get(price_list_id)


class ListPriceLists:
    """Newest first. Raises CursorRefused."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, search: str, paging: Paging) -> Page[PriceList]:
        async with self._transactions.begin(actor, Permission.VIEW_PRODUCTS) as uow:
            return await uow.price_lists.page(search, paging)


async def _check(uow: UnitOfWork, price_list: PriceList) -> None:
    """Whom it is for is there, and so is what it takes its tiers from."""
    if price_list.scope is Scope.CUSTOMER and price_list.scope_id is not None:
        await uow.customers.get(CustomerId(price_list.scope_id))
    if price_list.scope is Scope.GROUP and price_list.scope_id is not None:
        await uow.customer_groups.get(CustomerGroupId(price_list.scope_id))
    if price_list.tiers_from is not None:
        check_source(price_list, await uow.price_lists.get(price_list.tiers_from))
        takers = await uow.price_lists.taking_tiers_from(price_list.id)
        if takers:
            raise PriceListInUse(f"{takers[0].name} takes its tiers from this list; that cannot go over two lists.")
