"""Products, categories and tax rates over HTTP."""

from typing import Annotated
from uuid import UUID

from dishka.integrations.litestar import FromDishka
from litestar import Controller, Response, delete, get, patch, post
from litestar.params import Body, FromPath, QueryParameter

from src.application.catalog.categories import (
    ChangeCategory,
    ChangeCategoryCommand,
    CreateCategory,
    GetCategory,
    ListCategories,
)
from src.application.catalog.change_product import ChangeProduct, ChangeProductCommand
from src.application.catalog.create_product import CreateProduct
from src.application.catalog.read_products import GetProduct, ListProducts, ProductSearch
from src.application.catalog.tax_rates import (
    ChangeTaxRate,
    ChangeTaxRateCommand,
    CreateTaxRate,
    DeleteTaxRate,
    GetTaxRate,
    ListTaxRates,
)
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.ids import CategoryId, ProductId, TaxRateId
from src.entrypoints.http.catalog.schemas import (
    CategoryResponse,
    ChangeCategoryRequest,
    ChangeProductRequest,
    ChangeTaxRateRequest,
    CreateCategoryRequest,
    CreateProductRequest,
    CreateTaxRateRequest,
    ProductResponse,
    TaxRateResponse,
    custom_told,
)
from src.entrypoints.http.costs import shown_to
from src.entrypoints.http.organization.custom_fields import CustomFilter, custom_filter
from src.entrypoints.http.paging import Cursor, Limit, PageResponse, Search, Skip, paging_of
from src.entrypoints.http.versions import IfMatch, required_version, tagged

Archived = Annotated[
    bool | None,
    QueryParameter(name="archived", description="Only archived products, or only others; both when absent."),
]
CategoryParameter = Annotated[
    UUID | None, QueryParameter(name="category_id", description="Only products of this category or one below it.")
]


class ProductController(Controller):
    path = "/api/v1/products"
    tags = ("products",)

    @get(permission=Permission.VIEW_PRODUCTS)
    async def list_products(
        self,
        actor: FromDishka[Actor],
        list_products: FromDishka[ListProducts],
        search: Search = "",
        archived: Archived = None,
        category_id: CategoryParameter = None,
        custom: CustomFilter = None,
        skip: Skip = 0,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> PageResponse[ProductResponse]:
        """Products, newest first; *search* looks into SKU, name and description."""
        paging = paging_of(skip, limit, cursor)
        category = None if category_id is None else CategoryId(category_id)
        wanted = ProductSearch(search=search, archived=archived, category_id=category, custom=custom_filter(custom))
        return shown_to(actor, PageResponse.of(await list_products(actor, wanted, paging), paging, ProductResponse.of))

    @post(permission=Permission.EDIT_PRODUCTS)
    async def create_product(
        self,
        data: Annotated[CreateProductRequest, Body()],
        actor: FromDishka[Actor],
        create_product: FromDishka[CreateProduct],
    ) -> ProductResponse:
        """Add a product."""
        return shown_to(actor, ProductResponse.of(await create_product(actor, data.command())))

    @get("/{product_id:uuid}", permission=Permission.VIEW_PRODUCTS)
    async def get_product(
        self, product_id: FromPath[UUID], actor: FromDishka[Actor], get_product: FromDishka[GetProduct]
    ) -> Response[ProductResponse]:
        """One product; the ETag is for `If-Match`."""
        return tagged(shown_to(actor, ProductResponse.of(await get_product(actor, ProductId(product_id)))))

    @patch("/{product_id:uuid}", permission=Permission.EDIT_PRODUCTS)
    async def change_product(
        self,
        product_id: FromPath[UUID],
        data: Annotated[ChangeProductRequest, Body()],
        actor: FromDishka[Actor],
        change_product: FromDishka[ChangeProduct],
        if_match: IfMatch = None,
    ) -> Response[ProductResponse]:
        """Change, archive or unarchive a product; quotes keep what they have."""
        command = ChangeProductCommand(
            product_id=ProductId(product_id),
            changes=data.changes(),
            custom=custom_told(data.custom),
            expected_version=required_version(if_match),
        )
        return tagged(shown_to(actor, ProductResponse.of(await change_product(actor, command))))


class CategoryController(Controller):
    path = "/api/v1/categories"
    tags = ("products",)

    @get(permission=Permission.VIEW_PRODUCTS)
    async def list_categories(
        self, actor: FromDishka[Actor], list_categories: FromDishka[ListCategories]
    ) -> PageResponse[CategoryResponse]:
        """The whole tree of categories, by name."""
        return PageResponse.whole([CategoryResponse.of(one) for one in await list_categories(actor)])

    @post(permission=Permission.EDIT_PRODUCTS)
    async def create_category(
        self,
        data: Annotated[CreateCategoryRequest, Body()],
        actor: FromDishka[Actor],
        create_category: FromDishka[CreateCategory],
    ) -> CategoryResponse:
        """Add a category."""
        return CategoryResponse.of(await create_category(actor, data.command()))

    @get("/{category_id:uuid}", permission=Permission.VIEW_PRODUCTS)
    async def get_category(
        self, category_id: FromPath[UUID], actor: FromDishka[Actor], get_category: FromDishka[GetCategory]
    ) -> Response[CategoryResponse]:
        """One category."""
        return tagged(CategoryResponse.of(await get_category(actor, CategoryId(category_id))))

    @patch("/{category_id:uuid}", permission=Permission.EDIT_PRODUCTS)
    async def change_category(
        self,
        category_id: FromPath[UUID],
        data: Annotated[ChangeCategoryRequest, Body()],
        actor: FromDishka[Actor],
        change_category: FromDishka[ChangeCategory],
        if_match: IfMatch = None,
    ) -> Response[CategoryResponse]:
        """Rename or move a category; it can never lie below itself."""
        command = ChangeCategoryCommand(
            category_id=CategoryId(category_id), changes=data.changes(), expected_version=required_version(if_match)
        )
        return tagged(CategoryResponse.of(await change_category(actor, command)))


class TaxRateController(Controller):
    path = "/api/v1/tax-rates"
    tags = ("products",)

    @get(permission=Permission.VIEW_PRODUCTS)
    async def list_tax_rates(
        self, actor: FromDishka[Actor], list_tax_rates: FromDishka[ListTaxRates]
    ) -> PageResponse[TaxRateResponse]:
        """All tax rates with their periods, by code."""
        return PageResponse.whole([TaxRateResponse.of(one) for one in await list_tax_rates(actor)])

    @post(permission=Permission.MANAGE_PRICES)
    async def create_tax_rate(
        self,
        data: Annotated[CreateTaxRateRequest, Body()],
        actor: FromDishka[Actor],
        create_tax_rate: FromDishka[CreateTaxRate],
    ) -> TaxRateResponse:
        """Add a tax rate; each period holds until the next begins."""
        return TaxRateResponse.of(await create_tax_rate(actor, data.command()))

    @get("/{tax_rate_id:uuid}", permission=Permission.VIEW_PRODUCTS)
    async def get_tax_rate(
        self, tax_rate_id: FromPath[UUID], actor: FromDishka[Actor], get_tax_rate: FromDishka[GetTaxRate]
    ) -> Response[TaxRateResponse]:
        """One tax rate."""
        return tagged(TaxRateResponse.of(await get_tax_rate(actor, TaxRateId(tax_rate_id))))

    @patch("/{tax_rate_id:uuid}", permission=Permission.MANAGE_PRICES)
    async def change_tax_rate(
        self,
        tax_rate_id: FromPath[UUID],
        data: Annotated[ChangeTaxRateRequest, Body()],
        actor: FromDishka[Actor],
        change_tax_rate: FromDishka[ChangeTaxRate],
        if_match: IfMatch = None,
    ) -> Response[TaxRateResponse]:
        """Change a tax rate; quotes keep theirs until they are repriced."""
        command = ChangeTaxRateCommand(
            tax_rate_id=TaxRateId(tax_rate_id), changes=data.changes(), expected_version=required_version(if_match)
        )
        return tagged(TaxRateResponse.of(await change_tax_rate(actor, command)))

    @delete("/{tax_rate_id:uuid}", permission=Permission.MANAGE_PRICES)
    async def delete_tax_rate(
        self,
        tax_rate_id: FromPath[UUID],
        actor: FromDishka[Actor],
        delete_tax_rate: FromDishka[DeleteTaxRate],
        if_match: IfMatch = None,
    ) -> None:
        """Remove a tax rate that no product has."""
        await delete_tax_rate(actor, TaxRateId(tax_rate_id), required_version(if_match))
