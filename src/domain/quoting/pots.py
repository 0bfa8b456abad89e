"""Which amounts a tax is taken of: lines, and the parts of the document's discounts and charges, by their taxes."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from src.domain.quoting.apportion import apportion, shares
from src.domain.quoting.arithmetic import ZERO
from src.domain.quoting.calculation import LineAmounts
from src.domain.quoting.pricing import DocumentCharge, DocumentDiscount, LinePricing, Tax

Taxes = tuple[Tax, ...]


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A discount (negative) or charge of the document.

    *taxes* None: to be apportioned over the pots; *lines* None: of all counted lines.
    """

    amount: Decimal
    taxes: Taxes | None
    lines: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One pot's part of the adjustment at *position*: *amount* of the whole by *weight* of *weights* (None: all of it)."""

    position: int
    whole: Decimal
    amount: Decimal
    weight: Decimal | None
    weights: Decimal | None


@dataclass(slots=True)
class Pot:
    """All amounts with the same set of taxes: *nets* of the lines at *lines*, and *parts* of the document's amounts."""

    lines: list[int] = field(default_factory=list)
    nets: list[Decimal] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)

    def amounts(self) -> list[Decimal]:
        return self.nets + [part.amount for part in self.parts]


# One pot for each set of taxes that something carries. Every amount is in one pot, also when it carries several taxes.
Pots = Mapping[Taxes, Pot]


def adjustments(
    discounts: Iterable[tuple[DocumentDiscount, Decimal]], charges: Iterable[tuple[DocumentCharge, Decimal]]
) -> list[Adjustment]:
    """The document's discounts and charges with the amounts found for them, in their order."""
    return [
        *(
            Adjustment(-amount, discount.taxes, None if discount.lines is None else frozenset(discount.lines))
            for discount, amount in discounts
        ),
        *(Adjustment(amount, charge.taxes) for charge, amount in charges),
    ]


def fill_pots(
    lines: Iterable[tuple[LinePricing, LineAmounts]], document: Sequence[Adjustment], unit: Decimal | None
) -> Pots:
    """All counted amounts by their taxes. Parts are whole *units*, or exact shares when it is None.

    The pots come in an order that does not depend on the order of the lines.
    """
    pots: defaultdict[Taxes, Pot] = defaultdict(Pot)
    for position, (line, amounts) in enumerate(lines):
        if amounts.counts:
            pot = pots[in_order(line.taxes)]
            pot.lines.append(position)
            pot.nets.append(amounts.net)
    keys = sorted(pots, key=_pot_order)
    for position, adjustment in enumerate(document):
        amount = adjustment.amount
        if adjustment.taxes is not None:
            pots[in_order(adjustment.taxes)].parts.append(Part(position, amount, amount, None, None))
            continue
        touched, weights = _weights(keys, pots, adjustment.lines)
        whole = sum(weights, ZERO)
        parts = shares(amount, weights) if unit is None else apportion(amount, weights, unit)
        for key, weight, part in zip(touched, weights, parts, strict=True):
            pots[key].parts.append(Part(position, amount, part, weight, whole))
    return {key: pots[key] for key in sorted(pots, key=_pot_order)}


def _weights(
    keys: Sequence[Taxes], pots: Mapping[Taxes, Pot], lines: frozenset[int] | None
) -> tuple[Sequence[Taxes], list[Decimal]]:
    """The pots that an adjustment of *lines* touches, and the sums of the nets in them that it is taken of."""
    if lines is None:
        return keys, [sum(pots[key].nets, ZERO) for key in keys]
    touched = [key for key in keys if not lines.isdisjoint(pots[key].lines)]
    return touched, [
        sum([net for line, net in zip(pots[key].lines, pots[key].nets, strict=True) if line in lines], ZERO)
        for key in touched
    ]


def in_order(taxes: Iterable[Tax]) -> Taxes:
    """Each tax once, in the order in which groups are told: withheld ones last, higher rates first, exempt after."""
    several = tuple(taxes)
    return several if len(several) < 2 else tuple(sorted(set(several), key=_order))  # Nearly always it is one.


def _pot_order(taxes: Taxes) -> tuple[object, ...]:
    return tuple(_order(tax) for tax in taxes)


def _order(tax: Tax) -> tuple[object, ...]:
    rate, surcharge = tax.rate_percent, tax.surcharge_percent
    return (
        tax.retained,
        tax.category,
        rate is None,
        ZERO if rate is None else -rate,
        tax.code,
        surcharge is not None,
        ZERO if surcharge is None else -surcharge,
    )
