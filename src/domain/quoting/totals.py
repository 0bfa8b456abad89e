"""The end of a calculation: totals, cash rounding, the payable amount, every figure in whole minor units."""

from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal

from src.domain.quoting.arithmetic import ONE, ZERO, Scale
from src.domain.quoting.calculation import Calculation, LineAmounts, TaxSubtotal
from src.domain.quoting.limits import check_total
from src.domain.quoting.pricing import QuotePricing
from src.domain.quoting.standard import is_en16931_exact
from src.domain.shared.rounding import Rounding

Amounts = tuple[Decimal, ...]


def conclude(
    pricing: QuotePricing,
    scale: Scale,
    lines: tuple[LineAmounts, ...],
    discounts: Amounts,
    charges: Amounts,
    taxes: tuple[TaxSubtotal, ...],
) -> Calculation:
    """The calculation with its totals. The amounts given are unrounded when the rounding is ``precise``."""
    line_net_total = sum([line.net for line in lines], ZERO)
    discount_total, charge_total = sum(discounts, ZERO), sum(charges, ZERO)
    before_tax = line_net_total - discount_total + charge_total
    total_without_tax = before_tax - _included_tax(taxes, pricing.prices_include_tax)
    tax_total = _tax(taxes, retained=False)
    retained_total = _tax(taxes, retained=True)
    total_with_tax = total_without_tax + tax_total

    # Money that changes hands has whole minor units, whatever the rounding on the way.
    due, prepaid = scale.money(total_with_tax - retained_total), scale.money(pricing.prepaid)
    rounding = scale.money(_rounding(pricing, due - prepaid))

    calculation = Calculation(
        currency=pricing.currency,
        minor_digits=scale.minor_digits,
        lines=lines if pricing.settings.rounding is Rounding.PER_LINE else tuple(_shown(line, scale) for line in lines),
        line_net_total=scale.money(line_net_total),
        discounts=_money(discounts, scale),
        charges=_money(charges, scale),
        discount_total=scale.money(discount_total),
        charge_total=scale.money(charge_total),
        total_without_tax=scale.money(total_without_tax),
        taxes=tuple(_shown_group(group, scale) for group in taxes),
        tax_total=scale.tax(tax_total),
        total_with_tax=scale.money(total_with_tax),
        retained_total=scale.tax(retained_total),
        prepaid=prepaid,
        rounding=rounding,
        payable=due - prepaid + rounding,
        en16931_exact=False,
    )
    _check(calculation)
    exact = is_en16931_exact(calculation, prices_include_tax=pricing.prices_include_tax is not None)
    return replace(calculation, en16931_exact=exact)


def _included_tax(taxes: tuple[TaxSubtotal, ...], category: str | None) -> Decimal:
    inside = [group.amount for group in taxes if group.tax.category == category and not group.tax.retained]
    return sum(inside, ZERO)


def _tax(taxes: tuple[TaxSubtotal, ...], *, retained: bool) -> Decimal:
    return sum([group.amount + group.surcharge_amount for group in taxes if group.tax.retained is retained], ZERO)


def _rounding(pricing: QuotePricing, due: Decimal) -> Decimal:
    """What is added at the very end: the amount given, or what leads to the nearest multiple of the step."""
    step = pricing.cash_rounding
    if step is None:
        return pricing.rounding_amount
    return (due / step).quantize(ONE, ROUND_HALF_UP) * step - due


def _money(amounts: Amounts, scale: Scale) -> Amounts:
    return tuple([scale.money(amount) for amount in amounts])


def _shown(line: LineAmounts, scale: Scale) -> LineAmounts:
    return LineAmounts(
        gross=scale.money(line.gross),
        discounts=_money(line.discounts, scale),
        charges=_money(line.charges, scale),
        net=scale.money(line.net),
    )


def _shown_group(group: TaxSubtotal, scale: Scale) -> TaxSubtotal:
    return TaxSubtotal(
        tax=group.tax,
        base=scale.money(group.base),
        amount=scale.tax(group.amount),
        surcharge_amount=scale.tax(group.surcharge_amount),
    )


def _check(calculation: Calculation) -> None:
    check_total("lines", calculation.line_net_total)
    for name in ("discount", "charge"):
        check_total(f"{name}s", getattr(calculation, f"{name}_total"))
    for group in calculation.taxes:
        for amount in (group.base, group.amount, group.surcharge_amount):
            check_total("taxes", amount)
    for amount in (
        calculation.total_without_tax,
        calculation.tax_total,
        calculation.total_with_tax,
        calculation.retained_total,
        calculation.payable,
    ):
        check_total("payable", amount)
