"""What approval policies are told: a price that is lowered is a discount, by whatever name."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from hypothesis import given

from src.domain.quoting.calculator import calculate
from src.domain.quoting.content import FrozenRate
from src.domain.quoting.facts import facts_of
from src.domain.quoting.pricing import Charge, Discount, DocumentCharge, DocumentDiscount, LinePricing, QuotePricing
from src.domain.shared.currency import Currency
from src.domain.shared.rounding import Rounding
from tests.property.quoting.strategies import pricings

PRICE = Decimal(1000)


def _discount_percent(*lines: LinePricing, **more: Any) -> Decimal | str:
    pricing = QuotePricing(currency=Currency.of("EUR"), lines=lines, **more)
    return facts_of(calculate(pricing), pricing)["discount_percent"]


def _line(**more: Any) -> LinePricing:
    return LinePricing(quantity=Decimal(1), unit_price=PRICE, **more)


def test_without_a_reduction_there_is_no_discount() -> None:
    assert _discount_percent(_line()) == 0
    assert _discount_percent() == 0


@pytest.mark.parametrize(
    ("lines", "more"),
    [
        ((_line(discounts=(Discount(percent=Decimal(50)),)),), {}),
        ((_line(charges=(Charge(amount=Decimal(-500)),)),), {}),
        ((_line(), LinePricing(quantity=Decimal(-1), unit_price=Decimal(500))), {}),
        ((_line(),), {"discounts": (DocumentDiscount(percent=Decimal(50)),)}),
        ((_line(),), {"charges": (DocumentCharge(amount=Decimal(-500)),)}),
    ],
    ids=["discount", "negative charge", "credit line", "document discount", "negative document charge"],
)
def test_half_the_price_is_half_the_price(lines: tuple[LinePricing, ...], more: dict[str, Any]) -> None:
    assert _discount_percent(*lines, **more) == 50


def test_a_negative_discount_hides_no_other() -> None:
    lines = (_line(discounts=(Discount(percent=Decimal(50)),)),)

    assert _discount_percent(*lines, discounts=(DocumentDiscount(amount=Decimal(-500)),)) == 50


def _option(percent: int = 0, *, chosen: bool = False, times: int = 1) -> LinePricing:
    discounts = (Discount(percent=Decimal(percent)),) if percent else ()
    return LinePricing(quantity=Decimal(times), unit_price=PRICE, optional=True, chosen=chosen, discounts=discounts)


@pytest.mark.parametrize(
    ("lines", "discounts", "percent"),
    [
        ((_line(), _option(50)), (DocumentDiscount(percent=Decimal(10)),), "32.5"),
        ((_line(), _option()), (DocumentDiscount(percent=Decimal(90), lines=(1,), coupon="X"),), "45"),
        ((_line(), _option(chosen=True, times=9)), (DocumentDiscount(percent=Decimal(10)),), "10"),
        ((_line(discounts=(Discount(percent=Decimal(40)),)), _option(10)), (), "40"),
        ((_line(), _option(20), _option(60)), (), "30"),
        ((_line(), _option(chosen=True)), (DocumentDiscount(amount=Decimal(500)),), "50"),
    ],
    ids=[
        "unchosen and document",
        "coupon on an option",
        "chosen and document",
        "good option",
        "only the worst",
        "amount",
    ],
)
def test_no_choice_of_the_buyers_gives_more_than_is_told(
    lines: tuple[LinePricing, ...], discounts: tuple[DocumentDiscount, ...], percent: str
) -> None:
    assert _discount_percent(*lines, discounts=discounts) == Decimal(percent)


@given(pricing=pricings(Rounding.PRECISE))
def test_every_choice_stays_within_what_is_told(pricing: QuotePricing) -> None:
    """All choices of the buyer's, calculated: none gives a greater discount than the facts of the offer say."""
    plain = replace(pricing, discounts=tuple(one for one in pricing.discounts if one.amount is None), charges=())
    lines = [
        replace(line, charges=(), quantity=abs(line.quantity), unit_price=abs(line.unit_price)) for line in plain.lines
    ]
    plain = replace(plain, lines=tuple(lines))
    told = facts_of(calculate(plain), plain)["discount_percent"]
    options = [position for position, line in enumerate(lines) if line.optional]
    for choice in product([False, True], repeat=len(options)):
        chosen = list(lines)
        for position, taken in zip(options, choice, strict=True):
            chosen[position] = replace(lines[position], optional=not taken)
        offer = replace(plain, lines=tuple(line for line in chosen if not line.optional), discounts=())
        kept = [position for position, line in enumerate(chosen) if not line.optional]
        moved = tuple(
            replace(one, lines=None if one.lines is None else tuple(kept.index(at) for at in one.lines if at in kept))
            for one in plain.discounts
        )
        offer = replace(offer, discounts=moved)
        assert facts_of(calculate(offer), offer)["discount_percent"] <= told  # type: ignore[operator]  # Both are numbers.


def test_the_total_is_told_in_the_organisations_currency() -> None:
    pricing = QuotePricing(currency=Currency.of("USD"), lines=(_line(),))
    rate = FrozenRate(
        base=Currency.of("USD"), target=Currency.of("EUR"), rate=Decimal("0.92"), source="ECB", as_of=date(2026, 1, 1)
    )
    assert facts_of(calculate(pricing), pricing)["total"] == 1000
    assert facts_of(calculate(pricing), pricing, None, rate)["total"] == 920
