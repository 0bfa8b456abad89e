"""How an organisation rounds. Copied into each revision, so that a later change never moves a figure."""

from dataclasses import dataclass
from enum import StrEnum


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
    """Where to round, and how to round tax."""

    rounding: Rounding = Rounding.PER_LINE
    tax_rounding: TaxRounding = TaxRounding.PER_GROUP
    inclusive_tax: InclusiveTax = InclusiveTax.FROM_GROSS
    tax_mode: TaxMode = TaxMode.HALF_UP
