"""What approval policies may ask about a revision."""

from decimal import ROUND_UP, Decimal

from src.domain.quoting.calculation import Calculation, LineAmounts

_HUNDRED = Decimal(100)
_SHOWN = Decimal("0.0001")


def facts_of(calculation: Calculation) -> dict[str, Decimal | str]:
    """The named facts. Percentages count all discounts against the gross of the lines, to four decimals, rounded up
    in size, so that a threshold is never passed by rounding.
    """
    gross = sum((line.gross for line in calculation.lines), Decimal(0))
    discounts = sum((amount for line in calculation.lines for amount in line.discounts), calculation.discount_total)
    return {
        "total": calculation.total_without_tax,
        "discount_percent": _percent(discounts, gross),
        "greatest_line_discount_percent": max((_line_percent(line) for line in calculation.lines), default=Decimal(0)),
        "line_count": Decimal(len(calculation.lines)),
        "currency": calculation.currency.code,
    }


def _line_percent(line: LineAmounts) -> Decimal:
    return _percent(sum(line.discounts, Decimal(0)), line.gross)


def _percent(part: Decimal, whole: Decimal) -> Decimal:
    if not whole:
        return Decimal(0) if not part else _HUNDRED
    return (part * _HUNDRED / whole).quantize(_SHOWN, ROUND_UP)
