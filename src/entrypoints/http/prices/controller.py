"""Price lists, prices, coupons, exchange rates and customer groups over HTTP."""

from typing import Annotated
from uuid import UUID

from dishka.integrations.litestar import FromDishka
from litestar import Controller, Response, delete, get, patch, post, put
from litestar.params import Body, FromPath, QueryParameter
from litestar.status_codes import HTTP_200_OK

from src.application.catalog.ask_prices import AskPrices
from src.application.catalog.coupons import ChangeCoupon, ChangeCouponCommand, CreateCoupon, GetCoupon, ListCoupons
from src.application.catalog.exchange_rates import AddExchangeRates, ListExchangeRates
from src.application.catalog.price_lists import (
    ChangePriceList,
    ChangePriceListCommand,
    CreatePriceList,
    GetPriceList,
    ListPriceLists,
)
from src.application.catalog.set_price import ListPrices, RemovePrice, RemovePriceCommand, SetPrice, SetPriceCommand
from src.application.customers.customer_groups import (
    ChangeCustomerGroup,
    ChangeCustomerGroupCommand,
    CreateCustomerGroup,
    GetCustomerGroup,
    ListCustomerGroups,
    RegroupCustomer,
)
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.ids import CategoryId, CouponId, CustomerGroupId, CustomerId, PriceListId, ProductId
from src.entrypoints.http.customers.schemas import CustomerResponse
from src.entrypoints.http.paging import Cursor, Limit, PageResponse, Search, Skip, paging_of
from src.entrypoints.http.prices.schemas import (
    AddExchangeRatesRequest,
    AskPricesRequest,
    ChangeCouponRequest,
    ChangeCustomerGroupRequest,
    ChangePriceListRequest,
    CouponResponse,
    CreateCouponRequest,
    CreateCustomerGroupRequest,
    CreatePriceListRequest,
    CustomerGroupResponse,
    ExchangeRateResponse,
    PriceAnswerResponse,
    PriceListResponse,
    PriceResponse,
    RegroupRequest,
    SetPriceRequest,
)
from src.entrypoints.http.versions import IfMatch, required_version, tagged

ProductParameter = Annotated[UUID | None, QueryParameter(name="product_id")]
CategoryParameter = Annotated[UUID | None, QueryParameter(name="category_id")]


class PriceController(Controller):
    path = "/api/v1"
    tags = ("prices",)

    @post("/prices", status_code=HTTP_200_OK, permission=Permission.VIEW_PRODUCTS)
    async def ask_prices(
        self,
        data: Annotated[AskPricesRequest, Body()],
        actor: FromDishka[Actor],
        ask_prices: FromDishka[AskPrices],
    ) -> PageResponse[PriceAnswerResponse]:
        """What products cost a customer on a day, and why: exactly what a draft would get."""
        answers = await ask_prices(actor, data.command())
        return PageResponse.whole([PriceAnswerResponse.of(answer) for answer in answers])

    @get("/price-lists", permission=Permission.VIEW_PRODUCTS)
    async def list_price_lists(
        self,
        actor: FromDishka[Actor],
        list_price_lists: FromDishka[ListPriceLists],
        search: Search = "",
        skip: Skip = 0,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> PageResponse[PriceListResponse]:
        """Price lists, newest first; *search* looks into the name."""
        paging = paging_of(skip, limit, cursor)
        return PageResponse.of(await list_price_lists(actor, search, paging), paging, PriceListResponse.of)

    @post("/price-lists", permission=Permission.MANAGE_PRICES)
    async def create_price_list(
        self,
        data: Annotated[CreatePriceListRequest, Body()],
        actor: FromDishka[Actor],
        create_price_list: FromDishka[CreatePriceList],
    ) -> PriceListResponse:
        """Add a price list; one that would leave two prices undecided is refused."""
        return PriceListResponse.of(await create_price_list(actor, data.command()))

    @get("/price-lists/{price_list_id:uuid}", permission=Permission.VIEW_PRODUCTS)
    async def get_price_list(
        self, price_list_id: FromPath[UUID], actor: FromDishka[Actor], get_price_list: FromDishka[GetPriceList]
    ) -> Response[PriceListResponse]:
        """One price list."""
        return tagged(PriceListResponse.of(await get_price_list(actor, PriceListId(price_list_id))))

    @patch("/price-lists/{price_list_id:uuid}", permission=Permission.MANAGE_PRICES)
    async def change_price_list(
        self,
        price_list_id: FromPath[UUID],
        data: Annotated[ChangePriceListRequest, Body()],
        actor: FromDishka[Actor],
        change_price_list: FromDishka[ChangePriceList],
        if_match: IfMatch = None,
    ) -> Response[PriceListResponse]:
        """Change a price list, or switch it off with `active: false`."""
        command = ChangePriceListCommand(
            price_list_id=PriceListId(price_list_id),
            changes=data.changes(),
            expected_version=required_version(if_match),
        )
        return tagged(PriceListResponse.of(await change_price_list(actor, command)))

    @get("/price-lists/{price_list_id:uuid}/prices", permission=Permission.VIEW_PRODUCTS)
    async def list_prices(
        self,
        price_list_id: FromPath[UUID],
        actor: FromDishka[Actor],
        list_prices: FromDishka[ListPrices],
        skip: Skip = 0,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> PageResponse[PriceResponse]:
        """The prices of one list, newest first."""
        paging = paging_of(skip, limit, cursor)
        page = await list_prices(actor, PriceListId(price_list_id), paging)
        return PageResponse.of(page, paging, PriceResponse.of)

    @put("/price-lists/{price_list_id:uuid}/prices", permission=Permission.MANAGE_PRICES)
    async def set_price(
        self,
        price_list_id: FromPath[UUID],
        data: Annotated[SetPriceRequest, Body()],
        actor: FromDishka[Actor],
        set_price: FromDishka[SetPrice],
    ) -> PriceResponse:
        """Say what a product, a category or everything costs here; all tiers at once, in the place of those before."""
        command = SetPriceCommand(
            price_list_id=PriceListId(price_list_id),
            tiers=tuple(tier.tier() for tier in data.tiers),
            product_id=None if data.product_id is None else ProductId(data.product_id),
            category_id=None if data.category_id is None else CategoryId(data.category_id),
            unit=data.unit,
        )
        return PriceResponse.of(await set_price(actor, command))

    @delete("/price-lists/{price_list_id:uuid}/prices", permission=Permission.MANAGE_PRICES)
    async def remove_price(
        self,
        price_list_id: FromPath[UUID],
        actor: FromDishka[Actor],
        remove_price: FromDishka[RemovePrice],
        product_id: ProductParameter = None,
        category_id: CategoryParameter = None,
    ) -> None:
        """Take the price of a product, of a category, or (neither) of everything off the list."""
        command = RemovePriceCommand(
            price_list_id=PriceListId(price_list_id),
            product_id=None if product_id is None else ProductId(product_id),
            category_id=None if category_id is None else CategoryId(category_id),
        )
        await remove_price(actor, command)


class CouponController(Controller):
    path = "/api/v1/coupons"
    tags = ("prices",)

    @get(permission=Permission.VIEW_PRODUCTS)
    async def list_coupons(
        self,
        actor: FromDishka[Actor],
        list_coupons: FromDishka[ListCoupons],
        search: Search = "",
        skip: Skip = 0,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> PageResponse[CouponResponse]:
        """Coupons, newest first; *search* looks into the code."""
        paging = paging_of(skip, limit, cursor)
        return PageResponse.of(await list_coupons(actor, search, paging), paging, CouponResponse.of)

    @post(permission=Permission.MANAGE_PRICES)
    async def create_coupon(
        self,
        data: Annotated[CreateCouponRequest, Body()],
        actor: FromDishka[Actor],
        create_coupon: FromDishka[CreateCoupon],
    ) -> CouponResponse:
        """Add a coupon."""
        return CouponResponse.of(await create_coupon(actor, data.command()))

    @get("/{coupon_id:uuid}", permission=Permission.VIEW_PRODUCTS)
    async def get_coupon(
        self, coupon_id: FromPath[UUID], actor: FromDishka[Actor], get_coupon: FromDishka[GetCoupon]
    ) -> Response[CouponResponse]:
        """One coupon."""
        return tagged(CouponResponse.of(await get_coupon(actor, CouponId(coupon_id))))

    @patch("/{coupon_id:uuid}", permission=Permission.MANAGE_PRICES)
    async def change_coupon(
        self,
        coupon_id: FromPath[UUID],
        data: Annotated[ChangeCouponRequest, Body()],
        actor: FromDishka[Actor],
        change_coupon: FromDishka[ChangeCoupon],
        if_match: IfMatch = None,
    ) -> Response[CouponResponse]:
        """Change a coupon, or switch it off with `active: false`."""
        command = ChangeCouponCommand(
            coupon_id=CouponId(coupon_id), changes=data.changes(), expected_version=required_version(if_match)
        )
        return tagged(CouponResponse.of(await change_coupon(actor, command)))


class ExchangeRateController(Controller):
    path = "/api/v1/exchange-rates"
    tags = ("prices",)

    @get(permission=Permission.VIEW_PRODUCTS)
    async def list_exchange_rates(
        self,
        actor: FromDishka[Actor],
        list_exchange_rates: FromDishka[ListExchangeRates],
        skip: Skip = 0,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> PageResponse[ExchangeRateResponse]:
        """Exchange rates, newest first."""
        paging = paging_of(skip, limit, cursor)
        return PageResponse.of(await list_exchange_rates(actor, paging), paging, ExchangeRateResponse.of)

    @post(permission=Permission.MANAGE_PRICES)
    async def add_exchange_rates(
        self,
        data: Annotated[AddExchangeRatesRequest, Body()],
        actor: FromDishka[Actor],
        add_exchange_rates: FromDishka[AddExchangeRates],
    ) -> PageResponse[ExchangeRateResponse]:
        """Add rates, all or none. A rate is never changed: add one of another day or source."""
        added = await add_exchange_rates(actor, [rate.rate_added() for rate in data.rates])
        return PageResponse.whole([ExchangeRateResponse.of(rate) for rate in added])


class CustomerGroupController(Controller):
    path = "/api/v1"
    tags = ("customers",)

    @get("/customer-groups", permission=Permission.VIEW_CUSTOMERS)
    async def list_customer_groups(
        self, actor: FromDishka[Actor], list_customer_groups: FromDishka[ListCustomerGroups]
    ) -> PageResponse[CustomerGroupResponse]:
        """All customer groups, by name."""
        return PageResponse.whole([CustomerGroupResponse.of(one) for one in await list_customer_groups(actor)])

    @post("/customer-groups", permission=Permission.MANAGE_PRICES)
    async def create_customer_group(
        self,
        data: Annotated[CreateCustomerGroupRequest, Body()],
        actor: FromDishka[Actor],
        create_customer_group: FromDishka[CreateCustomerGroup],
    ) -> CustomerGroupResponse:
        """Add a customer group."""
        return CustomerGroupResponse.of(await create_customer_group(actor, data.command()))

    @get("/customer-groups/{group_id:uuid}", permission=Permission.VIEW_CUSTOMERS)
    async def get_customer_group(
        self, group_id: FromPath[UUID], actor: FromDishka[Actor], get_customer_group: FromDishka[GetCustomerGroup]
    ) -> Response[CustomerGroupResponse]:
        """One customer group."""
        return tagged(CustomerGroupResponse.of(await get_customer_group(actor, CustomerGroupId(group_id))))

    @patch("/customer-groups/{group_id:uuid}", permission=Permission.MANAGE_PRICES)
    async def change_customer_group(
        self,
        group_id: FromPath[UUID],
        data: Annotated[ChangeCustomerGroupRequest, Body()],
        actor: FromDishka[Actor],
        change_customer_group: FromDishka[ChangeCustomerGroup],
        if_match: IfMatch = None,
    ) -> Response[CustomerGroupResponse]:
        """Change a customer group; drafts keep their prices until they are repriced."""
        command = ChangeCustomerGroupCommand(
            group_id=CustomerGroupId(group_id), changes=data.changes(), expected_version=required_version(if_match)
        )
        return tagged(CustomerGroupResponse.of(await change_customer_group(actor, command)))

    @put("/customers/{customer_id:uuid}/group", permission=Permission.EDIT_CUSTOMERS)
    async def regroup_customer(
        self,
        customer_id: FromPath[UUID],
        data: Annotated[RegroupRequest, Body()],
        actor: FromDishka[Actor],
        regroup_customer: FromDishka[RegroupCustomer],
    ) -> Response[CustomerResponse]:
        """Put a customer into a group, or into none."""
        group_id = None if data.group_id is None else CustomerGroupId(data.group_id)
        return tagged(CustomerResponse.of(await regroup_customer(actor, CustomerId(customer_id), group_id)))
