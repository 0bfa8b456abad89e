"""Products: what is offered, at its list price."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from src.domain.shared.change import Change
from src.domain.shared.currency import Currency
from src.domain.shared.errors import Conflict, NotFound
from src.domain.shared.events import DomainEvent
from src.domain.shared.ids import ProductId
from src.domain.shared.text import TextChecks

HIGHEST_PRICE = Decimal(10) ** 12
MOST_DECIMALS = 6


class ProductNotFound(NotFound):
    code = "product_not_found"


class SkuTaken(Conflict):
    code = "sku_taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductCreated(DomainEvent):
    action = "product.created"
    resource_type: str = "product"


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """Something that can be offered.

    *sku* is unique in the organisation; *unit* a code of UN/ECE Recommendation 20 (``C62`` is a piece);
    *list_price* is for one unit in *currency*, without tax unless the organisation's prices include it;
    *tax_rate_percent* None means exempt.
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
    version: int = 0

    def __post_init__(self) -> None:
        checks = TextChecks()
        checks.line("sku", self.sku, required=True, longest=60)
        checks.line("name", self.name, required=True)
        checks.paragraphs("description", self.description)
        checks.line("unit", self.unit, required=True, longest=10)
        checks.line("tax_category", self.tax_category, required=True, longest=20)
        _check_decimal(checks, "list_price", self.list_price, HIGHEST_PRICE)
        if self.tax_rate_percent is not None:
            _check_decimal(checks, "tax_rate_percent", self.tax_rate_percent, Decimal(1000))
        checks.done()

    def create(self) -> Change["Product"]:
        return Change(None, self, (ProductCreated(resource_id=self.id, at=self.created_at),))


def _check_decimal(checks: TextChecks, field: str, value: Decimal, below: Decimal) -> None:
    if not value.is_finite():
        checks.refuse(field, "This is not a number.")
    elif not 0 <= value < below:
        checks.refuse(field, f"This must lie between 0 and {below:f}.")
    elif -int(value.as_tuple().exponent) > MOST_DECIMALS:
        checks.refuse(field, f"At most {MOST_DECIMALS} decimals are allowed.")
