"""Lists: pages by cursor, search, filters, and the whole in flat memory."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from src.adapters.postgres.pages import write_cursor
from src.adapters.postgres.unit_of_work import PostgresUnitOfWork
from src.application.ports.audit import AuditFilter
from src.application.ports.catalog import ProductFilter
from src.application.ports.customers import ContactFilter, CustomerFilter
from src.application.ports.paging import CursorRefused, Page, Paging
from src.application.ports.quoting import QuoteFilter
from src.application.ports.unit_of_work import OpenUnitOfWork, UnitOfWork
from src.domain.customers.customer import Customer
from src.domain.identity.actor import Role
from src.domain.quoting.states import QuoteStatus
from tests.builders.offers import NOON, Shop, a_contact, a_customer, a_product, new_shop
from tests.builders.postgres import statements_of


@pytest_asyncio.fixture(loop_scope="session")
async def shop(open_postgres: OpenUnitOfWork) -> Shop:
    """A new one for each test, because lists show everything."""
    return await new_shop(open_postgres)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def named_shop(open_postgres: OpenUnitOfWork) -> Shop:
    """One that tests only look at, with customers of awkward names."""
    shop = await new_shop(open_postgres)
    names = ["100% Wool", "100 Wool", "A_B", "AxB", "C:\\Parts", "Müller", "Hauptstraße", "Œuvre", "한국전자"]
    await _store_customers(open_postgres, shop, *(a_customer(name) for name in names))
    return shop


async def _store_customers(open_postgres: OpenUnitOfWork, shop: Shop, *customers: Customer) -> None:
    async with open_postgres(shop.actor) as uow:
        for customer in customers:
            await uow.customers.save(customer.create())
        await uow.commit()


async def _page(open_postgres: OpenUnitOfWork, shop: Shop, search: str, paging: Paging) -> Page[Customer]:
    async with open_postgres(shop.actor) as uow:
        return await uow.customers.page(CustomerFilter(search=search), paging)


@pytest.mark.asyncio
async def test_a_walk_by_cursor_shows_everything_once_though_rows_are_added_between(
    open_postgres: OpenUnitOfWork, shop: Shop
) -> None:
    # Three at each instant, so that pages end between rows that only their ids tell apart.
    known = [a_customer(f"C{n}", at=NOON + timedelta(microseconds=n // 3)) for n in range(11)]
    await _store_customers(open_postgres, shop, *known)

    seen: list[Customer] = []
    paging: Paging | None = Paging(limit=2)
    while paging is not None:
        page = await _page(open_postgres, shop, "", paging)
        seen += page.items
        await _store_customers(open_postgres, shop, a_customer("Late", at=NOON + timedelta(days=1)))
        paging = Paging(limit=2, cursor=page.next_cursor) if page.next_cursor else None

    assert [customer.id for customer in seen if customer.id in {one.id for one in known}] == [
        customer.id for customer in sorted(known, key=lambda one: (one.created_at, one.id), reverse=True)
    ]
    assert all(customer.party.name != "Late" for customer in seen)


@pytest.mark.asyncio
async def test_skip_and_limit_cut_the_same_order_and_the_total_counts_all(
    open_postgres: OpenUnitOfWork, shop: Shop
) -> None:
    await _store_customers(open_postgres, shop, *(a_customer(f"C{n}", at=NOON + timedelta(hours=n)) for n in range(5)))

    page = await _page(open_postgres, shop, "C", Paging(skip=1, limit=2))

    assert [customer.party.name for customer in page.items] == ["C3", "C2"]
    assert page.total == 5
    assert page.next_cursor is not None


@pytest.mark.asyncio
async def test_the_last_page_has_no_cursor(open_postgres: OpenUnitOfWork, shop: Shop) -> None:
    page = await _page(open_postgres, shop, "", Paging(limit=1))  # The shop's one customer.

    assert len(page.items) == 1
    assert page.next_cursor is None


_SOME_ID = UUID("0197a000-0000-7000-8000-000000000000")
_FORGED = [
    "",
    "x",
    "ü",
    "AAAA",
    base64.urlsafe_b64encode(b"[]").decode(),
    base64.urlsafe_b64encode(b'["2026-11-20T12:00:00","0197a000-0000-7000-8000-000000000000"]').decode(),
    # An instant that is in no calendar once it is UTC.
    base64.urlsafe_b64encode(b'["0001-01-01T00:00:00+12:00","0197a000-0000-7000-8000-000000000000"]').decode(),
    base64.urlsafe_b64encode(b'["9999-12-31T23:59:59-12:00","0197a000-0000-7000-8000-000000000000"]').decode(),
    write_cursor(NOON, _SOME_ID)[:-4],
    write_cursor(NOON, _SOME_ID) + "!",
]


@pytest.mark.asyncio
@pytest.mark.parametrize("cursor", _FORGED, ids=[f"forged {place}" for place in range(len(_FORGED))])
async def test_a_cursor_that_no_page_gave_is_refused(open_postgres: OpenUnitOfWork, shop: Shop, cursor: str) -> None:
    async with open_postgres(shop.actor) as uow:
        with pytest.raises(CursorRefused):
            await uow.quotes.page(QuoteFilter(), Paging(cursor=cursor))
        with pytest.raises(CursorRefused):
            await uow.audit.page(AuditFilter(), Paging(cursor=cursor))


@pytest.mark.asyncio
@settings(max_examples=100)
@given(cursor=st.text(max_size=40) | st.binary(max_size=40).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
async def test_no_cursor_breaks_a_list(open_postgres: OpenUnitOfWork, named_shop: Shop, cursor: str) -> None:
    async with open_postgres(named_shop.actor) as uow:
        for page in (
            uow.quotes.page(QuoteFilter(), Paging(cursor=cursor)),
            uow.audit.page(AuditFilter(), Paging(cursor=cursor)),
        ):
            try:
                await page
            except CursorRefused:
                continue


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("100%", ["100% Wool"]),
        ("a_b", ["A_B"]),
        ("c:\\", ["C:\\Parts"]),
        ("mÜLLER", ["Müller"]),
        ("STRASSE", ["Hauptstraße"]),
        ("œuvre", ["Œuvre"]),
        ("한국", ["한국전자"]),
        ("%", ["100% Wool"]),
        ("\0", []),
        ("\x1f", []),
        ("'; DROP TABLE customers; --", []),
    ],
)
async def test_a_search_takes_every_character_as_itself_and_no_matter_the_case(
    open_postgres: OpenUnitOfWork, named_shop: Shop, search: str, found: list[str]
) -> None:
    page = await _page(open_postgres, named_shop, search, Paging(limit=50))

    assert [customer.party.name for customer in page.items] == found
    assert page.total == len(found)


@pytest.mark.asyncio
async def test_every_list_is_searched_in_the_fields_that_its_port_names(
    open_postgres: OpenUnitOfWork, shop: Shop
) -> None:
    customer = a_customer("Numbered", vat_number="CHE-123", registration_number="HRB 77")
    async with open_postgres(shop.made.actor(Role.ADMIN)) as uow:
        await uow.customers.save(customer.create())
        await uow.contacts.save(a_contact(customer.id, "Änne", "aenne@numbered.example").create())
        await uow.products.save(a_product("Needle-7", name="Nadel", description="Rostfrei").create())
        quote = await shop.new_quote(uow, shop.content(title="Übung"))

        def hits(page: Page[Any]) -> int:
            return page.total

        for search in ("che-123", "hrb 77", "numbered"):
            assert hits(await uow.customers.page(CustomerFilter(search=search), Paging())) == 1, search
        for search in ("ÄNNE", "@numbered"):
            assert hits(await uow.contacts.page(ContactFilter(search=search), Paging())) == 1, search
            assert (
                hits(await uow.contacts.page(ContactFilter(search=search, customer_id=shop.customer.id), Paging())) == 0
            ), search
        for search in ("needle", "NADEL", "rostfrei"):
            assert hits(await uow.products.page(ProductFilter(search=search), Paging())) == 1, search
        for search in (quote.number.lower(), "üBUNG", "buyer ag"):
            assert hits(await uow.quotes.page(QuoteFilter(search=search), Paging())) == 1, search


@pytest.mark.asyncio
async def test_filters_of_quotes_must_all_hold_and_the_range_leaves_its_end_out(
    open_postgres: OpenUnitOfWork, shop: Shop
) -> None:
    early = await shop.stored_quote(open_postgres, at=NOON)
    late = await shop.stored_quote(open_postgres, at=NOON + timedelta(days=1))

    async def found(criteria: QuoteFilter) -> set[str]:
        async with open_postgres(shop.actor) as uow:
            page = await uow.quotes.page(criteria, Paging())
            streamed = {summary.number async for summary in uow.quotes.stream(criteria)}
        assert streamed == {summary.number for summary in page.items}
        return streamed

    assert await found(QuoteFilter()) == {early.number, late.number}
    assert await found(QuoteFilter(created_from=NOON, created_before=NOON + timedelta(days=1))) == {early.number}
    assert await found(QuoteFilter(statuses=(QuoteStatus.DRAFT,), customer_id=shop.customer.id)) != set()
    assert await found(QuoteFilter(statuses=(QuoteStatus.SENT, QuoteStatus.APPROVED))) == set()
    assert await found(QuoteFilter(owner_id=shop.user_id, customer_id=a_customer().id)) == set()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("paging", "items", "statements"),
    [
        (Paging(limit=100), 31, 1),  # All of it: nobody needs to count.
        (Paging(limit=31), 31, 1),
        (Paging(limit=30), 30, 2),
        (Paging(limit=20, skip=11), 20, 1),
        (Paging(limit=20, skip=10), 20, 2),
        (Paging(limit=20, skip=40), 0, 2),
    ],
)
async def test_a_page_takes_at_most_two_statements_however_many_rows_it_has(
    open_postgres: OpenUnitOfWork, app_engine: AsyncEngine, shop: Shop, paging: Paging, items: int, statements: int
) -> None:
    await _store_customers(open_postgres, shop, *(a_customer() for _ in range(30)))

    async with open_postgres(shop.actor) as uow:
        with statements_of(app_engine) as seen:
            page = await uow.customers.page(CustomerFilter(), paging)

    assert (len(page.items), page.total, len(seen)) == (items, 31, statements)


@pytest.mark.asyncio
async def test_the_last_page_of_many_says_how_many_there_are_in_all(open_postgres: OpenUnitOfWork, shop: Shop) -> None:
    await _store_customers(open_postgres, shop, *(a_customer() for _ in range(30)))

    async with open_postgres(shop.actor) as uow:
        first = await uow.customers.page(CustomerFilter(), Paging(limit=20))
        last = await uow.customers.page(CustomerFilter(), Paging(limit=20, cursor=first.next_cursor))

    assert (len(last.items), last.total, last.next_cursor) == (11, 31, None)


async def _fill(uow: UnitOfWork, shop: Shop, rows: int) -> None:
    """*rows* copies of the shop's customer; through SQL, because it is only their number that matters."""
    assert isinstance(uow, PostgresUnitOfWork)
    await uow._transaction.connection.execute(
        text(
            "INSERT INTO proffer.quotes SELECT organization_id, gen_random_uuid(), 'X-' || n, :customer, :owner, "
            "now() + n * interval '1 second', 1, 1, 'draft', '', '', 'EUR', 0, 0, n, '2026-12-31', '' "
            "FROM proffer.customers, generate_series(1, :rows) AS n WHERE id = :customer"
        ),
        {"customer": shop.customer.id, "owner": shop.user_id, "rows": rows},
    )


@pytest.mark.asyncio
async def test_a_stream_comes_in_batches_from_a_cursor_on_the_server_in_order(
    open_postgres: OpenUnitOfWork, shop: Shop
) -> None:
    async with open_postgres(shop.actor) as uow:
        await _fill(uow, shop, 2500)
        payables: list[int] = []
        async for summary in uow.quotes.stream(QuoteFilter()):
            if not payables:
                cursors = await _cursors(uow)
            payables.append(int(summary.payable))

        assert payables == list(range(1, 2501))
        assert len(cursors) == 1


@pytest.mark.asyncio
async def test_a_stream_that_is_left_early_does_no_harm(open_postgres: OpenUnitOfWork, shop: Shop) -> None:
    async with open_postgres(shop.actor) as uow:
        await _fill(uow, shop, 2500)
        async for _ in uow.quotes.stream(QuoteFilter()):
            break
        page = await uow.quotes.page(QuoteFilter(), Paging())

    assert page.total == 2500


async def _cursors(uow: UnitOfWork) -> list[str]:
    """The cursors that are open on the server, but for this statement's own."""
    assert isinstance(uow, PostgresUnitOfWork)
    rows = await uow._transaction.connection.execute(
        text(
            "SELECT name FROM pg_cursors WHERE statement LIKE '%proffer.quotes%' AND statement NOT LIKE '%pg_cursors%'"
        )
    )
    return list(rows.scalars())


@pytest.mark.asyncio
async def test_the_audit_is_walked_by_cursor_and_filtered(open_postgres: OpenUnitOfWork, shop: Shop) -> None:
    before = datetime.now(UTC) + timedelta(seconds=1)
    quote = await shop.stored_quote(open_postgres)
    async with open_postgres(shop.actor) as uow:
        whole = [entry async for entry in uow.audit.stream(AuditFilter())]
        first = await uow.audit.page(AuditFilter(), Paging(limit=3))
        second = await uow.audit.page(AuditFilter(), Paging(limit=100, cursor=first.next_cursor))
        of_quote = await uow.audit.of_resource("quote", quote.id)
        created = await uow.audit.page(AuditFilter(action="user.created", before=before), Paging())
        none = await uow.audit.page(AuditFilter(action="user.created", since=before), Paging())

    assert [entry.sequence for entry in whole] == list(range(1, len(whole) + 1))
    assert [*first.items, *second.items] == whole[::-1]
    assert first.total == second.total == len(whole)
    assert [entry.record.action for entry in of_quote] == ["quote.created"]
    assert created.total == len(Role)
    assert none.total == 0
