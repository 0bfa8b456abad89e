"""A request for quotation, or an offer, as a JSON file: the same figures as over HTTP, without a database."""

import re
from dataclasses import replace
from decimal import Decimal
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from src.domain.quoting.pricing import DocumentDiscount, QuotePricing
from src.domain.shared.currency import Currency
from src.domain.shared.errors import Invalid, invalid_field
from src.domain.shared.rounding import InclusiveTax, Rounding, RoundingSettings, TaxMode, TaxRounding
from src.entrypoints.schemas.complaints import plain_words
from src.entrypoints.schemas.pricing import (
    DecimalText,
    DepositSchema,
    DocumentChargeSchema,
    DocumentDiscountSchema,
    InstalmentSchema,
    PricedLineSchema,
)
from src.entrypoints.strict_json import check_json, printable

LARGEST_FILE: Final = 16 * 1024 * 1024
_PLACE: Final = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
_NAMED: Final = re.compile(r"(?P<what>unknown|missing required) field `(?P<name>[^`]*)`")


class ScopedDiscountSchema(DocumentDiscountSchema, frozen=True, forbid_unknown_fields=True):
    """A reduction of the whole offer, or with *lines* (positions from 0) of just these."""

    lines: Annotated[list[int], Meta(max_length=10_000)] | None = None
    coupon: Annotated[str, Meta(max_length=40)] = ""

    def scoped(self) -> DocumentDiscount:
        lines = None if self.lines is None else tuple(self.lines)
        return replace(self.document_discount(), lines=lines, coupon=self.coupon)


class PricingDocument(Struct, frozen=True, forbid_unknown_fields=True):
    """What a file says. Texts about the parties are shown, figures are calculated."""

    currency: Annotated[str, Meta(description="ISO 4217", examples=["EUR"])]
    lines: Annotated[list[PricedLineSchema], Meta(min_length=1, max_length=10_000)]
    title: Annotated[str, Meta(max_length=200)] = ""
    buyer: Annotated[str, Meta(max_length=200)] = ""
    rounding: Rounding = Rounding.PER_LINE
    tax_rounding: TaxRounding = TaxRounding.PER_GROUP
    inclusive_tax: InclusiveTax = InclusiveTax.FROM_GROSS
    tax_mode: TaxMode = TaxMode.HALF_UP
    prices_include_tax: Annotated[str | None, Meta(description="The tax category that prices contain.")] = None
    discounts: list[ScopedDiscountSchema] = []
    charges: list[DocumentChargeSchema] = []
    prepaid: DecimalText = "0"
    cash_rounding: DecimalText | None = None
    deposit: DepositSchema | None = None
    instalments: Annotated[list[InstalmentSchema], Meta(max_length=60)] = []

    def pricing(self) -> QuotePricing:
        """Its figures. Raises Invalid for an unknown currency."""
        return QuotePricing(
            currency=Currency.of(self.currency),
            lines=tuple(line.pricing() for line in self.lines),
            settings=RoundingSettings(
                rounding=self.rounding,
                tax_rounding=self.tax_rounding,
                inclusive_tax=self.inclusive_tax,
                tax_mode=self.tax_mode,
            ),
            prices_include_tax=self.prices_include_tax,
            discounts=tuple(discount.scoped() for discount in self.discounts),
            charges=tuple(charge.document_charge() for charge in self.charges),
            prepaid=Decimal(self.prepaid),
            cash_rounding=None if self.cash_rounding is None else Decimal(self.cash_rounding),
            deposit=None if self.deposit is None else self.deposit.deposit(),
            instalments=tuple(instalment.instalment() for instalment in self.instalments),
        )


def read_pricing(data: bytes) -> PricingDocument:
    """The document in *data*. Raises Invalid naming the field, MalformedJson for what is no strict JSON."""
    if len(data) > LARGEST_FILE:
        raise Invalid(f"The document is larger than {LARGEST_FILE // 1024 // 1024} MiB.")
    check_json(data)
    try:
        return msgspec.json.decode(data, type=PricingDocument)
    except msgspec.ValidationError as error:
        raise _told(str(error)) from None


def _told(complaint: str) -> Invalid:
    """Msgspec's sentence as a field and a message."""
    place = _PLACE.search(complaint)
    path = printable(place["path"]) if place else ""
    named = _NAMED.search(complaint)
    if named is not None:
        name = printable(named["name"])
        field = f"{path}.{name}" if path else name
        return invalid_field(
            field, "This field is not known." if named["what"] == "unknown" else "This field is needed."
        )
    message = complaint[: place.start()] if place else complaint
    return invalid_field(path or "document", plain_words(message, PricingDocument, path))
