"""What is left of an offer after its costs, at the worst that the buyer may choose."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from src.domain.quoting.arithmetic import ZERO
from src.domain.quoting.calculation import Calculation
from src.domain.quoting.pricing import Charge, Discount, QuotePricing

_HUNDRED, _SHOWN = Decimal(100), Decimal("0.0001")
# What costs something and brings nothing has no percentage; it is worse than any.
GIVEN_AWAY = Decimal(-1_000_000_000)


@dataclass(frozen=True, slots=True)
class Earning:
    """What a line brings, without tax and after the document's percentages, and what it costs."""

    net: Decimal
    cost: Decimal
    optional: bool

    def __add__(self, other: "Earning") -> "Earning":
        return Earning(self.net + other.net, self.cost + other.cost, self.optional)

    @property
    def margin_percent(self) -> Decimal:
        """Of the net, to four decimals, rounded down so that no threshold is passed by rounding; see GIVEN_AWAY."""
        margin = self.net - self.cost
        if self.net <= 0:
            return ZERO if margin >= 0 else GIVEN_AWAY
        return max((margin * _HUNDRED / self.net).quantize(_SHOWN, ROUND_FLOOR), GIVEN_AWAY)


def margin_facts(calculation: Calculation, pricing: QuotePricing) -> dict[str, Decimal | str]:
    """*costs_known*, and where every line has a cost the margin of the document and the least of a line, in percent.

    Optional lines are all looked at, chosen or not; of the document it is the least that a choice of theirs can give.
    """
    if any(amounts.cost is None for amounts in calculation.lines):
        return {"costs_known": "no"}
    lines = [_earning(calculation, pricing, position) for position in range(len(calculation.lines))]
    fixed = sum(map(_fixed, pricing.charges), ZERO) - sum(map(_fixed, pricing.discounts), ZERO)
    fixed *= _without_tax(calculation, pricing)
    whole = sum((line for line in lines if not line.optional), Earning(fixed, ZERO, optional=False))
    return {
        "costs_known": "yes",
        "margin_percent": _least(whole, [line for line in lines if line.optional]),
        "least_line_margin_percent": min((line.margin_percent for line in lines), default=ZERO),
    }


def _without_tax(calculation: Calculation, pricing: QuotePricing) -> Decimal:
    """What part of an amount of the document is left without the tax that prices include: as much as of all lines."""
    nets = [(amounts.net, _rate(pricing, place)) for place, amounts in enumerate(calculation.lines)]
    whole = sum((net for net, _ in nets), ZERO)
    return sum((net / (1 + rate) for net, rate in nets), ZERO) / whole if whole > 0 else Decimal(1)


def _rate(pricing: QuotePricing, position: int) -> Decimal:
    """The tax that the price of this line includes, as a fraction."""
    taxes = pricing.lines[position].taxes
    return (
        sum((tax.rate_percent or ZERO for tax in taxes if tax.category == pricing.prices_include_tax), ZERO) / _HUNDRED
    )


def _earning(calculation: Calculation, pricing: QuotePricing, position: int) -> Earning:
    amounts = calculation.lines[position]
    off = _percents(one for one in pricing.discounts if one.lines is None or position in one.lines)
    net = amounts.net * (1 + (_percents(pricing.charges) - off) / _HUNDRED) / (1 + _rate(pricing, position))
    return Earning(net, amounts.cost or ZERO, amounts.optional)


def _least(whole: Earning, optional: Sequence[Earning]) -> Decimal:
    """The least of *whole* with any choice of *optional*, by Dinkelbach's method for ratios.

    Below a ratio r comes every choice whose margin is less than r times its net; the worst of these gives the next r.
    """
    cheapest = sum((line for line in optional if line.net < 0), whole)
    if cheapest.net <= 0 and cheapest.margin_percent == GIVEN_AWAY:
        return GIVEN_AWAY
    least, worst = whole.margin_percent, whole
    while worst.net > 0:
        ratio = (worst.net - worst.cost) / worst.net
        chosen = sum((line for line in optional if line.net - line.cost < ratio * line.net), whole)
        if chosen.margin_percent >= least:
            break
        least, worst = chosen.margin_percent, chosen
    return least


def _percents(adjustments: Iterable[Discount | Charge]) -> Decimal:
    """The sum of those that are percentages of the lines."""
    return sum((one.percent for one in adjustments if one.percent is not None and one.base is None), ZERO)


def _fixed(one: Discount | Charge) -> Decimal:
    """What does not depend on the lines: an amount, or a percentage of a base of its own."""
    if one.amount is not None:
        return one.amount
    return ZERO if one.base is None or one.percent is None else one.base * one.percent / _HUNDRED
