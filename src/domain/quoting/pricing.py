"""What the calculator needs to know of an offer: quantities, prices, discounts, charges, taxes and how to round."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from src.domain.shared.currency import Currency


class Rounding(StrEnum):
    """Where amounts are rounded to the minor unit of the currency."""

    PER_LINE = "per_line"  # Every amount when it comes into being, so that all printed figures add up (EN 16931).
    PRECISE = "precise"  # Nothing on the way; each figure is its own exact value, rounded once.


class TaxRounding(StrEnum):
    """Where the tax is rounded (``per_line`` rounding only)."""

    PER_GROUP = "per_group"  # One amount per tax group: BR-CO-17.
    PER_LINE = "per_line"  # The tax of each line; a group is the sum of its lines.


class TaxMode(StrEnum):
    """How a tax is rounded; everything else is rounded half away from zero."""

    HALF_UP = "half_up"  # Halves away from zero.
    HALF_EVEN = "half_even"
    UP = "up"  # Away from zero.
    DOWN = "down"  # Towards zero.


class InclusiveTax(StrEnum):
    """How a tax is taken out of prices that contain it."""

    FROM_GROSS = "from_gross"  # The gross of the group is the truth; the base is what remains.
    FROM_NET = "from_net"  # Each line's net is found first; rule 5 of the published cases.


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundingSettings:
    """The settings of an organisation, copied into each revision so that a later change never moves a figure."""

    rounding: Rounding = Rounding.PER_LINE
    tax_rounding: TaxRounding = TaxRounding.PER_GROUP
    inclusive_tax: InclusiveTax = InclusiveTax.FROM_GROSS
    tax_mode: TaxMode = TaxMode.HALF_UP


@dataclass(frozen=True, slots=True, kw_only=True)
class Tax:
    """One tax on a line. *rate_percent* None means exempt (with *code* saying why); 0 means zero-rated.

    *category* is a code such as ``S``, ``Z``, ``E``, ``AE`` (UNCL 5305) or a scheme such as ``VAT``.
    *surcharge_percent* comes on top (recargo de equivalencia); a *retained* tax is withheld by the buyer.
    """

    category: str
    rate_percent: Decimal | None
    code: str = ""
    surcharge_percent: Decimal | None = None
    retained: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Discount:
    """A reduction: exactly one of *percent* (0 to 100, of the gross or of *base*) and *amount* (in the currency).

    Only with a *base* of its own may a percentage be negative, as credits write it.
    """

    percent: Decimal | None = None
    amount: Decimal | None = None
    base: Decimal | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """An addition: exactly one of *percent* (0 to 1000, of the gross or of *base*) and *amount* (in the currency).

    Only with a *base* of its own may a percentage be negative, as credits write it.
    """

    percent: Decimal | None = None
    amount: Decimal | None = None
    base: Decimal | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentDiscount(Discount):
    """A reduction of the whole offer. *taxes* None: apportioned over the tax groups; else it touches just these groups."""

    taxes: tuple[Tax, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentCharge(Charge):
    """An addition to the whole offer. *taxes* None: apportioned over the tax groups; else it touches just these groups."""

    taxes: tuple[Tax, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinePricing:
    """The figures of one line. *unit_price* is for *price_base_quantity* units and is never rounded."""

    quantity: Decimal
    unit_price: Decimal
    price_base_quantity: Decimal = Decimal(1)
    discounts: tuple[Discount, ...] = ()
    charges: tuple[Charge, ...] = ()
    taxes: tuple[Tax, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotePricing:
    """Everything that a figure of an offer depends on.

    *prices_include_tax* names the tax category that prices contain, or is None. *cash_rounding* is the step that
    the payable amount is rounded to (0.05, 0.50, 1); *rounding_amount* a given amount instead of it.
    *minor_digits* overrides the currency's (whole forints). *discounts_may_exceed_total* is for documents that
    deduct what was invoiced before and so may come out below zero; no offer does.
    """

    currency: Currency
    lines: tuple[LinePricing, ...]
    settings: RoundingSettings = field(default_factory=RoundingSettings)
    prices_include_tax: str | None = None
    discounts: tuple[DocumentDiscount, ...] = ()
    charges: tuple[DocumentCharge, ...] = ()
    prepaid: Decimal = Decimal(0)
    rounding_amount: Decimal = Decimal(0)
    cash_rounding: Decimal | None = None
    minor_digits: int | None = None
    discounts_may_exceed_total: bool = False
