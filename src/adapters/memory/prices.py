"""Price lists, their prices, and coupons in memory."""

from collections.abc import AsyncIterator, Mapping, Sequence
from uuid import UUID

from src.adapters.memory.records import MemoryRecords
from src.adapters.memory.state import MemoryTransaction, contains, page_of
from src.application.ports.catalog import CouponRepository, PriceListRepository, PriceRepository
from src.application.ports.paging import Page, Paging
from src.domain.catalog.category import CategoryNotFound
from src.domain.catalog.coupon import Coupon, CouponCodeTaken, CouponNotFound, CouponUses, Redemption
from src.domain.catalog.price_list import Price, PriceList, PriceListNameTaken, PriceListNotFound, Target
from src.domain.catalog.product import ProductNotFound
from src.domain.shared.change import Change
from src.domain.shared.errors import NotFound
from src.domain.shared.ids import CategoryId, CouponId, CustomerId, PriceListId, ProductId, QuoteId


class MemoryPriceLists(PriceListRepository):
    def __init__(self, transaction: MemoryTransaction) -> None:
        self._records = MemoryRecords(
            transaction, transaction.state.price_lists, PriceListNotFound("There is no such price list.")
        )

    async def get(self, price_list_id: PriceListId) -> PriceList:
        return self._records.get(price_list_id)

    async def lock_prices(self) -> None:
        """One unit of work at a time is the rule here anyway."""

    async def find_by_name(self, names: Sequence[str]) -> Mapping[str, PriceList]:
        return {one.name: one for one in self._records.items.values() if one.name in names}

    async def for_buyer(self, scope_ids: Sequence[UUID]) -> Sequence[PriceList]:
        wanted = {None, *scope_ids}
        found = [one for one in self._records.items.values() if one.scope_id in wanted]
        return sorted(found, key=lambda one: one.id)

    async def rivals(self, price_list: PriceList) -> Sequence[PriceList]:
        return sorted(
            (one for one in self._records.others(price_list) if one.active and _rank(one) == _rank(price_list)),
            key=lambda one: one.id,
        )

    async def taking_tiers_from(self, price_list_id: PriceListId) -> Sequence[PriceList]:
        return [one for one in self._records.items.values() if one.tiers_from == price_list_id]

    async def save(self, change: Change[PriceList]) -> PriceList:
        saved = change.after
        if any(other.name == saved.name for other in self._records.others(saved)):
            raise PriceListNameTaken("Another price list has this name.")
        if saved.tiers_from is not None and saved.tiers_from not in self._records.items:
            raise PriceListNotFound("There is no such price list to take tiers from.")
        return self._records.save(change)

    async def page(self, search: str, paging: Paging) -> Page[PriceList]:
        return page_of(
            [one for one in self._records.items.values() if contains(search, one.name)], paging, lambda one: one
        )


def _rank(price_list: PriceList) -> tuple[object, ...]:
    return price_list.scope, price_list.scope_id, price_list.currency, price_list.priority


class MemoryPrices(PriceRepository):
    def __init__(self, transaction: MemoryTransaction) -> None:
        self._transaction = transaction
        self._records = MemoryRecords(transaction, transaction.state.prices, NotFound("There is no such price."))

    async def of_targets(
        self,
        price_list_ids: Sequence[PriceListId],
        product_ids: Sequence[ProductId],
        category_ids: Sequence[CategoryId],
    ) -> Sequence[Price]:
        return [
            price
            for price in self._records.items.values()
            if price.price_list_id in price_list_ids
            and (price.product_id in product_ids or price.category_id in category_ids or price.target == (None, None))
        ]

    async def at(
        self, price_list_id: PriceListId, product_id: ProductId | None, category_id: CategoryId | None
    ) -> Price | None:
        place = price_list_id, (product_id, category_id)
        return next((one for one in self._records.items.values() if (one.price_list_id, one.target) == place), None)

    async def common(
        self, ours: Sequence[PriceListId], theirs: Sequence[PriceListId], only: Target | None
    ) -> AsyncIterator[Price]:
        prices = list(self._records.items.values())
        mine = {price.target for price in prices if price.price_list_id in ours}
        common = mine & {price.target for price in prices if price.price_list_id in theirs}
        for price in sorted(prices, key=lambda one: (str(one.target), one.id)):
            if price.target in common and only in {None, price.target} and price.price_list_id in {*ours, *theirs}:
                yield price

    async def save(self, change: Change[Price]) -> Price:
        price, state = change.after, self._transaction.state
        if price.price_list_id not in state.price_lists:
            raise PriceListNotFound("There is no such price list.")
        if price.product_id is not None and price.product_id not in state.products:
            raise ProductNotFound("There is no such product.")
        if price.category_id is not None and price.category_id not in state.categories:
            raise CategoryNotFound("There is no such category.")
        return self._records.save(change)

    async def put(self, prices: Sequence[Price]) -> None:
        for price in prices:
            self._records.items[price.id] = price

    async def remove(self, change: Change[Price]) -> None:
        del self._records.items[change.after.id]
        self._transaction.changes.append(change)

    async def page(self, price_list_id: PriceListId, paging: Paging) -> Page[Price]:
        found = [one for one in self._records.items.values() if one.price_list_id == price_list_id]
        return page_of(found, paging, lambda one: one)


class MemoryCoupons(CouponRepository):
    def __init__(self, transaction: MemoryTransaction) -> None:
        self._redemptions = transaction.state.redemptions
        self._records = MemoryRecords(
            transaction, transaction.state.coupons, CouponNotFound("There is no such coupon.")
        )

    async def get(self, coupon_id: CouponId) -> Coupon:
        return self._records.get(coupon_id)

    async def find_by_code(self, codes: Sequence[str]) -> Mapping[str, Coupon]:
        return {one.code: one for one in self._records.items.values() if one.code in codes}

    async def lock(self, coupon_ids: Sequence[CouponId]) -> Mapping[CouponId, Coupon]:
        return self._records.find(sorted(coupon_ids))

    async def save(self, change: Change[Coupon]) -> Coupon:
        if any(other.code == change.after.code for other in self._records.others(change.after)):
            raise CouponCodeTaken("Another coupon has this code.")
        return self._records.save(change)

    async def page(self, search: str, paging: Paging) -> Page[Coupon]:
        return page_of(
            [one for one in self._records.items.values() if contains(search, one.code)], paging, lambda one: one
        )

    async def uses(self, coupon_id: CouponId, customer_id: CustomerId) -> CouponUses:
        used = [one for one in self._redemptions.values() if one.coupon_id == coupon_id]
        return CouponUses(total=len(used), of_customer=sum(one.customer_id == customer_id for one in used))

    async def held_by(self, quote_id: QuoteId) -> frozenset[CouponId]:
        return frozenset(one.coupon_id for one in self._redemptions.values() if one.quote_id == quote_id)

    async def redeem(self, redemption: Redemption) -> None:
        self._redemptions[redemption.coupon_id, redemption.quote_id] = redemption

    async def release(self, coupon_id: CouponId, quote_id: QuoteId) -> None:
        self._redemptions.pop((coupon_id, quote_id), None)
