"""Exact decimal arithmetic that does not depend on the context which happens to be active where it is called."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from decimal import (
    ROUND_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Context,
    Decimal,
    DivisionByZero,
    FloatOperation,
    InvalidOperation,
    Overflow,
    localcontext,
)

from src.domain.quoting.pricing import QuotePricing
from src.domain.shared.rounding import Rounding, TaxMode

ZERO = Decimal(0)
ONE = Decimal(1)
HUNDREDTH = Decimal("0.01")

# Within the limits no exact figure has more than 36 decimals and none more than 40 digits before the point, so that
# only the divisions (by a base quantity, by 1 + rate, of a share) are ever rounded, after at least 60 decimals.
_CONTEXT = Context(prec=100, rounding=ROUND_HALF_UP, traps=[InvalidOperation, DivisionByZero, Overflow, FloatOperation])
# What remains of those divisions lies far below this; a tie that is exact on paper is put back where it belongs.
_DUST = Decimal("1E-40")

_MODES = {
    TaxMode.HALF_UP: ROUND_HALF_UP,
    TaxMode.HALF_EVEN: ROUND_HALF_EVEN,
    TaxMode.UP: ROUND_UP,
    TaxMode.DOWN: ROUND_DOWN,
}


def exact_arithmetic() -> AbstractContextManager[Context]:
    """The context of all calculations, for the block: its own in every thread and task."""
    return localcontext(_CONTEXT)


@dataclass(frozen=True, slots=True)
class Scale:
    """Rounds to *unit*, the minor unit, and never gives a negative zero. *dusty*: values come from unrounded divisions."""

    minor_digits: int
    unit: Decimal
    tax_rounding: str
    dusty: bool

    @classmethod
    def of(cls, pricing: QuotePricing) -> "Scale":
        digits = pricing.currency.minor_digits if pricing.minor_digits is None else pricing.minor_digits
        settings = pricing.settings
        dusty = settings.rounding is Rounding.PRECISE
        return cls(digits, ONE.scaleb(-digits), _MODES[settings.tax_mode], dusty)

    def money(self, value: Decimal) -> Decimal:
        """*value* in whole minor units, halves away from zero."""
        if self.dusty:
            value = value.quantize(_DUST, ROUND_HALF_EVEN)
        return value.quantize(self.unit, ROUND_HALF_UP) + ZERO

    def quick(self) -> Callable[[Decimal], Decimal]:
        """``money`` for the many amounts of lines: undusted, inside ``exact_arithmetic``, whose rounding is the same."""
        unit = self.unit

        def settle(value: Decimal) -> Decimal:
            return value.quantize(unit) + ZERO

        return settle

    def tax(self, value: Decimal) -> Decimal:
        """*value* in whole minor units, rounded as the organisation rounds taxes."""
        if self.dusty:
            value = value.quantize(_DUST, ROUND_HALF_EVEN)
        return value.quantize(self.unit, self.tax_rounding) + ZERO


def unrounded(value: Decimal) -> Decimal:
    """*value* itself: what ``precise`` does on the way."""
    return value
