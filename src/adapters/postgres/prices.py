"""Price lists, their prices, and coupons in PostgreSQL."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, and_, delete, exists, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from src.adapters.postgres.pages import contains, newest_first, searched
from src.adapters.postgres.records import Records
from src.adapters.postgres.tables import coupon_redemptions, coupons, price_lists, prices
from src.adapters.postgres.transaction import Transaction
from src.application.ports.catalog import CouponRepository, PriceListRepository, PriceRepository
from src.application.ports.paging import Page, Paging
from src.domain.catalog.coupon import Coupon, CouponNotFound, CouponUses, Redemption
from src.domain.catalog.price_list import Price, PriceList, PriceListNotFound, Target
from src.domain.shared.change import Change
from src.domain.shared.errors import NotFound
from src.domain.shared.ids import CategoryId, CouponId, CustomerId, PriceListId, ProductId, QuoteId

_BATCH: Final = 1000


class PostgresPriceLists(PriceListRepository):
    def __init__(self, transaction: Transaction) -> None:
        self._records = Records(transaction, price_lists, PriceList, PriceListNotFound("There is no such price list."))
        self._transaction = transaction

    async def get(self, price_list_id: PriceListId) -> PriceList:
        return await self._records.get(price_list_id)

    async def lock_prices(self) -> None:
        await self._transaction.lock("prices")

    async def find_by_name(self, names: Sequence[str]) -> Mapping[str, PriceList]:
        found = await self._records.read(self._select(price_lists.c.name == func.any(list(set(names)))))
        return {price_list.name: price_list for price_list in found}

    async def for_buyer(self, scope_ids: Sequence[UUID]) -> Sequence[PriceList]:
        columns = price_lists.c
        wanted = or_(columns.scope_id.is_(None), columns.scope_id == func.any(list(scope_ids)))
        return await self._records.read(self._select(wanted).order_by(columns.id))

    async def rivals(self, price_list: PriceList) -> Sequence[PriceList]:
        columns = price_lists.c
        same_scope = (
            columns.scope_id.is_(None) if price_list.scope_id is None else columns.scope_id == price_list.scope_id
        )
        statement = self._select(
            columns.id != price_list.id,
            columns.active.is_(True),
            columns.scope == price_list.scope.value,
            same_scope,
            columns.currency == price_list.currency.code,
            columns.priority == price_list.priority,
        )
        return await self._records.read(statement.order_by(columns.id))

    async def taking_tiers_from(self, price_list_id: PriceListId) -> Sequence[PriceList]:
        return await self._records.read(self._select(price_lists.c.tiers_from == price_list_id))

    async def save(self, change: Change[PriceList]) -> PriceList:
        return await self._records.save(change, searched=searched(change.after.name))

    async def page(self, search: str, paging: Paging) -> Page[PriceList]:
        conditions: list[Any] = [price_lists.c.organization_id == self._transaction.organization_id]
        if search:
            conditions.append(contains(price_lists.c.searched, search))
        return await newest_first(self._transaction.connection, price_lists, conditions, paging, self._records.item)

    def _select(self, *conditions: Any) -> Select[Any]:
        return select(price_lists).where(
            price_lists.c.organization_id == self._transaction.organization_id, *conditions
        )


class PostgresPrices(PriceRepository):
    def __init__(self, transaction: Transaction) -> None:
        self._records = Records(transaction, prices, Price, NotFound("There is no such price."))
        self._transaction = transaction

    async def of_targets(
        self,
        price_list_ids: Sequence[PriceListId],
        product_ids: Sequence[ProductId],
        category_ids: Sequence[CategoryId],
    ) -> Sequence[Price]:
        columns = prices.c
        statement = (
            self._select(
                columns.price_list_id == func.any(list(price_list_ids)),
                or_(
                    columns.product_id == func.any(list(product_ids)),
                    columns.category_id == func.any(list(category_ids)),
                    and_(columns.product_id.is_(None), columns.category_id.is_(None)),
                ),
            )
            if price_list_ids
            else None
        )
        return [] if statement is None else await self._records.read(statement)

    async def at(
        self, price_list_id: PriceListId, product_id: ProductId | None, category_id: CategoryId | None
    ) -> Price | None:
        columns = prices.c
        statement = self._select(
            columns.price_list_id == price_list_id,
            columns.product_id.is_not_distinct_from(product_id),
            columns.category_id.is_not_distinct_from(category_id),
        )
        return next(iter(await self._records.read(statement)), None)

    async def common(
        self, ours: Sequence[PriceListId], theirs: Sequence[PriceListId], only: Target | None
    ) -> AsyncIterator[Price]:
        """A target that both have has a price in *theirs* for each in *ours*, and the other way round."""
        columns = prices.c
        everything = [*ours, *theirs]
        conditions: list[Any] = []
        if only is not None:
            conditions.append(columns.product_id.is_not_distinct_from(only[0]))
            conditions.append(columns.category_id.is_not_distinct_from(only[1]))
        for side in (ours, theirs):
            twin = prices.alias()
            conditions.append(
                exists().where(
                    twin.c.organization_id == self._transaction.organization_id,
                    twin.c.price_list_id == func.any(list(side)),
                    twin.c.product_id.is_not_distinct_from(columns.product_id),
                    twin.c.category_id.is_not_distinct_from(columns.category_id),
                )
            )
        statement = self._select(columns.price_list_id == func.any(everything), *conditions).order_by(
            columns.product_id, columns.category_id, columns.id
        )
        async for row in self._transaction.connection.stream(statement, _BATCH):
            yield self._records.item(row)

    async def save(self, change: Change[Price]) -> Price:
        return await self._records.save(change)

    async def put(self, prices: Sequence[Price]) -> None:
        await self._records.put([self._records.row(price) for price in prices])

    async def remove(self, change: Change[Price]) -> None:
        columns = prices.c
        await self._transaction.connection.execute(
            delete(prices).where(
                columns.organization_id == self._transaction.organization_id, columns.id == change.after.id
            )
        )
        self._transaction.changes.append(change)

    async def page(self, price_list_id: PriceListId, paging: Paging) -> Page[Price]:
        columns = prices.c
        conditions = [
            columns.organization_id == self._transaction.organization_id,
            columns.price_list_id == price_list_id,
        ]
        return await newest_first(self._transaction.connection, prices, conditions, paging, self._records.item)

    def _select(self, *conditions: Any) -> Select[Any]:
        return select(prices).where(prices.c.organization_id == self._transaction.organization_id, *conditions)


class PostgresCoupons(CouponRepository):
    def __init__(self, transaction: Transaction) -> None:
        self._records = Records(transaction, coupons, Coupon, CouponNotFound("There is no such coupon."))
        self._transaction = transaction

    async def get(self, coupon_id: CouponId) -> Coupon:
        return await self._records.get(coupon_id)

    async def find_by_code(self, codes: Sequence[str]) -> Mapping[str, Coupon]:
        columns = coupons.c
        statement = select(coupons).where(
            columns.organization_id == self._transaction.organization_id, columns.code == func.any(list(set(codes)))
        )
        return {coupon.code: coupon for coupon in await self._records.read(statement)}

    async def lock(self, coupon_ids: Sequence[CouponId]) -> Mapping[CouponId, Coupon]:
        columns = coupons.c
        statement = (
            select(coupons)
            .where(
                columns.organization_id == self._transaction.organization_id,
                columns.id == func.any(list(set(coupon_ids))),
            )
            .order_by(columns.id)  # Always in the same order, so that no two wait for each other.
            .with_for_update(key_share=True)
        )
        return {coupon.id: coupon for coupon in await self._records.read(statement)}

    async def save(self, change: Change[Coupon]) -> Coupon:
        return await self._records.save(change, searched=searched(change.after.code))

    async def page(self, search: str, paging: Paging) -> Page[Coupon]:
        conditions: list[Any] = [coupons.c.organization_id == self._transaction.organization_id]
        if search:
            conditions.append(contains(coupons.c.searched, search))
        return await newest_first(self._transaction.connection, coupons, conditions, paging, self._records.item)

    async def uses(self, coupon_id: CouponId, customer_id: CustomerId) -> CouponUses:
        columns = coupon_redemptions.c
        statement = select(
            func.count().label("total"), func.count().filter(columns.customer_id == customer_id).label("of_customer")
        ).where(columns.organization_id == self._transaction.organization_id, columns.coupon_id == coupon_id)
        row = (await self._transaction.connection.execute(statement)).one()
        return CouponUses(total=row.total, of_customer=row.of_customer)

    async def held_by(self, quote_id: QuoteId) -> frozenset[CouponId]:
        columns = coupon_redemptions.c
        statement = select(columns.coupon_id).where(
            columns.organization_id == self._transaction.organization_id, columns.quote_id == quote_id
        )
        return frozenset((await self._transaction.connection.execute(statement)).scalars())

    async def redeem(self, redemption: Redemption) -> None:
        await self._transaction.connection.execute(
            insert(coupon_redemptions),
            {
                "organization_id": self._transaction.organization_id,
                "coupon_id": redemption.coupon_id,
                "quote_id": redemption.quote_id,
                "customer_id": redemption.customer_id,
                "at": redemption.at,
            },
        )

    async def release(self, coupon_id: CouponId, quote_id: QuoteId) -> None:
        columns = coupon_redemptions.c
        await self._transaction.connection.execute(
            delete(coupon_redemptions).where(
                columns.organization_id == self._transaction.organization_id,
                columns.coupon_id == coupon_id,
                columns.quote_id == quote_id,
            )
        )
