"""What approval policies may ask about a revision."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_UP, Decimal

from src.domain.quoting.calculation import Calculation, LineAmounts
from src.domain.quoting.content import FrozenRate, LineItem, QuoteContent

_NOTHING, _HUNDRED = Decimal(0), Decimal(100)
_SHOWN = Decimal("0.0001")


def facts_of(
    calculation: Calculation, content: QuoteContent | None = None, rate: FrozenRate | None = None
) -> dict[str, Decimal | str]:
    """The named facts. *total* is in the organisation's currency, converted at *rate* where the offer has another.

    Percentages count all discounts, and what typed prices lie below the catalogue's of *content*, against what the lines
    would be without; to four decimals, rounded up in size, so that a threshold is never passed by rounding. Optional
    lines count at their worst: no choice of the buyer's gives a greater discount than was approved.
    """
    items: Sequence[LineItem | None] = (None,) * len(calculation.lines) if content is None else content.lines
    lines = [_reduction(amounts, item) for amounts, item in zip(calculation.lines, items, strict=True)]
    by_document = _lowering(calculation.discounts, calculation.charges)
    percents = [line.percent() for line in lines if line.full > 0]
    total = calculation.total_without_tax
    return {
        "total": total if rate is None else rate.convert(total),
        "discount_percent": _worst(lines, by_document),
        "greatest_line_discount_percent": max(percents, default=_NOTHING),
        "line_count": Decimal(len(calculation.lines)),
        "currency": calculation.currency.code,
    }


@dataclass(frozen=True, slots=True)
class _Reduction:
    """A line without any discount, and how much less it is."""

    full: Decimal
    less: Decimal
    optional: bool

    def percent(self) -> Decimal:
        return _percent(self.less, self.full)


def _reduction(amounts: LineAmounts, item: LineItem | None) -> _Reduction:
    if amounts.gross < 0:  # A line of credit is a discount as a whole.
        return _Reduction(_NOTHING, -amounts.net, amounts.optional)
    full = max(amounts.gross, _catalog_gross(item))
    less = full - amounts.gross + _lowering(amounts.discounts, amounts.charges)
    return _Reduction(full, less, amounts.optional)


def _catalog_gross(item: LineItem | None) -> Decimal:
    """What the line would come to at the catalogue's price, which somebody may have typed over."""
    if item is None or item.price_source is None or item.price_source.catalog_price is None:
        return _NOTHING
    if item.is_priced_by_catalog:
        return _NOTHING
    return item.pricing.quantity * item.price_source.catalog_price


def _worst(lines: Sequence[_Reduction], by_document: Decimal) -> Decimal:
    """The greatest share of discounts that any choice of optional lines can give: add them, worst first, while it rises."""
    less = by_document + sum((line.less for line in lines if not line.optional), _NOTHING)
    full = sum((line.full for line in lines if not line.optional), _NOTHING)
    worst = _percent(less, full)
    for line in sorted((line for line in lines if line.optional), key=lambda one: -one.percent()):
        less, full = less + line.less, full + line.full
        if full and _percent(less, full) <= worst:
            break
        worst = max(worst, _percent(less, full))
    return worst


def _lowering(discounts: Sequence[Decimal], charges: Sequence[Decimal]) -> Decimal:
    """Whatever lowers the price, by which name it goes: a negative charge is a discount, a negative discount is none."""
    return sum((max(amount, _NOTHING) for amount in discounts), _NOTHING) - sum(
        (min(amount, _NOTHING) for amount in charges), _NOTHING
    )


def _percent(part: Decimal, whole: Decimal) -> Decimal:
    if not whole:
        return _NOTHING if not part else _HUNDRED
    return (part * _HUNDRED / whole).quantize(_SHOWN, ROUND_UP)
