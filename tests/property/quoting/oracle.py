"""The rules of the calculator a second time: in fractions, straight from the words, with no thought of speed.

Nothing of the calculator is used here but its input, so that the two cannot share a mistake in arithmetic.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import floor

from src.domain.quoting.pricing import Charge, Discount, QuotePricing, Tax
from src.domain.shared.rounding import InclusiveTax, Rounding, TaxMode, TaxRounding

Rule = Callable[[Fraction], Fraction]
Key = tuple[Tax, ...]
Item = tuple[Key, Fraction]
Group = tuple[Fraction, Fraction, Fraction]  # Base, tax, surcharge.


@dataclass(frozen=True)
class Figures:
    """What the oracle says. *groups* maps a tax to its base, tax and surcharge."""

    lines: list[tuple[Fraction, list[Fraction], list[Fraction], Fraction]]
    discounts: list[Fraction]
    charges: list[Fraction]
    groups: dict[Tax, Group]
    totals: dict[str, Fraction]
    sections: list[tuple[str, Fraction]]
    paid: list[Fraction]


class Oracle:
    """Foretells the figures of one pricing."""

    def __init__(self, pricing: QuotePricing) -> None:
        self.pricing = pricing
        digits = pricing.currency.minor_digits if pricing.minor_digits is None else pricing.minor_digits
        self.unit = Fraction(1, 10**digits)
        self.precise = pricing.settings.rounding is Rounding.PRECISE
        self.tax_per_line = not self.precise and pricing.settings.tax_rounding is TaxRounding.PER_LINE
        self.on_the_way: Rule = (lambda x: x) if self.precise else self.money
        self.tax_on_the_way: Rule = (lambda x: x) if self.precise else self.tax

    def money(self, x: Fraction) -> Fraction:
        units = floor(abs(x) / self.unit + Fraction(1, 2)) * self.unit
        return units if x >= 0 else -units

    def tax(self, x: Fraction) -> Fraction:
        size = abs(x) / self.unit
        down, rest = floor(size), size - floor(size)
        up = {
            TaxMode.HALF_UP: rest >= Fraction(1, 2),
            TaxMode.HALF_EVEN: rest > Fraction(1, 2) or (rest == Fraction(1, 2) and down % 2 == 1),
            TaxMode.UP: rest > 0,
            TaxMode.DOWN: False,
        }[self.pricing.settings.tax_mode]
        units = (down + up) * self.unit
        return units if x >= 0 else -units

    def part(self, item: Discount | Charge, whole: Fraction) -> Fraction:
        if item.amount is not None:
            return self.on_the_way(Fraction(item.amount))
        assert item.percent is not None
        return self.on_the_way(Fraction(item.percent) / 100 * (whole if item.base is None else Fraction(item.base)))

    def figures(self) -> Figures:
        p, lines = self.pricing, []
        for line in p.lines:
            gross = self.on_the_way(
                Fraction(line.quantity) * Fraction(line.unit_price) / Fraction(line.price_base_quantity)
            )
            off, on = [self.part(d, gross) for d in line.discounts], [self.part(c, gross) for c in line.charges]
            lines.append((gross, off, on, gross - sum(off) + sum(on)))
        counted = [net if line.counts else Fraction() for line, (*_, net) in zip(p.lines, lines, strict=True)]
        total = sum(counted, Fraction())
        discounts = [
            Fraction()
            if d.lines is not None and not any(p.lines[at].counts for at in d.lines)
            else self.part(d, total if d.lines is None else sum((counted[at] for at in d.lines), Fraction()))
            for d in p.discounts
        ]
        charges = [self.part(c, total) for c in p.charges]
        groups = self.groups([net for *_, net in lines], discounts, charges)
        totals = self.totals(total, sum(discounts), sum(charges), groups)
        return Figures(lines, discounts, charges, groups, totals, self.sections(counted), self.paid(totals["payable"]))

    def sections(self, counted: Sequence[Fraction]) -> list[tuple[str, Fraction]]:
        titles = dict.fromkeys(line.section for line in self.pricing.lines if line.section)
        return [
            (
                title,
                self.money(
                    sum(
                        (n for line, n in zip(self.pricing.lines, counted, strict=True) if line.section == title),
                        Fraction(),
                    )
                ),
            )
            for title in titles
        ]

    def paid(self, payable: Fraction) -> list[Fraction]:
        """The deposit, then the instalments."""
        p, deposit = self.pricing, Fraction()
        if p.deposit is not None and p.deposit.percent is not None:
            deposit = self.money(payable * Fraction(p.deposit.percent) / 100)
        shares = [Fraction(instalment.share) for instalment in p.instalments]
        if not shares:
            return [deposit]
        balance = payable - deposit
        parts = [floor(abs(balance) * share / sum(shares) / self.unit) * self.unit for share in shares]
        exact = [abs(balance) * share / sum(shares) for share in shares]
        for at in sorted(range(len(parts)), key=lambda at: parts[at] - exact[at]):
            if sum(parts) < abs(balance):
                parts[at] += self.unit
        return [deposit, *(part if balance >= 0 else -part for part in parts)]

    def cost(self) -> Fraction | None:
        counted = [line for line in self.pricing.lines if line.counts]
        if not counted or any(line.unit_cost is None for line in counted):
            return None
        costs = [
            self.on_the_way(
                Fraction(line.quantity) * Fraction(line.unit_cost or 0) / Fraction(line.price_base_quantity)
            )
            for line in counted
        ]
        return self.money(sum(costs, Fraction()))

    def totals(
        self, lines: Fraction, off: Fraction | int, on: Fraction | int, groups: dict[Tax, Group]
    ) -> dict[str, Fraction]:
        p = self.pricing
        inside = sum(g[1] for t, g in groups.items() if t.category == p.prices_include_tax and not t.retained)
        tax = sum((g[1] + g[2] for t, g in groups.items() if not t.retained), Fraction())
        retained = sum((g[1] + g[2] for t, g in groups.items() if t.retained), Fraction())
        without = lines - off + on - inside
        due = self.money(without + tax - retained) - self.money(Fraction(p.prepaid))
        rounding = Fraction(p.rounding_amount)
        if p.cash_rounding is not None:
            step = Fraction(p.cash_rounding)
            times = floor(abs(due) / step + Fraction(1, 2))
            rounding = (times if due >= 0 else -times) * step - due
        rounding = self.money(rounding)
        return {
            "line_net_total": self.money(lines),
            "discount_total": self.money(Fraction(off)),
            "charge_total": self.money(Fraction(on)),
            "total_without_tax": self.money(without),
            "tax_total": self.tax(tax),
            "total_with_tax": self.money(without + tax),
            "retained_total": self.tax(retained),
            "prepaid": self.money(Fraction(p.prepaid)),
            "rounding": rounding,
            "payable": due + rounding,
        }

    def groups(
        self, nets: Sequence[Fraction], discounts: Sequence[Fraction], charges: Sequence[Fraction]
    ) -> dict[Tax, Group]:
        p = self.pricing
        placed = [
            (at, _told(line.taxes), net)
            for at, (line, net) in enumerate(zip(p.lines, nets, strict=True))
            if line.counts
        ]
        items: list[Item] = [(key, net) for _, key, net in placed]
        document = [
            *[(d.taxes, d.lines, -amount) for d, amount in zip(p.discounts, discounts, strict=True)],
            *[(c.taxes, None, amount) for c, amount in zip(p.charges, charges, strict=True)],
        ]
        for taxes, lines, amount in document:
            if taxes is None:
                touched = [(key, net) for at, key, net in placed if lines is None or at in lines]
                weights = {key: Fraction() for key in sorted({key for key, _ in touched}, key=_place)}
                for key, net in touched:
                    weights[key] += net
                items += zip(weights, self.split(amount, list(weights.values())), strict=True)
            else:
                items.append((_told(taxes), amount))
        return self.taxed(items)

    def taxed(self, items: list[Item]) -> dict[Tax, Group]:
        from_gross = self.pricing.settings.inclusive_tax is InclusiveTax.FROM_GROSS
        if self.tax_per_line:
            return self.taxed_one_by_one(items)
        extracted: dict[Tax, Fraction] = {}
        if from_gross and not self.precise:
            items = self.without_tax(items, extracted)
        else:
            items = [(key, self.net(key, amount)) for key, amount in items]
        bases: dict[Tax, Fraction] = {}
        for key, net in items:
            for t in key:
                bases[t] = bases.get(t, Fraction()) + net
        return {
            t: (b, extracted[t] if t in extracted else self.rated(t.rate_percent, b), self.on_top(t, b))
            for t, b in bases.items()
        }

    def taxed_one_by_one(self, items: list[Item]) -> dict[Tax, Group]:
        groups: dict[Tax, Group] = {}
        for item in items:
            inside: dict[Tax, Fraction] = {}
            ((key, net),) = self.without_tax([item], inside)
            for t in key:
                base, amount, on_top = groups.get(t, (Fraction(), Fraction(), Fraction()))
                tax = inside[t] if t in inside else self.rated(t.rate_percent, net)
                groups[t] = (base + net, amount + tax, on_top + self.on_top(t, net))
        return groups

    def net(self, key: Key, amount: Fraction) -> Fraction:
        inside = self.inside(key)
        return self.on_the_way(amount / (1 + _joint(inside))) if inside else amount

    def without_tax(self, items: list[Item], extracted: dict[Tax, Fraction]) -> list[Item]:
        """The nets by subtraction, one for each set of taxes; what was subtracted is added to *extracted*."""
        jars: dict[Key, Fraction] = {}
        for key, amount in items:
            jars[key] = jars.get(key, Fraction()) + amount
        nets: list[Item] = []
        for inside in {self.inside(key) for key in jars}:
            sharing = [(key, jars[key]) for key in sorted(jars, key=_place) if self.inside(key) == inside]
            gross, rate = sum((amount for _, amount in sharing), Fraction()), _joint(inside)
            joint = self.tax(gross * rate / (1 + rate))
            for t, part in zip(inside, self.split(joint, [Fraction(t.rate_percent or 0) for t in inside]), strict=True):
                extracted[t] = extracted.get(t, Fraction()) + part
            parts = self.split(joint, [amount for _, amount in sharing])
            nets += [(key, amount - part) for (key, amount), part in zip(sharing, parts, strict=True)]
        return nets

    def inside(self, key: Key) -> Key:
        """The taxes of *key* that prices contain."""
        category = self.pricing.prices_include_tax
        return tuple(t for t in key if t.category == category and t.rate_percent is not None and not t.retained)

    def rated(self, percent: Decimal | None, base: Fraction) -> Fraction:
        return Fraction() if percent is None else self.tax_on_the_way(base * Fraction(percent) / 100)

    def on_top(self, tax: Tax, base: Fraction) -> Fraction:
        return Fraction() if tax.rate_percent is None else self.rated(tax.surcharge_percent, base)

    def split(self, total: Fraction, weights: list[Fraction]) -> list[Fraction]:
        if not weights:
            return []
        if sum(weights) == 0:
            weights = [abs(w) for w in weights] if any(weights) else [Fraction(1)] * len(weights)
        exact = [abs(total) * w / sum(weights) for w in weights]
        if not self.precise:
            parts = [floor(e / self.unit) * self.unit for e in exact]
            while sum(parts) < abs(total):
                most = max(range(len(parts)), key=lambda i: (exact[i] - parts[i], -i))
                parts[most] += self.unit
            exact = parts
        return exact if total >= 0 else [-part for part in exact]


def _told(taxes: Sequence[Tax]) -> Key:
    return tuple(sorted(set(taxes), key=_rank))


def _joint(taxes: Key) -> Fraction:
    return sum((Fraction(tax.rate_percent or 0) / 100 for tax in taxes), Fraction())


def _place(key: Key) -> list[tuple[object, ...]]:
    return [_rank(tax) for tax in key]


def _rank(tax: Tax) -> tuple[object, ...]:
    """The order in which groups are told: withheld last; by category; higher rates first, exempt after; by code."""
    rate, surcharge = tax.rate_percent, tax.surcharge_percent
    return (tax.retained, tax.category, rate is None, -(rate or 0), tax.code, surcharge is not None, -(surcharge or 0))
