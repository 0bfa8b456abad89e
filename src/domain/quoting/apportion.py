"""Splitting an amount so that the parts always sum to the whole."""

from collections.abc import Sequence
from decimal import ROUND_FLOOR, Decimal

from src.domain.quoting.arithmetic import ONE, ZERO, exact_arithmetic


def apportion(total: Decimal, bases: Sequence[Decimal], unit: Decimal) -> tuple[Decimal, ...]:
    """Split *total*, a multiple of *unit*, over *bases* by the largest remainder; ties go to the earlier part.

    Bases that cancel out are taken by their size, bases that are all zero as equal. The parts of a negated total are
    the negated parts. No bases, no parts. Raises ValueError when *total* is no multiple of *unit*.
    """
    with exact_arithmetic():
        if total % unit:
            raise ValueError(f"{total} is no multiple of {unit}.")
        if total < ZERO:
            return tuple(ZERO - part for part in _whole_units(-total, bases, unit))
        return _whole_units(total, bases, unit)


def shares(total: Decimal, bases: Sequence[Decimal]) -> tuple[Decimal, ...]:
    """The exact parts of *total* in the proportion of *bases*, as far as decimals reach."""
    with exact_arithmetic():
        weights = _weights(bases)
        whole = sum(weights, ZERO)
        return tuple(total * weight / whole for weight in weights)


def _whole_units(total: Decimal, bases: Sequence[Decimal], unit: Decimal) -> tuple[Decimal, ...]:
    weights = _weights(bases)
    whole = sum(weights, ZERO)
    parts = [(total * weight / whole).quantize(unit, ROUND_FLOOR) for weight in weights]
    # What each part lost, times the size of the whole: undivided, because thirds in decimals would break ties.
    lost = [abs(total * weight - part * whole) for weight, part in zip(weights, parts, strict=True)]
    left_over = int((total - sum(parts, ZERO)) / unit)
    for i in sorted(range(len(parts)), key=lambda i: -lost[i])[:left_over]:
        parts[i] += unit
    return tuple(part + ZERO for part in parts)


def _weights(bases: Sequence[Decimal]) -> Sequence[Decimal]:
    if sum(bases, ZERO):
        return bases
    sizes = [abs(base) for base in bases]
    return sizes if any(sizes) else [ONE] * len(bases)
