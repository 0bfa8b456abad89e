"""Whether the printed figures of a calculation satisfy the rules that EN 16931 states about them."""

from decimal import ROUND_HALF_UP

from src.domain.quoting.arithmetic import HUNDREDTH, ZERO, exact_arithmetic
from src.domain.quoting.calculation import Calculation, TaxSubtotal


def is_en16931_exact(calculation: Calculation, *, prices_include_tax: bool) -> bool:
    """BR-CO-17 for each group, and the sums BR-CO-10 to -15.

    The standard knows no prices that include tax, so BR-CO-13 is not asked of them.
    """
    with exact_arithmetic():
        return all(_follows_from_base(group) for group in calculation.taxes) and _adds_up(
            calculation, prices_include_tax=prices_include_tax
        )


def _follows_from_base(group: TaxSubtotal) -> bool:
    rate = group.tax.rate_percent or ZERO
    return (group.base * rate * HUNDREDTH).quantize(group.amount, ROUND_HALF_UP) == group.amount


def _adds_up(calculation: Calculation, *, prices_include_tax: bool) -> bool:
    c = calculation
    taxes = [group.amount + group.surcharge_amount for group in c.taxes if not group.tax.retained]
    return (
        sum([line.net for line in c.lines if line.counts], ZERO) == c.line_net_total
        and sum(c.discounts, ZERO) == c.discount_total
        and sum(c.charges, ZERO) == c.charge_total
        and (prices_include_tax or c.line_net_total - c.discount_total + c.charge_total == c.total_without_tax)
        and sum(taxes, ZERO) == c.tax_total
        and c.total_without_tax + c.tax_total == c.total_with_tax
    )
