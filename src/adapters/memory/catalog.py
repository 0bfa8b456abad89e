"""Products, categories, tax rates and exchange rates in memory."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

from src.adapters.memory.records import MemoryRecords
from src.adapters.memory.state import MemoryTransaction, contains, page_of
from src.application.ports.catalog import (
    CategoryRepository,
    ExchangeRateRepository,
    ProductFilter,
    ProductRepository,
    TaxRateRepository,
)
from src.application.ports.paging import Page, Paging
from src.domain.catalog.category import Category, CategoryNameTaken, CategoryNotFound
from src.domain.catalog.exchange_rate import ExchangeRate, ExchangeRateMissing, ExchangeRateTaken
from src.domain.catalog.product import Product, ProductNotFound, SkuTaken
from src.domain.catalog.tax_rate import TaxRate, TaxRateCodeTaken, TaxRateInUse, TaxRateNotFound
from src.domain.shared.change import Change
from src.domain.shared.currency import Currency
from src.domain.shared.ids import CategoryId, ProductId, TaxRateId


class MemoryProducts(ProductRepository):
    def __init__(self, transaction: MemoryTransaction) -> None:
        self._transaction = transaction
        self._records = MemoryRecords(
            transaction, transaction.state.products, ProductNotFound("There is no such product.")
        )

    async def get(self, product_id: ProductId) -> Product:
        return self._records.get(product_id)

    async def find(self, product_ids: Sequence[ProductId]) -> Mapping[ProductId, Product]:
        return self._records.find(product_ids)

    async def find_by_sku(self, skus: Sequence[str]) -> Mapping[str, Product]:
        return {product.sku: product for product in self._records.items.values() if product.sku in skus}

    async def save(self, change: Change[Product]) -> Product:
        product, state = change.after, self._transaction.state
        if any(other.sku == product.sku for other in self._records.others(product)):
            raise SkuTaken("This SKU is taken.")
        if product.category_id is not None and product.category_id not in state.categories:
            raise CategoryNotFound("There is no such category.")
        if product.tax_rate_id is not None and product.tax_rate_id not in state.tax_rates:
            raise TaxRateNotFound("There is no such tax rate.")
        return self._records.save(change)

    async def put(self, products: Sequence[Product]) -> None:
        for product in products:
            known = self._records.items.get(product.id, product)
            self._records.items[product.id] = replace(product, sku=known.sku)

    async def page(self, criteria: ProductFilter, paging: Paging) -> Page[Product]:
        found = [
            product
            for product in self._meeting(criteria)
            if contains(criteria.search, product.sku, product.name, product.description)
        ]
        return page_of(found, paging, lambda product: product)

    async def stream(self, criteria: ProductFilter) -> AsyncIterator[Product]:
        for product in sorted(self._meeting(criteria), key=lambda one: (one.created_at, one.id)):
            yield product

    async def count(self, criteria: ProductFilter, at_most: int) -> int:
        return min(len(self._meeting(criteria)), at_most)

    def _meeting(self, criteria: ProductFilter) -> list[Product]:
        return [
            product
            for product in self._records.items.values()
            if criteria.archived in {None, product.archived}
            and (not criteria.category_ids or product.category_id in criteria.category_ids)
            and (criteria.custom is None or criteria.custom in product.custom)
            and (criteria.created_from is None or product.created_at >= criteria.created_from)
            and (criteria.created_before is None or product.created_at < criteria.created_before)
        ]


class MemoryCategories(CategoryRepository):
    def __init__(self, transaction: MemoryTransaction) -> None:
        self._records = MemoryRecords(
            transaction, transaction.state.categories, CategoryNotFound("There is no such category.")
        )

    async def get(self, category_id: CategoryId) -> Category:
        return self._records.get(category_id)

    async def tree(self) -> Mapping[CategoryId, Category]:
        return {category.id: category for category in self._records.items.values()}

    async def lock_tree(self) -> Mapping[CategoryId, Category]:
        return await self.tree()

    async def save(self, change: Change[Category]) -> Category:
        if any(other.name == change.after.name for other in self._records.others(change.after)):
            raise CategoryNameTaken("Another category has this name.")
        return self._records.save(change)


class MemoryTaxRates(TaxRateRepository):
    def __init__(self, transaction: MemoryTransaction) -> None:
        self._transaction = transaction
        self._records = MemoryRecords(
            transaction, transaction.state.tax_rates, TaxRateNotFound("There is no such tax rate.")
        )

    async def get(self, tax_rate_id: TaxRateId) -> TaxRate:
        return self._records.get(tax_rate_id)

    async def all(self) -> Sequence[TaxRate]:
        return sorted(self._records.items.values(), key=lambda rate: rate.code)

    async def find(self, tax_rate_ids: Sequence[TaxRateId]) -> Mapping[TaxRateId, TaxRate]:
        return self._records.find(tax_rate_ids)

    async def save(self, change: Change[TaxRate]) -> TaxRate:
        if any(other.code == change.after.code for other in self._records.others(change.after)):
            raise TaxRateCodeTaken("Another tax rate has this code.")
        return self._records.save(change)

    async def delete(self, change: Change[TaxRate]) -> None:
        products = self._transaction.state.products.values()
        if any(product.tax_rate_id == change.after.id for product in products):
            raise TaxRateInUse("Products still have this tax rate; give them another one first.")
        self._records.delete(change)


class MemoryExchangeRates(ExchangeRateRepository):
    def __init__(self, transaction: MemoryTransaction) -> None:
        self._records = MemoryRecords(
            transaction, transaction.state.exchange_rates, ExchangeRateMissing("There is no such rate.")
        )

    async def latest(self, base: Currency, target: Currency, day: date) -> ExchangeRate | None:
        fitting = [
            rate
            for rate in self._records.items.values()
            if (rate.base, rate.target) == (base, target) and rate.as_of <= day
        ]
        return max(fitting, key=lambda rate: (rate.as_of, rate.created_at, rate.id), default=None)

    async def save(self, change: Change[ExchangeRate]) -> ExchangeRate:
        if any(_day(other) == _day(change.after) for other in self._records.others(change.after)):
            raise ExchangeRateTaken("This source has a rate for that day already.")
        return self._records.save(change)

    async def page(self, paging: Paging) -> Page[ExchangeRate]:
        return page_of(self._records.items.values(), paging, lambda rate: rate)


def _day(rate: ExchangeRate) -> tuple[object, ...]:
    return rate.base, rate.target, rate.as_of, rate.source
