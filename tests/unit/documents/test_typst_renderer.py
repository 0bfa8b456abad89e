"""What only a PDF has: pages, fonts, metadata."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from io import BytesIO
from itertools import cycle, islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from src.adapters.documents import TypstQuoteRenderer
from src.adapters.documents.picture import is_printable_picture
from src.application.ports.documents import QuoteDocument
from src.domain.quoting.calculator import calculate
from src.domain.quoting.pricing import Deposit, Instalment, Tax
from tests.builders.documents import BUYER, a_calculation, a_full_quote_document, a_line, a_quote_document
from tests.builders.pictures import a_png
from tests.pricings import a_line as a_priced_line
from tests.pricings import a_pricing

RENDERER = TypstQuoteRenderer()


def pages_of(document: QuoteDocument) -> list[str]:
    return [page.extract_text() for page in PdfReader(BytesIO(RENDERER.render(document).content)).pages]


def an_offer_of_sixty_lines() -> QuoteDocument:
    few = a_full_quote_document().lines
    lines = tuple(replace(line, sku=f"S-{i}") for i, line in enumerate(islice(cycle(few), 60), start=1))
    return a_quote_document(lines=lines, calculation=a_calculation("EUR", lines))


def test_every_page_has_its_number_and_the_offers() -> None:
    pages = pages_of(an_offer_of_sixty_lines())

    assert len(pages) > 2
    for number, page in enumerate(pages, start=1):
        assert f"Page {number} of {len(pages)}" in page
        assert "Q-2026-000123 · Revision 2" in page


def test_the_head_of_the_table_is_repeated_and_no_line_is_lost() -> None:
    pages = pages_of(an_offer_of_sixty_lines())

    assert len(pages) > 2
    assert all("Description" in page for page in pages if "\n19%" in page)
    words = " ".join(pages).split()
    assert [word for word in words if word.startswith("S-")] == [f"S-{i}" for i in range(1, 61)]


def test_emoji_and_kana_are_replaced_and_reported_once() -> None:
    rendered = RENDERER.render(a_quote_document(title="Hi 😀, カ 😀 and 漢"))

    assert rendered.replaced_characters == "😀カ漢"
    assert "Hi �, � � and �" in PdfReader(BytesIO(rendered.content)).pages[0].extract_text()


def test_what_nobody_sees_is_left_out() -> None:
    rendered = RENDERER.render(a_quote_document(title="in\u200bvi\u202es\x00ib\ufe0fle"))

    assert rendered.replaced_characters == ""
    assert "invisible" in PdfReader(BytesIO(rendered.content)).pages[0].extract_text()


@pytest.mark.parametrize(
    ("locale", "option", "deposit"),
    [
        ("en", "Option, not included in the total", "Deposit on acceptance"),
        ("de", "Option, nicht in der Summe enthalten", "Anzahlung bei Annahme"),
        ("ko", "선택 사항, 합계에 포함되지 않음", "계약금"),
    ],
)
def test_options_sections_deposit_and_instalments_are_printed(locale: str, option: str, deposit: str) -> None:
    pricing = a_pricing(
        a_priced_line("1", "100", section="Machine"),
        a_priced_line("1", "40", section="Extras", optional=True),
        a_priced_line("1", "25", section="Extras", optional=True, chosen=True),
        deposit=Deposit(percent=Decimal(30)),
        instalments=(Instalment(share=Decimal(1), label="Delivery", days=30), Instalment(share=Decimal(1))),
    )
    document = replace(
        a_quote_document(),
        locale=locale,
        lines=tuple(a_line(section=line.section) for line in pricing.lines),
        calculation=calculate(pricing),
        discount_reasons=(),
        charge_reasons=(),
        instalments=pricing.instalments,
    )

    text = " ".join(" ".join(pages_of(document)).split())

    assert option in text
    assert deposit in text
    assert text.count("Machine") == text.count("Extras") == 2  # Above the lines, and among the totals.
    assert "Delivery" in text


def pictures_in(content: bytes) -> int:
    return content.count(b"/Subtype/Image")


@pytest.mark.parametrize(("width", "height"), [(300, 120), (2000, 10), (10, 2000), (1, 1)])
def test_a_logo_of_any_shape_is_printed_and_the_page_stays_one(width: int, height: int) -> None:
    document = a_quote_document(logo=a_png(width, height))

    rendered = RENDERER.render(document)

    assert not rendered.logo_left_out
    assert pictures_in(rendered.content) > pictures_in(RENDERER.render(a_quote_document()).content)
    assert len(pages_of(document)) == 1
    assert document.seller.name in pages_of(document)[0]
    assert RENDERER.render(document).content == rendered.content


@pytest.mark.parametrize(
    "logo",
    [
        b"\x89PNG\r\n\x1a\n" + b"\0" * 20,
        a_png(40, 40)[:-30],
        b"\xff\xd8\xff\xe0" + b"\0" * 40,
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        a_png(40, 40).replace((40).to_bytes(4) * 2, (60_000).to_bytes(4) * 2),  # A bomb, by its own account.
    ],
)
def test_a_logo_that_cannot_be_printed_is_left_out_and_told(logo: bytes) -> None:
    rendered = RENDERER.render(a_quote_document(logo=logo))

    assert rendered.logo_left_out
    assert rendered.content == RENDERER.render(a_quote_document()).content


@pytest.mark.parametrize(
    ("content", "printable"),
    [
        (a_png(2000, 2000), True),
        (a_png(1, 1).replace((1).to_bytes(4) * 2, (2001).to_bytes(4) * 2), False),
        (b"\xff\xd8\xff\xe0\0\x04xx\xff\xc0\0\x0b\x08" + (1000).to_bytes(2) + (2000).to_bytes(2), True),
        (b"\xff\xd8\xff\xff\xe0\0\x04xx\xff\xc2\0\x0b\x08" + (9000).to_bytes(2) * 2, False),
        (b"\xff\xd8" + b"\xff" * 50, False),
        (b"\xff\xd8\xff\xe0\0\0" * 9, False),
        (b"", False),
        (b"GIF89a", False),
    ],
)
def test_the_head_of_a_picture_tells_its_size(content: bytes, printable: bool) -> None:
    assert is_printable_picture(content) is printable


def test_decomposed_hangul_is_printed_composed() -> None:
    assert "가" in pages_of(a_quote_document(title="\u1100\u1161"))[0]


@pytest.mark.parametrize(
    ("locale", "currency", "payable"),
    [
        ("en", "EUR", "EUR 2,975.00"),
        ("de-AT", "EUR", "2.975,00 EUR"),
        ("ko-KR", "KRW", "KRW 2,975"),
        ("fr", "OMR", "OMR 2,975.000"),
    ],
)
def test_amounts_have_the_digits_of_the_currency_and_the_marks_of_the_language(
    locale: str, currency: str, payable: str
) -> None:
    lines = (a_line(),)
    document = a_quote_document(locale=locale, lines=lines, calculation=a_calculation(currency, lines))

    assert payable in pages_of(document)[0].replace("\xa0", " ")


@pytest.mark.parametrize(
    ("locale", "country", "label"),
    [
        ("ko", "KR", "사업자등록번호 120-86"),
        ("ko", "DE", "등록번호 120-86"),
        ("en", "KR", "Business reg. no. 120-86"),
        ("en", "DE", "Reg. no. 120-86"),
        ("de", "KR", "Unternehmensnr. 120-86"),
    ],
)
def test_the_number_of_a_register_is_called_as_in_its_country(locale: str, country: str, label: str) -> None:
    buyer = replace(BUYER, address=replace(BUYER.address, country=country), registration_number="120-86")
    [page] = pages_of(a_quote_document(locale=locale, buyer=buyer))

    assert label in page
    assert ("사업자등록번호 120-86" in page) == (label == "사업자등록번호 120-86")


def test_unit_prices_keep_all_their_decimals() -> None:
    lines = (a_line(unit_price=Decimal("0.123456")),)

    assert "0.123456" in pages_of(a_quote_document(lines=lines))[0]


@pytest.mark.parametrize(
    ("locale", "tax", "on_the_line", "in_the_table"),
    [
        ("en", ("VAT", None, "exempt-education"), "exempt", "VAT (exempt)"),
        ("de", ("VAT", None, "exempt-education"), "steuerfrei", "USt. (steuerfrei)"),
        ("ko", ("VAT", None, ""), "면세", "부가세 (면세)"),
        ("en", ("VAT", None, "Education, Art. 132"), "Education, Art. 132", "VAT (Education, Art. 132)"),
        ("en", ("E", None, "VATEX-EU-132-1I"), "exempt", "Exempt from tax"),
        ("en", ("E", None, "Education"), "Education", "Exempt from tax (Education)"),
        ("en", ("AE", None, "VATEX-EU-AE"), "Reverse charge", "Reverse charge"),
        ("en", ("VAT", None, "VATEX-EU-AE"), "Reverse charge", "VAT (Reverse charge)"),
        ("de", ("G", None, ""), "Ausfuhr", "Ausfuhr"),
        ("en", ("L", None, ""), "exempt", "L (exempt)"),
        ("en", ("VAT", "8.5", ""), "8.5%", "VAT 8.5%"),
        ("de", ("VAT", "8.5", ""), "8,5 %", "USt. 8,5 %"),
    ],
)
def test_why_nothing_is_taxed_is_said_in_words(
    locale: str, tax: tuple[str, str | None, str], on_the_line: str, in_the_table: str
) -> None:
    category, rate, code = tax
    taxes = (Tax(category=category, rate_percent=None if rate is None else Decimal(rate), code=code),)
    pricing = a_pricing(replace(a_priced_line("1", "100"), taxes=taxes))
    document = a_quote_document(locale=locale, lines=(a_line(taxes=taxes),), calculation=calculate(pricing))

    text = " ".join(" ".join(pages_of(document)).split())

    assert text.casefold().count(on_the_line.casefold()) == 2
    assert f"{in_the_table} 100" in text
    assert not code or " " in code or code == "Education" or code not in text


def test_a_word_longer_than_its_column_does_not_run_out_of_it() -> None:
    page = pages_of(a_quote_document(lines=(a_line("x" * 300),), terms="y" * 300))[0]

    assert page.replace("\n", "").replace("\u200b", "").count("x" * 300) == 1
    assert max(map(len, page.splitlines())) < 200


def test_an_offer_without_contact_terms_tax_or_address_can_be_printed() -> None:
    document = a_quote_document(title="", contact_name="", salesperson="", terms="", lines=())
    bare = replace(document, calculation=replace(document.calculation, taxes=()))

    assert len(pages_of(bare)) == 1


def test_the_file_says_what_it_is() -> None:
    content = RENDERER.render(a_full_quote_document()).content
    reader = PdfReader(BytesIO(content))

    assert reader.metadata is not None
    assert reader.metadata.title == "Offer Q-2026-000123"
    assert b"<pdfaid:part>3</pdfaid:part>" in content
    assert b"<pdfuaid:part>1</pdfuaid:part>" in content


def test_threads_may_share_a_renderer() -> None:
    documents = [a_quote_document(title=f"Offer for thread {i}") for i in range(12)]
    alone = [RENDERER.render(document) for document in documents]

    with ThreadPoolExecutor(4) as threads:
        assert [*threads.map(RENDERER.render, documents)] == alone


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=80))
def test_any_text_can_be_printed(text: str) -> None:
    document = a_quote_document(title=text, terms=text, lines=(a_line(text, sku=text, unit=text),), contact_name=text)

    assert RENDERER.render(document).content.startswith(b"%PDF")
