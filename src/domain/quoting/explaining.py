"""Explains a calculation: the calculator's own figures, laid out as the steps that lead to them."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from src.domain.quoting.arithmetic import HUNDREDTH, ONE, ZERO, exact_arithmetic
from src.domain.quoting.calculation import Calculation, LineAmounts
from src.domain.quoting.calculator import Working, work_out
from src.domain.quoting.explanation import (
    GIVEN,
    Explanation,
    LineExplanation,
    PotExplanation,
    Step,
    StepKind,
    TaxExplanation,
)
from src.domain.quoting.pots import Part
from src.domain.quoting.pricing import Charge, Discount, DocumentDiscount, LinePricing, QuotePricing
from src.domain.quoting.shares import LineShare
from src.domain.quoting.tax_groups import TaxTrail
from src.domain.shared.price_source import PriceSource

_DISCOUNT, _CHARGE = StepKind.LINE_DISCOUNT, StepKind.CHARGE
_PRICE_KINDS = {kind.value: kind for kind in StepKind}


def explain(pricing: QuotePricing, sources: Sequence[PriceSource | None] = ()) -> tuple[Calculation, Explanation]:
    """The calculation with its explanation. *sources* say where the lines' prices came from, None for typed ones.

    Raises what ``calculate`` raises.
    """
    trail = TaxTrail()
    working = work_out(pricing, trail)
    with exact_arithmetic():
        calculation = working.calculation
        pots = {line: number for number, pot in enumerate(working.pots.values()) for line in pot.lines}
        places = {group.tax: number for number, group in enumerate(calculation.taxes)}
        known = sources or (None,) * len(pricing.lines)
        lines = tuple(
            [
                LineExplanation(
                    amounts.counts,
                    pots.get(position),
                    source,
                    _line(line, amounts, source),
                    _line_shares(pricing, amounts, working.shares[position]) if position in working.shares else (),
                )
                for position, (line, amounts, source) in enumerate(
                    zip(pricing.lines, working.lines, known, strict=True)
                )
            ]
        )
        explanation = Explanation(
            settings=pricing.settings,
            minor_digits=calculation.minor_digits,
            prices_include_tax=pricing.prices_include_tax,
            lines=lines,
            document=tuple(_document(pricing, working)),
            pots=tuple(
                PotExplanation(tuple(places[tax] for tax in taxes), tuple(_pot(pricing, pot.nets, pot.parts)))
                for taxes, pot in working.pots.items()
            ),
            taxes=tuple(TaxExplanation(group.tax, tuple(trail.steps[group.tax])) for group in calculation.taxes),
            totals=tuple(_totals(pricing, calculation)),
        )
    return calculation, explanation


def _line(line: LinePricing, amounts: LineAmounts, source: PriceSource | None) -> tuple[Step, ...]:
    """From the price to the net: the quick way, because a large offer has thousands."""
    price, per = line.unit_price, line.price_base_quantity
    exact = line.quantity * price
    if per == ONE:
        per_shown = None
    else:
        per_shown = per
        exact /= per
    gross = amounts.gross
    steps = [_price(price, source), Step(StepKind.GROSS, price, line.quantity, per_shown, exact, gross, gross)]
    result = gross
    for discount, amount in zip(line.discounts, amounts.discounts, strict=True):
        result -= amount
        steps.append(_adjustment(_DISCOUNT, discount, gross, amount, result))
    for charge, amount in zip(line.charges, amounts.charges, strict=True):
        result += amount
        steps.append(_adjustment(_CHARGE, charge, gross, amount, result))
    return tuple(steps)


def _price(price: Decimal, source: PriceSource | None) -> Step:
    if source is None:
        return Step(StepKind.OVERRIDE, None, None, price, price, price, price)
    kind = _PRICE_KINDS[source.kind.value]
    if source.list_price is None or source.discount_percent is None or price != source.unit_price:
        return Step(kind, None, None, price, price, price, price, source.name)
    exact = source.list_price * (100 - source.discount_percent) * HUNDREDTH
    return Step(kind, source.list_price, source.discount_percent, None, exact, price, price, source.name)


def _adjustment(kind: StepKind, one: Discount | Charge, whole: Decimal, rounded: Decimal, result: Decimal) -> Step:
    percent = one.percent
    if percent is None:
        amount = one.amount or ZERO
        return Step(kind, None, None, amount, amount, rounded, result, one.reason)
    base = whole if one.base is None else one.base
    # A base of its own is shown as the amount that was given, so that nobody takes it for the whole.
    return Step(kind, base, percent, one.base, base * percent * HUNDREDTH, rounded, result, one.reason)


def _line_shares(pricing: QuotePricing, amounts: LineAmounts, shares: Sequence[LineShare]) -> tuple[Step, ...]:
    result, steps = amounts.net, []
    for share in shares:
        result += share.amount
        kind, note = _share_kind(pricing, share.position)
        exact = _part(share.whole, share.weight, share.weights)
        steps.append(
            Step(kind, share.whole, share.weight, share.weights, exact, share.amount, result, note, share.position)
        )
    return tuple(steps)


def _part(whole: Decimal, weight: Decimal, weights: Decimal) -> Decimal:
    """The unrounded part; where the weights cancel out the sizes count, which only the whole of them can tell."""
    return whole * weight / weights if weights else ZERO


def _share_kind(pricing: QuotePricing, position: int) -> tuple[StepKind, str]:
    """The kind and the name of the document's amount at *position*, discounts before charges."""
    if position < len(pricing.discounts):
        discount = pricing.discounts[position]
        if discount.coupon:
            return StepKind.COUPON_SHARE, discount.coupon
        return StepKind.DOCUMENT_DISCOUNT_SHARE, discount.reason
    return StepKind.DOCUMENT_CHARGE_SHARE, pricing.charges[position - len(pricing.discounts)].reason


def _document(pricing: QuotePricing, working: Working) -> Iterator[Step]:
    """The sum of the lines, then each discount and charge of the document."""
    total = sum([line.net for line in working.lines if line.counts], ZERO)
    yield Step(StepKind.LINES, None, None, None, total, total, total)
    result = total
    for discount, amount in zip(pricing.discounts, working.discounts, strict=True):
        result -= amount
        kind = StepKind.COUPON if discount.coupon else StepKind.DOCUMENT_DISCOUNT
        idle = discount.lines is not None and not any(working.lines[at].counts for at in discount.lines)
        taken = DocumentDiscount(amount=ZERO) if idle else discount  # None of its lines counts.
        step = _adjustment(kind, taken, _whole(discount, working.lines, total), amount, result)
        yield step._replace(note=discount.coupon or discount.reason)
    for charge, amount in zip(pricing.charges, working.charges, strict=True):
        result += amount
        yield _adjustment(StepKind.DOCUMENT_CHARGE, charge, total, amount, result)


def _whole(discount: DocumentDiscount, lines: Sequence[LineAmounts], total: Decimal) -> Decimal:
    if discount.lines is None:
        return total
    return sum([lines[position].net for position in discount.lines if lines[position].counts], ZERO)


def _pot(pricing: QuotePricing, nets: Sequence[Decimal], parts: Sequence[Part]) -> Iterator[Step]:
    total = sum(nets, ZERO)
    yield Step(StepKind.LINES, None, None, None, total, total, total)
    result = total
    for part in parts:
        result += part.amount
        kind, note = _share_kind(pricing, part.position)
        exact = part.amount
        if part.weight is not None and part.weights is not None:
            exact = _part(part.whole, part.weight, part.weights)
        yield Step(kind, part.whole, part.weight, part.weights, exact, part.amount, result, note, part.position)


def _totals(pricing: QuotePricing, calculation: Calculation) -> Iterator[Step]:
    """From the document's amount before tax to what is paid, in the figures that are shown."""
    before = calculation.line_net_total - calculation.discount_total + calculation.charge_total
    without = calculation.total_without_tax
    if pricing.prices_include_tax is not None:
        yield _given(StepKind.INCLUDED_TAX, before - without, without, base=before)
    yield _given(StepKind.TAXES, calculation.tax_total, calculation.total_with_tax, base=without)
    due = calculation.payable - calculation.rounding + calculation.prepaid
    yield _given(StepKind.RETAINED, calculation.retained_total, due, base=calculation.total_with_tax)
    yield _given(StepKind.PREPAID, calculation.prepaid, due - calculation.prepaid, base=due)
    unrounded = due - calculation.prepaid
    step = pricing.cash_rounding
    yield Step(
        StepKind.CASH_ROUNDING,
        unrounded,
        None,
        pricing.rounding_amount if step is None else step,
        pricing.rounding_amount if step is None else calculation.rounding,
        calculation.rounding,
        calculation.payable,
        GIVEN if step is None else "",
    )
    payable = calculation.payable
    yield _given(StepKind.PAYABLE, payable, payable)
    if pricing.deposit is not None:
        percent = pricing.deposit.percent
        exact = (pricing.deposit.amount or ZERO) if percent is None else payable * percent * HUNDREDTH
        yield Step(
            StepKind.DEPOSIT,
            payable,
            percent,
            pricing.deposit.amount,
            exact,
            calculation.deposit,
            calculation.balance,
        )
    balance, left = calculation.balance, calculation.balance
    shares = sum([instalment.share for instalment in pricing.instalments], ZERO)
    for instalment, amount in zip(pricing.instalments, calculation.instalments, strict=True):
        left -= amount
        exact = balance * instalment.share / shares
        yield Step(StepKind.INSTALMENT, balance, instalment.share, shares, exact, amount, left, instalment.label)
    if calculation.cost_total is not None and calculation.margin is not None:
        yield _given(StepKind.COST, calculation.cost_total, calculation.margin, base=without)


def _given(kind: StepKind, amount: Decimal, result: Decimal, *, base: Decimal | None = None) -> Step:
    return Step(kind, base, None, amount, amount, amount, result)
