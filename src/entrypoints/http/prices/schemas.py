"""Price lists, prices, coupons, exchange rates and customer groups on the wire."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Self, cast
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from src.application.catalog.ask_prices import AskPricesCommand, PriceAnswer, PriceRequest
from src.application.catalog.coupons import CouponChanges, CreateCouponCommand
from src.application.catalog.exchange_rates import NewRate
from src.application.catalog.price_lists import CreatePriceListCommand, PriceListChanges
from src.application.customers.customer_groups import CreateCustomerGroupCommand, CustomerGroupChanges
from src.domain.catalog.coupon import Coupon
from src.domain.catalog.exchange_rate import ExchangeRate
from src.domain.catalog.price_list import Price, PriceList, PriceTier, Scope, TierRange
from src.domain.customers.group import CustomerGroup
from src.domain.shared.canonical import decimal_text
from src.domain.shared.currency import Currency
from src.domain.shared.ids import CategoryId, CustomerId, PriceListId, ProductId
from src.entrypoints.http.catalog.schemas import CurrencyCode, changes_of
from src.entrypoints.schemas.explanation import PriceSourceSchema
from src.entrypoints.schemas.pricing import DecimalText, TaxSchema

Name = Annotated[str, Meta(min_length=1, max_length=200)]
Priority = Annotated[int, Meta(ge=-1_000_000, le=1_000_000, description="The higher wins among equals.")]
FirstDay = Annotated[date | None, Meta(description="First day; open when null.")]
LastDay = Annotated[date | None, Meta(description="Last day, included; open when null.")]
UseLimit = Annotated[int, Meta(ge=1, le=1_000_000_000)]
Targets = Annotated[list[UUID], Meta(max_length=1000)]


def _text(value: Decimal | None) -> str | None:
    return None if value is None else decimal_text(value)


class CreatePriceListRequest(Struct, frozen=True, forbid_unknown_fields=True):
    name: Name
    currency: CurrencyCode = None
    scope: Annotated[Scope, Meta(description="Whom it is for; `scope_id` names the customer or group.")] = (
        Scope.EVERYONE
    )
    scope_id: UUID | None = None
    valid_from: FirstDay = None
    valid_until: LastDay = None
    priority: Priority = 0
    active: bool = True
    tiers_from: Annotated[
        UUID | None, Meta(description="Where to look for what this list has no price of its own for.")
    ] = None

    def command(self) -> CreatePriceListCommand:
        return CreatePriceListCommand(
            name=self.name,
            currency=None if self.currency is None else Currency.of(self.currency),
            scope=self.scope,
            scope_id=self.scope_id,
            valid_from=self.valid_from,
            valid_until=self.valid_until,
            priority=self.priority,
            active=self.active,
            tiers_from=None if self.tiers_from is None else PriceListId(self.tiers_from),
        )


class ChangePriceListRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """What is absent stays as it is; the currency never changes."""

    name: Name | UnsetType = UNSET
    scope: Scope | UnsetType = UNSET
    scope_id: UUID | UnsetType | None = UNSET
    valid_from: date | UnsetType | None = UNSET
    valid_until: date | UnsetType | None = UNSET
    priority: Priority | UnsetType = UNSET
    active: bool | UnsetType = UNSET
    tiers_from: UUID | UnsetType | None = UNSET

    def changes(self) -> PriceListChanges:
        return cast("PriceListChanges", changes_of(self))


class PriceListResponse(Struct, frozen=True):
    id: UUID
    name: str
    currency: str
    scope: str
    scope_id: UUID | None
    valid_from: date | None
    valid_until: date | None
    priority: int
    active: bool
    tiers_from: UUID | None
    created_at: datetime
    version: int

    @classmethod
    def of(cls, price_list: PriceList) -> Self:
        return cls(
            id=price_list.id,
            name=price_list.name,
            currency=price_list.currency.code,
            scope=price_list.scope.value,
            scope_id=price_list.scope_id,
            valid_from=price_list.valid_from,
            valid_until=price_list.valid_until,
            priority=price_list.priority,
            active=price_list.active,
            tiers_from=price_list.tiers_from,
            created_at=price_list.created_at,
            version=price_list.version,
        )


class TierSchema(Struct, frozen=True, forbid_unknown_fields=True):
    """From *min_quantity* on: either *unit_price* or *discount_percent* off the list price.

    *below* is where it ends; it may be left out, and must meet the next tier where it is given.
    """

    min_quantity: DecimalText = "0"
    unit_price: DecimalText | None = None
    discount_percent: DecimalText | None = None
    price_base_quantity: DecimalText = "1"
    below: DecimalText | None = None

    def tier(self) -> TierRange:
        return TierRange(
            tier=PriceTier(
                min_quantity=Decimal(self.min_quantity),
                unit_price=None if self.unit_price is None else Decimal(self.unit_price),
                discount_percent=None if self.discount_percent is None else Decimal(self.discount_percent),
                price_base_quantity=Decimal(self.price_base_quantity),
            ),
            below=None if self.below is None else Decimal(self.below),
        )

    @classmethod
    def of(cls, tier: PriceTier) -> Self:
        return cls(
            min_quantity=decimal_text(tier.min_quantity),
            unit_price=_text(tier.unit_price),
            discount_percent=_text(tier.discount_percent),
            price_base_quantity=decimal_text(tier.price_base_quantity),
        )


class SetPriceRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """For a product, or for a category, or (neither) for all products."""

    tiers: Annotated[list[TierSchema], Meta(min_length=1, max_length=50)]
    product_id: UUID | None = None
    category_id: UUID | None = None
    unit: Annotated[str, Meta(max_length=10)] | None = None


class PriceResponse(Struct, frozen=True):
    id: UUID
    price_list_id: UUID
    product_id: UUID | None
    category_id: UUID | None
    unit: str | None
    tiers: list[TierSchema]
    created_at: datetime
    version: int

    @classmethod
    def of(cls, price: Price) -> Self:
        return cls(
            id=price.id,
            price_list_id=price.price_list_id,
            product_id=price.product_id,
            category_id=price.category_id,
            unit=price.unit,
            tiers=[TierSchema.of(tier) for tier in price.tiers],
            created_at=price.created_at,
            version=price.version,
        )


class AskedItem(Struct, frozen=True, forbid_unknown_fields=True):
    product_id: UUID
    quantity: DecimalText = "1"
    unit: Annotated[str, Meta(max_length=10)] | None = None


class AskPricesRequest(Struct, frozen=True, forbid_unknown_fields=True):
    items: Annotated[list[AskedItem], Meta(min_length=1, max_length=500)]
    customer_id: UUID | None = None
    currency: Annotated[str | None, Meta(description="ISO 4217; the customer's when absent.")] = None
    pricing_date: Annotated[date | None, Meta(description="Today when absent.")] = None

    def command(self) -> AskPricesCommand:
        return AskPricesCommand(
            items=tuple(
                PriceRequest(product_id=ProductId(item.product_id), quantity=Decimal(item.quantity), unit=item.unit)
                for item in self.items
            ),
            customer_id=None if self.customer_id is None else CustomerId(self.customer_id),
            currency=None if self.currency is None else Currency.of(self.currency),
            day=self.pricing_date,
        )


class PriceAnswerResponse(Struct, frozen=True):
    product_id: UUID
    unit_price: str
    price: PriceSourceSchema
    tax: TaxSchema

    @classmethod
    def of(cls, answer: PriceAnswer) -> Self:
        return cls(
            product_id=answer.product_id,
            unit_price=decimal_text(answer.source.unit_price),
            price=PriceSourceSchema.of(answer.source),
            tax=TaxSchema.of(answer.tax),
        )


class CreateCouponRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Either *percent* or *amount*; with products or categories it is taken of their lines alone."""

    code: Annotated[str, Meta(min_length=2, max_length=40, examples=["SPRING-10"])]
    percent: DecimalText | None = None
    amount: DecimalText | None = None
    currency: Annotated[str | None, Meta(description="ISO 4217, of amount and minimum.")] = None
    minimum: DecimalText | None = None
    valid_from: FirstDay = None
    valid_until: LastDay = None
    total_limit: UseLimit | None = None
    customer_limit: UseLimit | None = None
    product_ids: Targets = []
    category_ids: Targets = []
    active: bool = True

    def command(self) -> CreateCouponCommand:
        return CreateCouponCommand(
            code=self.code.upper(),
            percent=None if self.percent is None else Decimal(self.percent),
            amount=None if self.amount is None else Decimal(self.amount),
            currency=None if self.currency is None else Currency.of(self.currency),
            minimum=None if self.minimum is None else Decimal(self.minimum),
            valid_from=self.valid_from,
            valid_until=self.valid_until,
            total_limit=self.total_limit,
            customer_limit=self.customer_limit,
            product_ids=tuple(ProductId(one) for one in self.product_ids),
            category_ids=tuple(CategoryId(one) for one in self.category_ids),
            active=self.active,
        )


class ChangeCouponRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """What is absent stays as it is; offers that have the coupon keep its terms."""

    percent: DecimalText | UnsetType | None = UNSET
    amount: DecimalText | UnsetType | None = UNSET
    currency: str | UnsetType | None = UNSET
    minimum: DecimalText | UnsetType | None = UNSET
    valid_from: date | UnsetType | None = UNSET
    valid_until: date | UnsetType | None = UNSET
    total_limit: UseLimit | UnsetType | None = UNSET
    customer_limit: UseLimit | UnsetType | None = UNSET
    product_ids: Targets | UnsetType = UNSET
    category_ids: Targets | UnsetType = UNSET
    active: bool | UnsetType = UNSET

    def changes(self) -> CouponChanges:
        currency = None if self.currency is UNSET or self.currency is None else Currency.of(self.currency)
        given = changes_of(self, currency=currency)
        for name in ("product_ids", "category_ids"):
            if name in given:
                given[name] = tuple(given[name])
        return cast("CouponChanges", given)


class CouponResponse(Struct, frozen=True):
    id: UUID
    code: str
    percent: str | None
    amount: str | None
    currency: str | None
    minimum: str | None
    valid_from: date | None
    valid_until: date | None
    total_limit: int | None
    customer_limit: int | None
    product_ids: list[UUID]
    category_ids: list[UUID]
    active: bool
    created_at: datetime
    version: int

    @classmethod
    def of(cls, coupon: Coupon) -> Self:
        return cls(
            id=coupon.id,
            code=coupon.code,
            percent=_text(coupon.percent),
            amount=_text(coupon.amount),
            currency=None if coupon.currency is None else coupon.currency.code,
            minimum=_text(coupon.minimum),
            valid_from=coupon.valid_from,
            valid_until=coupon.valid_until,
            total_limit=coupon.total_limit,
            customer_limit=coupon.customer_limit,
            product_ids=list(coupon.product_ids),
            category_ids=list(coupon.category_ids),
            active=coupon.active,
            created_at=coupon.created_at,
            version=coupon.version,
        )


class ExchangeRateRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """One unit of *base* is *rate* units of *target*."""

    base: Annotated[str, Meta(examples=["USD"])]
    target: Annotated[str, Meta(examples=["EUR"])]
    rate: Annotated[str, Meta(pattern=r"^[0-9]{1,9}(\.[0-9]{1,12})?$(?!\n)", examples=["0.9215"])]
    source: Annotated[str, Meta(min_length=1, max_length=60, examples=["ECB"])]
    as_of: date

    def rate_added(self) -> NewRate:
        return NewRate(
            base=Currency.of(self.base),
            target=Currency.of(self.target),
            rate=Decimal(self.rate),
            source=self.source,
            as_of=self.as_of,
        )


class AddExchangeRatesRequest(Struct, frozen=True, forbid_unknown_fields=True):
    rates: Annotated[list[ExchangeRateRequest], Meta(min_length=1, max_length=500)]


class ExchangeRateResponse(Struct, frozen=True):
    id: UUID
    base: str
    target: str
    rate: str
    source: str
    as_of: date
    created_at: datetime

    @classmethod
    def of(cls, rate: ExchangeRate) -> Self:
        return cls(
            id=rate.id,
            base=rate.base.code,
            target=rate.target.code,
            rate=decimal_text(rate.rate),
            source=rate.source,
            as_of=rate.as_of,
            created_at=rate.created_at,
        )


class CreateCustomerGroupRequest(Struct, frozen=True, forbid_unknown_fields=True):
    name: Name
    discount_percent: Annotated[DecimalText, Meta(description="Off list prices where no price list says more.")] = "0"

    def command(self) -> CreateCustomerGroupCommand:
        return CreateCustomerGroupCommand(name=self.name, discount_percent=Decimal(self.discount_percent))


class ChangeCustomerGroupRequest(Struct, frozen=True, forbid_unknown_fields=True):
    name: Name | UnsetType = UNSET
    discount_percent: DecimalText | UnsetType = UNSET

    def changes(self) -> CustomerGroupChanges:
        return cast("CustomerGroupChanges", changes_of(self))


class CustomerGroupResponse(Struct, frozen=True):
    id: UUID
    name: str
    discount_percent: str
    created_at: datetime
    version: int

    @classmethod
    def of(cls, group: CustomerGroup) -> Self:
        return cls(
            id=group.id,
            name=group.name,
            discount_percent=decimal_text(group.discount_percent),
            created_at=group.created_at,
            version=group.version,
        )


class RegroupRequest(Struct, frozen=True, forbid_unknown_fields=True):
    group_id: Annotated[UUID | None, Meta(description="Null: in no group.")]
