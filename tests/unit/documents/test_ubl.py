"""UBL quotations: in the order of the schema, with the figures of the calculation, refused when these cannot be stated."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from src.adapters.documents.ubl import CAC, CBC, ROOT, UblQuotationWriter
from src.application.ports.documents import QuoteDocument
from src.domain.quoting.allowances import NotEn16931Exact, taxed_allowances
from src.domain.quoting.content import LineItem, QuoteContent
from src.domain.quoting.explaining import explain
from src.domain.quoting.pricing import (
    Charge,
    Deposit,
    Discount,
    DocumentCharge,
    DocumentDiscount,
    Instalment,
    LinePricing,
    Tax,
)
from src.domain.shared.currency import Currency
from src.domain.shared.party import Address, Party
from src.domain.shared.rounding import Rounding, RoundingSettings
from tests.builders.quotes import a_content, a_line, a_quote
from tests.builders.ubl import faults_of

D = Decimal
NS = {"cac": CAC, "cbc": CBC, "q": ROOT}
VAT_19, VAT_7 = (Tax(category="VAT", rate_percent=D(rate)) for rate in (19, 7))
EXPORT = Tax(category="G", rate_percent=None, code="VATEX-EU-G")
OUTSIDE = Tax(category="O", rate_percent=None)
HALF_OPEN = Tax(category="VAT", rate_percent=None)


def a_priced_line(quantity: str, unit_price: str, tax: Tax = VAT_19, **changes: Any) -> LineItem:
    return a_line(pricing=LinePricing(quantity=D(quantity), unit_price=D(unit_price), **({"taxes": (tax,)} | changes)))


def quotation_of(content: QuoteContent) -> Any:
    """The parsed quotation. Raises NotEn16931Exact."""
    return etree.fromstring(written(content))


def written(content: QuoteContent) -> bytes:
    quote = a_quote(content=content)
    revision = replace(quote.current, sent_at=datetime(2026, 3, 2, 23, 30, tzinfo=UTC), content_digest="ab" * 32)
    document = QuoteDocument.of(replace(quote, number="Q-2026-000007", revisions=(revision,)), 1)
    explanation = explain(content.pricing(), content.price_sources())[1]
    allowances = taxed_allowances(content, revision.calculation, explanation)
    return UblQuotationWriter().write(document, content, allowances)


def texts(root: Any, path: str) -> list[str]:
    return [element.text for element in root.iterfind(path, NS)]


def a_full_content() -> QuoteContent:
    return a_content(
        title="Fit-out & <more>",
        seller=Party(
            name="Nordlicht GmbH",
            address=Address(street="Kai 1", postal_code="20457", city="Hamburg", region="HH", country="DE"),
            registration_number="HRB 1",
            vat_number="DE123456789",
        ),
        lines=(
            a_priced_line("10", "30.75", discounts=(Discount(percent=D(10)),), charges=(Charge(amount=D(5)),)),
            a_priced_line("250.5", "187.5", VAT_7, price_base_quantity=D(100), section="제어반"),
            a_priced_line("1", "99", optional=True),
        ),
        discounts=(DocumentDiscount(percent=D(3), reason="Frame"),),
        charges=(DocumentCharge(amount=D(25), reason="Freight", taxes=(VAT_19,)),),
        terms="30 days net.\nEx works.",
        deposit=Deposit(percent=D(20)),
        instalments=(Instalment(share=D(1), days=30),),
        prepaid=D(10),
        cash_rounding=D("0.05"),
    )


def test_everything_stands_where_the_schema_wants_it() -> None:
    root = quotation_of(a_full_content())

    assert faults_of(root) == []
    assert root.tag == f"{{{ROOT}}}Quotation"
    assert texts(root, "cbc:ID") == ["Q-2026-000007-1"]
    assert texts(root, "cbc:IssueDate") == ["2026-03-03"]  # The day in the organisation's time zone.
    assert texts(root, "cac:ValidityPeriod/cbc:EndDate") == ["2026-04-01"]
    assert texts(root, "cac:SellerSupplierParty/cac:Party/cac:PartyTaxScheme/cbc:CompanyID") == ["DE123456789"]


def test_an_element_out_of_order_or_unknown_is_found() -> None:
    """The check itself can fail."""
    root = quotation_of(a_full_content())
    root.append(root[1])
    etree.SubElement(root.find("cac:TaxTotal", NS), f"{{{CBC}}}Percent").text = "19"
    total = root.find("cac:QuotedMonetaryTotal", NS)
    total.remove(total.find("cbc:PayableAmount", NS))

    assert len(faults_of(root)) == 3


def test_the_figures_are_those_of_the_calculation() -> None:
    content = a_full_content()
    calculation = a_quote(content=content).current.calculation
    root = quotation_of(content)

    totals = {child.tag.partition("}")[2]: child.text for child in root.find("cac:QuotedMonetaryTotal", NS)}
    assert totals == {
        "LineExtensionAmount": str(calculation.line_net_total),
        "TaxExclusiveAmount": str(calculation.total_without_tax),
        "TaxInclusiveAmount": str(calculation.total_with_tax),
        "AllowanceTotalAmount": str(calculation.discount_total),
        "ChargeTotalAmount": str(calculation.charge_total),
        "PrepaidAmount": "10.00",
        "PayableRoundingAmount": str(calculation.rounding),
        "PayableAmount": str(calculation.payable),
    }
    assert texts(root, "cac:TaxTotal/cbc:TaxAmount") == [str(calculation.tax_total)]
    assert texts(root, "cac:QuotationLine/cac:LineItem/cbc:LineExtensionAmount") == ["281.75", "469.69"]
    assert texts(root, ".//cac:Price/cbc:PriceAmount") == ["30.75", "187.5"]
    assert {element.get("currencyID") for element in root.iter() if element.tag.endswith("Amount")} == {"EUR"}


def test_a_discount_over_two_taxes_is_stated_for_each() -> None:
    root = quotation_of(a_full_content())

    stated = [
        (
            one.findtext("cbc:ChargeIndicator", None, NS),
            one.findtext("cbc:AllowanceChargeReason", None, NS),
            one.findtext("cac:TaxCategory/cbc:Percent", None, NS),
        )
        for one in root.iterfind("cac:AllowanceCharge", NS)
    ]
    assert stated == [("false", "Frame", "19"), ("false", "Frame", "7"), ("true", "Freight", "19")]


def test_an_option_that_is_not_chosen_is_a_note_and_in_no_total() -> None:
    root = quotation_of(a_full_content())

    assert len(texts(root, "cac:QuotationLine/cbc:ID")) == 2
    assert any("99.00 EUR" in note for note in texts(root, "cbc:Note"))


@pytest.mark.parametrize(
    ("tax", "category", "percent", "reason"),
    [
        (VAT_19, "S", "19", None),
        (Tax(category="VAT", rate_percent=D(0)), "Z", "0", None),
        (EXPORT, "G", "0", "VATEX-EU-G"),
        (HALF_OPEN, "E", "0", "Exempt from tax"),
        (OUTSIDE, "O", None, "Not subject to tax"),
        (Tax(category="AE", rate_percent=D(0)), "AE", "0", "Reverse charge"),
        (Tax(category="GST", rate_percent=D(10)), "S", "10", None),
        (Tax(category="L", rate_percent=D(7)), "L", "7", None),
        (Tax(category="L", rate_percent=D(0)), "L", "0", None),
        (Tax(category="M", rate_percent=D("0.5")), "M", "0.5", None),
    ],
)
def test_each_tax_has_its_code(tax: Tax, category: str, percent: str | None, reason: str | None) -> None:
    root = quotation_of(a_content(lines=(a_priced_line("1", "100", tax),)))
    found = root.find("cac:TaxTotal/cac:TaxSubtotal/cac:TaxCategory", NS)

    assert found.findtext("cbc:ID", None, NS) == category
    assert found.findtext("cbc:Percent", None, NS) == percent
    code, text = (found.findtext(f"cbc:TaxExemptionReason{end}", None, NS) for end in ("Code", ""))
    assert (code or text) == reason
    assert faults_of(root) == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"prices_include_tax": "VAT"}, "include tax"),
        ({"lines": (a_priced_line("1", "9", taxes=()),)}, "Line 1 has no taxes"),
        ({"lines": (a_priced_line("1", "9", taxes=(VAT_19, VAT_7)),)}, "Line 1 has 2 taxes"),
        ({"lines": (a_priced_line("1", "9", replace(VAT_19, surcharge_percent=D("5.2"))),)}, "surcharge"),
        ({"lines": (a_priced_line("1", "9", replace(VAT_19, retained=True)),)}, "withheld"),
        ({"lines": (a_priced_line("1", "-9"),)}, "below zero"),
        (
            {"lines": (a_priced_line("1", "9"), a_priced_line("1", "9", replace(VAT_19, category="S")))},
            None,  # S of VAT and VAT at a rate are the same to the standard.
        ),
        (
            {
                "lines": tuple(a_priced_line("1", "0.333333") for _ in range(7)),
                "settings": RoundingSettings(rounding=Rounding.PRECISE),
            },
            "do not follow",
        ),
        (
            {"lines": (a_priced_line("1", "9", Tax(category="S", rate_percent=D(0))),)},
            "category S does not go with 0 %",
        ),
        (
            {"lines": (a_priced_line("1", "9", Tax(category="S", rate_percent=None)),)},
            "category S does not go with 0 %",
        ),
        *(
            (
                {"lines": (a_priced_line("1", "9", Tax(category=category, rate_percent=D(19))),)},
                f"category {category} does not go with 19 %",
            )
            for category in ("Z", "E", "AE", "K", "G", "O")
        ),
        ({"lines": (a_priced_line("1", "9", OUTSIDE), a_priced_line("1", "9"))}, "BR-O-11"),
        ({"lines": (a_priced_line("1", "9", optional=True),)}, "No line counts"),
        ({"lines": (replace(a_priced_line("1", "9"), unit="pcs"),)}, "Line 1 has the unit pcs"),
        ({"lines": (replace(a_priced_line("1", "9"), unit="c62"),)}, "Line 1 has the unit c62"),  # Codes have a case.
    ],
)
def test_what_the_standard_cannot_say_is_refused(changes: dict[str, Any], told: str | None) -> None:
    with pytest.raises(NotEn16931Exact) as refused:
        quotation_of(a_content(**changes))

    reasons = refused.value.details["reasons"]
    assert isinstance(reasons, list)
    assert any((told or "same category and rate") in reason for reason in reasons)


@pytest.mark.parametrize(("unit", "stated"), [("HUR", "HUR"), ("XBX", "XBX"), ("", "C62")])
def test_each_unit_has_its_code(unit: str, stated: str) -> None:
    root = quotation_of(a_content(lines=(replace(a_priced_line("1", "9"), unit=unit),)))

    assert root.find(".//cbc:Quantity", NS).get("unitCode") == stated


def test_an_option_that_is_only_noted_may_be_what_the_standard_has_no_words_for() -> None:
    option = replace(a_priced_line("2", "-9", optional=True, taxes=()), unit="pcs")
    root = quotation_of(a_content(lines=(a_priced_line("1", "100"), option)))

    assert [note for note in texts(root, "cbc:Note") if "2 pcs" in note]
    assert [*faults_of(root)] == []


def test_texts_stay_texts_and_what_no_xml_holds_is_replaced() -> None:
    content = a_content(title="a & b <c>", lines=(a_line(description="Żółć 제어반 <!-- & ]]>", sku="\ufffe1"),))
    root = quotation_of(content)

    assert texts(root, "cbc:Note") == ["a & b <c>"]
    assert texts(root, ".//cac:Item/cbc:Description") == ["Żółć 제어반 <!-- & ]]>"]
    assert texts(root, ".//cac:SellersItemIdentification/cbc:ID") == ["\N{REPLACEMENT CHARACTER}1"]


def test_the_same_offer_gives_the_same_bytes() -> None:
    content = a_full_content()

    assert written(content) == written(content)


some_lines = st.lists(
    st.builds(
        a_priced_line,
        st.sampled_from(["1", "3", "0.5", "-2", "7.25"]),
        st.sampled_from(["10", "33.33", "0.005", "19.999", "0"]),
        st.sampled_from([VAT_19, VAT_7, EXPORT]),
    ),
    min_size=1,
    max_size=6,
).map(tuple)
adjusted = {"percent": st.sampled_from([D(3), D("12.5")])}


@given(
    lines=some_lines,
    discounts=st.lists(st.builds(DocumentDiscount, **adjusted), max_size=2).map(tuple),
    charges=st.lists(st.builds(DocumentCharge, amount=st.sampled_from([D(1), D("9.99")])), max_size=2).map(tuple),
    currency=st.sampled_from(["EUR", "KRW", "KWD"]).map(Currency.of),
    settings=st.sampled_from([RoundingSettings(), RoundingSettings(rounding=Rounding.PRECISE)]),
)
def test_whatever_is_stated_adds_up(
    lines: tuple[LineItem, ...],
    discounts: tuple[DocumentDiscount, ...],
    charges: tuple[DocumentCharge, ...],
    currency: Currency,
    settings: RoundingSettings,
) -> None:
    """From the document alone: bases from lines and allowances, taxes from bases, totals from all of them."""
    content = a_content(
        lines=lines,
        discounts=discounts if sum(line.pricing.quantity for line in lines) > 0 else (),
        charges=charges,
        currency=currency,
        settings=settings,
        valid_until=date(2026, 4, 1),
    )
    try:
        root = quotation_of(content)
    except NotEn16931Exact:
        return

    assert faults_of(root) == []
    bases: dict[tuple[str, str], Decimal] = {}
    for item in root.iterfind("cac:QuotationLine/cac:LineItem", NS):
        key = _tax_of(item.find("cac:Item/cac:ClassifiedTaxCategory", NS))
        bases[key] = bases.get(key, D(0)) + D(item.findtext("cbc:LineExtensionAmount", None, NS))
    off, on = D(0), D(0)
    for one in root.iterfind("cac:AllowanceCharge", NS):
        amount, key = D(one.findtext("cbc:Amount", None, NS)), _tax_of(one.find("cac:TaxCategory", NS))
        if one.findtext("cbc:ChargeIndicator", None, NS) == "true":
            on, bases[key] = on + amount, bases.get(key, D(0)) + amount
        else:
            off, bases[key] = off + amount, bases.get(key, D(0)) - amount
    stated = {
        _tax_of(one.find("cac:TaxCategory", NS)): D(one.findtext("cbc:TaxableAmount", None, NS))
        for one in root.iterfind("cac:TaxTotal/cac:TaxSubtotal", NS)
    }
    total = {child.tag.partition("}")[2]: D(child.text) for child in root.find("cac:QuotedMonetaryTotal", NS)}
    assert bases == stated
    assert total.get("AllowanceTotalAmount", D(0)) == off
    assert total.get("ChargeTotalAmount", D(0)) == on
    assert total["LineExtensionAmount"] - off + on == total["TaxExclusiveAmount"] == sum(stated.values())
    assert total["TaxExclusiveAmount"] + D(texts(root, "cac:TaxTotal/cbc:TaxAmount")[0]) == total["TaxInclusiveAmount"]


def _tax_of(category: Any) -> tuple[str, str]:
    return category.findtext("cbc:ID", None, NS), category.findtext("cbc:Percent", None, NS)
