"""Products, categories and tax rates on the wire."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Self, cast
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from src.application.catalog.categories import CategoryChanges, CreateCategoryCommand
from src.application.catalog.change_product import ProductChanges
from src.application.catalog.create_product import CreateProductCommand
from src.application.catalog.tax_rates import CreateTaxRateCommand, TaxRateChanges
from src.domain.catalog.category import Category
from src.domain.catalog.product import Product
from src.domain.catalog.tax_rate import TaxPeriod, TaxRate
from src.domain.shared.canonical import decimal_text
from src.domain.shared.currency import Currency
from src.domain.shared.ids import CategoryId, TaxRateId
from src.entrypoints.schemas.pricing import DecimalText

CurrencyCode = Annotated[str | None, Meta(description="ISO 4217; the organisation's when absent.", examples=["EUR"])]
_DECIMALS: Final = frozenset(
    {"list_price", "cost", "tax_rate_percent", "surcharge_percent", "discount_percent", "percent", "amount", "minimum"}
)


def changes_of(data: Struct, **converted: Any) -> dict[str, Any]:
    """What a request gives, by field; absent fields are left out. Decimal texts become decimals, *converted* win.

    Raises Invalid naming a field that may not be null.
    """
    given: dict[str, Any] = {}
    for name in data.__struct_fields__:
        value = getattr(data, name)
        if value is UNSET:
            continue
        given[name] = Decimal(value) if name in _DECIMALS and value is not None else value
    return given | {name: value for name, value in converted.items() if name in given}


Custom = Annotated[
    dict[str, Annotated[str, Meta(max_length=1000)] | None],
    Meta(max_length=100, description="Custom values by key; null takes one away. `GET /custom-fields` lists them."),
]


def custom_told(given: "dict[str, str | None] | UnsetType") -> dict[str, str | None] | None:
    return None if isinstance(given, UnsetType) else given


class CreateProductRequest(Struct, frozen=True, forbid_unknown_fields=True):
    sku: Annotated[str, Meta(min_length=1, max_length=60, examples=["DESK-180"])]
    name: Annotated[str, Meta(min_length=1, max_length=200, examples=["Height-adjustable desk"])]
    list_price: DecimalText
    tax_rate_percent: Annotated[
        DecimalText | None, Meta(description="Null is exempt; a `tax_rate_id` comes before it.")
    ] = None
    tax_category: Annotated[str, Meta(min_length=1, max_length=20)] = "VAT"
    description: str = ""
    unit: Annotated[str, Meta(description="UN/ECE Recommendation 20; C62 is a piece.", max_length=10)] = "C62"
    currency: CurrencyCode = None
    tax_rate_id: Annotated[UUID | None, Meta(description="A tax rate of the organisation, with its dates.")] = None
    cost: Annotated[DecimalText | None, Meta(description="For one unit, without tax.")] = None
    category_id: UUID | None = None
    custom: Custom = {}

    def command(self) -> CreateProductCommand:
        return CreateProductCommand(
            sku=self.sku,
            name=self.name,
            list_price=Decimal(self.list_price),
            tax_rate_percent=None if self.tax_rate_percent is None else Decimal(self.tax_rate_percent),
            tax_category=self.tax_category,
            description=self.description,
            unit=self.unit,
            currency=None if self.currency is None else Currency.of(self.currency),
            tax_rate_id=None if self.tax_rate_id is None else TaxRateId(self.tax_rate_id),
            cost=None if self.cost is None else Decimal(self.cost),
            category_id=None if self.category_id is None else CategoryId(self.category_id),
            custom=self.custom,
        )


class ChangeProductRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """What is absent stays as it is."""

    sku: Annotated[str, Meta(min_length=1, max_length=60)] | UnsetType = UNSET
    name: Annotated[str, Meta(min_length=1, max_length=200)] | UnsetType = UNSET
    description: str | UnsetType = UNSET
    unit: Annotated[str, Meta(max_length=10)] | UnsetType = UNSET
    list_price: DecimalText | UnsetType = UNSET
    cost: DecimalText | UnsetType | None = UNSET
    category_id: UUID | UnsetType | None = UNSET
    tax_rate_id: UUID | UnsetType | None = UNSET
    tax_category: Annotated[str, Meta(min_length=1, max_length=20)] | UnsetType = UNSET
    tax_rate_percent: DecimalText | UnsetType | None = UNSET
    archived: bool | UnsetType = UNSET
    custom: Custom | UnsetType = UNSET

    def changes(self) -> ProductChanges:
        given = changes_of(self)
        given.pop("custom", None)
        return cast("ProductChanges", given)


class ProductResponse(Struct, frozen=True):
    id: UUID
    sku: str
    name: str
    description: str
    unit: str
    list_price: str
    currency: str
    cost: str | UnsetType | None
    category_id: UUID | None
    tax_rate_id: UUID | None
    tax_category: str
    tax_rate_percent: str | None
    archived: bool
    custom: dict[str, str]
    created_at: datetime
    version: int

    @classmethod
    def of(cls, product: Product) -> Self:
        rate = product.tax_rate_percent
        return cls(
            id=product.id,
            sku=product.sku,
            name=product.name,
            description=product.description,
            unit=product.unit,
            list_price=decimal_text(product.list_price),
            currency=product.currency.code,
            cost=None if product.cost is None else decimal_text(product.cost),
            category_id=product.category_id,
            tax_rate_id=product.tax_rate_id,
            tax_category=product.tax_category,
            tax_rate_percent=None if rate is None else decimal_text(rate),
            archived=product.archived,
            custom=dict(product.custom),
            created_at=product.created_at,
            version=product.version,
        )


class CreateCategoryRequest(Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=200, examples=["Desks"])]
    parent_id: UUID | None = None

    def command(self) -> CreateCategoryCommand:
        parent_id = None if self.parent_id is None else CategoryId(self.parent_id)
        return CreateCategoryCommand(name=self.name, parent_id=parent_id)


class ChangeCategoryRequest(Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=200)] | UnsetType = UNSET
    parent_id: UUID | UnsetType | None = UNSET

    def changes(self) -> CategoryChanges:
        return cast("CategoryChanges", changes_of(self))


class CategoryResponse(Struct, frozen=True):
    id: UUID
    name: str
    parent_id: UUID | None
    created_at: datetime
    version: int

    @classmethod
    def of(cls, category: Category) -> Self:
        return cls(
            id=category.id,
            name=category.name,
            parent_id=category.parent_id,
            created_at=category.created_at,
            version=category.version,
        )


class TaxPeriodSchema(Struct, frozen=True, forbid_unknown_fields=True):
    """From *valid_from* on (null: always) the rate is *rate_percent* (null: exempt)."""

    rate_percent: DecimalText | None
    valid_from: date | None = None

    def period(self) -> TaxPeriod:
        rate = None if self.rate_percent is None else Decimal(self.rate_percent)
        return TaxPeriod(valid_from=self.valid_from, rate_percent=rate)

    @classmethod
    def of(cls, period: TaxPeriod) -> Self:
        rate = period.rate_percent
        return cls(valid_from=period.valid_from, rate_percent=None if rate is None else decimal_text(rate))


class CreateTaxRateRequest(Struct, frozen=True, forbid_unknown_fields=True):
    code: Annotated[str, Meta(min_length=1, max_length=40, examples=["VAT-STANDARD"])]
    name: Annotated[str, Meta(min_length=1, max_length=200)]
    category: Annotated[str, Meta(min_length=1, max_length=20, description="UNCL 5305, or a scheme such as VAT.")]
    periods: Annotated[list[TaxPeriodSchema], Meta(min_length=1, max_length=100)]
    exemption_code: Annotated[str, Meta(max_length=60, description="Why it is exempt (VATEX).")] = ""
    surcharge_percent: DecimalText | None = None
    retained: Annotated[bool, Meta(description="Withheld by the buyer.")] = False

    def command(self) -> CreateTaxRateCommand:
        return CreateTaxRateCommand(
            code=self.code,
            name=self.name,
            category=self.category,
            periods=tuple(period.period() for period in self.periods),
            exemption_code=self.exemption_code,
            surcharge_percent=None if self.surcharge_percent is None else Decimal(self.surcharge_percent),
            retained=self.retained,
        )


class ChangeTaxRateRequest(Struct, frozen=True, forbid_unknown_fields=True):
    code: Annotated[str, Meta(min_length=1, max_length=40)] | UnsetType = UNSET
    name: Annotated[str, Meta(min_length=1, max_length=200)] | UnsetType = UNSET
    category: Annotated[str, Meta(min_length=1, max_length=20)] | UnsetType = UNSET
    periods: Annotated[list[TaxPeriodSchema], Meta(min_length=1, max_length=100)] | UnsetType = UNSET
    exemption_code: Annotated[str, Meta(max_length=60)] | UnsetType = UNSET
    surcharge_percent: DecimalText | UnsetType | None = UNSET
    retained: bool | UnsetType = UNSET

    def changes(self) -> TaxRateChanges:
        periods = () if self.periods is UNSET else tuple(period.period() for period in self.periods)
        return cast("TaxRateChanges", changes_of(self, periods=periods))


class TaxRateResponse(Struct, frozen=True):
    id: UUID
    code: str
    name: str
    category: str
    periods: list[TaxPeriodSchema]
    exemption_code: str
    surcharge_percent: str | None
    retained: bool
    created_at: datetime
    version: int

    @classmethod
    def of(cls, rate: TaxRate) -> Self:
        return cls(
            id=rate.id,
            code=rate.code,
            name=rate.name,
            category=rate.category,
            periods=[TaxPeriodSchema.of(period) for period in rate.periods],
            exemption_code=rate.exemption_code,
            surcharge_percent=None if rate.surcharge_percent is None else decimal_text(rate.surcharge_percent),
            retained=rate.retained,
            created_at=rate.created_at,
            version=rate.version,
        )
