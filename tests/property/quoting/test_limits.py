"""Inside the limits nothing fails; outside, everything is refused by name."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.domain.quoting.calculator import calculate
from src.domain.quoting.explaining import explain
from src.domain.quoting.limits import DepositExceedsPayable, DiscountExceedsTotal, OutOfLimits
from src.domain.quoting.pricing import (
    Charge,
    Deposit,
    Discount,
    DocumentCharge,
    DocumentDiscount,
    Instalment,
    LinePricing,
    QuotePricing,
    Tax,
)
from src.domain.quoting.verification import verify
from src.domain.shared.errors import Invalid
from tests.property.quoting.strategies import D, currencies
from tests.property.quoting.strategies import settings as rounding_settings


def millionths(below: int, smallest: int | None = None) -> st.SearchStrategy[Decimal]:
    """Everything that a limit lets pass, with a liking for its ends."""
    largest = below * 10**6 - 1
    low = -largest if smallest is None else smallest
    return st.one_of(st.integers(low, largest), st.sampled_from([low, largest, 1])).map(lambda n: D(n).scaleb(-6))


def percent(largest: int) -> st.SearchStrategy[Decimal]:
    return st.integers(0, largest * 10**6).map(lambda n: D(n).scaleb(-6))


rates = st.one_of(st.none(), percent(1000))
taxes = st.builds(
    Tax,
    category=st.sampled_from(["VAT", "CITY"]),
    rate_percent=rates,
    surcharge_percent=rates,
    retained=st.booleans(),
)
amounts = millionths(10**15)
line_discounts = st.one_of(st.builds(Discount, percent=percent(100)), st.builds(Discount, amount=amounts))
line_charges = st.one_of(st.builds(Charge, percent=percent(1000)), st.builds(Charge, amount=amounts))
lines = st.builds(
    LinePricing,
    quantity=millionths(10**9),
    unit_price=millionths(10**12),
    price_base_quantity=millionths(10**9, smallest=1),
    discounts=st.lists(line_discounts, max_size=3).map(tuple),
    charges=st.lists(line_charges, max_size=3).map(tuple),
    taxes=st.lists(taxes, max_size=3).map(tuple),
    optional=st.booleans(),
    chosen=st.booleans(),
    unit_cost=st.one_of(st.none(), millionths(10**12, smallest=0)),
    section=st.sampled_from(["", "Hardware"]),
)
tax_lists = st.one_of(st.none(), st.lists(taxes, max_size=2).map(tuple))
extreme_pricings = st.builds(
    QuotePricing,
    currency=currencies,
    lines=st.lists(lines, max_size=4).map(tuple),
    settings=rounding_settings(),
    prices_include_tax=st.sampled_from([None, "VAT"]),
    discounts=st.lists(st.builds(DocumentDiscount, percent=percent(100), taxes=tax_lists), max_size=2).map(tuple),
    charges=st.lists(st.builds(DocumentCharge, amount=amounts, taxes=tax_lists), max_size=2).map(tuple),
    prepaid=amounts,
    minor_digits=st.one_of(st.none(), st.integers(0, 6)),
    deposit=st.one_of(st.none(), st.builds(Deposit, percent=percent(100)), st.builds(Deposit, amount=amounts)),
    instalments=st.lists(st.builds(Instalment, share=millionths(10**9, smallest=1)), max_size=3).map(tuple),
)


@settings(max_examples=300)
@given(pricing=extreme_pricings)
def test_only_a_result_too_large_to_be_kept_fails_within_the_limits(pricing: QuotePricing) -> None:
    try:
        calculation, explanation = explain(pricing)
    except DiscountExceedsTotal:
        assert pricing.discounts
    except DepositExceedsPayable:
        assert pricing.deposit is not None
    except OutOfLimits as refusal:
        assert ["Comes to" in field.message for field in refusal.fields] == [True]  # noqa: PT017 — one of three endings
    else:
        assert abs(calculation.payable) < 10**18
        assert verify(explanation, calculation) is None


Spoil = Callable[[LinePricing, Decimal], LinePricing]
SPOILS: dict[str, Spoil] = {
    "unit_cost": lambda line, bad: replace(line, unit_cost=bad),
    "quantity": lambda line, bad: replace(line, quantity=bad),
    "unit_price": lambda line, bad: replace(line, unit_price=bad),
    "price_base_quantity": lambda line, bad: replace(line, price_base_quantity=bad),
    "discounts[0].percent": lambda line, bad: replace(line, discounts=(Discount(percent=bad),)),
    "discounts[0].amount": lambda line, bad: replace(line, discounts=(Discount(amount=bad),)),
    "charges[0].percent": lambda line, bad: replace(line, charges=(Charge(percent=bad),)),
    "charges[0].base": lambda line, bad: replace(line, charges=(Charge(percent=D(1), base=bad),)),
    "taxes[0].rate_percent": lambda line, bad: replace(line, taxes=(Tax(category="S", rate_percent=bad),)),
}
too_large = st.integers(10**15, 10**30).map(D)
too_fine = st.integers(7, 400).map(lambda places: D(1).scaleb(-places))
no_number = st.sampled_from([D("NaN"), D("sNaN"), D("Infinity")])
bad_figures = st.builds(
    lambda figure, negative: -figure if negative and not figure.is_nan() else figure,
    st.one_of(too_large, too_fine, no_number),
    st.booleans(),
)


@given(
    pricing=extreme_pricings.filter(lambda pricing: bool(pricing.lines)),
    field=st.sampled_from(sorted(SPOILS)),
    bad=bad_figures,
)
def test_one_figure_outside_of_the_limits_is_refused_by_its_name(
    pricing: QuotePricing, field: str, bad: Decimal
) -> None:
    spoiled = replace(pricing, lines=(*pricing.lines[1:], SPOILS[field](pricing.lines[0], bad)))

    with pytest.raises(Invalid) as refusal:
        calculate(spoiled)

    assert [complaint.field for complaint in refusal.value.fields] == [f"lines[{len(pricing.lines) - 1}].{field}"]


Change = Callable[[QuotePricing], QuotePricing]
ODD: dict[str, Change] = {
    "deposit": lambda p: replace(p, deposit=Deposit()),
    "deposit.percent": lambda p: replace(p, deposit=Deposit(percent=D(101))),
    "deposit.amount": lambda p: replace(p, deposit=Deposit(amount=D("0.0000001"))),
    "instalments": lambda p: replace(p, instalments=(Instalment(share=D(1)),) * 61),
    "instalments[0].share": lambda p: replace(p, instalments=(Instalment(share=D(0)),)),
    "instalments[0].days": lambda p: replace(p, instalments=(Instalment(share=D(1), days=-1),)),
    "discounts[0].lines": lambda p: replace(p, discounts=(DocumentDiscount(percent=D(1), lines=(len(p.lines),)),)),
}


@given(pricing=extreme_pricings, field=st.sampled_from(sorted(ODD)))
def test_what_concerns_the_whole_offer_is_refused_by_its_name_too(pricing: QuotePricing, field: str) -> None:
    usual = replace(pricing, deposit=None, instalments=(), discounts=())

    with pytest.raises(OutOfLimits) as refusal:
        calculate(ODD[field](usual))

    assert [complaint.field for complaint in refusal.value.fields] == [field]
