"""Look at products."""

from dataclasses import dataclass

from src.application.ports.catalog import ProductFilter
from src.application.ports.paging import Page, Paging
from src.application.transactions import Transactions
from src.domain.catalog.category import lineage
from src.domain.catalog.product import Product
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.ids import CategoryId, ProductId


class GetProduct:
    """Raises ProductNotFound."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, product_id: ProductId) -> Product:
        async with self._transactions.begin(actor, Permission.VIEW_PRODUCTS) as uow:
            return await uow.products.get(product_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductSearch:
    """*category_id* includes everything below it; *archived* None shows both."""

    search: str = ""
    archived: bool | None = None
    category_id: CategoryId | None = None
    custom: tuple[str, str] | None = None


class ListProducts:
    """Raises CategoryNotFound, CursorRefused."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, search: ProductSearch, paging: Paging) -> Page[Product]:
        async with self._transactions.begin(actor, Permission.VIEW_PRODUCTS) as uow:
            branch: tuple[CategoryId, ...] = ()
            if search.category_id is not None:
                tree = await uow.categories.tree()
                lineage(search.category_id, tree)
                branch = tuple(one for one in tree if search.category_id in lineage(one, tree))
            criteria = ProductFilter(
                search=search.search, archived=search.archived, category_ids=branch, custom=search.custom
            )
            return await uow.products.page(criteria, paging)
