"""What no offer may say, and how all of it is told at once."""

from typing import Any

import pytest

from src.domain.quoting.calculator import calculate
from src.domain.quoting.limits import MAX_LINES, OutOfLimits
from src.domain.quoting.pricing import Charge, Discount, DocumentCharge, DocumentDiscount, QuotePricing, Tax
from src.domain.shared.errors import Invalid
from tests.pricings import D, a_line, a_pricing, percent_off, percent_on, vat


def fields(pricing: QuotePricing) -> list[str]:
    with pytest.raises(OutOfLimits) as refusal:
        calculate(pricing)
    return [field.field for field in refusal.value.fields]


def line_with(**changes: Any) -> QuotePricing:
    return a_pricing(a_line("1", "1", vat("19")), a_line(**{"quantity": "1", "unit_price": "1", **changes}))


NO_NUMBERS = ["NaN", "sNaN", "Infinity", "-Infinity"]


@pytest.mark.parametrize("quantity", ["1000000000", "-1000000000", "1E+999999", "0.0000001", "1E-999999", *NO_NUMBERS])
def test_a_quantity_too_large_or_too_fine_is_refused(quantity: str) -> None:
    assert fields(line_with(quantity=quantity)) == ["lines[1].quantity"]


@pytest.mark.parametrize("quantity", ["999999999.999999", "-999999999.999999", "0", "-0", "0.000001", "1.00000000"])
def test_a_quantity_within_the_limits_is_calculated(quantity: str) -> None:
    calculate(line_with(quantity=quantity))


@pytest.mark.parametrize("price", ["1000000000000", "-1000000000000", "0.0000001", *NO_NUMBERS])
def test_a_unit_price_too_large_or_too_fine_is_refused(price: str) -> None:
    assert fields(line_with(unit_price=price)) == ["lines[1].unit_price"]


@pytest.mark.parametrize("base", ["0", "-1", "1000000000", "0.0000001", *NO_NUMBERS])
def test_a_price_is_for_more_than_no_units(base: str) -> None:
    assert fields(line_with(price_base_quantity=D(base))) == ["lines[1].price_base_quantity"]


@pytest.mark.parametrize("percent", ["-0.01", "100.01", "5.0000001", *NO_NUMBERS])
def test_a_discount_is_from_0_to_100_percent(percent: str) -> None:
    assert fields(line_with(discounts=percent_off("5", percent))) == ["lines[1].discounts[1].percent"]
    discount = DocumentDiscount(percent=D(percent))
    assert fields(a_pricing(a_line("1", "1"), discounts=(discount,))) == ["discounts[0].percent"]


@pytest.mark.parametrize("percent", ["-0.01", "1000.01", *NO_NUMBERS])
def test_a_charge_is_from_0_to_1000_percent(percent: str) -> None:
    assert fields(line_with(charges=percent_on(percent))) == ["lines[1].charges[0].percent"]
    charge = DocumentCharge(percent=D(percent))
    assert fields(a_pricing(a_line("1", "1"), charges=(charge,))) == ["charges[0].percent"]


def test_a_credit_may_write_a_negative_percent_of_a_base() -> None:
    line = a_line("-1", "100", discounts=(Discount(percent=D(-10), base=D(100)),))

    assert str(calculate(a_pricing(line)).payable) == "-90.00"


@pytest.mark.parametrize("amount", ["1000000000000000", "-1000000000000000", "0.0000001", *NO_NUMBERS])
def test_amounts_have_a_range_too(amount: str) -> None:
    assert fields(line_with(charges=(Charge(amount=D(amount)),))) == ["lines[1].charges[0].amount"]
    assert fields(line_with(charges=(Charge(percent=D(1), base=D(amount)),))) == ["lines[1].charges[0].base"]
    assert fields(a_pricing(prepaid=D(amount))) == ["prepaid"]
    assert fields(a_pricing(rounding_amount=D(amount))) == ["rounding_amount"]


@pytest.mark.parametrize("discount", [Discount(), Discount(percent=D(1), amount=D(1))])
def test_a_discount_has_either_a_percent_or_an_amount(discount: Discount) -> None:
    assert fields(line_with(discounts=(discount,))) == ["lines[1].discounts[0]"]


def test_a_base_belongs_to_a_percent() -> None:
    assert fields(line_with(discounts=(Discount(amount=D(1), base=D(1)),))) == ["lines[1].discounts[0].base"]


@pytest.mark.parametrize("rate", ["-1", "1000.1", "0.0000001", *NO_NUMBERS])
def test_a_tax_is_from_0_to_1000_percent(rate: str) -> None:
    assert fields(a_pricing(a_line("1", "1", vat(rate)))) == ["lines[0].taxes[0].rate_percent"]
    surcharged = Tax(category="VAT", rate_percent=D(1), surcharge_percent=D(rate))
    assert fields(a_pricing(a_line("1", "1", vat("1"), surcharged))) == ["lines[0].taxes[1].surcharge_percent"]
    charge = DocumentCharge(amount=D(1), taxes=(vat(rate),))
    assert fields(a_pricing(charges=(charge,))) == ["charges[0].taxes[0].rate_percent"]


@pytest.mark.parametrize("step", ["0", "-0.05", "0.005", *NO_NUMBERS])
def test_cash_is_rounded_to_multiples_of_the_minor_unit(step: str) -> None:
    assert fields(a_pricing(a_line("1", "1"), cash_rounding=D(step))) == ["cash_rounding"]


def test_a_rounding_amount_and_a_step_contradict_each_other() -> None:
    assert fields(a_pricing(cash_rounding=D(1), rounding_amount=D("0.1"))) == ["rounding_amount"]


@pytest.mark.parametrize("digits", [-1, 7])
def test_minor_digits_are_few(digits: int) -> None:
    assert fields(a_pricing(minor_digits=digits)) == ["minor_digits"]


@pytest.mark.parametrize(
    ("pricing", "field"),
    [
        (a_pricing(*[a_line("1", "1")] * (MAX_LINES + 1)), "lines"),
        (line_with(discounts=percent_off(*["1"] * 21)), "lines[1].discounts"),
        (line_with(charges=percent_on(*["1"] * 21)), "lines[1].charges"),
        (a_pricing(a_line("1", "1", *[vat(str(n)) for n in range(11)])), "lines[0].taxes"),
        (a_pricing(discounts=(DocumentDiscount(amount=D(0)),) * 101), "discounts"),
        (a_pricing(charges=(DocumentCharge(amount=D(0)),) * 101), "charges"),
    ],
)
def test_there_are_not_too_many_of_anything(pricing: QuotePricing, field: str) -> None:
    assert fields(pricing) == [field]


def test_all_wrong_fields_are_told_at_once() -> None:
    pricing = a_pricing(
        a_line("NaN", "1E+12", vat("-1"), price_base_quantity=D(0)),
        a_line("1", "1"),
        a_line("1", "1", discounts=(Discount(percent=D(101)), Discount())),
        prepaid=D("Infinity"),
    )

    assert fields(pricing) == [
        "lines[0].quantity",
        "lines[0].unit_price",
        "lines[0].price_base_quantity",
        "lines[0].taxes[0].rate_percent",
        "lines[2].discounts[0].percent",
        "lines[2].discounts[1]",
        "prepaid",
    ]


@pytest.mark.parametrize(
    ("pricing", "field"),
    [
        (line_with(quantity="999999999", unit_price="999999999999"), "lines[1]"),
        (a_pricing(*[a_line("999999", "999999999999")] * 2), "lines"),
        (a_pricing(a_line("900000", "999999999999", vat("900"))), "taxes"),
        (a_pricing(a_line("900000", "999999999999", vat("12"))), "payable"),
    ],
)
def test_results_too_large_to_be_kept_are_refused(pricing: QuotePricing, field: str) -> None:
    assert fields(pricing) == [field]


def test_the_complaint_is_an_invalid_of_the_domain() -> None:
    with pytest.raises(Invalid, match="2 figures") as refusal:
        calculate(a_pricing(a_line("NaN", "NaN")))

    assert refusal.value.code == "validation_failed"
    assert refusal.value.fields[0].message == "Must be a decimal number."
