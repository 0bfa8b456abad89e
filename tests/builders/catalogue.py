"""A catalogue made by the use cases: a category, a taxed product in it, a list with tiers, a coupon, a group, a rate."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

from src.adapters.system import SystemClock, Uuid7Ids
from src.application.catalog.categories import CreateCategory, CreateCategoryCommand
from src.application.catalog.coupons import CreateCoupon, CreateCouponCommand
from src.application.catalog.create_product import CreateProduct, CreateProductCommand
from src.application.catalog.exchange_rates import AddExchangeRates, NewRate
from src.application.catalog.price_lists import CreatePriceList, CreatePriceListCommand
from src.application.catalog.set_price import SetPrice, SetPriceCommand
from src.application.catalog.tax_rates import CreateTaxRate, CreateTaxRateCommand
from src.application.customers.customer_groups import (
    CreateCustomerGroup,
    CreateCustomerGroupCommand,
)
from src.application.ports.clock import Clock, IdFactory
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.application.transactions import Transactions
from src.domain.catalog.category import Category
from src.domain.catalog.coupon import Coupon
from src.domain.catalog.price_list import PriceList, PriceTier, TierRange
from src.domain.catalog.product import Product
from src.domain.catalog.tax_rate import TaxPeriod, TaxRate
from src.domain.customers.group import CustomerGroup
from src.domain.documents.catalog_import import CatalogImport, ImportKind, ImportMode
from src.domain.identity.actor import Actor
from src.domain.shared.currency import Currency
from src.domain.shared.ids import ImportId, UserId

D = Decimal


@dataclass(frozen=True, slots=True)
class Catalogue:
    category: Category
    tax_rate: TaxRate
    product: Product
    price_list: PriceList
    coupon: Coupon
    group: CustomerGroup


async def a_catalogue(
    open_uow: OpenUnitOfWork, admin: Actor, *, clock: Clock | None = None, ids: IdFactory | None = None
) -> Catalogue:
    """Desks at 100.00 and, from 10 on, 90.00; VAT of 19 %, from 2027 on 21 %; SPRING takes off 10 %, twice."""
    transactions, clock, ids = Transactions(open_uow), clock or SystemClock(), ids or Uuid7Ids()
    category = await CreateCategory(transactions, clock, ids)(admin, CreateCategoryCommand(name="Desks"))
    tax_rate = await CreateTaxRate(transactions, clock, ids)(
        admin,
        CreateTaxRateCommand(
            code="VAT-STANDARD",
            name="Standard rate",
            category="VAT",
            periods=(
                TaxPeriod(valid_from=None, rate_percent=D(19)),
                TaxPeriod(valid_from=date(2027, 1, 1), rate_percent=D(21)),
            ),
        ),
    )
    product = await CreateProduct(transactions, clock, ids)(
        admin,
        CreateProductCommand(
            sku=f"DESK-{uuid4().hex[:8]}",
            name="Desk",
            list_price=D(100),
            cost=D(60),
            tax_rate_percent=None,
            tax_rate_id=tax_rate.id,
            category_id=category.id,
        ),
    )
    price_list = await CreatePriceList(transactions, clock, ids)(admin, CreatePriceListCommand(name="Volume"))
    await SetPrice(transactions, clock, ids)(
        admin,
        SetPriceCommand(
            price_list_id=price_list.id,
            product_id=product.id,
            tiers=(TierRange(tier=PriceTier(min_quantity=D(10), unit_price=D(90))),),
        ),
    )
    coupon = await CreateCoupon(transactions, clock, ids)(
        admin, CreateCouponCommand(code="SPRING", percent=D(10), total_limit=2, category_ids=(category.id,))
    )
    group = await CreateCustomerGroup(transactions, clock, ids)(
        admin, CreateCustomerGroupCommand(name="Resellers", discount_percent=D(5))
    )
    rate = NewRate(
        base=Currency.of("USD"),
        target=Currency.of("EUR"),
        rate=D("0.92"),
        source="ECB",
        as_of=date(2026, 1, 1),
    )
    await AddExchangeRates(transactions, clock, ids)(admin, [rate])
    return Catalogue(category, tax_rate, product, price_list, coupon, group)


def an_import(by: UserId, **changes: Any) -> CatalogImport:
    """Of products, queued."""
    usual = CatalogImport(
        id=ImportId(Uuid7Ids().new()),
        kind=ImportKind.PRODUCTS,
        mode=ImportMode.ALL_OR_NOTHING,
        dry_run=False,
        file_name="products.csv",
        sha256="0" * 64,
        storage_key="",
        created_by=by,
        created_at=SystemClock().now(),
    )
    return replace(usual, **changes)
