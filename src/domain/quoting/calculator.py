"""The calculator: from what an offer says to what it comes to. ``docs/calculator.md`` tells the order in words."""

from collections.abc import Callable
from decimal import Decimal

from src.domain.quoting.arithmetic import HUNDREDTH, ONE, ZERO, Scale, exact_arithmetic, unrounded
from src.domain.quoting.calculation import Calculation, LineAmounts
from src.domain.quoting.limits import AMOUNT_BELOW, check_discounts, check_limits, check_total
from src.domain.quoting.pots import adjustments, fill_pots
from src.domain.quoting.pricing import Charge, Discount, LinePricing, QuotePricing
from src.domain.quoting.tax_groups import TaxRules, tax_subtotals
from src.domain.quoting.totals import conclude
from src.domain.shared.rounding import Rounding

Settle = Callable[[Decimal], Decimal]


def calculate(pricing: QuotePricing) -> Calculation:
    """Every figure of the offer, exact to the minor unit.

    Raises OutOfLimits (naming every field that is) and DiscountExceedsTotal; within the limits it always succeeds.
    """
    check_limits(pricing)
    with exact_arithmetic():
        scale = Scale.of(pricing)
        per_line = pricing.settings.rounding is Rounding.PER_LINE
        settle = scale.money if per_line else unrounded

        lines = tuple([_line(index, line, settle) for index, line in enumerate(pricing.lines)])
        net_total = sum([line.net for line in lines], ZERO)
        discounts = tuple([settle(_portion(discount, net_total)) for discount in pricing.discounts])
        charges = tuple([settle(_portion(charge, net_total)) for charge in pricing.charges])
        if not pricing.discounts_may_exceed_total:
            check_discounts(sum(discounts, ZERO), net_total)

        pots = fill_pots(
            zip(pricing.lines, lines, strict=True),
            adjustments(
                zip(pricing.discounts, discounts, strict=True),
                zip(pricing.charges, charges, strict=True),
            ),
            scale.unit if per_line else None,
        )
        taxes = tax_subtotals(pots, TaxRules.of(pricing, scale))
        return conclude(pricing, scale, lines, discounts, charges, taxes)


def _line(index: int, line: LinePricing, settle: Settle) -> LineAmounts:
    exact = line.quantity * line.unit_price
    if line.price_base_quantity != ONE:
        exact /= line.price_base_quantity
    gross = settle(exact)
    discounts = tuple([settle(_portion(discount, gross)) for discount in line.discounts])
    net = gross - sum(discounts, ZERO)
    charges: tuple[Decimal, ...] = ()
    if line.charges:
        charges = tuple([settle(_portion(charge, gross)) for charge in line.charges])
        net += sum(charges, ZERO)
    if not -AMOUNT_BELOW < gross < AMOUNT_BELOW:  # Of less, no percentage within the limits makes too much.
        for amount in (gross, net, *discounts, *charges):
            check_total(f"lines[{index}]", amount)
    return LineAmounts(gross=gross, discounts=discounts, charges=charges, net=net)


def _portion(adjustment: Discount | Charge, whole: Decimal) -> Decimal:
    """The amount as given, or the percentage of its own base or else of *whole*."""
    percent, base = adjustment.percent, adjustment.base
    if percent is None:
        return adjustment.amount or ZERO  # One of the two is there: see the limits.
    return (whole if base is None else base) * percent * HUNDREDTH
