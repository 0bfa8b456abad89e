"""Every renderer: same input, same bytes; nothing of the offer is missing; text stays text."""

from dataclasses import replace
from io import BytesIO

import pytest
from pypdf import PdfReader

from src.adapters.documents import TypstQuoteRenderer
from src.adapters.memory.documents import PlainTextRenderer
from src.application.ports.documents import QuoteRenderer
from tests.builders.documents import BUYER, a_full_quote_document, a_line, a_quote_document

RENDERERS = {"typst": TypstQuoteRenderer(), "plain": PlainTextRenderer()}
MARKUP = (
    "#import",
    "$x$",
    "{{7*7}}",
    "<img src=file:///etc/passwd>",
    "@import",
    "*bold*",
    "<link rel=attachment>",
    "\\n",
)


@pytest.fixture(params=sorted(RENDERERS))
def renderer(request: pytest.FixtureRequest) -> QuoteRenderer:
    return RENDERERS[request.param]


def text_of(content: bytes) -> str:
    """All words with one space between them."""
    if not content.startswith(b"%PDF"):
        return " ".join(content.decode().split())
    return " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(content)).pages).split())


def test_the_same_offer_gives_the_same_bytes(renderer: QuoteRenderer) -> None:
    first = renderer.render(a_full_quote_document())
    renderer.render(a_quote_document(title="Something in between"))

    assert renderer.render(a_full_quote_document()) == first


def test_another_offer_gives_other_bytes(renderer: QuoteRenderer) -> None:
    assert renderer.render(a_quote_document(title="One")) != renderer.render(a_quote_document(title="Two"))


@pytest.mark.parametrize(
    "text",
    [
        "Zażółć gęślą jaźń",
        "Съешь ещё этих булок",
        "제어반 설치 및 시운전",
        "Größe ≥ 5 µm, 12 €",
        "Ελληνικά",
        "Đặng Ước",
    ],
)
def test_text_of_many_scripts_is_found_again(renderer: QuoteRenderer, text: str) -> None:
    rendered = renderer.render(a_quote_document(lines=(a_line(text),), title=text, terms=text))

    assert text_of(rendered.content).count(text) == 3
    assert rendered.replaced_characters == ""


@pytest.mark.parametrize("markup", MARKUP)
def test_markup_is_printed_as_the_text_that_it_is(renderer: QuoteRenderer, markup: str) -> None:
    document = a_quote_document(
        lines=(a_line(markup, sku=markup),),
        title=markup,
        terms=markup,
        contact_name=markup,
        buyer=replace(BUYER, name=markup),
        seller=replace(BUYER, name=markup),
    )

    assert text_of(renderer.render(document).content).count(markup) >= 6


def test_the_amount_payable_and_the_digest_are_there(renderer: QuoteRenderer) -> None:
    document = a_quote_document()
    text = text_of(renderer.render(document).content).replace(",", "")

    assert f"EUR {document.calculation.payable}" in text
    assert document.content_digest in text
