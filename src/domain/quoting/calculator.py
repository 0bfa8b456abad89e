"""The calculator: from what an offer says to what it comes to. ``docs/calculation.md`` tells the order in words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from src.domain.quoting.arithmetic import HUNDREDTH, ONE, ZERO, Scale, exact_arithmetic, unrounded
from src.domain.quoting.calculation import Calculation, LineAmounts
from src.domain.quoting.limits import AMOUNT_BELOW, check_discounts, check_limits, check_total
from src.domain.quoting.pots import Pots, adjustments, fill_pots
from src.domain.quoting.pricing import Charge, Discount, DocumentDiscount, LinePricing, QuotePricing
from src.domain.quoting.shares import LineShares, with_shares
from src.domain.quoting.tax_groups import TaxRules, TaxTrail, tax_subtotals
from src.domain.quoting.totals import conclude
from src.domain.shared.rounding import Rounding

Settle = Callable[[Decimal], Decimal]
Amounts = tuple[Decimal, ...]


def calculate(pricing: QuotePricing) -> Calculation:
    """Every figure of the offer, exact to the minor unit.

    Raises OutOfLimits (naming every field that is), DiscountExceedsTotal and DepositExceedsPayable; within the limits
    it succeeds but for these two.
    """
    return work_out(pricing, None).calculation


@dataclass(frozen=True, slots=True)
class Working:
    """A calculation with what it came through. *lines*, *discounts* and *charges* are not rounded in ``precise``."""

    calculation: Calculation
    scale: Scale
    lines: tuple[LineAmounts, ...]
    discounts: Amounts
    charges: Amounts
    pots: Pots
    shares: LineShares


def work_out(pricing: QuotePricing, trail: TaxTrail | None) -> Working:
    """As ``calculate``, keeping what an explanation is made of; *trail* takes down the steps of the taxes."""
    check_limits(pricing)
    with exact_arithmetic():
        scale = Scale.of(pricing)
        per_line = pricing.settings.rounding is Rounding.PER_LINE
        settle = scale.quick() if per_line else unrounded

        lines = tuple([_line(index, line, settle) for index, line in enumerate(pricing.lines)])
        net_total = sum([line.net for line in lines if line.counts], ZERO)
        wholes = tuple(_whole(discount, lines, net_total) for discount in pricing.discounts)
        discounts = tuple(
            [
                ZERO if _is_idle(one, lines) else _portions((one,), whole, settle)[0]
                for one, whole in zip(pricing.discounts, wholes, strict=True)
            ]
        )
        charges = _portions(pricing.charges, net_total, settle)
        if not pricing.discounts_may_exceed_total:
            check_discounts(sum(discounts, ZERO), net_total)
            for discount, amount, whole in zip(pricing.discounts, discounts, wholes, strict=True):
                if discount.lines is not None:
                    check_discounts(amount, whole)

        unit = scale.unit if per_line else None
        document = adjustments(
            zip(pricing.discounts, discounts, strict=True), zip(pricing.charges, charges, strict=True)
        )
        pots = fill_pots(zip(pricing.lines, lines, strict=True), document, unit)
        rules = TaxRules.of(pricing, scale)
        taxes = tax_subtotals(pots, rules, trail)
        lines, shares = with_shares(lines, document, pots, rules, unit)
        calculation = conclude(pricing, scale, lines, discounts, charges, taxes)
        return Working(calculation, scale, lines, discounts, charges, pots, shares)


def _whole(discount: DocumentDiscount, lines: Sequence[LineAmounts], net_total: Decimal) -> Decimal:
    """What a percentage of the document is taken of: all counted lines, or those that it names."""
    if discount.lines is None:
        return net_total
    return sum([lines[position].net for position in discount.lines if lines[position].counts], ZERO)


def _is_idle(discount: DocumentDiscount, lines: Sequence[LineAmounts]) -> bool:
    """Whether none of the lines counts that it is for: a coupon on an option that nobody has chosen."""
    return discount.lines is not None and not any(lines[position].counts for position in discount.lines)


def _line(index: int, line: LinePricing, settle: Settle) -> LineAmounts:
    exact = line.quantity * line.unit_price
    if line.price_base_quantity != ONE:
        exact /= line.price_base_quantity
    gross = settle(exact)
    discounts = _portions(line.discounts, gross, settle)
    net = gross - sum(discounts, ZERO)
    charges: tuple[Decimal, ...] = ()
    if line.charges:
        charges = _portions(line.charges, gross, settle)
        net += sum(charges, ZERO)
    if not -AMOUNT_BELOW < gross < AMOUNT_BELOW:  # Of less, no percentage within the limits makes too much.
        for amount in (gross, net, *discounts, *charges):
            check_total(f"lines[{index}]", amount)
    if line.unit_cost is None and not line.optional:
        return LineAmounts(gross=gross, discounts=discounts, charges=charges, net=net)
    cost = None if line.unit_cost is None else settle(line.quantity * line.unit_cost / line.price_base_quantity)
    if cost is not None:
        check_total(f"lines[{index}]", cost)
    return LineAmounts(
        gross=gross,
        discounts=discounts,
        charges=charges,
        net=net,
        cost=cost,
        optional=line.optional,
        counts=line.counts,
    )


def _portions(adjustments: Sequence[Discount | Charge], whole: Decimal, settle: Settle) -> Amounts:
    """Each as its amount, or its percentage of its own base or else of *whole*."""
    return tuple(
        [
            settle(
                whole * one.percent * HUNDREDTH
                if one.base is None and one.percent is not None
                else one.amount or ZERO
                if one.percent is None
                else (one.base or ZERO) * one.percent * HUNDREDTH
            )
            for one in adjustments
        ]
    )
