"""How large and how fine the figures of an offer may be. Inside these limits every calculation succeeds."""

from collections.abc import Iterator, Sequence
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow, localcontext
from typing import ClassVar

from src.domain.quoting.arithmetic import ONE, ZERO, exact_arithmetic
from src.domain.quoting.pricing import (
    Charge,
    Discount,
    DocumentCharge,
    DocumentDiscount,
    LinePricing,
    QuotePricing,
    Tax,
)
from src.domain.shared.errors import FieldError, Invalid

MAX_DECIMALS = 6
QUANTITY_BELOW = Decimal(10) ** 9
UNIT_PRICE_BELOW = Decimal(10) ** 12
AMOUNT_BELOW = Decimal(10) ** 15
TOTAL_BELOW = Decimal(10) ** 18
MAX_DISCOUNT_PERCENT = Decimal(100)
MAX_CHARGE_PERCENT = Decimal(1000)
MAX_TAX_PERCENT = Decimal(1000)
MAX_LINES = 10_000
MAX_PER_LINE = 20  # Discounts of one line; charges of one line.
MAX_INSTALMENTS = 60
MAX_DAYS = 3650
MAX_PER_DOCUMENT = 100  # Discounts of the document; charges of the document.
MAX_TAXES = 10  # Of one line, of one discount or charge of the document.
MAX_MINOR_DIGITS = 6

# Refuses to round, so that one operation tells whether a figure is too fine.
_REFUSING = Context(prec=100, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])
_FINEST = Decimal(1).scaleb(-MAX_DECIMALS)
_LARGEST_ANSWER = 200  # Complaints in one error; ten thousand equal lines need not be told one by one.


class OutOfLimits(Invalid):
    """Figures that no offer has: too large, too fine, contradictory. *fields* names them."""


class DiscountExceedsTotal(Invalid):
    """The document's discounts take away more than the lines come to."""

    code: ClassVar[str] = "discount_exceeds_total"


class DepositExceedsPayable(Invalid):
    """The deposit is more than what is to be paid, or goes the other way."""

    code: ClassVar[str] = "deposit_exceeds_payable"


def check_deposit(deposit: Decimal, payable: Decimal) -> None:
    """Raises DepositExceedsPayable when *deposit* lies outside of zero to *payable*."""
    if not min(payable, ZERO) <= deposit <= max(payable, ZERO):
        message = f"The deposit ({deposit:f}) is not between 0 and the payable amount ({payable:f})."
        raise DepositExceedsPayable(message, fields=(FieldError("deposit", message),))


def check_limits(pricing: QuotePricing) -> None:
    """Nothing when every figure is within the limits. Raises OutOfLimits naming all that are not."""
    with localcontext(_REFUSING):
        # The quick way for the usual line; what is not plain is looked at closely, and may still be within the limits.
        odd = [index for index, line in enumerate(pricing.lines[:MAX_LINES]) if not _is_plain(line)]
    with exact_arithmetic():
        complaints: list[FieldError] = []
        for complaint in _complaints(pricing, odd):
            complaints.append(complaint)
            if len(complaints) == _LARGEST_ANSWER:
                break
    if complaints:
        count = len(complaints)
        what = "One figure is" if count == 1 else f"{count} figures are"
        raise OutOfLimits(f"{what} outside of the limits.", fields=tuple(complaints))


def check_discounts(discount_total: Decimal, line_net_total: Decimal) -> None:
    """Raises DiscountExceedsTotal when the discounts go beyond the total, above zero or, for credits, below."""
    exceeds = discount_total > line_net_total if line_net_total > ZERO else discount_total < line_net_total
    if exceeds or (not line_net_total and discount_total):
        message = f"The discounts ({discount_total:f}) exceed the total of the lines ({line_net_total:f})."
        raise DiscountExceedsTotal(message, fields=(FieldError("discounts", message),))


def check_total(field: str, value: Decimal) -> None:
    """Raises OutOfLimits when a result is too large to be kept. *field* names what it is the result of."""
    if not -TOTAL_BELOW < value < TOTAL_BELOW:
        message = f"Comes to {value:.3E}; the largest amount is below {TOTAL_BELOW:.0E}."
        raise OutOfLimits(f"{field}: {message}", fields=(FieldError(field, message),))


def _complaints(pricing: QuotePricing, odd: Sequence[int]) -> Iterator[FieldError]:
    yield from _too_many("lines", pricing.lines, MAX_LINES)
    for index in odd:
        yield from _about_line(f"lines[{index}]", pricing.lines[index])
    yield from _about_adjustments("discounts", pricing.discounts, MAX_DISCOUNT_PERCENT, MAX_PER_DOCUMENT)
    yield from _about_adjustments("charges", pricing.charges, MAX_CHARGE_PERCENT, MAX_PER_DOCUMENT)
    yield from _about_number("prepaid", pricing.prepaid, AMOUNT_BELOW)
    yield from _about_number("rounding_amount", pricing.rounding_amount, AMOUNT_BELOW)
    yield from _about_rounding(pricing)
    yield from _about_scopes(pricing)
    yield from _about_payment(pricing)


def _is_plain(line: LinePricing) -> bool:
    """Whether there is certainly nothing to complain about. Quantising raises for what is too fine."""
    try:
        line.quantity.quantize(_FINEST)
        line.unit_price.quantize(_FINEST)
        return (
            -QUANTITY_BELOW < line.quantity < QUANTITY_BELOW
            and -UNIT_PRICE_BELOW < line.unit_price < UNIT_PRICE_BELOW
            and line.price_base_quantity == ONE
            and line.unit_cost is None
            and (not line.discounts or _are_plain(line.discounts, MAX_DISCOUNT_PERCENT))
            and (not line.charges or _are_plain(line.charges, MAX_CHARGE_PERCENT))
            and len(line.taxes) <= 1
            and (not line.taxes or _is_plain_tax(line.taxes[0]))
        )
    except (Inexact, InvalidOperation, AttributeError, TypeError):  # Too fine, NaN, or no decimal at all.
        return False


def _are_plain(adjustments: Sequence[Discount | Charge], largest: Decimal) -> bool:
    for adjustment in adjustments:
        percent = adjustment.percent
        if percent is None or adjustment.amount is not None or adjustment.base is not None:
            return False
        percent.quantize(_FINEST)
        if not ZERO <= percent <= largest:
            return False
    return len(adjustments) <= MAX_PER_LINE


def _is_plain_tax(tax: Tax) -> bool:
    rate = tax.rate_percent
    if tax.surcharge_percent is not None:
        return False
    if rate is None:
        return True
    rate.quantize(_FINEST)
    return ZERO <= rate <= MAX_TAX_PERCENT


def _about_line(path: str, line: LinePricing) -> Iterator[FieldError]:
    yield from _about_number(f"{path}.quantity", line.quantity, QUANTITY_BELOW)
    yield from _about_number(f"{path}.unit_price", line.unit_price, UNIT_PRICE_BELOW)
    yield from _about_positive(f"{path}.price_base_quantity", line.price_base_quantity, QUANTITY_BELOW)
    if line.unit_cost is not None:
        yield from _about_cost(f"{path}.unit_cost", line.unit_cost)
    yield from _about_adjustments(f"{path}.discounts", line.discounts, MAX_DISCOUNT_PERCENT, MAX_PER_LINE)
    yield from _about_adjustments(f"{path}.charges", line.charges, MAX_CHARGE_PERCENT, MAX_PER_LINE)
    yield from _about_taxes(path, line.taxes)


def _about_adjustments(
    path: str, adjustments: Sequence[Discount | Charge], largest: Decimal, at_most: int
) -> Iterator[FieldError]:
    yield from _too_many(path, adjustments, at_most)
    for index, adjustment in enumerate(adjustments[:at_most]):
        yield from _about_adjustment(f"{path}[{index}]", adjustment, largest)
        if isinstance(adjustment, DocumentDiscount | DocumentCharge):
            yield from _about_taxes(f"{path}[{index}]", adjustment.taxes or ())


def _about_adjustment(path: str, adjustment: Discount | Charge, largest: Decimal) -> Iterator[FieldError]:
    if (adjustment.percent is None) == (adjustment.amount is None):
        yield FieldError(path, "Must have either a percent or an amount.")
    if adjustment.amount is not None:
        yield from _about_number(f"{path}.amount", adjustment.amount, AMOUNT_BELOW)
    if adjustment.percent is not None:
        smallest = ZERO if adjustment.base is None else -largest
        yield from _about_range(f"{path}.percent", adjustment.percent, smallest, largest)
    if adjustment.base is not None:
        yield from _about_number(f"{path}.base", adjustment.base, AMOUNT_BELOW)
        if adjustment.percent is None:
            yield FieldError(f"{path}.base", "Makes sense with a percent only.")


def _about_taxes(path: str, taxes: Sequence[Tax]) -> Iterator[FieldError]:
    yield from _too_many(f"{path}.taxes", taxes, MAX_TAXES)
    for index, tax in enumerate(taxes[:MAX_TAXES]):
        for name, rate in (("rate_percent", tax.rate_percent), ("surcharge_percent", tax.surcharge_percent)):
            yield from _about_range(f"{path}.taxes[{index}].{name}", rate, ZERO, MAX_TAX_PERCENT)


def _about_rounding(pricing: QuotePricing) -> Iterator[FieldError]:
    digits = pricing.minor_digits
    if digits is not None and not 0 <= digits <= MAX_MINOR_DIGITS:
        yield FieldError("minor_digits", f"Must be from 0 to {MAX_MINOR_DIGITS}.")
        digits = None
    step = pricing.cash_rounding
    if step is None:
        return
    complaints = tuple(_about_positive("cash_rounding", step, AMOUNT_BELOW))
    yield from complaints
    unit = Decimal(1).scaleb(-(pricing.currency.minor_digits if digits is None else digits))
    if not complaints and step % unit:
        yield FieldError("cash_rounding", f"Must be a multiple of {unit:f}, the minor unit.")
    if pricing.rounding_amount:
        yield FieldError("rounding_amount", "Follows from cash_rounding; give one of them.")


def _about_scopes(pricing: QuotePricing) -> Iterator[FieldError]:
    """The lines that a document discount names are there, once each, and it names no taxes beside them."""
    for index, discount in enumerate(pricing.discounts[:MAX_PER_DOCUMENT]):
        lines = discount.lines
        if lines is None:
            continue
        path = f"discounts[{index}].lines"
        if discount.taxes is not None:
            yield FieldError(path, "Give lines or taxes, not both.")
        if len(set(lines)) < len(lines) or not all(0 <= line < len(pricing.lines) for line in lines):
            yield FieldError(path, f"Positions of lines from 0 to {len(pricing.lines) - 1}, each once, are needed.")


def _about_payment(pricing: QuotePricing) -> Iterator[FieldError]:
    deposit = pricing.deposit
    if deposit is not None:
        if (deposit.percent is None) == (deposit.amount is None):
            yield FieldError("deposit", "Must have either a percent or an amount.")
        yield from _about_range("deposit.percent", deposit.percent, ZERO, MAX_DISCOUNT_PERCENT)
        if deposit.amount is not None:
            yield from _about_number("deposit.amount", deposit.amount, AMOUNT_BELOW)
    yield from _too_many("instalments", pricing.instalments, MAX_INSTALMENTS)
    for index, instalment in enumerate(pricing.instalments[:MAX_INSTALMENTS]):
        yield from _about_positive(f"instalments[{index}].share", instalment.share, QUANTITY_BELOW)
        if not 0 <= instalment.days <= MAX_DAYS:
            yield FieldError(f"instalments[{index}].days", f"Must be from 0 to {MAX_DAYS}.")


def _about_positive(path: str, value: Decimal, below: Decimal) -> Iterator[FieldError]:
    complaints = tuple(_about_number(path, value, below))
    yield from complaints
    if not complaints and value <= ZERO:
        yield FieldError(path, "Must be more than zero.")


def _about_cost(path: str, value: Decimal) -> Iterator[FieldError]:
    complaints = tuple(_about_number(path, value, UNIT_PRICE_BELOW))
    yield from complaints
    if not complaints and value < ZERO:
        yield FieldError(path, "Must not be negative; a credit has a negative quantity.")


def _about_range(path: str, value: Decimal | None, smallest: Decimal, largest: Decimal) -> Iterator[FieldError]:
    if value is None:
        return
    complaints = tuple(_about_number(path, value, AMOUNT_BELOW))
    yield from complaints
    if not complaints and not smallest <= value <= largest:
        yield FieldError(path, f"Must be from {smallest} to {largest}.")


def _about_number(path: str, value: object, below: Decimal) -> Iterator[FieldError]:
    if _fits(value, below):
        return
    if not isinstance(value, Decimal) or not value.is_finite():
        yield FieldError(path, "Must be a decimal number.")
    elif not -below < value < below:
        yield FieldError(path, f"Must be less than {below:f} in size.")
    else:
        yield FieldError(path, f"Must have at most {MAX_DECIMALS} decimals.")


def _fits(value: object, below: Decimal) -> bool:
    return (
        isinstance(value, Decimal) and value.is_finite() and -below < value < below and value.quantize(_FINEST) == value
    )


def _too_many(path: str, values: Sequence[object], largest: int) -> Iterator[FieldError]:
    if len(values) > largest:
        yield FieldError(path, f"Has {len(values)} entries; at most {largest} are allowed.")
