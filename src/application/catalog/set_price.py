"""Say what something costs in a price list."""

from dataclasses import dataclass

from src.application.ports.clock import Clock, IdFactory
from src.application.ports.paging import Page, Paging
from src.application.ports.unit_of_work import UnitOfWork
from src.application.prices.ambiguity import check_unambiguous
from src.application.transactions import Transactions
from src.domain.catalog.price_list import Price, PriceList, Target, TierRange, tiers_of
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.errors import NotFound
from src.domain.shared.ids import CategoryId, PriceId, PriceListId, ProductId
from src.domain.shared.text import TextChecks
from src.domain.shared.units import UNITS


class PriceNotSet(NotFound):
    """The list says nothing about this target."""

    code = "price_not_set"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPriceCommand:
    """A product, or a category, or neither for all products. *unit* None: the product's own."""

    price_list_id: PriceListId
    tiers: tuple[TierRange, ...]
    product_id: ProductId | None = None
    category_id: CategoryId | None = None
    unit: str | None = None


class SetPrice:
    """Put the tiers in the place of those that the list had for the target.

    Raises PriceListNotFound, ProductNotFound, CategoryNotFound, TiersOverlap, TierGap, AmbiguousPrice, Invalid.
    """

    def __init__(self, transactions: Transactions, clock: Clock, ids: IdFactory) -> None:
        self._transactions, self._clock, self._ids = transactions, clock, ids

    async def __call__(self, actor: Actor, command: SetPriceCommand) -> Price:
        now = self._clock.now()
        if command.unit is not None and command.unit not in UNITS:
            checks = TextChecks()
            checks.refuse("unit", "This is no unit of UN/ECE Recommendation 20.")
            checks.done()
        async with self._transactions.begin(actor, Permission.MANAGE_PRICES) as uow:
            await uow.price_lists.lock_prices()
            price_list = await uow.price_lists.get(command.price_list_id)
            if command.product_id is not None:
                await uow.products.get(command.product_id)
            if command.category_id is not None:
                await uow.categories.get(command.category_id)
            price = Price(
                id=PriceId(self._ids.new()),
                price_list_id=price_list.id,
                product_id=command.product_id,
                category_id=command.category_id,
                unit=command.unit,
                tiers=tiers_of(command.tiers),
                created_at=now,
            )
            before = await uow.prices.at(price_list.id, price.product_id, price.category_id)
            stored = await uow.prices.save(price.set_over(before, now))
            await _check_all(uow, price_list, price.target)
            await uow.commit()
        return stored


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovePriceCommand:
    price_list_id: PriceListId
    product_id: ProductId | None = None
    category_id: CategoryId | None = None


class RemovePrice:
    """Raises PriceListNotFound, PriceNotSet, AmbiguousPrice."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions, self._clock = transactions, clock

    async def __call__(self, actor: Actor, command: RemovePriceCommand) -> None:
        async with self._transactions.begin(actor, Permission.MANAGE_PRICES) as uow:
            await uow.price_lists.lock_prices()
            price_list = await uow.price_lists.get(command.price_list_id)
            price = await uow.prices.at(command.price_list_id, command.product_id, command.category_id)
            if price is None:
                raise PriceNotSet("This list has no price of its own for that.")
            await uow.prices.remove(price.remove(self._clock.now()))
            # What the list takes its tiers from may hold now.
            await _check_all(uow, price_list, price.target)
            await uow.commit()


class ListPrices:
    """The prices of one list, newest first. Raises PriceListNotFound, CursorRefused."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, price_list_id: PriceListId, paging: Paging) -> Page[Price]:
        async with self._transactions.begin(actor, Permission.VIEW_PRODUCTS) as uow:
            await uow.price_lists.get(price_list_id)
            return await uow.prices.page(price_list_id, paging)


async def _check_all(uow: UnitOfWork, price_list: PriceList, target: Target) -> None:
    """The list, and whatever takes its tiers from it."""
    for one in (price_list, *await uow.price_lists.taking_tiers_from(price_list.id)):
        await check_unambiguous(uow, one, target)
