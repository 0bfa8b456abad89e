"""Which amounts a tax is taken of: lines, and the parts of the document's discounts and charges, by their taxes."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from src.domain.quoting.apportion import apportion, shares
from src.domain.quoting.arithmetic import ZERO
from src.domain.quoting.calculation import LineAmounts
from src.domain.quoting.pricing import DocumentCharge, DocumentDiscount, LinePricing, Tax

Taxes = tuple[Tax, ...]
# One pot for each set of taxes that something carries. Every amount is in one pot, also when it carries several taxes.
Pots = Mapping[Taxes, Sequence[Decimal]]


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A discount (negative) or charge of the document. *taxes* None: to be apportioned over the pots."""

    amount: Decimal
    taxes: Taxes | None


def adjustments(
    discounts: Iterable[tuple[DocumentDiscount, Decimal]], charges: Iterable[tuple[DocumentCharge, Decimal]]
) -> list[Adjustment]:
    """The document's discounts and charges with the amounts found for them, in their order."""
    return [
        *(Adjustment(-amount, discount.taxes) for discount, amount in discounts),
        *(Adjustment(amount, charge.taxes) for charge, amount in charges),
    ]


def fill_pots(
    lines: Iterable[tuple[LinePricing, LineAmounts]], document: Iterable[Adjustment], unit: Decimal | None
) -> Pots:
    """All amounts by their taxes. Parts are whole *units*, or exact shares when it is None.

    The pots come in an order that does not depend on the order of the lines.
    """
    pots: defaultdict[Taxes, list[Decimal]] = defaultdict(list)
    for line, amounts in lines:
        pots[in_order(line.taxes)].append(amounts.net)
    keys = sorted(pots, key=_pot_order)
    weights = [sum(pots[key], ZERO) for key in keys]
    for adjustment in document:
        if adjustment.taxes is not None:
            pots[in_order(adjustment.taxes)].append(adjustment.amount)
            continue
        amount = adjustment.amount
        parts = shares(amount, weights) if unit is None else apportion(amount, weights, unit)
        for key, part in zip(keys, parts, strict=True):
            pots[key].append(part)
    return {key: pots[key] for key in sorted(pots, key=_pot_order)}


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
