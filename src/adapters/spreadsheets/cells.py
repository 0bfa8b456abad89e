"""What the two formats have in common: which values a cell takes."""

from datetime import UTC, datetime
from decimal import Decimal

DOUBLE_DIGITS = 15  # A double keeps any decimal of so many significant digits.


def in_utc(instant: datetime) -> datetime:
    """Raises ValueError for an instant without a zone: nobody could know what it means."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant} has no time zone.")
    return instant.astimezone(UTC)


def flag_text(flag: bool) -> str:
    """For formats that people read; imports understand it."""
    return "yes" if flag else "no"


def plain(number: Decimal) -> str:
    """``1250.00``: no exponent, no grouping."""
    return f"{number:f}"


def fits_a_double(number: int | Decimal) -> bool:
    if isinstance(number, int):
        if -(10**DOUBLE_DIGITS) < number < 10**DOUBLE_DIGITS:
            return True
    elif number.is_finite() and len(number.as_tuple().digits) <= DOUBLE_DIGITS:
        return True
    exact = Decimal(number)
    return exact.is_finite() and len(exact.normalize().as_tuple().digits) <= DOUBLE_DIGITS


def encodable(text: str) -> str:
    """Halves of surrogate pairs, which no file can hold, become question marks."""
    if text.isascii():
        return text
    return text.encode("utf-8", "replace").decode("utf-8")
