"""What approval policies may ask about a revision."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_UP, Decimal

from src.domain.quoting.calculation import Calculation, LineAmounts
from src.domain.quoting.content import FrozenRate, LineItem, QuoteContent
from src.domain.quoting.margins import margin_facts
from src.domain.quoting.pricing import Charge, Discount, DocumentDiscount, QuotePricing

_NOTHING, _HUNDRED = Decimal(0), Decimal(100)
_SHOWN = Decimal("0.0001")


def facts_of(
    calculation: Calculation,
    pricing: QuotePricing,
    content: QuoteContent | None = None,
    rate: FrozenRate | None = None,
) -> dict[str, Decimal | str]:
    """The named facts. *total* is in the organisation's currency, converted at *rate* where the offer has another.

    Percentages count all discounts, and what typed prices lie below the catalogue's of *content*, against what the lines
    would be without; to four decimals, rounded up in size, so that a threshold is never passed by rounding. Optional
    lines count at their worst: no choice of the buyer's gives a greater discount than was approved. So percentages of the
    document, coupons among them, are taken of each line that may be chosen; amounts stay what they are.
    """
    items: Sequence[LineItem | None] = (None,) * len(calculation.lines) if content is None else content.lines
    shares = [_document_share(pricing.discounts, position) for position in range(len(calculation.lines))]
    lines = [
        _reduction(amounts, item, share) for amounts, item, share in zip(calculation.lines, items, shares, strict=True)
    ]
    fixed = _lowering([_fixed(one) for one in pricing.discounts], [_fixed(one) for one in pricing.charges])
    percents = [_line_percent(amounts, item) for amounts, item in zip(calculation.lines, items, strict=True)]
    total = calculation.total_without_tax
    return {
        "total": total if rate is None else rate.convert(total),
        "discount_percent": _worst(lines, fixed),
        "greatest_line_discount_percent": max(percents, default=_NOTHING),
        "line_count": Decimal(len(calculation.lines)),
        "currency": calculation.currency.code,
        **margin_facts(calculation, pricing),
    }


def _document_share(discounts: Sequence[DocumentDiscount], position: int) -> Decimal:
    """What part of the net of the line at *position* the document's percentages take, from 0 up."""
    return sum(
        (
            one.percent / _HUNDRED
            for one in discounts
            if one.percent is not None and one.base is None and (one.lines is None or position in one.lines)
        ),
        _NOTHING,
    )


def _fixed(one: Discount | Charge) -> Decimal:
    """What does not depend on the lines: an amount, or a percentage of a base of its own."""
    if one.amount is not None:
        return one.amount
    return _NOTHING if one.base is None or one.percent is None else one.base * one.percent / _HUNDRED


def _line_percent(amounts: LineAmounts, item: LineItem | None) -> Decimal:
    """By the line's own discounts."""
    return _reduction(amounts, item, _NOTHING).percent() if amounts.gross > 0 else _NOTHING


@dataclass(frozen=True, slots=True)
class _Reduction:
    """A line without any discount, and how much less it is."""

    full: Decimal
    less: Decimal
    optional: bool

    def percent(self) -> Decimal:
        return _percent(self.less, self.full)


def _reduction(amounts: LineAmounts, item: LineItem | None, share: Decimal) -> _Reduction:
    """*share* is what the document takes off its net."""
    if amounts.gross < 0:  # A line of credit is a discount as a whole.
        return _Reduction(_NOTHING, -amounts.net, amounts.optional)
    full = max(amounts.gross, _catalog_gross(item))
    less = full - amounts.gross + _lowering(amounts.discounts, amounts.charges) + max(amounts.net, _NOTHING) * share
    return _Reduction(full, less, amounts.optional)


def _catalog_gross(item: LineItem | None) -> Decimal:
    """What the line would come to at the catalogue's price, which somebody may have typed over."""
    if item is None or item.price_source is None or item.price_source.catalog_price is None:
        return _NOTHING
    if item.is_priced_by_catalog:
        return _NOTHING
    return item.pricing.quantity * item.price_source.catalog_price


def _worst(lines: Sequence[_Reduction], fixed: Decimal) -> Decimal:
    """The greatest share of discounts that any choice of optional lines can give: add them, worst first, while it rises."""
    less = fixed + sum((line.less for line in lines if not line.optional), _NOTHING)
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
