"""The calculator agrees with an oracle in fractions, figure by figure."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.domain.quoting.apportion import apportion
from src.domain.quoting.calculator import calculate
from src.domain.quoting.pricing import QuotePricing
from src.entrypoints.pricing_document import read_pricing
from tests.pricings import a_pricing
from tests.property.quoting.oracle import Oracle, Rule
from tests.property.quoting.strategies import pricings

EXAMPLES = sorted((Path(__file__).parents[3] / "examples").glob("*.json"))


def check(pricing: QuotePricing) -> None:
    found, oracle = calculate(pricing), Oracle(pricing).figures()
    settled = {
        group.tax: (Fraction(group.base), Fraction(group.amount), Fraction(group.surcharge_amount))
        for group in found.taxes
    }
    money, tax = _shown(pricing)

    assert {name: Fraction(getattr(found, name)) for name in oracle.totals} == oracle.totals
    assert settled == {t: (money(base), tax(amount), tax(on)) for t, (base, amount, on) in oracle.groups.items()}
    assert [Fraction(amount) for amount in found.discounts] == [money(x) for x in oracle.discounts]
    assert [(section.title, Fraction(section.net)) for section in found.sections] == oracle.sections
    assert [Fraction(amount) for amount in (found.deposit, *found.instalments)] == oracle.paid
    cost = Oracle(pricing).cost()
    assert (None if found.cost_total is None else Fraction(found.cost_total)) == cost
    assert [Fraction(amount) for amount in found.charges] == [money(x) for x in oracle.charges]
    assert [
        (Fraction(line.gross), [*map(Fraction, line.discounts)], [*map(Fraction, line.charges)], Fraction(line.net))
        for line in found.lines
    ] == [(money(g), [*map(money, off)], [*map(money, on)], money(net)) for g, off, on, net in oracle.lines]


def _shown(pricing: QuotePricing) -> tuple[Rule, Rule]:
    oracle = Oracle(pricing)
    return oracle.money, oracle.tax


@settings(max_examples=1200)
@given(pricing=pricings())
def test_the_calculator_agrees_with_fractions(pricing: QuotePricing) -> None:
    check(pricing)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_agree_with_fractions(path: Path) -> None:
    check(read_pricing(path.read_bytes()).pricing())


@settings(max_examples=300)
@given(total=st.integers(-60, 60), bases=st.lists(st.integers(-9, 9), min_size=1, max_size=5))
def test_apportioning_agrees_with_fractions_also_in_ties(total: int, bases: list[int]) -> None:
    oracle = Oracle(a_pricing(currency="KRW"))

    parts = apportion(Decimal(total), [Decimal(base) for base in bases], Decimal(1))

    assert [Fraction(part) for part in parts] == oracle.split(Fraction(total), [Fraction(base) for base in bases])


@settings(max_examples=25, deadline=None)
@given(pricing=pricings().filter(lambda pricing: bool(pricing.lines)), order=st.randoms())
def test_hundreds_of_lines_agree_with_fractions_too(pricing: QuotePricing, order: Random) -> None:
    lines = list(pricing.lines) * (300 // len(pricing.lines))
    order.shuffle(lines)

    check(replace(pricing, lines=tuple(lines)))
