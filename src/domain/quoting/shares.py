"""What the document's discounts and charges come to on each line, and the margins that are left."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from src.domain.quoting.apportion import apportion, shares
from src.domain.quoting.arithmetic import HUNDREDTH, ONE, ZERO, unrounded
from src.domain.quoting.calculation import LineAmounts
from src.domain.quoting.pots import Adjustment, Pot, Pots, Taxes
from src.domain.quoting.tax_groups import TaxRules
from src.domain.shared.rounding import Rounding


@dataclass(frozen=True, slots=True)
class LineShare:
    """One line's part of the adjustment at *position*: *amount* of *whole* by *weight* of *weights*."""

    position: int
    whole: Decimal
    amount: Decimal
    weight: Decimal
    weights: Decimal


LineShares = Mapping[int, Sequence[LineShare]]


def with_shares(
    lines: tuple[LineAmounts, ...],
    document: Sequence[Adjustment],
    pots: Pots,
    rules: TaxRules,
    unit: Decimal | None,
) -> tuple[tuple[LineAmounts, ...], LineShares]:
    """The lines with their shares and margins, and what the shares are made of.

    Inside a pot the parts go to the lines by the largest remainder; an adjustment that names its taxes has no lines.
    """
    found: defaultdict[int, list[LineShare]] = defaultdict(list)
    for pot in pots.values():
        for part in pot.parts:
            if part.weight is not None:
                for line, share in _split(pot, part.position, part.amount, document[part.position].lines, unit):
                    found[line].append(share)
    if not found and not any([line.cost is not None for line in lines]):  # noqa: C419 — a list is twice as quick.
        return lines, found
    keys = {position: taxes for taxes, pot in pots.items() for position in pot.lines}
    return tuple(
        _finished(amounts, sum([share.amount for share in found.get(index, ())], ZERO), keys.get(index, ()), rules)
        for index, amounts in enumerate(lines)
    ), found


def _split(
    pot: Pot, position: int, amount: Decimal, only: frozenset[int] | None, unit: Decimal | None
) -> list[tuple[int, LineShare]]:
    touched = [(line, net) for line, net in zip(pot.lines, pot.nets, strict=True) if only is None or line in only]
    nets = [net for _, net in touched]
    weights = sum(nets, ZERO)
    parts = shares(amount, nets) if unit is None else apportion(amount, nets, unit)
    return [
        (line, LineShare(position, amount, part, net, weights))
        for (line, net), part in zip(touched, parts, strict=True)
    ]


def _finished(amounts: LineAmounts, share: Decimal, taxes: Taxes, rules: TaxRules) -> LineAmounts:
    if amounts.cost is None:
        return replace(amounts, document_share=share) if share else amounts
    rate = sum(
        [tax.rate_percent * HUNDREDTH for tax in taxes if tax.rate_percent is not None and rules.contains(tax)], ZERO
    )
    settle = rules.scale.money if rules.rounding is Rounding.PER_LINE else unrounded
    without_tax = settle((amounts.net + share) / (ONE + rate)) if rate else amounts.net + share
    return replace(amounts, document_share=share, margin=without_tax - amounts.cost)
