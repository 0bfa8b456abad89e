"""What is stored is what is read: for any content, after any verbs, to the last digit and the digest."""

import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from src.application.ports.quoting import QuoteFilter
from src.application.ports.unit_of_work import OpenUnitOfWork, UnitOfWork
from src.domain.quoting.calculator import calculate
from src.domain.quoting.content import LineItem, QuoteContent, Recipient
from src.domain.quoting.pricing import Charge, Discount, DocumentCharge, DocumentDiscount, LinePricing, Tax
from src.domain.quoting.quote import Quote
from src.domain.quoting.revision import CancelReason
from src.domain.quoting.states import Verb, allowed_verbs
from src.domain.shared.canonical import canonical_text, digest_of
from src.domain.shared.change import Change
from src.domain.shared.currency import Currency
from src.domain.shared.errors import Invalid
from src.domain.shared.ids import ContactId, LineItemId
from src.domain.shared.party import Address, Party
from src.domain.shared.rounding import InclusiveTax, Rounding, RoundingSettings, TaxMode, TaxRounding
from tests.builders.offers import NOON, Shop, a_line, new_shop
from tests.builders.postgres import statements_of, unguarded

_lines_of_text = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=20)
_paragraphs = st.text(st.characters(exclude_categories=["Cc", "Cs"], include_characters="\n\t"), max_size=20)
_uuids = st.uuids(version=4)


def _decimals(low: str, high: str, *, places: int = 6) -> st.SearchStrategy[Decimal]:
    return st.decimals(Decimal(low), Decimal(high), places=places, allow_nan=False, allow_infinity=False)


# Beside the usual, the spellings that a column or a JSON number would lose: exponents, minus zero, trailing zeros.
_odd = st.sampled_from([Decimal(text) for text in ("0", "-0", "1E+3", "1.500000", "0.000001", "-2.50", "999999999")])
_quantities = _odd | _decimals("-1000", "1000")
_percents = st.sampled_from([Decimal(0), Decimal("0.50"), Decimal("33.333333"), Decimal("1E+1")])
_taxes = st.builds(
    Tax,
    category=st.sampled_from(["S", "VAT", "E"]),
    rate_percent=st.none() | _percents,
    code=_lines_of_text,
    surcharge_percent=st.none() | _percents,
    retained=st.booleans(),
)
_entries: dict[str, st.SearchStrategy[Any]] = {"percent": _percents, "reason": _lines_of_text}
_amounts: dict[str, st.SearchStrategy[Any]] = {"amount": _decimals("0", "5"), "reason": _lines_of_text}
_own_taxes = st.none() | st.lists(_taxes, max_size=2).map(tuple)


def _tuples(strategy: st.SearchStrategy[Any], most: int = 2) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(strategy, max_size=most).map(tuple)


_line_items = st.builds(
    LineItem,
    id=_uuids.map(LineItemId),
    sku=_lines_of_text,
    description=_paragraphs,
    unit=_lines_of_text.map(lambda unit: unit[:10]),
    pricing=st.builds(
        LinePricing,
        quantity=_quantities,
        unit_price=_quantities,
        price_base_quantity=st.sampled_from([Decimal(1), Decimal(100), Decimal("0.5"), Decimal("1E+2")]),
        discounts=_tuples(st.builds(Discount, **_entries) | st.builds(Discount, **_amounts)),
        charges=_tuples(st.builds(Charge, **_entries) | st.builds(Charge, **_amounts)),
        taxes=_tuples(_taxes),
    ),
)
_parties = st.builds(
    Party,
    name=_lines_of_text,
    address=st.builds(Address, street=_lines_of_text, city=_lines_of_text),
    vat_number=_lines_of_text,
)


@st.composite
def _contents(draw: st.DrawFn) -> QuoteContent:
    """Any content that the calculator takes."""
    content = QuoteContent(
        title=draw(_lines_of_text),
        seller=draw(_parties),
        buyer=draw(_parties),
        recipient=draw(
            st.none()
            | st.builds(Recipient, contact_id=_uuids.map(ContactId), name=_lines_of_text, email=_lines_of_text)
        ),
        salesperson=draw(_lines_of_text),
        valid_until=draw(st.dates(date(2026, 12, 1), date(2200, 1, 1))),
        time_zone=draw(st.sampled_from(["Europe/Berlin", "Asia/Seoul", "UTC"])),
        locale=draw(st.sampled_from(["en", "de", "ko"])),
        currency=Currency.of(draw(st.sampled_from(["EUR", "KRW", "OMR", "UYW"]))),
        settings=draw(
            st.builds(
                RoundingSettings,
                rounding=st.sampled_from(Rounding),
                tax_rounding=st.sampled_from(TaxRounding),
                inclusive_tax=st.sampled_from(InclusiveTax),
                tax_mode=st.sampled_from(TaxMode),
            )
        ),
        prices_include_tax=draw(st.sampled_from([None, "VAT"])),
        lines=draw(_tuples(_line_items, most=4)),
        discounts=draw(_tuples(st.builds(DocumentDiscount, taxes=_own_taxes, **_amounts), most=1)),
        charges=draw(_tuples(st.builds(DocumentCharge, taxes=_own_taxes, **_entries), most=1)),
        terms=draw(_paragraphs),
    )
    try:
        calculate(content.pricing())
    except Invalid:
        assume(False)
    return content


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop(open_postgres: OpenUnitOfWork) -> Shop:
    return await new_shop(open_postgres)


async def _stored(shop: Shop, open_postgres: OpenUnitOfWork, quote: Quote) -> Quote:
    async with open_postgres(shop.actor) as uow:
        return await uow.quotes.get(quote.id)


def _assert_same(loaded: Quote, saved: Quote) -> None:
    """Equal, and (which equality of decimals does not tell) with the same canonical text."""
    assert loaded == saved
    assert canonical_text(loaded) == canonical_text(saved)
    for revision in loaded.revisions:
        if revision.content_digest is not None:
            assert revision.digest(loaded.number) == revision.content_digest


@pytest.mark.asyncio
@settings(max_examples=60)
@given(content=_contents())
async def test_any_draft_comes_back_as_it_was_saved(
    shop: Shop, open_postgres: OpenUnitOfWork, content: QuoteContent
) -> None:
    saved = await shop.stored_quote(open_postgres, content)

    _assert_same(await _stored(shop, open_postgres, saved), saved)


@pytest.mark.asyncio
@settings(max_examples=30)
@given(data=st.data())
async def test_after_any_verbs_the_quote_comes_back_as_it_was_saved(
    shop: Shop, open_postgres: OpenUnitOfWork, data: st.DataObject
) -> None:
    quote = await shop.stored_quote(open_postgres)

    for _ in range(data.draw(st.integers(1, 8))):
        possible = [verb for verb in allowed_verbs(quote.current.status) if _is_possible(quote, verb)]
        if not possible:
            break
        async with open_postgres(shop.actor) as uow:
            quote = await _act(uow, shop, quote, data.draw(st.sampled_from(possible)), data)
            await uow.commit()
        _assert_same(await _stored(shop, open_postgres, quote), quote)


def _is_possible(quote: Quote, verb: Verb) -> bool:
    if verb is Verb.RESEND:  # It changes nothing about the quote.
        return False
    return verb is not Verb.SUBMIT or (
        bool(quote.current.content.lines) and quote.current.content.recipient is not None
    )


async def _act(uow: UnitOfWork, shop: Shop, quote: Quote, verb: Verb, data: st.DataObject) -> Quote:
    loaded = await uow.quotes.lock(quote.id)
    digest = loaded.current.content_digest or ""
    change: Change[Quote]
    match verb:
        case Verb.EDIT:
            change = loaded.edit(_edited(loaded.current.content, data), by=shop.user_id, at=NOON)
        case Verb.REPRICE:
            edited = _edited(loaded.current.content, data)
            change = loaded.reprice(edited, lines=1, by=shop.user_id, at=NOON)
        case Verb.SUBMIT:
            change = loaded.submit(by=shop.user_id, at=NOON, needs_approval=data.draw(st.booleans()))
        case Verb.RECALL:
            change = loaded.recall(by=shop.user_id, at=NOON, may_recall_any=False)
        case Verb.APPROVE:
            change = loaded.approve(at=NOON, expected_digest=digest)
        case Verb.REJECT:
            change = loaded.reject(at=NOON, expected_digest=digest, reason="Too cheap.")
        case Verb.REVISE:
            change = loaded.revise(by=shop.user_id, at=NOON)
        case Verb.SEND:
            change = loaded.send(at=NOON + timedelta(microseconds=1), expected_digest=None)
        case Verb.CANCEL:
            change = loaded.cancel(at=NOON, reason=CancelReason.MISTAKE)
    return await uow.quotes.save(change)


def _edited(content: QuoteContent, data: st.DataObject) -> QuoteContent:
    """Lines dropped, doubled, swapped or added: what a comparison by position could get wrong."""
    lines = [*content.lines, a_line("1", "0.10"), a_line("3", "7")]
    kept = data.draw(st.lists(st.sampled_from(lines), max_size=5, unique_by=lambda line: line.id))
    return replace(content, lines=tuple(kept))


@pytest.mark.asyncio
async def test_figures_are_read_and_never_calculated_again(
    shop: Shop, open_postgres: OpenUnitOfWork, owner_engine: AsyncEngine
) -> None:
    quote = await shop.stored_quote(open_postgres)
    await _rewrite_calculation(owner_engine, shop, quote)

    loaded = await _stored(shop, open_postgres, quote)

    assert loaded.current.calculation.payable == Decimal("23.81")  # Calculated, it would be 23.80.


async def _rewrite_calculation(owner_engine: AsyncEngine, shop: Shop, quote: Quote) -> None:
    async with unguarded(owner_engine, "quote_revisions") as connection:
        result = await connection.execute(
            text(
                "UPDATE proffer.quote_revisions SET calculation = "
                'replace(calculation, \'"payable":"23.80"\', \'"payable":"23.81"\') '
                "WHERE organization_id = :organization AND quote_id = :quote"
            ),
            {"organization": shop.made.organization.id, "quote": quote.id},
        )
    assert result.rowcount == 1


@pytest.mark.asyncio
@pytest.mark.parametrize("lines", [1, 200])
async def test_a_quote_of_any_size_is_loaded_by_one_statement(
    shop: Shop, open_postgres: OpenUnitOfWork, app_engine: AsyncEngine, lines: int
) -> None:
    quote = await shop.stored_quote(open_postgres, shop.content(*(a_line() for _ in range(lines))))

    async with open_postgres(shop.actor) as uow:
        with statements_of(app_engine) as seen:
            loaded = await uow.quotes.get(quote.id)

    assert len(loaded.current.content.lines) == lines
    assert len(seen) == 1


@pytest.mark.asyncio
async def test_saving_writes_only_what_changed(
    shop: Shop, open_postgres: OpenUnitOfWork, app_engine: AsyncEngine, owner_engine: AsyncEngine
) -> None:
    first, second, third = a_line(), a_line("5", "3"), a_line("7", "1")
    quote = await shop.stored_quote(open_postgres, shop.content(first, second, third))
    before = await _row_versions(owner_engine, quote.id)

    async with open_postgres(shop.actor) as uow:
        loaded = await uow.quotes.get(quote.id)
        kept, changed, _ = loaded.current.content.lines
        edited = replace(loaded.current.content, lines=(kept, replace(changed, description="Ball bearing")))
        with statements_of(app_engine) as seen:
            await uow.quotes.save(loaded.edit(edited, by=shop.user_id, at=NOON))
        await uow.commit()

    after = await _row_versions(owner_engine, quote.id)
    assert after[0] == before[0]
    assert after[1] != before[1]
    assert set(after) == {0, 1}
    assert [statement.split()[0] for statement in seen] == ["UPDATE", "UPDATE", "INSERT", "DELETE"]


@pytest.mark.asyncio
async def test_submitting_writes_neither_content_nor_figures_again(
    shop: Shop, open_postgres: OpenUnitOfWork, app_engine: AsyncEngine
) -> None:
    quote = await shop.stored_quote(open_postgres)

    async with open_postgres(shop.actor) as uow:
        loaded = await uow.quotes.lock(quote.id)
        with statements_of(app_engine) as seen:
            saved = await uow.quotes.save(loaded.submit(by=shop.user_id, at=NOON, needs_approval=True))
        await uow.commit()

    written = [re.findall(r"(\w+)=", sql.split(" WHERE ")[0]) for sql in seen]
    assert written == [["version", "status"], ["status", "content_digest", "submitted_by", "submitted_at"]]
    _assert_same(await _stored(shop, open_postgres, saved), saved)


async def _row_versions(owner_engine: AsyncEngine, quote_id: UUID) -> dict[int, tuple[Any, ...]]:
    """The physical place of each line by its position: a row that was written has moved."""
    async with unguarded(owner_engine, "line_items") as connection:
        rows = await connection.execute(
            text("SELECT position, ctid::text, xmin::text FROM proffer.line_items WHERE quote_id = :quote"),
            {"quote": quote_id},
        )
        return {row[0]: (row[1], row[2]) for row in rows}


@pytest.mark.asyncio
async def test_the_list_shows_the_figures_of_the_current_revision(shop: Shop, open_postgres: OpenUnitOfWork) -> None:
    quote = await shop.stored_quote(open_postgres)
    async with open_postgres(shop.actor) as uow:
        loaded = await uow.quotes.get(quote.id)
        content = replace(loaded.current.content, title="Dearer", lines=(a_line("3", "33.33"),))
        saved = await uow.quotes.save(loaded.edit(content, by=shop.user_id, at=NOON))
        summaries = [summary async for summary in uow.quotes.stream(QuoteFilter()) if summary.id == quote.id]

    [summary] = summaries
    assert summary.title == "Dearer"
    assert summary.version == saved.version == 2
    assert summary.payable == saved.current.calculation.payable == Decimal("118.99")
    assert digest_of(summary.total_without_tax) == digest_of(saved.current.calculation.total_without_tax)
