"""Products in the store."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Protocol

from src.application.ports.paging import Page, Paging
from src.domain.catalog.product import Product
from src.domain.shared.change import Change
from src.domain.shared.ids import ProductId


class ProductRepository(Protocol):
    @abstractmethod
    async def get(self, product_id: ProductId) -> Product:
        """Raises ProductNotFound."""

    @abstractmethod
    async def find(self, product_ids: Sequence[ProductId]) -> Mapping[ProductId, Product]:
        """Those that exist, in one statement."""

    @abstractmethod
    async def save(self, change: Change[Product]) -> Product:
        """Raises SkuTaken."""

    @abstractmethod
    async def page(self, search: str, paging: Paging) -> Page[Product]:
        """Products whose SKU, name or description contains *search* (no matter the case), newest first."""
