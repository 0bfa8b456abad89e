"""Summaries as PDF: the same bytes, words of the language, figures that are the rows' own, and text that stays text."""

from dataclasses import replace
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from src.adapters.documents.summary_content import MOST_MONTHS, summary_content
from src.adapters.documents.summary_labels import SUMMARY_LABELS
from src.application.ports.summaries import SummaryDocument
from src.domain.quoting.states import QuoteStatus
from src.domain.shared.currency import Currency
from tests.builders.renderers import SUMMARIES
from tests.builders.summaries import a_row, a_summary


def pages_of(document: SummaryDocument) -> list[str]:
    return [page.extract_text() for page in PdfReader(BytesIO(SUMMARIES.render(document))).pages]


def content_of(document: SummaryDocument) -> dict[str, Any]:
    return summary_content(document, lambda text: text)


def test_the_same_summary_has_the_same_bytes() -> None:
    assert SUMMARIES.render(a_summary()) == SUMMARIES.render(a_summary())


def test_each_page_has_its_number_and_each_currency_begins_one() -> None:
    pages = pages_of(a_summary())

    assert [f"Page {number} of {len(pages)}" in page for number, page in enumerate(pages, start=1)] == [True] * 3
    assert "EUR" in pages[0]
    assert "USD" not in pages[0]
    assert "USD" in pages[2]


@pytest.mark.parametrize("locale", ["en", "de-CH", "ko"])
def test_a_summary_speaks_the_language_of_its_organisation(locale: str) -> None:
    text = "".join(pages_of(a_summary(locale=locale)))
    labels = SUMMARY_LABELS[locale[:2]]

    for word in (labels.title, labels.win_rate, labels.top_customers, labels.statuses["accepted"]):
        assert word in text


@pytest.mark.parametrize("labels", SUMMARY_LABELS.values())
def test_every_state_has_a_word_and_every_month_a_name(labels: Any) -> None:
    assert set(labels.statuses) == {status.value for status in QuoteStatus}
    assert len(labels.months) == 12


def test_what_people_wrote_is_printed_as_it_is() -> None:
    hostile = '#import "x" $x$ <b> \\ *a* _b_'
    row = a_row("k", "1", name=hostile)

    text = "".join(pages_of(a_summary(organization=hostile, customer=hostile, by_customer=[row])))

    assert text.replace("\n", " ").count("#import") >= 3
    assert "$x$" in text


def test_a_letter_with_a_mark_of_another_font_is_printed_without_it() -> None:
    assert pages_of(a_summary(organization="각\u0301 GmbH"))


def test_without_a_decided_offer_there_is_no_rate() -> None:
    section = content_of(a_summary(by_status=[a_row("draft", "10")], by_month=[a_row("2026-01", "10")]))["sections"][0]

    assert section["tiles"][3][1] == "–"
    assert section["months"][0]["rate"] == "–"


def test_of_many_months_the_latest_are_shown() -> None:
    months = [a_row(f"{2020 + place // 12}-{place % 12 + 1:02}", "10") for place in range(40)]

    section = content_of(a_summary(by_month=months))["sections"][0]

    assert len(section["months"]) == MOST_MONTHS
    assert (section["months"][-1]["year"], section["months"][-1]["name"]) == ("2023", "Apr")
    assert str(MOST_MONTHS) in section["earlier"]
    assert len(pages_of(a_summary(by_month=months))) >= 2


def test_filters_are_told() -> None:
    facts = dict(content_of(a_summary(statuses=("sent", "accepted"), customer="Brandt", end=None))["facts"])

    assert facts["State"] == "Sent, Accepted"
    assert facts["Customer"] == "Brandt"
    assert facts["Period"] == "From 1 January 2026"
    assert "09:40 (Europe/Berlin)" in facts["As of"]


amounts = st.decimals(min_value=-1000, max_value=10**12, places=2)


@given(st.lists(st.tuples(amounts, st.integers(1, 10**6)), min_size=1, max_size=9))
def test_bars_stay_in_their_place_and_the_total_is_the_sum(rows: list[tuple[Decimal, int]]) -> None:
    states = [
        a_row(status.value, str(amount), quotes) for status, (amount, quotes) in zip(QuoteStatus, rows, strict=False)
    ]
    document = replace(a_summary(by_month=[], by_customer=[], by_owner=[]), by_status=states)
    document = replace(document, by_month=[a_row("2026-01", str(rows[0][0]))])

    section = content_of(document)["sections"][0]

    assert all(0 <= state["bar"] <= 1000 for state in section["states"])
    told = section["tiles"][0][1].replace(",", "").replace("\N{MINUS SIGN}", "-")
    assert abs(int(told) - sum((row.amount for row in states), Decimal(0))) <= Decimal("0.5")
    assert section["tiles"][2][1].replace(",", "") == str(sum(row.quotes for row in states))


def test_currencies_without_minor_units_have_none() -> None:
    won = Currency.of("KRW")
    document = a_summary(
        by_status=[a_row("sent", "1234567", currency=won)], by_month=[a_row("2026-01", "1234567", currency=won)]
    )

    assert content_of(document)["sections"][0]["states"][0]["amount"] == "1,234,567"
