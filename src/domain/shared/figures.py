"""Rules for figures that people type: how large and how fine they may be."""

from decimal import Decimal

from src.domain.shared.currency import Currency
from src.domain.shared.text import TextChecks

MOST_DECIMALS = 6
HIGHEST_PRICE = Decimal(10) ** 12
HIGHEST_QUANTITY = Decimal(10) ** 9
HIGHEST_AMOUNT = Decimal(10) ** 15
HIGHEST_PERCENT = Decimal(1000)


def check_figure(
    checks: TextChecks, field: str, value: Decimal, *, below: Decimal, above: Decimal | None = None
) -> None:
    """*value* must be from 0 (or, with *above*, more than that) to less than *below*, with at most six decimals."""
    if not value.is_finite():
        checks.refuse(field, "This is not a number.")
    elif above is not None and value <= above:
        checks.refuse(field, f"This must be more than {above:f}.")
    elif not 0 <= value < below:
        checks.refuse(field, f"This must lie between 0 and {below:f}.")
    elif too_fine(value):
        checks.refuse(field, f"At most {MOST_DECIMALS} decimals are allowed.")


def check_percent(checks: TextChecks, field: str, value: Decimal) -> None:
    """*value* must be a percentage from 0 to 100, with at most six decimals."""
    if not value.is_finite() or not 0 <= value <= 100:
        checks.refuse(field, "A percentage lies between 0 and 100.")
    elif too_fine(value):
        checks.refuse(field, f"At most {MOST_DECIMALS} decimals are allowed.")


def too_fine(value: Decimal) -> bool:
    """Whether the finite *value* has more decimals than are kept; trailing zeros do not count."""
    exponent = value.normalize().as_tuple().exponent
    return isinstance(exponent, int) and -exponent > MOST_DECIMALS


def check_amount(checks: TextChecks, field: str, value: Decimal | None, currency: Currency) -> None:
    """*value* must be an amount of *currency*, not negative, with no more than its minor digits; None is none."""
    if value is None:
        return
    if not value.is_finite() or not 0 <= value < HIGHEST_AMOUNT:
        checks.refuse(field, f"An amount lies between 0 and {HIGHEST_AMOUNT:f}.")
    elif value != value.quantize(Decimal(1).scaleb(-currency.minor_digits)):
        checks.refuse(field, f"{currency.code} has {currency.minor_digits} decimals.")
