"""Products on the wire."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Self
from uuid import UUID

from msgspec import Meta, Struct

from src.application.catalog.create_product import CreateProductCommand
from src.domain.catalog.product import Product
from src.domain.shared.canonical import decimal_text
from src.domain.shared.currency import Currency
from src.entrypoints.schemas.pricing import DecimalText


class CreateProductRequest(Struct, frozen=True, forbid_unknown_fields=True):
    sku: Annotated[str, Meta(min_length=1, max_length=60, examples=["DESK-180"])]
    name: Annotated[str, Meta(min_length=1, max_length=200, examples=["Height-adjustable desk"])]
    list_price: DecimalText
    tax_rate_percent: Annotated[DecimalText | None, Meta(description="Null is exempt.")]
    tax_category: Annotated[str, Meta(min_length=1, max_length=20)] = "VAT"
    description: str = ""
    unit: Annotated[str, Meta(description="UN/ECE Recommendation 20; C62 is a piece.", max_length=10)] = "C62"
    currency: Annotated[str | None, Meta(description="ISO 4217; the organisation's when absent.", examples=["EUR"])] = (
        None
    )

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
        )


class ProductResponse(Struct, frozen=True):
    id: UUID
    sku: str
    name: str
    description: str
    unit: str
    list_price: str
    currency: str
    tax_category: str
    tax_rate_percent: str | None
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
            tax_category=product.tax_category,
            tax_rate_percent=None if rate is None else decimal_text(rate),
            created_at=product.created_at,
            version=product.version,
        )
