"""Replays an explanation: whether each step follows from what stands before it, and whether they lead to the figures."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Decimal
from itertools import zip_longest

from src.domain.quoting.arithmetic import exact_arithmetic
from src.domain.quoting.calculation import Calculation
from src.domain.quoting.explanation import (
    EXPLANATION_FORMAT,
    GIVEN,
    Explanation,
    LineExplanation,
    PotExplanation,
    Step,
    StepKind,
    TaxExplanation,
)
from src.domain.shared.rounding import InclusiveTax, Rounding, TaxMode, TaxRounding

_NOTHING, _HUNDRED = Decimal(0), Decimal(100)
_SIXTH_DECIMAL = Decimal("0.000001")
# Divisions are carried to 100 digits; what they may differ by lies far below any minor unit.
_CLOSE = Decimal("1E-40")
_MODES = {
    TaxMode.HALF_UP: ROUND_HALF_UP,
    TaxMode.HALF_EVEN: ROUND_HALF_EVEN,
    TaxMode.UP: ROUND_UP,
    TaxMode.DOWN: ROUND_DOWN,
}
_PRICES = {StepKind.LIST, StepKind.CONTRACT, StepKind.TIER, StepKind.GROUP, StepKind.OVERRIDE}
_LOWERS = {StepKind.LINE_DISCOUNT, StepKind.DOCUMENT_DISCOUNT, StepKind.COUPON}
_SHARES = {StepKind.DOCUMENT_DISCOUNT_SHARE, StepKind.COUPON_SHARE, StepKind.DOCUMENT_CHARGE_SHARE}


@dataclass(frozen=True, slots=True)
class Fault:
    """The first step that does not follow. *seq* counts from 1 within *place*; 0 stands for the figure at its end."""

    place: str
    seq: int
    kind: str
    message: str


def verify(explanation: Explanation, calculation: Calculation) -> Fault | None:
    """The first fault of *explanation* as a derivation of *calculation*'s figures; None when everything follows."""
    if explanation.format != EXPLANATION_FORMAT:
        return Fault("explanation", 0, "format", f"Format {explanation.format} is not known.")
    with exact_arithmetic():
        return next(_Replay(explanation, calculation).faults(), None)


class _Replay:
    """One replay. Every method yields the faults of its part, in the order of the derivation."""

    def __init__(self, explanation: Explanation, calculation: Calculation) -> None:
        self._e, self._c = explanation, calculation
        self._unit = Decimal(1).scaleb(-explanation.minor_digits)
        self._precise = explanation.settings.rounding is Rounding.PRECISE
        self._nets: list[Decimal] = []
        self._pot_totals: list[Decimal] = []

    def faults(self) -> Iterator[Fault]:
        if (self._c.minor_digits, len(self._c.lines)) != (self._e.minor_digits, len(self._e.lines)):
            yield Fault("explanation", 0, "lines", "It explains another calculation.")
            return
        for number, line in enumerate(self._e.lines):
            yield from self._line(f"lines[{number}]", line, number)
        yield from self._document()
        for number, pot in enumerate(self._e.pots):
            yield from self._pot(f"pots[{number}]", pot, number)
        yield from self._parts_make_wholes()
        for number, line in enumerate(self._e.lines):
            yield from self._line_shares(f"lines[{number}].shares", line, number)
        yield from self._shares_make_parts()
        if len(self._e.taxes) != len(self._c.taxes):
            yield Fault("taxes", 0, "tax", "It explains other taxes.")
            return
        for number, tax in enumerate(self._e.taxes):
            yield from self._tax(f"taxes[{number}]", tax, number)
        yield from self._totals()

    # Rounding -----------------------------------------------------------------------------------------------------

    def _settle(self, value: Decimal) -> Decimal:
        return value if self._precise else value.quantize(self._unit, ROUND_HALF_UP)

    def _settle_tax(self, value: Decimal) -> Decimal:
        return value if self._precise else value.quantize(self._unit, _MODES[self._e.settings.tax_mode])

    def _shown(self, value: Decimal) -> Decimal:
        return value.quantize(_CLOSE, ROUND_HALF_EVEN).quantize(self._unit, ROUND_HALF_UP)

    def _shown_tax(self, value: Decimal) -> Decimal:
        return value.quantize(_CLOSE, ROUND_HALF_EVEN).quantize(self._unit, _MODES[self._e.settings.tax_mode])

    # Lines --------------------------------------------------------------------------------------------------------

    def _line(self, place: str, line: LineExplanation, number: int) -> Iterator[Fault]:
        steps = line.steps
        if len(steps) < 2 or steps[0].kind not in _PRICES or steps[1].kind is not StepKind.GROSS:
            yield Fault(place, 1, "price", "A line begins with its price and its gross.")
            return
        price, gross = steps[0], steps[1]
        yield from _check(place, 1, price, self._price_exact(price), _to_six_decimals, price.rounded)
        if line.source is not None and price.note not in {"", line.source.name}:
            yield Fault(place, 1, price.kind, f"The price is {line.source.name!r}'s and not {price.note!r}'s.")
        if not _same(gross.base, price.result):
            yield _unlinked(place, 2, gross, price.result)
        exact = (gross.base or _NOTHING) * (gross.rate or _NOTHING) / (1 if gross.amount is None else gross.amount)
        yield from _check(place, 2, gross, exact, self._settle, gross.rounded)
        result = gross.rounded
        for seq, step in enumerate(steps[2:], start=3):
            if step.kind not in {StepKind.LINE_DISCOUNT, StepKind.CHARGE}:
                yield Fault(place, seq, step.kind, "This step has no place in a line.")
                continue
            result += -step.rounded if step.kind in _LOWERS else step.rounded
            yield from self._percentage(place, seq, step, gross.rounded, result)
        yield from self._all_adjustments(place, steps, number)
        self._nets.append(steps[-1].result)
        if self._shown(steps[-1].result) != self._c.lines[number].net:
            yield _differs(place, "net", self._c.lines[number].net)
        if line.counts != self._c.lines[number].counts:
            yield _differs(place, "counts", line.counts)

    def _all_adjustments(self, place: str, steps: Sequence[Step], number: int) -> Iterator[Fault]:
        """Each discount and charge of the line has its step, in their order."""
        amounts = self._c.lines[number]
        wanted = [
            *((StepKind.LINE_DISCOUNT, amount) for amount in amounts.discounts),
            *((StepKind.CHARGE, amount) for amount in amounts.charges),
        ]
        if [(step.kind, self._shown(step.rounded)) for step in steps[2:]] != wanted:
            yield _differs(place, "discounts and charges", amounts.net)

    def _price_exact(self, step: Step) -> Decimal:
        if step.base is None or step.rate is None:
            return step.amount or _NOTHING
        return step.base * (_HUNDRED - step.rate) / _HUNDRED

    def _percentage(self, place: str, seq: int, step: Step, whole: Decimal, result: Decimal) -> Iterator[Fault]:
        """A discount or charge: a given amount, a percentage of *whole*, or one of a base of its own."""
        if step.rate is None:
            exact = step.amount or _NOTHING
            if step.base is not None:
                yield _unlinked(place, seq, step, None)
        else:
            wanted = whole if step.amount is None else step.amount
            if not _same(step.base, wanted):
                yield _unlinked(place, seq, step, wanted)
            exact = (step.base or _NOTHING) * step.rate / _HUNDRED
        yield from _check(place, seq, step, exact, self._settle, result)

    # The document -------------------------------------------------------------------------------------------------

    def _document(self) -> Iterator[Fault]:
        steps = self._e.document
        total = sum((net for net, line in zip(self._nets, self._e.lines, strict=True) if line.counts), _NOTHING)
        if not steps or steps[0].kind is not StepKind.LINES:
            yield Fault("document", 1, "lines", "A document begins with the sum of its lines.")
            return
        yield from _check("document", 1, steps[0], total, _as_it_is, total)
        result = total
        for seq, step in enumerate(steps[1:], start=2):
            if step.kind not in {*_LOWERS, StepKind.DOCUMENT_CHARGE}:
                yield Fault("document", seq, step.kind, "This step has no place in a document.")
                continue
            result += -step.rounded if step.kind in _LOWERS else step.rounded
            whole = self._whole(seq - 2, total)
            yield from self._percentage("document", seq, step, whole, result)
        shown = [self._shown(step.rounded) for step in steps[1:]]
        if shown != [*self._c.discounts, *self._c.charges]:
            yield _differs("document", "discounts and charges", self._c.discount_total)

    def _whole(self, position: int, total: Decimal) -> Decimal:
        """What a percentage of the document is of: all lines, or those on which it has a share."""
        shares = [step for pot in self._e.pots for step in pot.steps[1:] if step.of == position]
        if not shares:
            return _NOTHING  # None of the lines that it is of counts.
        weights = {share.amount for share in shares if share.amount is not None}
        return weights.pop() if len(weights) == 1 else total

    # Pots ---------------------------------------------------------------------------------------------------------

    def _pot(self, place: str, pot: PotExplanation, number: int) -> Iterator[Fault]:
        total = sum((net for net, line in zip(self._nets, self._e.lines, strict=True) if line.pot == number), _NOTHING)
        if not pot.steps:
            yield Fault(place, 0, "lines", "A pot begins with its lines.")
            return
        yield from _check(place, 1, pot.steps[0], total, _as_it_is, total)
        result = total
        for seq, step in enumerate(pot.steps[1:], start=2):
            result += step.rounded
            yield from self._share(place, seq, step, result, self._document_amount(step.of))
        self._pot_totals.append(result)

    def _part(self, pot: int | None, position: int | None) -> Decimal | None:
        """What the pot got of the document's amount at *position*."""
        steps = () if pot is None or pot >= len(self._e.pots) else self._e.pots[pot].steps[1:]
        return next((step.rounded for step in steps if step.of == position), None)

    def _share(self, place: str, seq: int, step: Step, result: Decimal, whole: Decimal | None) -> Iterator[Fault]:
        """A part by weight: within one unit of its exact share, because the largest remainders get what is left."""
        if step.kind not in _SHARES:
            yield Fault(place, seq, step.kind, "This step has no place among shares.")
            return
        if not _same(step.base, whole):
            yield _unlinked(place, seq, step, whole)
        if step.amount is None or step.rate is None:
            exact = step.rounded
            if whole is None or not _same(step.rounded, whole):
                yield Fault(place, seq, step.kind, "What names its taxes goes to them whole.")
        else:
            exact = (whole or _NOTHING) * step.rate / step.amount if step.amount else _NOTHING
        if abs(step.exact - exact) > _CLOSE:
            yield _inexact(place, seq, step, exact)
        weighed = step.amount is not None and step.amount != _NOTHING
        if weighed and abs(step.rounded - exact) > (_CLOSE if self._precise else self._unit):
            yield Fault(place, seq, step.kind, f"{step.rounded} is more than one minor unit away from {exact:f}.")
        if not _same(step.result, result):
            yield _unfollowed(place, seq, step, result)

    def _document_amount(self, position: int | None) -> Decimal | None:
        """The document's amount at *position*, below zero for a discount."""
        steps = self._e.document[1:]
        if position is None or not 0 <= position < len(steps):
            return None
        step = steps[position]
        return -step.rounded if step.kind in _LOWERS else step.rounded

    def _parts_make_wholes(self) -> Iterator[Fault]:
        """The parts of each of the document's amounts sum to it. Only where nothing counts there is nowhere to go."""
        parts: dict[int | None, Decimal] = {}
        for step in (step for pot in self._e.pots for step in pot.steps[1:]):
            parts[step.of] = parts.get(step.of, _NOTHING) + step.rounded
        for position, step in enumerate(self._e.document[1:]):
            whole = self._document_amount(position) or _NOTHING
            homeless = position not in parts and not any(line.counts for line in self._e.lines)
            if not homeless and abs(parts.get(position, _NOTHING) - whole) > _CLOSE:
                told = f"Its parts sum to {parts.get(position, _NOTHING):f} and not to {whole:f}."
                yield Fault("document", position + 2, step.kind, told)

    def _line_shares(self, place: str, line: LineExplanation, number: int) -> Iterator[Fault]:
        result = self._nets[number]
        for seq, step in enumerate(line.shares, start=1):
            result += step.rounded
            if not _same(step.rate, self._nets[number]):
                yield Fault(place, seq, step.kind, f"The weight is {step.rate} and not the line's net.")
            yield from self._share(place, seq, step, result, self._part(line.pot, step.of))
        share = self._c.lines[number].document_share
        if self._shown(result - self._nets[number]) != share:
            yield _differs(place, "document share", share)

    def _shares_make_parts(self) -> Iterator[Fault]:
        """What a pot got by weight is what its lines got."""
        for number, pot in enumerate(self._e.pots):
            got = sum((step.rounded for step in pot.steps[1:] if step.amount is not None), _NOTHING)
            given = sum(
                (step.rounded for line in self._e.lines if line.pot == number for step in line.shares), _NOTHING
            )
            if abs(got - given) > _CLOSE:
                yield Fault(f"pots[{number}]", 0, "share", f"Its lines got {given:f} of {got:f}.")

    # Taxes --------------------------------------------------------------------------------------------------------

    def _tax(self, place: str, explained: TaxExplanation, number: int) -> Iterator[Fault]:
        group = self._c.taxes[number]
        if explained.tax != group.tax:
            yield _differs(place, "tax", group.tax.category)
            return
        base, amount, surcharge, seen = _NOTHING, _NOTHING, _NOTHING, _NOTHING
        for seq, step in enumerate(explained.steps, start=1):
            if step.kind is StepKind.TAX_BASE:
                seen += step.base or _NOTHING
                base += step.rounded
                yield from _check(place, seq, step, self._base_exact(step), self._settle, base)
            elif step.kind is StepKind.INCLUSIVE_EXTRACTION:
                amount += step.rounded
                yield from self._extraction(place, seq, step, explained, amount)
            elif step.kind is StepKind.TAX:
                amount += step.rounded
                yield from self._taxed(place, seq, step, group.tax.rate_percent, amount)
            elif step.kind is StepKind.SURCHARGE:
                surcharge += step.rounded
                yield from self._taxed(place, seq, step, group.tax.surcharge_percent, surcharge)
            else:
                yield Fault(place, seq, step.kind, "This step has no place in a tax.")
        yield from self._bases(place, explained, base)
        yield from self._made_of_pots(place, number, seen)
        for name, found, shown in (
            ("base", self._shown(base), group.base),
            ("amount", self._shown_tax(amount), group.amount),
            ("surcharge", self._shown_tax(surcharge), group.surcharge_amount),
        ):
            if found != shown:
                yield _differs(place, name, shown)

    def _taxed(self, place: str, seq: int, step: Step, rate: Decimal | None, result: Decimal) -> Iterator[Fault]:
        if not _same(step.rate, rate):
            yield Fault(place, seq, step.kind, f"The rate is {rate}, not {step.rate}.")
        exact = (step.base or _NOTHING) * (step.rate or _NOTHING) / _HUNDRED
        yield from _check(place, seq, step, exact, self._settle_tax, result)

    def _made_of_pots(self, place: str, number: int, seen: Decimal) -> Iterator[Fault]:
        """The bases begin with all amounts of the pots that carry the tax, and with nothing else."""
        totals = zip(self._e.pots, self._pot_totals, strict=True)
        wanted = sum((total for pot, total in totals if number in pot.taxes), _NOTHING)
        if abs(seen - wanted) > _CLOSE:
            yield Fault(place, 0, "tax_base", f"The bases are made of {seen:f}; its pots come to {wanted:f}.")

    def _base_exact(self, step: Step) -> Decimal:
        base = step.base or _NOTHING
        if step.rate is not None:
            return base * _HUNDRED / (_HUNDRED + step.rate)
        return base - (step.amount or _NOTHING)

    def _extraction(
        self, place: str, seq: int, step: Step, explained: TaxExplanation, result: Decimal
    ) -> Iterator[Fault]:
        """The taxes inside an amount: jointly first, then each one's part of that."""
        base, joint, own = step.base or _NOTHING, step.rate or _NOTHING, step.amount or _NOTHING
        if own != (explained.tax.rate_percent or _NOTHING):
            yield Fault(place, seq, step.kind, f"The rate is {explained.tax.rate_percent}, not {own}.")
        exact = base * joint / (_HUNDRED + joint)
        if abs(step.exact - exact) > _CLOSE:
            yield _inexact(place, seq, step, exact)
        rounded = self._settle_tax(exact)
        if own == joint and not _same(step.rounded, rounded):
            yield Fault(place, seq, step.kind, f"{exact:f} is rounded to {rounded} and not to {step.rounded}.")
        if own != joint and abs(step.rounded - rounded * own / (joint or 1)) > self._unit:
            yield Fault(place, seq, step.kind, f"{step.rounded} is no part of {rounded} by {own} of {joint}.")
        if not _same(step.result, result):
            yield _unfollowed(place, seq, step, result)

    def _bases(self, place: str, explained: TaxExplanation, base: Decimal) -> Iterator[Fault]:
        """Where one tax is taken of the whole base, it is that of the steps before."""
        settings = self._e.settings
        if not self._precise and settings.tax_rounding is TaxRounding.PER_LINE:
            return  # Each amount is taxed on its own.
        inside = self._e.prices_include_tax is not None and settings.inclusive_tax is InclusiveTax.FROM_GROSS
        for seq, step in enumerate(explained.steps, start=1):
            if step.kind in {StepKind.TAX, StepKind.SURCHARGE} and not _same(step.base, base):
                yield _unlinked(place, seq, step, base)
        if not self._precise and inside and explained.tax.category == self._e.prices_include_tax:
            return
        taxed = [step for step in explained.steps if step.kind is StepKind.TAX]
        if explained.tax.rate_percent is not None and len(taxed) != 1:
            yield Fault(place, 0, "tax", "A group is taxed once.")
        surcharged = [step for step in explained.steps if step.kind is StepKind.SURCHARGE]
        has_surcharge = explained.tax.rate_percent is not None and explained.tax.surcharge_percent is not None
        if len(surcharged) != int(has_surcharge):
            yield Fault(place, 0, "surcharge", "A group is surcharged once, and only where it has a surcharge.")

    # Totals -------------------------------------------------------------------------------------------------------

    def _totals(self) -> Iterator[Fault]:
        calculation = self._c
        before = calculation.line_net_total - calculation.discount_total + calculation.charge_total
        figures = {
            StepKind.INCLUDED_TAX: (before, before - calculation.total_without_tax, calculation.total_without_tax),
            StepKind.TAXES: (calculation.total_without_tax, calculation.tax_total, calculation.total_with_tax),
            StepKind.RETAINED: (calculation.total_with_tax, calculation.retained_total, None),
            StepKind.PREPAID: (None, calculation.prepaid, None),
            StepKind.CASH_ROUNDING: (None, calculation.rounding, calculation.payable),
            StepKind.PAYABLE: (None, calculation.payable, calculation.payable),
            StepKind.DEPOSIT: (calculation.payable, calculation.deposit, calculation.balance),
            StepKind.COST: (calculation.total_without_tax, calculation.cost_total, calculation.margin),
        }
        yield from self._all_totals()
        result, paid = _NOTHING, 0
        for seq, step in enumerate(self._e.totals, start=1):
            if step.kind is StepKind.INSTALMENT:
                yield from self._instalment(seq, step, paid)
                paid += 1
                continue
            if step.kind not in figures:
                yield Fault("totals", seq, step.kind, "This step has no place among the totals.")
                continue
            base, amount, end = figures[step.kind]
            if base is not None and not _same(step.base, base):
                yield _unlinked("totals", seq, step, base)
            if step.kind in {StepKind.PREPAID, StepKind.CASH_ROUNDING} and not _same(step.base, result):
                yield _unlinked("totals", seq, step, result)
            if amount is not None and not _same(step.rounded, amount):
                yield Fault("totals", seq, step.kind, f"The amount is {step.rounded} and not {amount}.")
            if end is not None and not _same(step.result, end):
                yield _unfollowed("totals", seq, step, end)
            yield from self._total_step(seq, step)
            result = step.result
        if paid != len(calculation.instalments):
            yield _differs("totals", "instalments", len(calculation.instalments))

    def _all_totals(self) -> Iterator[Fault]:
        """The totals have all their steps, in this order, and no other."""
        calculation, told = self._c, [step.kind for step in self._e.totals]
        wanted = [
            *([StepKind.INCLUDED_TAX] if self._e.prices_include_tax is not None else []),
            *(StepKind.TAXES, StepKind.RETAINED, StepKind.PREPAID, StepKind.CASH_ROUNDING, StepKind.PAYABLE),
            *([StepKind.DEPOSIT] if StepKind.DEPOSIT in told or calculation.deposit else []),
            *[StepKind.INSTALMENT] * len(calculation.instalments),
            *([StepKind.COST] if calculation.margin is not None else []),
        ]
        for seq, (kind, due) in enumerate(zip_longest(told, wanted), start=1):
            if kind is not due:
                yield Fault("totals", seq, str(kind or due), f"Here stands {kind}; it should be {due}.")

    def _total_step(self, seq: int, step: Step) -> Iterator[Fault]:
        """Its own arithmetic. In ``precise`` printed totals may miss each other by one unit."""
        exact = step.amount or _NOTHING
        if step.kind is StepKind.CASH_ROUNDING and step.note != GIVEN and step.amount:
            base = step.base or _NOTHING
            exact = (base / step.amount).quantize(Decimal(1), ROUND_HALF_UP) * step.amount - base
        elif step.kind is StepKind.DEPOSIT and step.rate is not None:
            exact = (step.base or _NOTHING) * step.rate / _HUNDRED
        if not _same(step.exact, exact):
            yield _inexact("totals", seq, step, exact)
        if not _same(step.rounded, exact.quantize(self._unit, ROUND_HALF_UP)):
            yield Fault("totals", seq, step.kind, f"{exact:f} is not rounded to {step.rounded}.")
        if step.base is not None:
            raises = step.kind in {StepKind.TAXES, StepKind.CASH_ROUNDING}
            follows = step.base + step.rounded if raises else step.base - step.rounded
            if abs(step.result - follows) > (self._unit if self._precise else _NOTHING):
                yield _unfollowed("totals", seq, step, follows)

    def _instalment(self, seq: int, step: Step, number: int) -> Iterator[Fault]:
        balance, amounts = self._c.balance, self._c.instalments
        if not _same(step.base, balance):
            yield _unlinked("totals", seq, step, balance)
        exact = (step.base or _NOTHING) * (step.rate or _NOTHING) / (step.amount or 1)
        if abs(step.exact - exact) > _CLOSE:
            yield _inexact("totals", seq, step, exact)
        if number >= len(amounts) or step.rounded != amounts[number] or abs(step.rounded - exact) >= self._unit:
            yield Fault("totals", seq, step.kind, f"{step.rounded} is not instalment {number + 1}.")
        left = balance - sum(amounts[: number + 1], _NOTHING)
        if not _same(step.result, left):
            yield _unfollowed("totals", seq, step, left)


def _check(
    place: str,
    seq: int,
    step: Step,
    exact: Decimal,
    settle: Callable[[Decimal], Decimal],
    result: Decimal,
) -> Iterator[Fault]:
    """The arithmetic of one step: what it comes to, how that is rounded, what the chain has come to."""
    if abs(step.exact - exact) > _CLOSE:
        yield _inexact(place, seq, step, exact)
    if abs(step.rounded - settle(exact)) > _CLOSE:
        yield Fault(place, seq, step.kind, f"{exact:f} is rounded to {settle(exact):f} and not to {step.rounded:f}.")
    if abs(step.result - result) > _CLOSE:
        yield _unfollowed(place, seq, step, result)


def _same(value: Decimal | None, wanted: Decimal | None) -> bool:
    """Equal but for what unending divisions leave."""
    if value is None or wanted is None:
        return value is wanted
    return abs(value - wanted) <= _CLOSE


def _to_six_decimals(value: Decimal) -> Decimal:
    return value.quantize(_SIXTH_DECIMAL, ROUND_HALF_UP)


def _as_it_is(value: Decimal) -> Decimal:
    return value


def _inexact(place: str, seq: int, step: Step, exact: Decimal) -> Fault:
    return Fault(place, seq, step.kind, f"It comes to {exact:f} and not to {step.exact:f}.")


def _unlinked(place: str, seq: int, step: Step, wanted: Decimal | None) -> Fault:
    return Fault(place, seq, step.kind, f"It looks at {step.base} and not at {wanted}.")


def _unfollowed(place: str, seq: int, step: Step, wanted: Decimal) -> Fault:
    return Fault(place, seq, step.kind, f"The result is {wanted:f} and not {step.result:f}.")


def _differs(place: str, what: str, shown: object) -> Fault:
    return Fault(place, 0, what, f"The steps do not lead to the {what} that is shown, {shown}.")
