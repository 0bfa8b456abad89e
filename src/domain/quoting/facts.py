"""What approval policies may ask about a revision."""

from collections.abc import Sequence
from decimal import ROUND_UP, Decimal

from src.domain.quoting.calculation import Calculation, LineAmounts

_HUNDRED = Decimal(100)
_SHOWN = Decimal("0.0001")


def facts_of(calculation: Calculation) -> dict[str, Decimal | str]:
    """The named facts. Percentages count all discounts against the gross of the lines, to four decimals, rounded up
    in size, so that a threshold is never passed by rounding.
    """
    gross = sum((line.gross for line in calculation.lines if line.gross > 0), Decimal(0))
    discounts = sum((_reductions(line) for line in calculation.lines), Decimal(0))
    discounts += _lowering(calculation.discounts, calculation.charges)
    return {
        "total": calculation.total_without_tax,
        "discount_percent": _percent(discounts, gross),
        "greatest_line_discount_percent": max((_line_percent(line) for line in calculation.lines), default=Decimal(0)),
        "line_count": Decimal(len(calculation.lines)),
        "currency": calculation.currency.code,
    }


def _line_percent(line: LineAmounts) -> Decimal:
    return _percent(_lowering(line.discounts, line.charges), line.gross) if line.gross > 0 else Decimal(0)


def _reductions(line: LineAmounts) -> Decimal:
    """A line of credit is a discount as a whole."""
    return -line.net if line.gross < 0 else _lowering(line.discounts, line.charges)


def _lowering(discounts: Sequence[Decimal], charges: Sequence[Decimal]) -> Decimal:
    """Whatever lowers the price, by which name it goes: a negative charge is a discount, a negative discount is none."""
    return sum((max(amount, Decimal(0)) for amount in discounts), Decimal(0)) - sum(
        (min(amount, Decimal(0)) for amount in charges), Decimal(0)
    )


def _percent(part: Decimal, whole: Decimal) -> Decimal:
    if not whole:
        return Decimal(0) if not part else _HUNDRED
    return (part * _HUNDRED / whole).quantize(_SHOWN, ROUND_UP)
