"""What a pricing file may say, and how anything else is refused with the field that is wrong."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from src.domain.quoting.calculator import calculate
from src.domain.quoting.pricing import (
    Charge,
    Discount,
    DocumentCharge,
    DocumentDiscount,
    LinePricing,
    QuotePricing,
    Tax,
)
from src.domain.shared.currency import Currency
from src.domain.shared.errors import Invalid
from src.domain.shared.rounding import InclusiveTax, Rounding, RoundingSettings, TaxMode, TaxRounding
from src.entrypoints.pricing_document import LARGEST_FILE, read_pricing
from src.entrypoints.schemas.pricing import CalculationSchema
from src.entrypoints.strict_json import MalformedJson
from tests.pricings import D, a_line, a_pricing

Document = dict[str, Any]


def a_document(**changes: Any) -> Document:
    tax = {"category": "VAT", "rate_percent": "19"}
    line = {"quantity": "2", "unit_price": "10.00", "discounts": [{"percent": "5"}], "taxes": [tax]}
    return {"currency": "EUR", "lines": [line], **changes}


def read(document: Document) -> QuotePricing:
    return read_pricing(json.dumps(document).encode()).pricing()


def wrong_fields(data: bytes) -> list[str]:
    with pytest.raises(Invalid) as refusal:
        read_pricing(data).pricing()
    return [field.field for field in refusal.value.fields]


def test_everything_that_a_file_says_is_calculated_with() -> None:
    tax = {"category": "VAT", "rate_percent": "19", "code": "S", "surcharge_percent": "1.5", "retained": True}
    pricing = read(
        {
            "title": "Offer",
            "buyer": "Buyer",
            "currency": "OMR",
            "rounding": "precise",
            "tax_rounding": "per_line",
            "inclusive_tax": "from_net",
            "tax_mode": "down",
            "prices_include_tax": "VAT",
            "lines": [
                {
                    "sku": "A",
                    "description": "Thing",
                    "unit": "KGM",
                    "quantity": "-3",
                    "unit_price": "1.5",
                    "price_base_quantity": "100",
                    "discounts": [{"percent": "1", "base": "5", "reason": "Volume"}, {"amount": "2"}],
                    "charges": [{"amount": "3", "reason": "Setup"}],
                    "taxes": [tax, {"category": "VAT", "rate_percent": None}],
                }
            ],
            "discounts": [{"percent": "2"}, {"amount": "1", "taxes": []}],
            "charges": [{"amount": "4", "reason": "Freight", "taxes": [tax]}],
            "prepaid": "7",
            "cash_rounding": "0.05",
        }
    )

    full = Tax(category="VAT", rate_percent=D(19), code="S", surcharge_percent=D("1.5"), retained=True)
    assert pricing == QuotePricing(
        currency=Currency.of("OMR"),
        lines=(
            LinePricing(
                quantity=D(-3),
                unit_price=D("1.5"),
                price_base_quantity=D(100),
                discounts=(Discount(percent=D(1), base=D(5), reason="Volume"), Discount(amount=D(2))),
                charges=(Charge(amount=D(3), reason="Setup"),),
                taxes=(full, Tax(category="VAT", rate_percent=None)),
            ),
        ),
        settings=RoundingSettings(
            rounding=Rounding.PRECISE,
            tax_rounding=TaxRounding.PER_LINE,
            inclusive_tax=InclusiveTax.FROM_NET,
            tax_mode=TaxMode.DOWN,
        ),
        prices_include_tax="VAT",
        discounts=(DocumentDiscount(percent=D(2)), DocumentDiscount(amount=D(1), taxes=())),
        charges=(DocumentCharge(amount=D(4), reason="Freight", taxes=(full,)),),
        prepaid=D(7),
        cash_rounding=D("0.05"),
    )


@pytest.mark.parametrize("text", ["0", "-0", "12.5", "-3", "999999999999999.999999", "0007"])
def test_decimals_are_plain_texts(text: str) -> None:
    document = a_document()
    document["lines"][0]["unit_price"] = text

    assert read(document).lines[0].unit_price == D(text)


@pytest.mark.parametrize(
    "value",
    [
        *(1, 1.5, True, None, [], {}),
        *("", " 1", "1 ", "1\n", "+1", "1.", ".5", "1,5", "1_000", "1e3", "0x10", "--1"),
        *("NaN", "Infinity", "-Infinity", "sNaN", "١٢", "１", "1.0000001", "1000000000000000"),
    ],
)
def test_anything_but_a_plain_decimal_text_is_refused(value: object) -> None:
    document = a_document()
    document["lines"][0]["unit_price"] = value

    assert wrong_fields(json.dumps(document).encode()) == ["lines[0].unit_price"]


def _line(change: Callable[[Document], object]) -> Document:
    document = a_document()
    change(document["lines"][0])
    return document


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (a_document(tip="1"), "tip"),
        (_line(lambda line: line.update(colour="red")), "lines[0].colour"),
        (_line(lambda line: line["discounts"][0].update(rate="1")), "lines[0].discounts[0].rate"),
        (_line(lambda line: line["taxes"][0].update(name="x")), "lines[0].taxes[0].name"),
        (_line(lambda line: line.pop("quantity")), "lines[0].quantity"),
        (_line(lambda line: line["taxes"][0].pop("rate_percent")), "lines[0].taxes[0].rate_percent"),
        (_line(lambda line: line["taxes"][0].update(retained="yes")), "lines[0].taxes[0].retained"),
        ({"lines": a_document()["lines"]}, "currency"),
        (a_document(lines=[]), "lines"),
        (a_document(lines=None), "lines"),
        (a_document(currency="XXL"), "currency"),
        (a_document(currency="eur"), "currency"),
        (a_document(rounding="document"), "rounding"),
        (a_document(tax_mode="sideways"), "tax_mode"),
        (a_document(prepaid=5), "prepaid"),
        (a_document(cash_rounding="0.05 "), "cash_rounding"),
        (a_document(discounts=[{"percent": "1"}, {"percent": 2}]), "discounts[1].percent"),
        (
            a_document(charges=[{"amount": "1", "taxes": [{"category": "", "rate_percent": "1"}]}]),
            "charges[0].taxes[0].category",
        ),
        (a_document(title="x" * 201), "title"),
        (a_document(title="a\u0000b"), "title"),
    ],
)
def test_a_wrong_field_is_named(document: Document, field: str) -> None:
    assert wrong_fields(json.dumps(document).encode()) == [field]


@pytest.mark.parametrize("text", ["[]", "null", "7", '"text"'])
def test_a_document_is_an_object(text: str) -> None:
    assert wrong_fields(text.encode()) == ["document"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"\xff\xfe{}",
        b'{"currency": "EUR", "currency": "USD", "lines": []}',
        b'{"currency": "\xed\xa0\x80"}',
        b'{"prepaid": NaN}',
        b"[" * 200_000,
        b'{"lines":' * 200_000,
    ],
)
def test_what_is_no_strict_json_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedJson):
        read_pricing(data)


def test_a_file_may_not_be_endless() -> None:
    with pytest.raises(Invalid, match="larger"):
        read_pricing(b" " * (LARGEST_FILE + 1))


def test_names_of_unknown_fields_are_told_without_control_characters() -> None:
    assert wrong_fields(json.dumps(a_document(**{"\x1b[2J": 1})).encode()) == ["\\u001b[2J"]


@pytest.mark.parametrize(
    ("currency", "price", "payable"), [("KRW", "1500", "1500"), ("EUR", "-0.5", "-0.50"), ("OMR", "0.1", "0.100")]
)
def test_money_is_told_as_text_with_the_minor_digits(currency: str, price: str, payable: str) -> None:
    told = CalculationSchema.of(calculate(a_pricing(a_line("1", price), currency=currency)))

    assert (told.payable, told.currency) == (payable, currency)
    assert told.lines[0].net == payable
