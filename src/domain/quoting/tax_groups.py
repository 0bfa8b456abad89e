"""Taxes of a document: what each group's base is and what tax it comes to."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from src.domain.quoting.apportion import apportion
from src.domain.quoting.arithmetic import HUNDREDTH, ONE, ZERO, Scale, unrounded
from src.domain.quoting.calculation import TaxSubtotal
from src.domain.quoting.explanation import Step, StepKind
from src.domain.quoting.pots import Pots, Taxes, in_order
from src.domain.quoting.pricing import QuotePricing, Tax
from src.domain.shared.rounding import InclusiveTax, Rounding, TaxRounding

Settle = Callable[[Decimal], Decimal]


@dataclass(frozen=True, slots=True)
class TaxRules:
    """How a document's taxes are rounded and which of them its prices contain."""

    rounding: Rounding
    tax_rounding: TaxRounding
    inclusive_tax: InclusiveTax
    included_category: str | None
    scale: Scale

    @classmethod
    def of(cls, pricing: QuotePricing, scale: Scale) -> "TaxRules":
        settings = pricing.settings
        return cls(settings.rounding, settings.tax_rounding, settings.inclusive_tax, pricing.prices_include_tax, scale)

    def contains(self, tax: Tax) -> bool:
        """Whether prices contain this tax. What the buyer withholds is in no price."""
        return tax.category == self.included_category and tax.rate_percent is not None and not tax.retained


@dataclass(frozen=True, slots=True)
class TaxTrail:
    """Takes down, for each tax, how its base and its amount came about."""

    steps: defaultdict[Tax, list[Step]] = field(default_factory=lambda: defaultdict(list))


def tax_subtotals(pots: Pots, rules: TaxRules, trail: TaxTrail | None = None) -> tuple[TaxSubtotal, ...]:
    """One subtotal for each tax, in their order; unrounded when the rounding is ``precise``."""
    ledger = _Ledger(trail)
    if rules.rounding is Rounding.PRECISE:
        _from_bases(ledger, pots, rules, unrounded, unrounded)
    elif rules.tax_rounding is TaxRounding.PER_LINE:
        _from_amounts(ledger, pots, rules)
    elif rules.included_category is not None and rules.inclusive_tax is InclusiveTax.FROM_GROSS:
        _from_gross(ledger, pots, rules)
    else:
        _from_bases(ledger, pots, rules, rules.scale.money, rules.scale.tax)
    return ledger.subtotals()


@dataclass(frozen=True, slots=True)
class _Extraction:
    """The taxes inside an amount: *exact* all together at *rate*, *parts* each one's."""

    exact: Decimal
    rate: Decimal
    parts: tuple[Decimal, ...]


class _Ledger:
    """Collects bases and amounts by tax, and tells the trail."""

    def __init__(self, trail: TaxTrail | None) -> None:
        self.bases: defaultdict[Tax, Decimal] = defaultdict(Decimal)
        self._amounts: defaultdict[Tax, Decimal] = defaultdict(Decimal)
        self._surcharges: defaultdict[Tax, Decimal] = defaultdict(Decimal)
        self._trail = trail

    def add_base(self, taxes: Taxes, gross: Decimal, net: Decimal, *, rate: Decimal | None, inside: Decimal) -> None:
        """Add *net* to the bases: *gross* without the tax that it contains, at *rate* or the amount *inside*."""
        for tax in taxes:
            self.bases[tax] += net
            if self._trail is not None:
                percent = None if rate is None else rate / HUNDREDTH
                exact = gross - inside if rate is None else gross / (ONE + rate)
                amount = inside or None
                step = Step(StepKind.TAX_BASE, gross, percent, amount, exact, net, self.bases[tax])
                self._trail.steps[tax].append(step)

    def extract(self, taxes: Taxes, gross: Decimal, extraction: _Extraction) -> None:
        """Add the parts of what *gross* contains."""
        for tax, part in zip(taxes, extraction.parts, strict=True):
            self._amounts[tax] += part
            if self._trail is not None:
                own = _rate((tax,)) / HUNDREDTH
                step = Step(
                    StepKind.INCLUSIVE_EXTRACTION,
                    gross,
                    extraction.rate / HUNDREDTH,
                    own,
                    extraction.exact,
                    part,
                    self._amounts[tax],
                )
                self._trail.steps[tax].append(step)

    def charge(self, tax: Tax, net: Decimal, settle: Settle) -> None:
        """Tax *net* at the rate."""
        self._take(StepKind.TAX, tax, net, tax.rate_percent, self._amounts, settle)

    def surcharge(self, tax: Tax, net: Decimal, settle: Settle) -> None:
        if tax.rate_percent is not None:
            self._take(StepKind.SURCHARGE, tax, net, tax.surcharge_percent, self._surcharges, settle)

    def _take(
        self,
        kind: StepKind,
        tax: Tax,
        net: Decimal,
        percent: Decimal | None,
        amounts: defaultdict[Tax, Decimal],
        settle: Settle,
    ) -> None:
        if percent is None:
            return
        exact = net * percent * HUNDREDTH
        amount = settle(exact)
        amounts[tax] += amount
        if self._trail is not None:
            self._trail.steps[tax].append(Step(kind, net, percent, None, exact, amount, amounts[tax]))

    def subtotals(self) -> tuple[TaxSubtotal, ...]:
        return tuple(
            TaxSubtotal(
                tax=tax, base=self.bases[tax], amount=self._amounts[tax], surcharge_amount=self._surcharges[tax]
            )
            for tax in in_order(self.bases)
        )


def _from_bases(ledger: _Ledger, pots: Pots, rules: TaxRules, settle: Settle, settle_tax: Settle) -> None:
    """Each amount's net first, then one tax on the sum of the nets."""
    for taxes, pot in pots.items():
        rate = _rate([tax for tax in taxes if rules.contains(tax)])
        amounts = pot.amounts()
        if not rate:
            total = sum(amounts, ZERO)
            ledger.add_base(taxes, total, total, rate=None, inside=ZERO)
            continue
        for amount in amounts:
            ledger.add_base(taxes, amount, settle(amount / (ONE + rate)), rate=rate, inside=ZERO)
    for tax, base in ledger.bases.items():
        ledger.charge(tax, base, settle_tax)
        ledger.surcharge(tax, base, settle_tax)


def _from_amounts(ledger: _Ledger, pots: Pots, rules: TaxRules) -> None:
    """The tax of every amount on its own; a group is the sum of these."""
    settle = rules.scale.tax
    for taxes, pot in pots.items():
        contained = tuple(tax for tax in taxes if rules.contains(tax))
        for amount in pot.amounts():
            extraction = _extract(amount, contained, rules.scale)
            inside = sum(extraction.parts, ZERO)
            ledger.add_base(taxes, amount, amount - inside, rate=None, inside=inside)
            ledger.extract(contained, amount, extraction)
            for tax in taxes:
                if tax not in contained:
                    ledger.charge(tax, amount - inside, settle)
                ledger.surcharge(tax, amount - inside, settle)


def _from_gross(ledger: _Ledger, pots: Pots, rules: TaxRules) -> None:
    """The gross of all lines with the same included taxes is the truth; their base is what the tax leaves of it."""
    settle = rules.scale.tax
    sharing: defaultdict[Taxes, dict[Taxes, Decimal]] = defaultdict(dict)
    for taxes, pot in pots.items():
        contained = tuple(tax for tax in taxes if rules.contains(tax))
        sharing[contained][taxes] = sum(pot.amounts(), ZERO)
    for contained, grosses in sharing.items():
        gross = sum(grosses.values(), ZERO)
        extraction = _extract(gross, contained, rules.scale)
        ledger.extract(contained, gross, extraction)
        # Lines with the same included taxes may differ in others, which need a base of their own.
        taken = apportion(sum(extraction.parts, ZERO), tuple(grosses.values()), rules.scale.unit)
        for (taxes, pot_gross), part in zip(grosses.items(), taken, strict=True):
            ledger.add_base(taxes, pot_gross, pot_gross - part, rate=None, inside=part)
    for tax, base in ledger.bases.items():
        if not rules.contains(tax):
            ledger.charge(tax, base, settle)
        ledger.surcharge(tax, base, settle)


def _extract(gross: Decimal, contained: Taxes, scale: Scale) -> _Extraction:
    """The taxes that *gross* contains: first all of them as one, then its parts."""
    if not contained:
        return _Extraction(ZERO, ZERO, ())
    rate = _rate(contained)
    exact = gross * rate / (ONE + rate)
    joint = scale.tax(exact)
    if len(contained) == 1:
        return _Extraction(exact, rate, (joint,))
    return _Extraction(exact, rate, apportion(joint, [_rate((tax,)) for tax in contained], scale.unit))


def _rate(taxes: Iterable[Tax]) -> Decimal:
    return sum((tax.rate_percent * HUNDREDTH for tax in taxes if tax.rate_percent is not None), ZERO)
