"""What approval policies are told: a price that is lowered is a discount, by whatever name."""

from decimal import Decimal
from typing import Any

import pytest

from src.domain.quoting.calculator import calculate
from src.domain.quoting.facts import facts_of
from src.domain.quoting.pricing import Charge, Discount, DocumentCharge, DocumentDiscount, LinePricing, QuotePricing
from src.domain.shared.currency import Currency

PRICE = Decimal(1000)


def _discount_percent(*lines: LinePricing, **more: Any) -> Decimal | str:
    pricing = QuotePricing(currency=Currency.of("EUR"), lines=lines, **more)
    return facts_of(calculate(pricing))["discount_percent"]


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
