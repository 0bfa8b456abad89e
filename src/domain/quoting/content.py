"""What an offer says: everything that the buyer sees or that a figure depends on."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo

from src.domain.quoting.pricing import Charge, Discount, DocumentCharge, DocumentDiscount, LinePricing, QuotePricing
from src.domain.shared.currency import Currency
from src.domain.shared.ids import ContactId, LineItemId, ProductId
from src.domain.shared.party import Party
from src.domain.shared.rounding import RoundingSettings
from src.domain.shared.text import TextChecks

DOCUMENT_TEMPLATE = "quote-1"  # Raised with the printed form, because the digest covers what the buyer sees.
LONGEST_DESCRIPTION = 2000
LAST_YEAR = 9000  # Far from the end of the calendar, so that the day after exists in every zone.


@dataclass(frozen=True, slots=True, kw_only=True)
class LineItem:
    """One position of an offer. *product_id* is where it came from; its texts and figures are its own."""

    id: LineItemId
    sku: str
    description: str
    unit: str
    pricing: LinePricing
    product_id: ProductId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """The contact that the offer goes to, as named on it."""

    contact_id: ContactId
    name: str
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteContent:
    """One offer in words and figures; parties and settings are copies, never read live.

    *valid_until* is a date in *time_zone* and lasts to its end. *locale* is the language of the document.
    *prices_include_tax* names the tax category that prices contain, or is None.
    """

    title: str
    seller: Party
    buyer: Party
    recipient: Recipient | None
    salesperson: str
    valid_until: date
    time_zone: str
    locale: str
    currency: Currency
    settings: RoundingSettings
    prices_include_tax: str | None
    lines: tuple[LineItem, ...]
    discounts: tuple[DocumentDiscount, ...] = ()
    charges: tuple[DocumentCharge, ...] = ()
    terms: str = ""
    template: str = field(default=DOCUMENT_TEMPLATE)

    def __post_init__(self) -> None:
        checks = TextChecks()
        checks.line("title", self.title)
        checks.paragraphs("terms", self.terms)
        if not 2000 <= self.valid_until.year <= LAST_YEAR:
            checks.refuse("valid_until", f"A year from 2000 to {LAST_YEAR} is needed.")
        for position, line in enumerate(self.lines):
            checks.line(f"lines[{position}].sku", line.sku, longest=60)
            checks.paragraphs(f"lines[{position}].description", line.description, longest=LONGEST_DESCRIPTION)
            checks.line(f"lines[{position}].unit", line.unit, longest=10)
            _check_reasons(checks, f"lines[{position}].discounts", line.pricing.discounts)
            _check_reasons(checks, f"lines[{position}].charges", line.pricing.charges)
            for index, tax in enumerate(line.pricing.taxes):
                checks.line(f"lines[{position}].taxes[{index}].category", tax.category, required=True, longest=20)
                checks.line(f"lines[{position}].taxes[{index}].code", tax.code, longest=60)
        _check_reasons(checks, "discounts", self.discounts)
        _check_reasons(checks, "charges", self.charges)
        checks.done()

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def pricing(self) -> QuotePricing:
        """What the calculator needs of it."""
        return QuotePricing(
            currency=self.currency,
            lines=tuple(line.pricing for line in self.lines),
            settings=self.settings,
            prices_include_tax=self.prices_include_tax,
            discounts=self.discounts,
            charges=self.charges,
        )


def _check_reasons(checks: TextChecks, field: str, entries: Sequence[Discount | Charge]) -> None:
    for index, entry in enumerate(entries):
        checks.line(f"{field}[{index}].reason", entry.reason)
