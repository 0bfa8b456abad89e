"""Two prices that nothing tells apart are refused when they are saved, not when somebody needs one."""

from collections.abc import Sequence

from src.application.ports.unit_of_work import UnitOfWork
from src.domain.catalog.price_list import AmbiguousPrice, Price, PriceList, Target
from src.domain.shared.ids import PriceListId


async def check_unambiguous(uow: UnitOfWork, price_list: PriceList, only: Target | None = None) -> None:
    """Raises AmbiguousPrice when a price of *price_list* and one of another list would both hold for the same sale.

    *only* looks at one target. Nobody else may change prices meanwhile: see ``PriceListRepository.lock_prices``.
    """
    for rival in await uow.price_lists.rivals(price_list):
        if price_list.competes_with(rival):
            await _compare(uow, price_list, rival, only)


async def _compare(uow: UnitOfWork, price_list: PriceList, rival: PriceList, only: Target | None) -> None:
    ours, theirs = _lists(price_list), _lists(rival)
    target: object = None
    group: list[Price] = []
    async for price in uow.prices.common(ours, theirs, only):
        if group and price.target != target:
            _check_target(group, (price_list, ours), (rival, theirs))
            group = []
        target = price.target
        group.append(price)
    if group:
        _check_target(group, (price_list, ours), (rival, theirs))


def _lists(price_list: PriceList) -> Sequence[PriceListId]:
    """The list, and where it takes tiers from: the order in which they are asked."""
    return [price_list.id] if price_list.tiers_from is None else [price_list.id, price_list.tiers_from]


def _check_target(
    prices: Sequence[Price],
    ours: tuple[PriceList, Sequence[PriceListId]],
    theirs: tuple[PriceList, Sequence[PriceListId]],
) -> None:
    mine, other = _effective(prices, ours[1]), _effective(prices, theirs[1])
    if mine.shares_a_tier_with(other):
        raise AmbiguousPrice(
            f"{ours[0].name} and {theirs[0].name} both have a price for the same target from the same quantity on, with "
            "the same priority, on common days. Give one of them another priority or other dates.",
            price_list_id=str(ours[0].id),
            other_price_list_id=str(theirs[0].id),
            product_id=None if mine.product_id is None else str(mine.product_id),
            category_id=None if mine.category_id is None else str(mine.category_id),
        )


def _effective(prices: Sequence[Price], lists: Sequence[PriceListId]) -> Price:
    """Of these prices for one target the one that holds in the first list that has any."""
    return next(price for list_id in lists for price in prices if price.price_list_id == list_id)
