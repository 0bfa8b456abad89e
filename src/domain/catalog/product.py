"""Products: what is offered, at its list price."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Self

from src.domain.shared.change import Change
from src.domain.shared.currency import Currency
from src.domain.shared.custom_fields import Values
from src.domain.shared.errors import Conflict, NotFound, invalid_field
from src.domain.shared.events import DomainEvent
from src.domain.shared.figures import HIGHEST_PERCENT, HIGHEST_PRICE, check_figure
from src.domain.shared.ids import CategoryId, ProductId, TaxRateId
from src.domain.shared.text import TextChecks
from src.domain.shared.units import UNITS


class ProductNotFound(NotFound):
    code = "product_not_found"


class ProductArchived(Conflict):
    """It is no longer offered."""

    code = "product_archived"


class SkuTaken(Conflict):
    code = "sku_taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductCreated(DomainEvent):
    action = "product.created"
    resource_type: str = "product"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductChanged(DomainEvent):
    action = "product.changed"
    resource_type: str = "product"


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """Something that can be offered.

    *sku* is unique in the organisation; *unit* a code of UN/ECE Recommendation 20 (``C62`` is a piece);
    *list_price* and *cost* are for one unit in *currency*, the price without tax unless the organisation's prices
    include it, the cost always without. Its tax is *tax_rate_id*, a dated rate of the organisation, or where that is
    None *tax_category* and *tax_rate_percent* (None: exempt). An *archived* product is on no new line.
    """

    id: ProductId
    sku: str
    name: str
    description: str
    unit: str
    list_price: Decimal
    currency: Currency
    tax_category: str
    tax_rate_percent: Decimal | None
    created_at: datetime
    tax_rate_id: TaxRateId | None = None
    cost: Decimal | None = None
    category_id: CategoryId | None = None
    archived: bool = False
    custom: Values = ()
    version: int = 0

    def __post_init__(self) -> None:
        checks = TextChecks()
        checks.line("sku", self.sku, required=True, longest=60)
        checks.line("name", self.name, required=True)
        checks.paragraphs("description", self.description)
        check_unit(checks, "unit", self.unit)
        checks.line("tax_category", self.tax_category, required=True, longest=20)
        check_figure(checks, "list_price", self.list_price, below=HIGHEST_PRICE)
        if self.cost is not None:
            check_figure(checks, "cost", self.cost, below=HIGHEST_PRICE)
        if self.tax_rate_percent is not None:
            check_figure(checks, "tax_rate_percent", self.tax_rate_percent, below=HIGHEST_PERCENT)
        checks.done()

    def create(self) -> Change["Product"]:
        return Change(None, self, (ProductCreated(resource_id=self.id, at=self.created_at),))

    def become(self, changed: Self, at: datetime) -> Change[Self]:
        """Take the values of *changed*; quotes that have it keep what they have."""
        return Change(
            self, replace(changed, id=self.id, version=self.version), (ProductChanged(resource_id=self.id, at=at),)
        )


def check_unit(checks: TextChecks, field: str, unit: str) -> None:
    """*unit* must be a code of UN/ECE Recommendation 20 or 21 (EN 16931, BR-CL-23)."""
    if unit not in UNITS:
        checks.refuse(field, f"{unit[:20]!r} is no unit of UN/ECE Recommendation 20, such as C62, HUR or KGM.")


def check_offered(product: Product, field: str) -> None:
    """Raises ProductArchived naming *field* when the product is on no new line."""
    if product.archived:
        raise ProductArchived(f"{product.sku} is archived and is no longer offered.", field=field, sku=product.sku)


def tax_needed(field: str) -> Exception:
    """What a product without any tax is refused with."""
    return invalid_field(field, "Say the tax: tax_rate_id, or tax_rate_percent (null is exempt).")
