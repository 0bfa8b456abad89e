"""The outcome of a calculation. All amounts are Decimals of the offer's currency, with its minor digits."""

from dataclasses import dataclass
from decimal import Decimal

from src.domain.quoting.pricing import Tax
from src.domain.shared.currency import Currency


@dataclass(slots=True, kw_only=True)  # Never changed, but not frozen: that would take a third of a large calculation.
class LineAmounts:
    """What one line comes to. *net* = *gross* − Σ *discounts* + Σ *charges* (BT-131).

    *document_share* is the line's part of the document's charges less its part of the document's discounts. *cost* and
    *margin*, without tax, are None where no cost is known; the margin counts the document's share. A line that is
    *optional* and not chosen has *counts* false and is in no total.
    """

    gross: Decimal
    discounts: tuple[Decimal, ...]
    charges: tuple[Decimal, ...]
    net: Decimal
    document_share: Decimal = Decimal(0)
    cost: Decimal | None = None
    margin: Decimal | None = None
    optional: bool = False
    counts: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionSubtotal:
    """The sum of the nets of the counted lines of one section."""

    title: str
    net: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxSubtotal:
    """One tax group: its base (BT-116), its tax (BT-117) and the surcharge beside it."""

    tax: Tax
    base: Decimal
    amount: Decimal
    surcharge_amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Calculation:
    """What an offer comes to; the names follow EN 16931.

    *line_net_total* BT-106, *discount_total* BT-107, *charge_total* BT-108, *total_without_tax* BT-109,
    *tax_total* BT-110, *total_with_tax* BT-112, *rounding* BT-114, *payable* BT-115. *retained_total* is withheld
    by the buyer. *discounts* and *charges* are those of the document, in their order.
    *en16931_exact* is false when some group breaks BR-CO-17. *deposit* and *balance* make up the payable amount, and
    *instalments* the balance. *cost_total* and *margin* (*total_without_tax* less the cost) are None unless every
    counted line has a cost; *margin_percent* is of the total without tax, to four decimals.
    """

    currency: Currency
    minor_digits: int
    lines: tuple[LineAmounts, ...]
    line_net_total: Decimal
    discounts: tuple[Decimal, ...]
    charges: tuple[Decimal, ...]
    discount_total: Decimal
    charge_total: Decimal
    total_without_tax: Decimal
    taxes: tuple[TaxSubtotal, ...]
    tax_total: Decimal
    total_with_tax: Decimal
    retained_total: Decimal
    prepaid: Decimal
    rounding: Decimal
    payable: Decimal
    en16931_exact: bool
    sections: tuple[SectionSubtotal, ...] = ()
    deposit: Decimal = Decimal(0)
    balance: Decimal = Decimal(0)
    instalments: tuple[Decimal, ...] = ()
    cost_total: Decimal | None = None
    margin: Decimal | None = None
    margin_percent: Decimal | None = None
