"""Products in memory."""

from collections.abc import Mapping, Sequence

from src.adapters.memory.state import MemoryTransaction, contains, page_of
from src.application.ports.catalog import ProductRepository
from src.application.ports.paging import Page, Paging
from src.domain.catalog.product import Product, ProductNotFound, SkuTaken
from src.domain.shared.change import Change
from src.domain.shared.ids import ProductId


class MemoryProducts(ProductRepository):
    def __init__(self, transaction: MemoryTransaction) -> None:
        self._transaction = transaction

    async def get(self, product_id: ProductId) -> Product:
        product = self._transaction.state.products.get(product_id)
        if product is None:
            raise ProductNotFound("There is no such product.")
        return product

    async def find(self, product_ids: Sequence[ProductId]) -> Mapping[ProductId, Product]:
        known = self._transaction.state.products
        return {product_id: known[product_id] for product_id in product_ids if product_id in known}

    async def save(self, change: Change[Product]) -> Product:
        product = change.after
        if any(known.sku == product.sku for known in self._transaction.state.products.values()):
            raise SkuTaken("This SKU is taken.")
        self._transaction.state.products[product.id] = product
        self._transaction.changes.append(change)
        return product

    async def page(self, search: str, paging: Paging) -> Page[Product]:
        found = [
            product
            for product in self._transaction.state.products.values()
            if contains(search, product.sku, product.name, product.description)
        ]
        return page_of(found, paging, lambda product: product)
