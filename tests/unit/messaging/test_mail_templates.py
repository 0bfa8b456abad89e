"""What the covering letter says."""

import pytest

from src.adapters.smtp import JinjaMailTemplates
from tests.builders.documents import a_quote_document

TEMPLATES = JinjaMailTemplates("http://proffer.test/account", "http://proffer.test/approvals")


@pytest.mark.parametrize(
    ("locale", "subject", "payable", "day"),
    [
        ("en", "Offer Q-2026-000123 from Nordwerk Automation GmbH", "EUR\xa02,975.00", "20 December 2026"),
        ("de-DE", "Angebot Q-2026-000123 von Nordwerk Automation GmbH", "2.975,00\xa0EUR", "20. Dezember 2026"),
        ("ko", "[Nordwerk Automation GmbH] 견적서 Q-2026-000123", "EUR\xa02,975.00", "2026년 12월 20일"),
        ("xx", "Offer Q-2026-000123 from Nordwerk Automation GmbH", "EUR\xa02,975.00", "20 December 2026"),
    ],
)
def test_it_speaks_the_language_of_the_offer(locale: str, subject: str, payable: str, day: str) -> None:
    composed = TEMPLATES.quote_sent(a_quote_document(locale=locale), "")

    assert composed.subject == subject
    for body in (composed.text, composed.html):
        assert payable in body
        assert day in body


@pytest.mark.parametrize("hostile", ["{{7*7}}", "{% include 'x' %}", "<img src=x>", "<script>", "{seller}", "&amp;"])
def test_texts_of_people_are_data(hostile: str) -> None:
    document = a_quote_document(title=hostile, contact_name=hostile, salesperson=hostile, number=hostile)
    composed = TEMPLATES.quote_sent(document, f"Before {hostile} after")

    assert composed.text.count(hostile) == 5
    escaped = hostile.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#39;")
    assert composed.html.count(escaped) == 6
    assert hostile not in composed.html.replace(escaped, "") or hostile == escaped


def test_the_subject_is_one_line_of_bearable_length() -> None:
    document = a_quote_document(number="Q-1\r\nBcc: x@evil.example\u2028\x00" + "9" * 300)
    subject = TEMPLATES.quote_sent(document, "").subject

    assert subject.isprintable()
    assert len(subject) == 200


def test_paragraphs_are_apart() -> None:
    text = TEMPLATES.quote_sent(a_quote_document(contact_name="", salesperson=""), "As discussed.").text

    assert text.split("\n\n")[0] == "Hello,"
    assert "\n\nControl cabinets for the packing line\n\nAs discussed.\n\nAmount payable: " in text
    assert text.endswith("Kind regards\nNordwerk Automation GmbH\n")
