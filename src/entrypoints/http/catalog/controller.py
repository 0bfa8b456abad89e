"""Products over HTTP."""

from typing import Annotated
from uuid import UUID

from dishka.integrations.litestar import FromDishka
from litestar import Controller, get, post
from litestar.params import Body, FromPath

from src.application.catalog.create_product import CreateProduct
from src.application.catalog.read_products import GetProduct, ListProducts, ProductSearch
from src.domain.identity.actor import Actor
from src.domain.shared.ids import ProductId
from src.entrypoints.http.catalog.schemas import CreateProductRequest, ProductResponse
from src.entrypoints.http.paging import Cursor, Limit, PageResponse, Search, Skip, paging_of


class ProductController(Controller):
    path = "/api/v1/products"
    tags = ("products",)

    @get()
    async def list_products(
        self,
        actor: FromDishka[Actor],
        list_products: FromDishka[ListProducts],
        search: Search = "",
        skip: Skip = 0,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> PageResponse[ProductResponse]:
        """Products, newest first; *search* looks into SKU, name and description."""
        paging = paging_of(skip, limit, cursor)
        return PageResponse.of(
            await list_products(actor, ProductSearch(search=search), paging), paging, ProductResponse.of
        )

    @post()
    async def create_product(
        self,
        data: Annotated[CreateProductRequest, Body()],
        actor: FromDishka[Actor],
        create_product: FromDishka[CreateProduct],
    ) -> ProductResponse:
        """Add a product."""
        return ProductResponse.of(await create_product(actor, data.command()))

    @get("/{product_id:uuid}")
    async def get_product(
        self, product_id: FromPath[UUID], actor: FromDishka[Actor], get_product: FromDishka[GetProduct]
    ) -> ProductResponse:
        """One product."""
        return ProductResponse.of(await get_product(actor, ProductId(product_id)))
