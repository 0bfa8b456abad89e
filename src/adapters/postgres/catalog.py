"""Products, categories, tax rates and exchange rates in PostgreSQL."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import func, select, text

from src.adapters.postgres.custom_fields import has_value
from src.adapters.postgres.pages import (
    containing,
    contains,
    counted,
    newest_first,
    oldest_first,
    read_cursor,
    searched,
    write_cursor,
)
from src.adapters.postgres.records import Records
from src.adapters.postgres.tables import categories, exchange_rates, products, tax_rates
from src.adapters.postgres.transaction import Transaction
from src.application.ports.catalog import (
    CategoryRepository,
    ExchangeRateRepository,
    ProductFilter,
    ProductRepository,
    TaxRateRepository,
)
from src.application.ports.paging import Page, Paging
from src.domain.catalog.category import Category, CategoryNotFound
from src.domain.catalog.exchange_rate import ExchangeRate, ExchangeRateMissing
from src.domain.catalog.product import Product, ProductNotFound
from src.domain.catalog.tax_rate import TaxRate, TaxRateNotFound
from src.domain.shared.change import Change
from src.domain.shared.currency import Currency
from src.domain.shared.ids import CategoryId, ProductId, TaxRateId

WIDESPREAD: Final = 2_000  # More matches are met sooner among the newest products than by collecting them all.
_COUNT: Final = text("SELECT proffer.count_products(:pattern, CAST(:archived AS boolean), CAST(:categories AS uuid[]))")
_FIND: Final = text(
    "SELECT proffer.find_products(:pattern, CAST(:archived AS boolean), CAST(:categories AS uuid[]), "
    "CAST(:at AS timestamptz), CAST(:id AS uuid), :wanted, :skipped, :widespread)"
)


class PostgresProducts(ProductRepository):
    def __init__(self, transaction: Transaction) -> None:
        self._records = Records(transaction, products, Product, ProductNotFound("There is no such product."))
        self._transaction = transaction

    async def get(self, product_id: ProductId) -> Product:
        return await self._records.get(product_id)

    async def find(self, product_ids: Sequence[ProductId]) -> Mapping[ProductId, Product]:
        return await self._records.find(product_ids)

    async def find_by_sku(self, skus: Sequence[str]) -> Mapping[str, Product]:
        columns = products.c
        statement = (
            select(products)
            .where(
                columns.organization_id == self._transaction.organization_id, columns.sku == func.any(list(set(skus)))
            )
            .order_by(columns.id)
            .with_for_update(key_share=True)
        )
        return {product.sku: product for product in await self._records.read(statement)}

    async def save(self, change: Change[Product]) -> Product:
        return await self._records.save(change, searched=_searched(change.after))

    async def put(self, products: Sequence[Product]) -> None:
        rows = [self._records.row(product) | {"searched": _searched(product)} for product in products]
        # To write part of a key, even what it was, would keep all waiting who refer to the product.
        await self._records.put(rows, kept=frozenset({"sku"}))

    async def page(self, criteria: ProductFilter, paging: Paging) -> Page[Product]:
        if criteria.search and criteria.custom is None:
            return await self._found(criteria, paging)
        conditions = self._conditions(criteria)
        if criteria.search:
            conditions.append(contains(products.c.searched, criteria.search))
        return await newest_first(self._transaction.connection, products, conditions, paging, self._records.item)

    def stream(self, criteria: ProductFilter) -> AsyncIterator[Product]:
        return oldest_first(self._transaction.connection, products, self._conditions(criteria), self._records.item)

    async def count(self, criteria: ProductFilter, at_most: int) -> int:
        return await counted(self._transaction.connection, products, self._conditions(criteria), at_most)

    def _conditions(self, criteria: ProductFilter) -> list[Any]:
        """All but the search."""
        columns = products.c
        conditions: list[Any] = [columns.organization_id == self._transaction.organization_id]
        if criteria.archived is not None:
            conditions.append(columns.archived.is_(criteria.archived))
        if criteria.category_ids:
            conditions.append(columns.category_id == func.any(list(criteria.category_ids)))
        if criteria.custom is not None:
            conditions.append(has_value(columns.custom, criteria.custom))
        if criteria.created_from is not None:
            conditions.append(columns.created_at >= criteria.created_from)
        if criteria.created_before is not None:
            conditions.append(columns.created_at < criteria.created_before)
        return conditions

    async def _found(self, criteria: ProductFilter, paging: Paging) -> Page[Product]:
        """By text. Row security would keep LIKE from every index, so two functions of the database look (0004)."""
        pattern = containing(criteria.search)
        if pattern is None:
            return Page(items=(), total=0, next_cursor=None)
        before = (None, None) if paging.cursor is None else read_cursor(paging.cursor)
        given = {
            "pattern": pattern,
            "archived": criteria.archived,
            "categories": list(criteria.category_ids) or None,
        }
        connection = self._transaction.connection
        total = (await connection.execute(_COUNT, given)).scalar_one()
        wanted: dict[str, object] = {
            "at": before[0],
            "id": before[1],
            "wanted": paging.limit + 1,
            "skipped": paging.skip if before[0] is None else 0,
        }
        wanted["widespread"] = total > WIDESPREAD
        ids = (await connection.execute(_FIND, given | wanted)).scalars()
        known = await self.find(ids)
        items = [known[identity] for identity in ids if identity in known]
        shown = items[: paging.limit]
        more = len(items) > paging.limit
        return Page(
            items=tuple(shown),
            total=total,
            next_cursor=write_cursor(shown[-1].created_at, shown[-1].id) if more else None,
        )


def _searched(product: Product) -> str:
    return searched(product.sku, product.name, product.description)


class PostgresCategories(CategoryRepository):
    def __init__(self, transaction: Transaction) -> None:
        self._records = Records(transaction, categories, Category, CategoryNotFound("There is no such category."))
        self._transaction = transaction

    async def get(self, category_id: CategoryId) -> Category:
        return await self._records.get(category_id)

    async def tree(self) -> Mapping[CategoryId, Category]:
        statement = select(categories).where(categories.c.organization_id == self._transaction.organization_id)
        return {category.id: category for category in await self._records.read(statement)}

    async def lock_tree(self) -> Mapping[CategoryId, Category]:
        await self._transaction.lock("categories")
        return await self.tree()

    async def save(self, change: Change[Category]) -> Category:
        return await self._records.save(change)


class PostgresTaxRates(TaxRateRepository):
    def __init__(self, transaction: Transaction) -> None:
        self._records = Records(transaction, tax_rates, TaxRate, TaxRateNotFound("There is no such tax rate."))
        self._transaction = transaction

    async def get(self, tax_rate_id: TaxRateId) -> TaxRate:
        return await self._records.get(tax_rate_id)

    async def all(self) -> Sequence[TaxRate]:
        columns = tax_rates.c
        mine = columns.organization_id == self._transaction.organization_id
        return await self._records.read(select(tax_rates).where(mine).order_by(columns.code))

    async def find(self, tax_rate_ids: Sequence[TaxRateId]) -> Mapping[TaxRateId, TaxRate]:
        return await self._records.find(tax_rate_ids)

    async def save(self, change: Change[TaxRate]) -> TaxRate:
        return await self._records.save(change)

    async def delete(self, change: Change[TaxRate]) -> None:
        await self._records.delete(change)


class PostgresExchangeRates(ExchangeRateRepository):
    def __init__(self, transaction: Transaction) -> None:
        self._records = Records(
            transaction, exchange_rates, ExchangeRate, ExchangeRateMissing("There is no such rate.")
        )
        self._transaction = transaction

    async def latest(self, base: Currency, target: Currency, day: date) -> ExchangeRate | None:
        columns = exchange_rates.c
        statement = (
            select(exchange_rates)
            .where(
                columns.organization_id == self._transaction.organization_id,
                columns.base == base.code,
                columns.target == target.code,
                columns.as_of <= day,
            )
            .order_by(columns.as_of.desc(), columns.created_at.desc(), columns.id.desc())
            .limit(1)
        )
        return next(iter(await self._records.read(statement)), None)

    async def save(self, change: Change[ExchangeRate]) -> ExchangeRate:
        return await self._records.save(change)

    async def page(self, paging: Paging) -> Page[ExchangeRate]:
        conditions = [exchange_rates.c.organization_id == self._transaction.organization_id]
        return await newest_first(self._transaction.connection, exchange_rates, conditions, paging, self._records.item)
