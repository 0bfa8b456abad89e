"""Taxes of a document: what each group's base is and what tax it comes to."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from src.domain.quoting.apportion import apportion
from src.domain.quoting.arithmetic import HUNDREDTH, ONE, ZERO, Scale, unrounded
from src.domain.quoting.calculation import TaxSubtotal
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


def tax_subtotals(pots: Pots, rules: TaxRules) -> tuple[TaxSubtotal, ...]:
    """One subtotal for each tax, in their order; unrounded when the rounding is ``precise``."""
    if rules.rounding is Rounding.PRECISE:
        ledger = _from_bases(pots, rules, unrounded, unrounded)
    elif rules.tax_rounding is TaxRounding.PER_LINE:
        ledger = _from_amounts(pots, rules)
    elif rules.included_category is not None and rules.inclusive_tax is InclusiveTax.FROM_GROSS:
        ledger = _from_gross(pots, rules)
    else:
        ledger = _from_bases(pots, rules, rules.scale.money, rules.scale.tax)
    return ledger.subtotals()


class _Ledger:
    """Collects bases and amounts by tax."""

    def __init__(self) -> None:
        self.bases: defaultdict[Tax, Decimal] = defaultdict(Decimal)
        self._amounts: defaultdict[Tax, Decimal] = defaultdict(Decimal)
        self._surcharges: defaultdict[Tax, Decimal] = defaultdict(Decimal)

    def add_base(self, taxes: Taxes, net: Decimal) -> None:
        for tax in taxes:
            self.bases[tax] += net

    def add_amounts(self, taxes: Taxes, amounts: Iterable[Decimal]) -> None:
        for tax, amount in zip(taxes, amounts, strict=True):
            self._amounts[tax] += amount

    def charge(self, tax: Tax, net: Decimal, settle: Settle) -> None:
        """Tax *net* at the rate."""
        if tax.rate_percent is not None:
            self._amounts[tax] += settle(net * tax.rate_percent * HUNDREDTH)

    def surcharge(self, tax: Tax, net: Decimal, settle: Settle) -> None:
        if tax.rate_percent is not None and tax.surcharge_percent is not None:
            self._surcharges[tax] += settle(net * tax.surcharge_percent * HUNDREDTH)

    def subtotals(self) -> tuple[TaxSubtotal, ...]:
        return tuple(
            TaxSubtotal(
                tax=tax, base=self.bases[tax], amount=self._amounts[tax], surcharge_amount=self._surcharges[tax]
            )
            for tax in in_order(self.bases)
        )


def _from_bases(pots: Pots, rules: TaxRules, settle: Settle, settle_tax: Settle) -> _Ledger:
    """Each amount's net first, then one tax on the sum of the nets."""
    ledger = _Ledger()
    for taxes, amounts in pots.items():
        divisor = ONE + _rate([tax for tax in taxes if rules.contains(tax)])
        nets = amounts if divisor == ONE else [settle(amount / divisor) for amount in amounts]
        ledger.add_base(taxes, sum(nets, ZERO))
    for tax, base in ledger.bases.items():
        ledger.charge(tax, base, settle_tax)
        ledger.surcharge(tax, base, settle_tax)
    return ledger


def _from_amounts(pots: Pots, rules: TaxRules) -> _Ledger:
    """The tax of every amount on its own; a group is the sum of these."""
    ledger, settle = _Ledger(), rules.scale.tax
    for taxes, amounts in pots.items():
        contained = tuple(tax for tax in taxes if rules.contains(tax))
        for amount in amounts:
            inside = _extract(amount, contained, rules.scale)
            net = amount - sum(inside, ZERO)
            ledger.add_base(taxes, net)
            ledger.add_amounts(contained, inside)
            for tax in taxes:
                if tax not in contained:
                    ledger.charge(tax, net, settle)
                ledger.surcharge(tax, net, settle)
    return ledger


def _from_gross(pots: Pots, rules: TaxRules) -> _Ledger:
    """The gross of all lines with the same included taxes is the truth; their base is what the tax leaves of it."""
    ledger, settle = _Ledger(), rules.scale.tax
    sharing: defaultdict[Taxes, dict[Taxes, Decimal]] = defaultdict(dict)
    for taxes, amounts in pots.items():
        contained = tuple(tax for tax in taxes if rules.contains(tax))
        sharing[contained][taxes] = sum(amounts, ZERO)
    for contained, grosses in sharing.items():
        gross = sum(grosses.values(), ZERO)
        inside = _extract(gross, contained, rules.scale)
        ledger.add_amounts(contained, inside)
        # Lines with the same included taxes may differ in others, which need a base of their own.
        taken = apportion(sum(inside, ZERO), tuple(grosses.values()), rules.scale.unit)
        for (taxes, pot_gross), part in zip(grosses.items(), taken, strict=True):
            ledger.add_base(taxes, pot_gross - part)
    for tax, base in ledger.bases.items():
        if not rules.contains(tax):
            ledger.charge(tax, base, settle)
        ledger.surcharge(tax, base, settle)
    return ledger


def _extract(gross: Decimal, contained: Taxes, scale: Scale) -> tuple[Decimal, ...]:
    """The taxes that *gross* contains: first all of them as one, then its parts."""
    if not contained:
        return ()
    rate = _rate(contained)
    joint = scale.tax(gross * rate / (ONE + rate))
    if len(contained) == 1:
        return (joint,)
    return apportion(joint, [_rate((tax,)) for tax in contained], scale.unit)


def _rate(taxes: Iterable[Tax]) -> Decimal:
    return sum((tax.rate_percent * HUNDREDTH for tax in taxes if tax.rate_percent is not None), ZERO)
