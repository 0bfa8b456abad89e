"""What the calculator needs to know of an offer: quantities, prices, discounts, charges, taxes and how to round."""

from dataclasses import dataclass, field
from decimal import Decimal

from src.domain.shared.currency import Currency
from src.domain.shared.rounding import RoundingSettings


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
    """A reduction of the whole offer. *taxes* None: apportioned over the tax groups; else it touches just these groups.

    With *lines* (positions from 0) it is taken of these lines alone, and never more than they come to. *coupon* is the
    code that gave it.
    """

    taxes: tuple[Tax, ...] | None = None
    lines: tuple[int, ...] | None = None
    coupon: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentCharge(Charge):
    """An addition to the whole offer. *taxes* None: apportioned over the tax groups; else it touches just these groups."""

    taxes: tuple[Tax, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinePricing:
    """The figures of one line. *unit_price* is for *price_base_quantity* units and is never rounded.

    An *optional* line is shown and calculated, but counts only when the buyer has *chosen* it. *unit_cost*, without
    tax, is for *price_base_quantity* units too. *section* is the title whose subtotal counts the line.
    """

    quantity: Decimal
    unit_price: Decimal
    price_base_quantity: Decimal = Decimal(1)
    discounts: tuple[Discount, ...] = ()
    charges: tuple[Charge, ...] = ()
    taxes: tuple[Tax, ...] = ()
    optional: bool = False
    chosen: bool = False
    unit_cost: Decimal | None = None
    section: str = ""

    @property
    def counts(self) -> bool:
        """Whether it is in the totals."""
        return self.chosen or not self.optional


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposit:
    """What is paid on acceptance: exactly one of *percent* of the payable amount (0 to 100) and *amount*."""

    percent: Decimal | None = None
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Instalment:
    """One part of what the deposit leaves, in the proportion of its *share*, due *days* after acceptance."""

    share: Decimal
    label: str = ""
    days: int = 0


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
    deposit: Deposit | None = None
    instalments: tuple[Instalment, ...] = ()
