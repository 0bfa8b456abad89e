"""What EN 16931 wants to know of an offer beside its totals: each of the document's amounts by the tax that it touches."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from src.domain.quoting.arithmetic import ZERO, exact_arithmetic
from src.domain.quoting.calculation import Calculation
from src.domain.quoting.content import QuoteContent
from src.domain.quoting.explanation import Explanation
from src.domain.quoting.pricing import Tax
from src.domain.shared.errors import Conflict
from src.domain.shared.uncl import tax_code
from src.domain.shared.units import UNITS

_MOST_REASONS = 20
# The taxes of the Canary Islands, and of Ceuta and Melilla, where zero is one rate among others (BR-AF-5 and BR-AG-5).
_AT_ANY_RATE = frozenset({"L", "M"})


class NotEn16931Exact(Conflict):
    """The standard cannot say these figures without changing one. *reasons* in the details tell why."""

    code: ClassVar[str] = "not_en16931_exact"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxedAllowance:
    """The part of one discount (BG-20) or charge (BG-21) of the document that one *tax* touches. *amount* is never signed."""

    amount: Decimal
    reason: str
    tax: Tax
    charge: bool


def taxed_allowances(
    content: QuoteContent, calculation: Calculation, explanation: Explanation
) -> tuple[TaxedAllowance, ...]:
    """The document's amounts split over its taxes, discounts first. Raises NotEn16931Exact.

    *explanation* is that of the calculation: it knows what part of each amount went where.
    """
    with exact_arithmetic():
        reasons = [*_unsayable(content, calculation)]
        allowances = () if reasons else tuple(_split(content, calculation, explanation))
        if not reasons:
            reasons = [*_unbalanced(content, calculation, allowances)]
    if reasons:
        raise NotEn16931Exact(
            f"EN 16931 cannot state these figures exactly: {reasons[0]}", reasons=reasons[:_MOST_REASONS]
        )
    return allowances


def _unsayable(content: QuoteContent, calculation: Calculation) -> Iterator[str]:
    """What the standard has no words for."""
    if content.prices_include_tax is not None:
        yield "Prices include tax; the standard knows prices without."
    if calculation.retained_total or any(group.tax.retained for group in calculation.taxes):
        yield "A tax is withheld by the buyer."
    if any(group.tax.surcharge_percent is not None for group in calculation.taxes):
        yield "A tax has a surcharge."
    yield from _unsayable_taxes(calculation)
    if not calculation.en16931_exact:
        yield "The totals or a tax do not follow from the rounded figures (BR-CO-10 to BR-CO-17)."
    yield from _unsayable_lines(content, calculation)
    if calculation.total_with_tax + calculation.rounding - calculation.prepaid != calculation.payable:
        yield "The payable amount does not follow from the total (BR-CO-16)."


def _unsayable_taxes(calculation: Calculation) -> Iterator[str]:
    coded = [
        (tax_code(group.tax.category, group.tax.rate_percent), group.tax.rate_percent) for group in calculation.taxes
    ]
    if len(set(coded)) < len(coded):
        yield "Two taxes have the same category and rate; the standard has one breakdown for each."
    for code, rate in coded:
        if code.category not in _AT_ANY_RATE and (code.category == "S") != bool(rate):
            yield f"The tax category {code.category} does not go with {rate or 0} % (BR-S-5 and its siblings)."
    if "O" in {code.category for code, _ in coded} and len(coded) > 1:
        yield "What is outside of tax stands beside other categories (BR-O-11)."


def _unsayable_lines(content: QuoteContent, calculation: Calculation) -> Iterator[str]:
    if not any(amounts.counts for amounts in calculation.lines):
        yield "No line counts; the standard wants at least one (BR-16)."
    for number, (line, amounts) in enumerate(zip(content.lines, calculation.lines, strict=True), start=1):
        if not amounts.counts:  # It is told in a note, for which there are no rules.
            continue
        if line.unit and line.unit not in UNITS:  # A line without a unit counts pieces.
            yield f"Line {number} has the unit {line.unit}, which is no code of UN/ECE Recommendation 20 (BR-CL-23)."
        if len(line.pricing.taxes) != 1:
            yield f"Line {number} has {len(line.pricing.taxes) or 'no'} taxes; exactly one is needed (BR-CO-4)."
        if line.pricing.unit_price < ZERO:
            yield f"Line {number} has a unit price below zero (BR-27)."


def _split(content: QuoteContent, calculation: Calculation, explanation: Explanation) -> Iterator[TaxedAllowance]:
    parts: dict[tuple[int, int], Decimal] = defaultdict(Decimal)
    for pot in explanation.pots:
        for step in pot.steps[1:]:
            if step.of is not None:
                parts[step.of, pot.taxes[0]] += step.rounded
    pricing, discounts = content.pricing(), len(calculation.discounts)
    reasons = [*(entry.reason for entry in pricing.discounts), *(entry.reason for entry in pricing.charges)]
    unit = Decimal(1).scaleb(-calculation.minor_digits)
    for (position, group), amount in sorted(parts.items()):
        if amount:
            charge = position >= discounts
            yield TaxedAllowance(
                amount=(amount if charge else -amount).quantize(unit),
                reason=reasons[position],
                tax=explanation.taxes[group].tax,
                charge=charge,
            )


def _unbalanced(
    content: QuoteContent, calculation: Calculation, allowances: tuple[TaxedAllowance, ...]
) -> Iterator[str]:
    """BR-CO-11 and -12, and BR-S-8 with its siblings: each tax's base is its lines, less discounts, plus charges."""
    bases: dict[Tax, Decimal] = defaultdict(Decimal)
    for line, amounts in zip(content.lines, calculation.lines, strict=True):
        if amounts.counts:
            bases[line.pricing.taxes[0]] += amounts.net
    for allowance in allowances:
        bases[allowance.tax] += allowance.amount if allowance.charge else -allowance.amount
    stated = {group.tax: group.base for group in calculation.taxes}
    for tax in {**stated, **bases}:
        if bases.get(tax, ZERO) != stated.get(tax, ZERO):
            yield f"The base of {tax.category} {tax.rate_percent} is not the sum of its figures (BR-S-8)."
    for total, charge in ((calculation.discount_total, False), (calculation.charge_total, True)):
        if sum((one.amount for one in allowances if one.charge is charge), ZERO) != total:
            yield "The discounts or charges cannot be split over the taxes (BR-CO-11, BR-CO-12)."
