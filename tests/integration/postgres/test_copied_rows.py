"""CSV of what PostgreSQL copies out: byte for byte what the writer makes of the same rows, for one tenant only."""

import asyncio
import codecs
import csv
import io
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import String, column, func, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncEngine

from src.adapters.postgres import copied_rows
from src.adapters.postgres.addresses import DatabaseUrls
from src.adapters.postgres.connection import lent
from src.adapters.postgres.tables import quotes
from src.adapters.spreadsheets import FileSpreadsheets
from src.adapters.system import SystemClock
from src.application.documents.export_data import ExportData, ExportDataCommand
from src.application.documents.export_sources import ExportRequest, Progress
from src.application.documents.export_tables import QUOTES
from src.application.documents.export_writer import ExportWriter
from src.application.ports.documents import Column, ColumnKind, NothingToExport, SpreadsheetFormat
from src.application.ports.quoting import QuoteFilter
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.application.transactions import Transactions
from src.domain.documents.export import ExportFilters, ExportFormat, ExportKind
from src.domain.identity.actor import Actor, Role
from src.domain.quoting.pricing import LinePricing, Tax
from src.domain.shared.custom_fields import CustomField, FieldKind, FieldSubject
from src.domain.shared.ids import CustomFieldId
from tests.builders.offers import NOON, Shop, a_line, new_shop
from tests.builders.renderers import SUMMARIES

pytestmark = pytest.mark.asyncio
NASTY = [
    "=1+1",
    '@SUM(A1);"x"',
    'a"\n"b',
    "\u00a0=1",
    "\u3000\u200b-1",
    "a;\t=1",
    "제어반, Żółć",
    " plain",
    "-5",
    "{=1}",
    "＝1",
    "a\\b\\.",
]
TWO = (Column("Text", ColumnKind.TEXT), Column("Number", ColumnKind.INTEGER))
texts = st.text(
    st.sampled_from([*"=+-@|;\t\r\n\v'\" {a1é\\nb", *"\u00a0\u3000\u200b\ufeff\u2003\x85\x1c＝－"]), max_size=12
)


class Counted(Progress):
    """What an export says of itself while it is made."""

    def __init__(self) -> None:
        self.expected = self.rows = 0

    def expect(self, rows: int) -> None:
        self.expected = rows

    def add(self, rows: int) -> None:
        self.rows += rows


class WithoutCopies:
    """A store that has to go row by row."""

    def __init__(self, quotes: Any) -> None:
        self._quotes = quotes

    def __getattr__(self, name: str) -> Any:
        return (lambda *_, **__: None) if name == "copied" else getattr(self._quotes, name)


def row_by_row(opener: OpenUnitOfWork) -> Any:
    """*opener*, but its quotes know no quicker way."""

    @asynccontextmanager
    async def opened(actor: Actor) -> AsyncIterator[Any]:
        async with opener(actor) as uow:
            store: Any = uow
            store.quotes = WithoutCopies(uow.quotes)
            yield uow

    return opened


async def exported(
    kind: ExportKind, opener: Any, shop: Shop, path: Path, role: Role = Role.ADMIN, **filters: Any
) -> bytes:
    request = ExportRequest(kind=kind, file_format=ExportFormat.CSV, filters=ExportFilters(**filters))
    transactions, clock = Transactions(opener), SystemClock()
    export = ExportData(ExportWriter(transactions, FileSpreadsheets(), SUMMARIES, clock), transactions, clock)
    seen = Counted()
    count = (await export(shop.made.actor(role), ExportDataCommand(request=request, path=path), seen)).rows
    assert (seen.expected, seen.rows) == (count, count)
    content = await asyncio.to_thread(path.read_bytes)
    assert count == len([*csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))]) - 1
    return content


async def a_shop_with_offers(open_postgres: OpenUnitOfWork) -> Shop:
    shop = await new_shop(open_postgres)
    async with open_postgres(shop.made.actor(Role.ADMIN)) as uow:
        for key, kind in (("note", FieldKind.TEXT), ("size", FieldKind.NUMBER), ("due", FieldKind.DATE)):
            field = CustomField(
                id=CustomFieldId(uuid4()),
                subject=FieldSubject.QUOTE,
                key=key,
                label=f"={key}",
                kind=kind,
                created_at=NOON,
            )
            await uow.custom_fields.save(field.create())
        await uow.commit()
    for day, nasty in enumerate(NASTY):
        prices = LinePricing(
            quantity=Decimal("-0.5"),
            unit_price=Decimal("12.123456"),
            taxes=(Tax(category="S", rate_percent=Decimal(19)),),
        )
        line = a_line(description=nasty, sku=f"S{day}", pricing=prices)
        chosen = replace(prices, optional=True, chosen=bool(day % 2), unit_cost=Decimal("3.10"), section="Hall 1")
        content = shop.content(
            line,
            a_line(pricing=chosen),
            title=nasty.replace("\n", " ").replace("\t", " "),
            custom=(("due", "2026-05-01"), ("note", "=a;=b"), ("size", "-1.5")) if day % 3 else (),
        )
        await shop.stored_quote(open_postgres, content, at=NOON + timedelta(minutes=day, microseconds=999_999))
    return shop


@pytest.mark.parametrize("kind", [ExportKind.QUOTES, ExportKind.QUOTE_LINES])
@pytest.mark.parametrize("role", [Role.ADMIN, Role.SALES])
async def test_what_the_database_makes_is_what_the_writer_makes(
    open_postgres: OpenUnitOfWork, tmp_path: Path, kind: ExportKind, role: Role
) -> None:
    shop = await a_shop_with_offers(open_postgres)
    conditions = {"statuses": ("draft", "sent"), "owner_id": shop.user_id}

    copied = await exported(kind, open_postgres, shop, tmp_path / "copied", role, **conditions)
    written = await exported(kind, row_by_row(open_postgres), shop, tmp_path / "rows", role, **conditions)

    assert copied == written
    assert copied.count(b"\r\n") == len(NASTY) * (1 if kind is ExportKind.QUOTES else 2) + 1


async def test_a_copy_may_take_longer_than_a_statement_and_leaves_the_limit_behind(
    open_postgres: OpenUnitOfWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = await a_shop_with_offers(open_postgres)
    slow = func.concat(quotes.c.number, func.pg_sleep(0.05))
    monkeypatch.setattr("src.adapters.postgres.copied_rows._OF_QUOTES", {**copied_rows._OF_QUOTES, "number": slow})

    async with open_postgres(shop.actor) as uow:
        connection = uow.quotes._transaction.connection  # type: ignore[attr-defined]  # The adapter's, not the port's.
        await connection.execute(text("SET LOCAL statement_timeout = '200ms'"))
        copied = uow.quotes.copied(QuoteFilter(), [QUOTES[0], QUOTES[1]], lambda _: None, lines=False)
        assert copied is not None

        async def sink(_: bytes) -> None:
            """Nobody reads it."""

        assert await copied(sink) == len(NASTY)
        limit = (await connection.execute(text("SHOW statement_timeout"))).scalar_one()

    assert limit == "5s"


async def test_nobody_elses_rows_are_copied(open_postgres: OpenUnitOfWork, tmp_path: Path) -> None:
    full, empty = await a_shop_with_offers(open_postgres), await new_shop(open_postgres)

    with pytest.raises(NothingToExport):
        await exported(ExportKind.QUOTES, open_postgres, empty, tmp_path / "none")
    with pytest.raises(NothingToExport):
        await exported(ExportKind.QUOTE_LINES, open_postgres, empty, tmp_path / "none", customer_id=full.customer.id)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some=st.lists(texts, min_size=40, max_size=80))
async def test_whatever_is_copied_no_field_begins_a_formula_for_any_reader(
    app_engine: AsyncEngine, database: DatabaseUrls, tmp_path: Path, some: list[str]
) -> None:
    copied, written = tmp_path / "copied", tmp_path / "written"
    each = (
        func.unnest(literal(some, ARRAY(String)))
        .table_valued(column("value"), with_ordinality="place")
        .render_derived()
    )
    statement = select(each.c.value, each.c.place * -1).order_by(each.c.place)

    async with lent(app_engine) as connection:
        count = await FileSpreadsheets().write_csv(copied, TWO, lambda sink: connection.copy_out(statement, sink))
    await FileSpreadsheets().write(written, SpreadsheetFormat.CSV, TWO, counted_down(some), "Rows")

    content = await asyncio.to_thread(copied.read_bytes)
    assert (count, content) == (len(some), await asyncio.to_thread(written.read_bytes))
    for delimiter in ",;\t|":
        for row in csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=delimiter):
            assert not any(begins_a_formula(field) for field in (row[:-1] if delimiter == "," else row)), row
    by_database = await read_by_postgres(database, copied)
    assert [row[1] for row in by_database] == [str(-place) for place in range(1, len(some) + 1)]
    assert not any(begins_a_formula(row[0]) for row in by_database)


async def counted_down(some: Sequence[str]) -> AsyncIterator[tuple[str, int]]:
    for place, one in enumerate(some, start=1):
        yield one, -place


def begins_a_formula(field: str) -> bool:
    return field.startswith(("\t", "\r", "\n")) or field.lstrip(
        ' \t\r\n\u00a0\u3000\u200b\ufeff\u2003\x85\x1c"'
    ).startswith(tuple("=+-@|＝－"))


async def read_by_postgres(database: DatabaseUrls, path: Path) -> list[Any]:
    """By a reader of CSV that is not Python's."""
    connection = await asyncpg.connect(database.owner.replace("+asyncpg", ""))
    try:
        await connection.execute("CREATE TEMP TABLE read_back (place serial, value text, number text)")
        source = io.BytesIO((await asyncio.to_thread(path.read_bytes)).removeprefix(codecs.BOM_UTF8))
        await connection.copy_to_table(
            "read_back", source=source, columns=["value", "number"], format="csv", header=True, force_not_null=["value"]
        )
        return [tuple(row) for row in await connection.fetch("SELECT value, number FROM read_back ORDER BY place")]
    finally:
        await connection.close()
