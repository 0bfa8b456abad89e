"""Look at products."""

from src.application.ports.paging import Page, Paging
from src.application.transactions import Transactions
from src.domain.catalog.product import Product
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.ids import ProductId


class GetProduct:
    """Raises ProductNotFound."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, product_id: ProductId) -> Product:
        async with self._transactions.begin(actor, Permission.VIEW_PRODUCTS) as uow:
            return await uow.products.get(product_id)


class ListProducts:
    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, search: str, paging: Paging) -> Page[Product]:
        async with self._transactions.begin(actor, Permission.VIEW_PRODUCTS) as uow:
            return await uow.products.page(search, paging)
