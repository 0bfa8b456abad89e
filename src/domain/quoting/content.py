"""What an offer says: everything that the buyer sees or that a figure depends on."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from src.domain.identity.organization import Logo
from src.domain.quoting.pricing import (
    Deposit,
    DocumentCharge,
    DocumentDiscount,
    Instalment,
    LinePricing,
    QuotePricing,
)
from src.domain.shared.calendar import FIRST_YEAR, LAST_YEAR
from src.domain.shared.currency import Currency
from src.domain.shared.custom_fields import Values
from src.domain.shared.ids import ContactId, CouponId, LineItemId, ProductId
from src.domain.shared.party import Party
from src.domain.shared.price_source import PriceKind, PriceSource
from src.domain.shared.rounding import RoundingSettings
from src.domain.shared.text import TextChecks

DOCUMENT_TEMPLATE = "quote-2"  # Raised with the printed form, because the digest covers what the buyer sees.
LONGEST_DESCRIPTION = 2000
MOST_PARTICIPANTS = 20
_CONVERSION = Context(prec=60, rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineItem:
    """One position of an offer. *product_id* is where it came from; its texts and figures are its own.

    *price_source* says where the unit price came from (None: typed on a line without a product), *taxes_typed* that
    somebody gave other taxes than the product's.
    """

    id: LineItemId
    sku: str
    description: str
    unit: str
    pricing: LinePricing
    product_id: ProductId | None = None
    price_source: PriceSource | None = None
    taxes_typed: bool = False

    @property
    def is_priced_by_catalog(self) -> bool:
        """Whether the unit price came from the catalogue and nobody typed another."""
        return self.price_source is not None and self.price_source.kind is not PriceKind.OVERRIDE


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """The contact that the offer goes to, as named on it."""

    contact_id: ContactId
    name: str = field(metadata={"personal": True})
    email: str = field(metadata={"personal": True})


def each_address_once(people: Iterable[Recipient]) -> list[Recipient]:
    """The first of *people* with each address, no matter the case: nobody gets a mail twice."""
    found: dict[str, Recipient] = {}
    for one in people:
        found.setdefault(one.email.casefold(), one)
    return list(found.values())


class ContactRole(StrEnum):
    """What somebody beside the recipient has to do with an offer."""

    SIGNATORY = "signatory"
    COPY = "copy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """A contact beside the recipient, as named on the offer: who signs for the buyer, who gets a copy."""

    contact_id: ContactId
    role: ContactRole
    name: str = field(metadata={"personal": True})
    email: str = field(metadata={"personal": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedCoupon:
    """A coupon as it was when it was applied: its terms stay, whatever becomes of it.

    *line_ids* are the lines that it is taken of; None: all of them.
    """

    coupon_id: CouponId
    code: str
    percent: Decimal | None
    amount: Decimal | None
    line_ids: tuple[LineItemId, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenRate:
    """One unit of *base*, the offer's currency, is *rate* units of *target*, the organisation's, by *source* of *as_of*."""

    base: Currency
    target: Currency
    rate: Decimal
    source: str
    as_of: date

    def convert(self, amount: Decimal) -> Decimal:
        """*amount* of the base in the target, rounded half away from zero to its minor units."""
        unit = Decimal(1).scaleb(-self.target.minor_digits)
        return _CONVERSION.multiply(amount, self.rate).quantize(unit, ROUND_HALF_UP, _CONVERSION)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteContent:
    """One offer in words and figures; parties and settings are copies, never read live.

    *valid_until* is a date in *time_zone* and lasts to its end. *locale* is the language of the document.
    *prices_include_tax* names the tax category that prices contain, or is None. *pricing_date* is the day whose prices
    and tax rates hold. *logo* is the seller's, whose file is kept for good. *exchange_rate* to the organisation's currency is taken at submission; None for an offer in it.
    """

    title: str
    seller: Party
    buyer: Party
    recipient: Recipient | None
    salesperson: str = field(metadata={"personal": True})
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
    pricing_date: date | None = None
    coupons: tuple[AppliedCoupon, ...] = ()
    cash_rounding: Decimal | None = None
    prepaid: Decimal = Decimal(0)
    deposit: Deposit | None = None
    instalments: tuple[Instalment, ...] = ()
    exchange_rate: FrozenRate | None = None
    template: str = field(default=DOCUMENT_TEMPLATE)
    logo: Logo | None = field(default=None, metadata={"omit_empty": True})
    participants: tuple[Participant, ...] = field(default=(), metadata={"omit_empty": True})
    custom: Values = field(default=(), metadata={"omit_empty": True})

    def __post_init__(self) -> None:
        checks = TextChecks()
        checks.line("title", self.title)
        checks.paragraphs("terms", self.terms)
        if not FIRST_YEAR <= self.valid_until.year <= LAST_YEAR:
            checks.refuse("valid_until", f"A year from {FIRST_YEAR} to {LAST_YEAR} is needed.")
        for position, line in enumerate(self.lines):
            _check_line(checks, position, line)
        if len(self.participants) > MOST_PARTICIPANTS:
            checks.refuse("participants", f"At most {MOST_PARTICIPANTS} are named.")
        if len({(one.contact_id, one.role) for one in self.participants}) < len(self.participants):
            checks.refuse("participants", "Nobody twice in one role.")
        for index, discount in enumerate(self.discounts):
            checks.line("discounts[{}].reason", discount.reason, index)
        for index, charge in enumerate(self.charges):
            checks.line("charges[{}].reason", charge.reason, index)
        for index, instalment in enumerate(self.instalments):
            checks.line("instalments[{}].label", instalment.label, index)
        checks.done()

    @property
    def addressed(self) -> tuple[Recipient, ...]:
        """Whom the offer is mailed to: its recipient, and those who get a copy."""
        copies = tuple(
            Recipient(contact_id=one.contact_id, name=one.name, email=one.email)
            for one in self.participants
            if one.role is ContactRole.COPY
        )
        return copies if self.recipient is None else (self.recipient, *copies)

    def without_person(self, contact_id: ContactId) -> "QuoteContent":
        """The same without this contact in any role."""
        recipient = self.recipient
        gone = recipient is not None and recipient.contact_id == contact_id
        kept = tuple(one for one in self.participants if one.contact_id != contact_id)
        return replace(self, recipient=None if gone else recipient, participants=kept)

    def with_rate(self, rate: FrozenRate | None) -> "QuoteContent":
        """The same with this exchange rate: itself where it has that one, so that nobody takes it for changed."""
        return self if rate == self.exchange_rate else replace(self, exchange_rate=rate)

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
            discounts=(*self.discounts, *self._coupon_discounts()),
            charges=self.charges,
            prepaid=self.prepaid,
            cash_rounding=self.cash_rounding,
            deposit=self.deposit,
            instalments=self.instalments,
        )

    def price_sources(self) -> tuple[PriceSource | None, ...]:
        return tuple(line.price_source for line in self.lines)

    def _coupon_discounts(self) -> Iterator[DocumentDiscount]:
        if not self.coupons:
            return
        places = {line.id: position for position, line in enumerate(self.lines)}
        for coupon in self.coupons:
            lines = coupon.line_ids
            yield DocumentDiscount(
                percent=coupon.percent,
                amount=coupon.amount,
                reason=coupon.code,
                coupon=coupon.code,
                lines=None if lines is None else tuple(places[line] for line in lines if line in places),
            )


def _check_line(checks: TextChecks, position: int, line: LineItem) -> None:
    pricing = line.pricing
    checks.line("lines[{}].sku", line.sku, position, longest=60)
    checks.paragraphs("lines[{}].description", line.description, position, longest=LONGEST_DESCRIPTION)
    checks.line("lines[{}].unit", line.unit, position, longest=10)
    checks.line("lines[{}].section", pricing.section, position)
    if line.price_source is not None:
        checks.line("lines[{}].price_reason", line.price_source.reason, position)
    for index, discount in enumerate(pricing.discounts):
        checks.line("lines[{}].discounts[{}].reason", discount.reason, position, index)
    for index, charge in enumerate(pricing.charges):
        checks.line("lines[{}].charges[{}].reason", charge.reason, position, index)
    for index, tax in enumerate(pricing.taxes):
        checks.line("lines[{}].taxes[{}].category", tax.category, position, index, required=True, longest=20)
        checks.line("lines[{}].taxes[{}].code", tax.code, position, index, longest=60)
