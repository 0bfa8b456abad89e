"""The margin that policies are told is the least that any choice of the buyer gives, as the calculator has it."""

from dataclasses import replace
from decimal import Decimal
from itertools import product
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from src.domain.quoting.calculator import calculate
from src.domain.quoting.margins import GIVEN_AWAY, margin_facts
from src.domain.quoting.pricing import DocumentCharge, DocumentDiscount, LinePricing, QuotePricing
from tests.pricings import a_line, a_pricing, vat

CLOSE = Decimal("0.02")  # Percent: the calculator's cents, on offers of some thousands.


@st.composite
def _lines(draw: st.DrawFn) -> LinePricing:
    price = draw(st.integers(1000, 5000))
    cost = Decimal(price * draw(st.integers(10, 150))) / 100
    optional = draw(st.booleans())
    times = draw(st.sampled_from(["1", "1", "-0.1"])) if optional else "1"
    return a_line(times, str(price), vat("19"), unit_cost=cost, optional=optional, chosen=draw(st.booleans()))


_documents = st.fixed_dictionaries(
    {
        "discounts": st.lists(
            st.one_of(
                st.integers(1, 40).map(lambda one: DocumentDiscount(percent=Decimal(one))),
                st.integers(1, 400).map(lambda one: DocumentDiscount(amount=Decimal(one))),
            ),
            max_size=2,
        ).map(tuple),
        "charges": st.lists(
            st.one_of(
                st.integers(1, 20).map(lambda one: DocumentCharge(percent=Decimal(one))),
                st.integers(1, 400).map(lambda one: DocumentCharge(amount=Decimal(one))),
            ),
            max_size=1,
        ).map(tuple),
        "prices_include_tax": st.sampled_from([None, "VAT"]),
    }
)


def _margins(pricing: QuotePricing) -> list[Decimal]:
    """Of every choice, as the calculator has them."""
    found = []
    options = [index for index, line in enumerate(pricing.lines) if line.optional]
    for choice in product([False, True], repeat=len(options)):
        chosen = dict(zip(options, choice, strict=True))
        lines = tuple(
            replace(line, chosen=chosen[index]) if index in chosen else line for index, line in enumerate(pricing.lines)
        )
        margin = calculate(replace(pricing, lines=lines)).margin_percent
        if margin is not None:
            found.append(margin)
    return found


@given(first=_lines(), others=st.lists(_lines(), max_size=4), document=_documents)
def test_no_choice_of_the_buyer_gives_less_than_the_policies_are_told(
    first: LinePricing, others: list[LinePricing], document: dict[str, Any]
) -> None:
    pricing = a_pricing(replace(first, quantity=Decimal(1), optional=False, chosen=False), *others, **document)

    told = margin_facts(calculate(pricing), pricing)["margin_percent"]

    assert isinstance(told, Decimal)
    assert abs(min(_margins(pricing)) - told) <= CLOSE


def test_amounts_of_a_document_contain_tax_where_prices_do() -> None:
    line = a_line("1", "1190", vat("19"), unit_cost=Decimal(500))
    pricing = a_pricing(line, discounts=(DocumentDiscount(amount=Decimal(119)),), prices_include_tax="VAT")

    told = margin_facts(calculate(pricing), pricing)

    assert told["margin_percent"] == calculate(pricing).margin_percent


def test_one_unknown_cost_makes_the_margin_unknown() -> None:
    pricing = a_pricing(a_line("1", "100", unit_cost=Decimal(1)), a_line("1", "100", optional=True))

    assert margin_facts(calculate(pricing), pricing) == {"costs_known": "no"}


def test_the_least_margin_of_a_line_looks_at_options_too() -> None:
    cheap = a_line("1", "100", unit_cost=Decimal(95), optional=True)
    given_away = a_line("1", "0", unit_cost=Decimal(1))

    both = a_pricing(a_line("1", "100", unit_cost=Decimal(50)), cheap)
    gift = a_pricing(a_line("1", "100", unit_cost=Decimal(50)), given_away)

    assert margin_facts(calculate(both), both)["least_line_margin_percent"] == 5
    assert margin_facts(calculate(gift), gift)["least_line_margin_percent"] == GIVEN_AWAY
