"""Products in PostgreSQL."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, func, select

from src.adapters.postgres.pages import contains, newest_first, searched
from src.adapters.postgres.tables import products
from src.adapters.postgres.transaction import Transaction
from src.application.ports.catalog import ProductRepository
from src.application.ports.paging import Page, Paging
from src.domain.catalog.product import Product, ProductNotFound
from src.domain.shared.change import Change
from src.domain.shared.currency import Currency
from src.domain.shared.ids import ProductId


class PostgresProducts(ProductRepository):
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def get(self, product_id: ProductId) -> Product:
        found = await self.find([product_id])
        if product_id not in found:
            raise ProductNotFound("There is no such product.")
        return found[product_id]

    async def find(self, product_ids: Sequence[ProductId]) -> Mapping[ProductId, Product]:
        columns = products.c
        statement = select(products).where(
            columns.organization_id == self._transaction.organization_id, columns.id == func.any(list(set(product_ids)))
        )
        return {row.id: _to_product(row) for row in await self._transaction.connection.execute(statement)}

    async def save(self, change: Change[Product]) -> Product:
        product = change.after
        row = {
            "id": product.id,
            "sku": product.sku,
            "name": product.name,
            "description": product.description,
            "unit": product.unit,
            "list_price": product.list_price,
            "currency": product.currency.code,
            "tax_category": product.tax_category,
            "tax_rate_percent": product.tax_rate_percent,
            "searched": searched(product.sku, product.name, product.description),
            "created_at": product.created_at,
            "version": product.version,
        }
        await self._transaction.add(products, row)
        self._transaction.changes.append(change)
        return product

    async def page(self, search: str, paging: Paging) -> Page[Product]:
        columns = products.c
        conditions = [columns.organization_id == self._transaction.organization_id]
        if search:
            conditions.append(contains(columns.searched, search))
        return await newest_first(self._transaction.connection, products, conditions, paging, _to_product)


def _to_product(row: Row[Any]) -> Product:
    return Product(
        id=row.id,
        sku=row.sku,
        name=row.name,
        description=row.description,
        unit=row.unit,
        list_price=row.list_price,
        currency=Currency.of(row.currency),
        tax_category=row.tax_category,
        tax_rate_percent=row.tax_rate_percent,
        created_at=row.created_at,
        version=row.version,
    )
