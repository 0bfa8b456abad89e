"""The calculator, example by example. V1 to V21 are vectors whose outcomes other systems disagreed about."""

from dataclasses import replace
from decimal import Decimal, getcontext, localcontext

import pytest

from src.domain.quoting.calculation import Calculation
from src.domain.quoting.calculator import calculate
from src.domain.quoting.limits import DepositExceedsPayable, DiscountExceedsTotal
from src.domain.quoting.pricing import Charge, Deposit, Discount, DocumentCharge, DocumentDiscount, Tax
from src.domain.shared.rounding import RoundingSettings, TaxMode
from tests.pricings import (
    FROM_NET,
    PER_GROUP,
    PER_LINE,
    PRECISE,
    D,
    a_line,
    a_pricing,
    percent_off,
    percent_on,
    rounding_taxes,
    texts,
    vat,
)

EITHER = pytest.mark.parametrize("settings", [PER_GROUP, PER_LINE], ids=["per_group", "per_line"])


def bases(calculation: Calculation) -> list[str]:
    return texts([group.base for group in calculation.taxes])


def taxes(calculation: Calculation) -> list[str]:
    return texts([group.amount for group in calculation.taxes])


def test_v1_a_line_discount_is_rounded_and_taken_off() -> None:
    line = calculate(a_pricing(a_line("10", "82.50", discounts=percent_off("15")))).lines[0]

    assert texts([line.gross, *line.discounts, line.net]) == ["825.00", "123.75", "701.25"]


def test_v2_a_hundred_percent_leave_exactly_nothing() -> None:
    line = calculate(a_pricing(a_line("2.25", "64.22", discounts=percent_off("100")))).lines[0]

    assert texts([line.gross, line.net]) == ["144.50", "0.00"]


@pytest.mark.parametrize(
    ("price", "discount", "rate", "tax", "total"),
    [("975.00", "75.00", "24", "216.00", "1116.00"), ("8500.00", "7500.00", "19", "190.00", "1190.00")],
    ids=["v3", "v4"],
)
def test_v3_and_v4_a_document_discount_lowers_the_tax(
    price: str, discount: str, rate: str, tax: str, total: str
) -> None:
    result = calculate(a_pricing(a_line("1", price, vat(rate)), discounts=(DocumentDiscount(amount=D(discount)),)))

    assert str(result.tax_total) == tax
    assert str(result.total_with_tax) == total


@pytest.mark.parametrize(("settings", "tax", "total"), [(PER_GROUP, "53.79", "412.41"), (PER_LINE, "53.80", "412.42")])
def test_v5_the_discount_is_rounded_and_not_the_net(settings: RoundingSettings, tax: str, total: str) -> None:
    result = calculate(
        a_pricing(
            a_line("10", "30.75", vat("15"), discounts=percent_off("5")),
            a_line("1", "70.00", vat("15"), discounts=percent_off("5")),
            settings=settings,
        )
    )

    assert texts([line.net for line in result.lines]) == ["292.12", "66.50"]
    assert texts([result.tax_total, result.total_with_tax]) == [tax, total]


@EITHER
def test_v6_one_line_is_taxed_alike_in_both_modes(settings: RoundingSettings) -> None:
    assert taxes(calculate(a_pricing(a_line("4", "5.63", vat("22")), settings=settings))) == ["4.95"]


@pytest.mark.parametrize(
    ("prices", "rate", "per_group", "per_line"),
    [(("6.70", "6.70"), "15", "2.01", "2.02"), (("55.55", "11.11"), "23", "15.33", "15.34")],
    ids=["v7", "v11"],
)
def test_v7_and_v11_tax_per_group_and_per_line_differ(
    prices: tuple[str, str], rate: str, per_group: str, per_line: str
) -> None:
    lines = [a_line("1", price, vat(rate)) for price in prices]

    assert taxes(calculate(a_pricing(*lines))) == [per_group]
    assert taxes(calculate(a_pricing(*lines, settings=PER_LINE))) == [per_line]


def test_v8_rounded_lines_are_the_base() -> None:
    result = calculate(a_pricing(a_line("1", "0.50", vat("23")), a_line("12.12", "12.12", vat("23"))))

    assert bases(result) == ["147.39"]
    assert taxes(result) == ["33.90"]
    assert str(result.total_with_tax) == "181.29"


def test_v9_rates_of_the_same_value_are_one_group() -> None:
    result = calculate(a_pricing(a_line("1", "50.40", vat("17")), a_line("1", "47.208", vat("17.00"))))

    assert bases(result) == ["97.61"]
    assert taxes(result) == ["16.59"]


@EITHER
def test_v10_a_discounted_line_comes_out_alike_in_both_modes(settings: RoundingSettings) -> None:
    result = calculate(a_pricing(a_line("16", "348.35", vat("22"), discounts=percent_off("4")), settings=settings))

    assert texts([result.lines[0].net, result.tax_total, result.total_with_tax]) == ["5350.66", "1177.15", "6527.81"]


def test_v12_two_included_taxes_are_taken_out_as_one() -> None:
    line = a_line("1", "24900.00", vat("14", "central"), vat("14", "state"))
    result = calculate(a_pricing(line, prices_include_tax="VAT"))

    assert bases(result) == ["19453.12", "19453.12"]
    assert taxes(result) == ["2723.44", "2723.44"]
    assert texts([result.total_without_tax, result.total_with_tax]) == ["19453.12", "24900.00"]


@pytest.mark.parametrize(
    ("lines", "rate", "base", "tax", "total"),
    [
        ([("1", "24.99")], "20", "20.82", "4.17", "24.99"),
        ([("1", "8.01")], "20", "6.67", "1.34", "8.01"),
        ([("1", "340.00"), ("1", "13.90")], "19", "297.39", "56.51", "353.90"),
        ([("680", "3.35")], "20", "1898.33", "379.67", "2278.00"),
    ],
    ids=["v13", "v14", "v15", "v17"],
)
def test_v13_to_v17_the_gross_is_the_truth(
    lines: list[tuple[str, str]], rate: str, base: str, tax: str, total: str
) -> None:
    result = calculate(a_pricing(*[a_line(q, p, vat(rate)) for q, p in lines], prices_include_tax="VAT"))

    assert bases(result) == [base]
    assert taxes(result) == [tax]
    assert texts([result.total_without_tax, result.total_with_tax]) == [base, total]


def test_v16_nothing_remains_of_a_gross_price_less_everything() -> None:
    line = a_line("1", "1300.00", vat("18"), discounts=percent_off("100"))
    result = calculate(a_pricing(line, prices_include_tax="VAT"))

    assert texts([result.total_without_tax, result.tax_total, result.total_with_tax]) == ["0.00", "0.00", "0.00"]


@pytest.mark.parametrize(
    ("price", "amounts", "total"),
    [("140.00", ["13.97", "7.00"], "160.97"), ("1140.00", ["113.72", "57.00"], "1310.72")],
    ids=["v18", "v19"],
)
def test_v18_and_v19_two_taxes_take_the_same_net(price: str, amounts: list[str], total: str) -> None:
    result = calculate(a_pricing(a_line("1", price, vat("5"), vat("9.975")), currency="CAD"))

    assert taxes(result) == amounts
    assert str(result.total_with_tax) == total


@pytest.mark.parametrize(
    ("price", "mode", "tax"),
    [
        ("15", TaxMode.HALF_UP, "2"),
        ("15", TaxMode.DOWN, "1"),
        ("13", TaxMode.UP, "2"),
        ("13", TaxMode.HALF_UP, "1"),
        ("25", TaxMode.HALF_EVEN, "2"),
        ("-15", TaxMode.HALF_UP, "-2"),
        ("-15", TaxMode.DOWN, "-1"),
        ("-13", TaxMode.UP, "-2"),
    ],
)
def test_v20_an_organisation_chooses_how_taxes_are_rounded(price: str, mode: TaxMode, tax: str) -> None:
    line = a_line("1", price, vat("10"))

    assert taxes(calculate(a_pricing(line, currency="JPY", settings=rounding_taxes(mode)))) == [tax]


def test_precise_rounds_each_figure_once() -> None:
    result = calculate(a_pricing(a_line("1", "100.024", vat("6")), settings=PRECISE))

    assert texts([result.line_net_total, result.tax_total, result.total_with_tax]) == ["100.02", "6.00", "106.03"]
    assert not result.en16931_exact


def test_precise_finds_ties_behind_divisions() -> None:
    third = a_line("1", "0.125", price_base_quantity=D(3))

    assert str(calculate(a_pricing(third, third, third, settings=PRECISE)).payable) == "0.13"


def test_prices_with_tax_may_also_start_from_each_lines_net() -> None:
    lines = [a_line("1", "10.00", vat("19"))] * 3
    result = calculate(a_pricing(*lines, prices_include_tax="VAT", settings=FROM_NET))

    assert bases(result) == ["25.20"]
    assert taxes(result) == ["4.79"]
    assert texts([result.total_without_tax, result.total_with_tax]) == ["25.21", "30.00"]


def test_prices_with_tax_taxed_per_line_add_up_on_every_line() -> None:
    lines = [a_line("1", "10.00", vat("19"))] * 3
    result = calculate(a_pricing(*lines, prices_include_tax="VAT", settings=PER_LINE))

    assert bases(result) == ["25.20"]
    assert taxes(result) == ["4.80"]
    assert not result.en16931_exact


def test_included_and_withheld_taxes_share_one_net() -> None:
    withheld = Tax(category="IRPF", rate_percent=D(15), retained=True)
    result = calculate(
        a_pricing(
            a_line("1", "121.00", vat("21"), withheld),
            a_line("1", "60.50", vat("21")),
            prices_include_tax="VAT",
        )
    )

    assert bases(result) == ["150.00", "100.00"]
    assert texts([result.tax_total, result.retained_total]) == ["31.50", "15.00"]
    assert texts([result.total_with_tax, result.payable]) == ["181.50", "166.50"]


def test_a_surcharge_comes_on_top_of_prices_with_tax() -> None:
    tax = Tax(category="VAT", rate_percent=D(21), surcharge_percent=D("5.2"))
    result = calculate(a_pricing(a_line("1", "121.00", tax), prices_include_tax="VAT"))

    assert str(result.taxes[0].surcharge_amount) == "5.20"
    assert str(result.total_with_tax) == "126.20"


def test_exempt_lines_report_their_base_and_no_tax() -> None:
    result = calculate(a_pricing(a_line("2", "50", vat(None, "export")), a_line("1", "10", vat("0"))))

    assert bases(result) == ["10.00", "100.00"]
    assert taxes(result) == ["0.00", "0.00"]


def test_discounts_and_charges_of_a_line_all_look_at_its_gross() -> None:
    line = a_line(
        "2", "50", discounts=(*percent_off("10", "10"), Discount(amount=D(5))), charges=percent_on("10", "200")
    )

    assert str(calculate(a_pricing(line)).lines[0].net) == "285.00"


def test_a_percentage_may_have_a_base_of_its_own() -> None:
    line = a_line("1", "100", discounts=(Discount(percent=D(10), base=D(50)),))
    charge = DocumentCharge(percent=D(1), base=D(1000), taxes=())

    assert str(calculate(a_pricing(line, charges=(charge,))).payable) == "105.00"


def test_a_price_may_be_for_many_units() -> None:
    line = a_line("12000", "3.75", price_base_quantity=D(1000))

    assert str(calculate(a_pricing(line)).payable) == "45.00"


def test_document_discounts_are_apportioned_over_the_tax_groups() -> None:
    result = calculate(
        a_pricing(
            a_line("1", "33.33", vat("19")),
            a_line("1", "33.33", vat("7")),
            a_line("1", "33.34", vat("0")),
            discounts=(DocumentDiscount(amount=D(10)),),
        )
    )

    assert bases(result) == ["30.00", "30.00", "30.00"]
    assert str(result.discount_total) == "10.00"


def test_a_discount_that_names_its_taxes_touches_only_their_groups() -> None:
    discount = DocumentDiscount(amount=D(10), taxes=(vat("7"),))
    result = calculate(a_pricing(a_line("1", "50", vat("19")), a_line("1", "50", vat("7")), discounts=(discount,)))

    assert bases(result) == ["50.00", "40.00"]


def test_a_discount_with_no_taxes_touches_no_group() -> None:
    result = calculate(a_pricing(a_line("1", "50", vat("19")), discounts=(DocumentDiscount(amount=D(10), taxes=()),)))

    assert bases(result) == ["50.00"]
    assert texts([result.total_without_tax, result.tax_total]) == ["40.00", "9.50"]


def test_freight_is_apportioned_even_when_all_lines_are_free() -> None:
    result = calculate(a_pricing(a_line("1", "0", vat("19")), charges=(DocumentCharge(amount=D(10)),)))

    assert bases(result) == ["10.00"]
    assert str(result.payable) == "11.90"


@pytest.mark.parametrize(("step", "rounding", "payable"), [("0.05", "0.02", "12.35"), ("1", "-0.33", "12.00")])
def test_cash_rounding_goes_to_the_nearest_multiple(step: str, rounding: str, payable: str) -> None:
    result = calculate(a_pricing(a_line("1", "12.33"), cash_rounding=D(step), currency="CHF"))

    assert texts([result.rounding, result.payable]) == [rounding, payable]


def test_what_is_paid_already_is_no_longer_payable() -> None:
    assert str(calculate(a_pricing(a_line("1", "100"), prepaid=D("30.5"))).payable) == "69.50"


@pytest.mark.parametrize(
    ("currency", "minor_digits", "payable"),
    [("KRW", None, "1235"), ("EUR", None, "1234.57"), ("OMR", None, "1234.567"), ("HUF", 0, "1235")],
)
def test_amounts_have_the_minor_digits_of_the_currency(currency: str, minor_digits: int | None, payable: str) -> None:
    result = calculate(a_pricing(a_line("1", "1234.567"), currency=currency, minor_digits=minor_digits))

    assert str(result.payable) == payable
    assert {amount.as_tuple().exponent for amount in (result.tax_total, result.charge_total, result.rounding)} == {
        result.payable.as_tuple().exponent
    }


def test_halves_are_rounded_away_from_zero_on_both_sides() -> None:
    result = calculate(a_pricing(a_line("1", "0.125"), a_line("-1", "0.125"), a_line("-1", "0.004")))

    assert texts([line.net for line in result.lines]) == ["0.13", "-0.13", "0.00"]


def test_groups_that_break_the_standard_are_marked() -> None:
    assert calculate(a_pricing(a_line("1", "8.00", vat("20")))).en16931_exact
    assert not calculate(a_pricing(a_line("1", "8.01", vat("20")), prices_include_tax="VAT")).en16931_exact


@pytest.mark.parametrize(("price", "discount"), [("10", "10.01"), ("-10", "-10.01"), ("0", "0.01")])
def test_discounts_beyond_the_total_are_refused(price: str, discount: str) -> None:
    pricing = a_pricing(a_line("1", price), discounts=(DocumentDiscount(amount=D(discount)),))

    with pytest.raises(DiscountExceedsTotal) as refusal:
        calculate(pricing)

    assert refusal.value.code == "discount_exceeds_total"
    assert [field.field for field in refusal.value.fields] == ["discounts"]


def test_discounts_may_take_all() -> None:
    pricing = a_pricing(a_line("1", "10", vat("19")), discounts=(DocumentDiscount(amount=D(10)),))

    assert str(calculate(pricing).payable) == "0.00"


def test_an_offer_without_lines_comes_to_nothing() -> None:
    assert str(calculate(a_pricing(charges=(DocumentCharge(amount=D(10)),))).payable) == "10.00"
    assert str(calculate(a_pricing()).payable) == "0.00"


def test_the_surrounding_decimal_context_changes_nothing() -> None:
    pricing = a_pricing(a_line("3", "33.333333", vat("19"), charges=(Charge(percent=D("7.77")),)))
    expected = calculate(pricing)

    with localcontext() as context:
        context.prec = 2
        context.rounding = "ROUND_UP"
        context.clear_flags()
        found = calculate(pricing)
        flags = [flag for flag, raised in getcontext().flags.items() if raised]

    assert found == expected
    assert flags == []


def test_figures_are_decimals_of_the_currencys_digits_only() -> None:
    result = calculate(a_pricing(a_line("3", "0.1", vat("19"))))

    assert isinstance(result.payable, Decimal)
    assert str(result.payable) == "0.36"


def test_lines_with_the_same_included_tax_but_other_taxes_do_not_depend_on_their_order() -> None:
    city = Tax(category="CITY", rate_percent=D(10))
    lines = [a_line("1", "0.05", vat("21")), a_line("1", "0.05", vat("21"), city)]

    forth = calculate(a_pricing(*lines, prices_include_tax="VAT"))
    back = calculate(a_pricing(*reversed(lines), prices_include_tax="VAT"))

    assert forth.taxes == back.taxes


def test_a_withheld_tax_is_in_no_price_even_of_the_included_category() -> None:
    withheld = Tax(category="VAT", rate_percent=D(10), retained=True)
    result = calculate(a_pricing(a_line("1", "110.00", withheld), prices_include_tax="VAT"))

    assert texts([result.total_without_tax, result.retained_total, result.payable]) == ["110.00", "11.00", "99.00"]


def test_a_coupon_takes_no_more_than_its_lines_come_to() -> None:
    offer = a_pricing(a_line("1", "30"), a_line("1", "1000"), discounts=(DocumentDiscount(amount=D(31), lines=(0,)),))
    with pytest.raises(DiscountExceedsTotal, match="31"):
        calculate(offer)


def test_a_coupon_for_an_option_that_nobody_chose_is_nothing() -> None:
    option = a_line("1", "30", optional=True)
    offer = a_pricing(option, a_line("1", "1000"), discounts=(DocumentDiscount(amount=D(25), lines=(0,)),))
    assert calculate(offer).payable == 1000
    assert calculate(replace(offer, lines=(replace(option, chosen=True), offer.lines[1]))).payable == 1005


@pytest.mark.parametrize("amount", ["-0.01", "100.01"])
def test_a_deposit_lies_between_nothing_and_what_is_payable(amount: str) -> None:
    with pytest.raises(DepositExceedsPayable):
        calculate(a_pricing(a_line("1", "100"), deposit=Deposit(amount=D(amount))))
    assert calculate(a_pricing(a_line("1", "100"), deposit=Deposit(amount=D(100)))).balance == 0
    assert calculate(a_pricing(a_line("-1", "100"), deposit=Deposit(amount=D(-100)))).balance == 0
