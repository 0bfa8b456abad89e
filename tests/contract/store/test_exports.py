"""Exports on both stores: what stands in the files, for whom, and what the audit hears of it."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from src.adapters.memory.spreadsheets import MemorySpreadsheets
from src.adapters.system import SystemClock
from src.application.documents.export_data import ExportData, ExportDataCommand
from src.application.documents.export_sources import ExportRequest
from src.application.documents.export_writer import ExportWriter
from src.application.ports.audit import AuditFilter
from src.application.ports.documents import NothingToExport
from src.application.ports.paging import Paging
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.application.transactions import Transactions
from src.domain.catalog.category import Category
from src.domain.customers.customer import Customer, CustomerStatus
from src.domain.documents.export import ExportFilters, ExportFormat, ExportKind, ExportTooLarge
from src.domain.identity.actor import Actor, PermissionMissing, Role
from src.domain.quoting.pricing import LinePricing, Tax
from src.domain.quoting.quote import Quote
from src.domain.shared.currency import Currency
from src.domain.shared.custom_fields import CustomField, FieldKind, FieldSubject
from src.domain.shared.errors import Invalid
from src.domain.shared.ids import CategoryId, CustomerId, CustomFieldId, QuoteId, UserId
from tests.builders.quotes import a_content, a_customer, a_line, a_product
from tests.builders.renderers import SUMMARIES
from tests.organizations import TestOrganization

pytestmark = pytest.mark.asyncio
D = Decimal
FILE = Path("/nowhere/file")
VAT = Tax(category="VAT", rate_percent=D(19))


class Exporting:
    """An organisation in Berlin, and what its people export."""

    def __init__(self, open_uow: OpenUnitOfWork, team: TestOrganization) -> None:
        self.open, self.team = open_uow, team
        self.files = MemorySpreadsheets()

    async def run(
        self, kind: ExportKind, actor: Actor | None = None, *, most_rows: int | None = None, **filters: Any
    ) -> list[dict[str, Any]]:
        """Rows by the titles of their columns."""
        transactions, clock = Transactions(self.open), SystemClock()
        export = ExportData(ExportWriter(transactions, self.files, SUMMARIES, clock), transactions, clock)
        form = ExportFormat.PDF if kind is ExportKind.SUMMARY else ExportFormat.XLSX
        request = ExportRequest(kind=kind, file_format=form, filters=ExportFilters(**filters))
        command = ExportDataCommand(request=request, path=FILE, most_rows=most_rows)
        written = await export(actor or self.team.actor(Role.ADMIN), command)
        titles, *rows = self.files.written[FILE]
        assert written.rows == len(rows)
        return [dict(zip(map(str, titles), row, strict=True)) for row in rows]

    async def quotes(self, actor: Actor | None = None, **filters: Any) -> list[dict[str, Any]]:
        return await self.run(ExportKind.QUOTES, actor, **filters)

    async def lines(self, actor: Actor | None = None, **filters: Any) -> list[dict[str, Any]]:
        return await self.run(ExportKind.QUOTE_LINES, actor, **filters)

    async def a_customer(self, **changes: Any) -> Customer:
        async with self.open(self.team.actor(Role.ADMIN)) as uow:
            customer = await uow.customers.save(a_customer(**changes).create())
            await uow.commit()
        return customer

    async def a_quote(self, customer: Customer, number: str, at: datetime, **content: Any) -> Quote:
        change = Quote.create(
            quote_id=QuoteId(uuid4()),
            number=number,
            customer_id=customer.id,
            content=a_content(buyer=customer.party, **content),
            by=self.team.users[Role.SALES].id,
            at=at,
        )
        async with self.open(self.team.actor(Role.SALES)) as uow:
            quote = await uow.quotes.save(change)
            await uow.commit()
        return quote

    async def a_field(self, subject: FieldSubject, key: str, kind: FieldKind) -> None:
        made = CustomField(
            id=CustomFieldId(uuid4()),
            subject=subject,
            key=key,
            label=key.title(),
            kind=kind,
            created_at=at_noon(1),
        )
        async with self.open(self.team.actor(Role.ADMIN)) as uow:
            await uow.custom_fields.save(made.create())
            await uow.commit()

    async def exports_told(self) -> list[str]:
        async with self.open(self.team.actor(Role.OWNER)) as uow:
            entries = (await uow.audit.page(AuditFilter(), Paging(limit=100))).items
        return [entry.record.action for entry in entries if entry.record.action.endswith("exported")]


def at_noon(day: int) -> datetime:
    return datetime(2026, 3, day, 12, tzinfo=UTC)


def a_priced_line(sku: str, price: str, **pricing: Any) -> Any:
    return a_line(sku=sku, pricing=LinePricing(quantity=D(2), unit_price=D(price), taxes=(VAT,), **pricing))


@pytest_asyncio.fixture
async def exporting(open_uow: OpenUnitOfWork, organization: TestOrganization) -> Exporting:
    return Exporting(open_uow, organization)


async def test_quotes_have_totals_for_each_currency(exporting: Exporting) -> None:
    customer = await exporting.a_customer()
    for day, currency in enumerate(("EUR", "EUR", "KRW"), start=1):
        line = a_priced_line("A", "100")
        await exporting.a_quote(customer, f"Q-{day}", at_noon(day), lines=(line,), currency=Currency.of(currency))

    rows = await exporting.quotes()

    assert [row["Number"] for row in rows] == ["Q-1", "Q-2", "Q-3"]
    assert rows[0]["Payable"] == D("238.00")
    assert rows[0]["Owner"] == exporting.team.users[Role.SALES].name
    euros, won = exporting.files.totals[FILE]
    assert (euros[0], euros[5], *euros[6:9]) == ("Total (2)", "EUR", D(400), D(76), D(476))
    assert (won[0], won[5], won[8]) == ("Total (1)", "KRW", D(238))
    assert await exporting.exports_told() == ["quotes.exported"]


async def test_quotes_are_chosen_by_days_of_the_organisation_customer_and_owner(exporting: Exporting) -> None:
    ours, theirs = await exporting.a_customer(), await exporting.a_customer()
    # In Berlin it is the second of March already.
    await exporting.a_quote(ours, "Q-1", datetime(2026, 3, 1, 23, 30, tzinfo=UTC))
    await exporting.a_quote(theirs, "Q-2", at_noon(3))
    owner = exporting.team.users[Role.SALES].id

    async def numbers(**options: Any) -> list[str]:
        return [row["Number"] for row in await exporting.quotes(**options)]

    assert await numbers(start=date(2026, 3, 2), end=date(2026, 3, 2)) == ["Q-1"]
    assert await numbers(start=date(2026, 3, 3)) == ["Q-2"]
    assert await numbers(customer_id=theirs.id) == ["Q-2"]
    assert await numbers(owner_id=owner) == ["Q-1", "Q-2"]
    for nothing in (
        {"end": date(2026, 3, 1)},
        {"customer_id": CustomerId(uuid4())},
        {"owner_id": UserId(uuid4())},
    ):
        with pytest.raises(NothingToExport, match="No data for export"):
            await numbers(**nothing)
    with pytest.raises(Invalid):
        await numbers(start=date(2026, 3, 3), end=date(2026, 3, 2))


async def test_custom_fields_are_further_columns_with_their_types(exporting: Exporting) -> None:
    await exporting.a_field(FieldSubject.QUOTE, "region", FieldKind.TEXT)
    await exporting.a_field(FieldSubject.QUOTE, "chance", FieldKind.NUMBER)
    await exporting.a_field(FieldSubject.QUOTE, "start", FieldKind.DATE)
    await exporting.a_field(FieldSubject.CUSTOMER, "not_here", FieldKind.TEXT)
    customer = await exporting.a_customer()
    values = (("chance", "0.5"), ("region", "=north"), ("start", "2026-05-01"))
    await exporting.a_quote(customer, "Q-1", at_noon(1), custom=values)
    await exporting.a_quote(customer, "Q-2", at_noon(2))

    with_values, without = await exporting.quotes()
    (line, _) = await exporting.lines()

    assert (with_values["Region"], with_values["Chance"], with_values["Start"]) == (
        "=north",
        D("0.5"),
        date(2026, 5, 1),
    )
    assert (without["Region"], without["Chance"]) == (None, None)
    assert line["Chance"] == D("0.5")
    assert "Not_Here" not in with_values


async def test_lines_are_those_of_the_current_revision_and_options_do_not_count(exporting: Exporting) -> None:
    customer = await exporting.a_customer()
    lines = (a_priced_line("A", "10", section="Hall"), a_priced_line("B", "5", optional=True))
    await exporting.a_quote(customer, "Q-1", at_noon(1), lines=lines)
    second = tuple(a_priced_line(str(position), "1") for position in range(12))
    await exporting.a_quote(customer, "Q-2", at_noon(2), lines=second)

    rows = await exporting.lines()

    assert [(row["Number"], row["Position"]) for row in rows] == [
        ("Q-1", 1),
        ("Q-1", 2),
        *(("Q-2", position) for position in range(1, 13)),
    ]
    assert (rows[0]["SKU"], rows[0]["Section"], rows[0]["Net"], rows[0]["Counts"]) == ("A", "Hall", D(20), True)
    assert rows[1]["Counts"] is False
    assert exporting.files.totals[FILE] == ()  # Some nets are with tax and others without: they have no sum.
    assert await exporting.exports_told() == ["quote_lines.exported"]


async def test_costs_leave_only_with_those_who_may_see_them(exporting: Exporting) -> None:
    customer = await exporting.a_customer()
    await exporting.a_quote(customer, "Q-1", at_noon(1), lines=(a_priced_line("A", "10", unit_cost=D(7)),))
    async with exporting.open(exporting.team.actor(Role.ADMIN)) as uow:
        await uow.products.save(a_product(cost=D("3.50")).create())
        await uow.commit()
    sales = exporting.team.actor(Role.SALES)

    assert (await exporting.lines())[0]["Unit cost"] == D(7)
    assert "Unit cost" not in (await exporting.lines(sales))[0]
    assert (await exporting.run(ExportKind.PRODUCTS))[0]["Cost"] == D("3.50")
    assert "Cost" not in (await exporting.run(ExportKind.PRODUCTS, sales))[0]


async def test_products_have_their_category_and_are_chosen_by_archive_and_day(exporting: Exporting) -> None:
    desks = Category(id=CategoryId(uuid4()), name="Desks", parent_id=None, created_at=at_noon(1))
    async with exporting.open(exporting.team.actor(Role.ADMIN)) as uow:
        await uow.categories.save(desks.create())
        await uow.products.save(a_product(sku="A", category_id=desks.id, created_at=at_noon(1)).create())
        await uow.products.save(a_product(sku="B", archived=True, created_at=at_noon(2)).create())
        await uow.commit()

    async def skus(archived: bool | None = None, **days: Any) -> list[str]:
        return [row["SKU"] for row in await exporting.run(ExportKind.PRODUCTS, archived=archived, **days)]

    rows = await exporting.run(ExportKind.PRODUCTS)
    assert [(row["SKU"], row["Category"], row["Archived"]) for row in rows] == [("A", "Desks", False), ("B", "", True)]
    assert await skus(archived=True) == ["B"]
    assert await skus(archived=False) == ["A"]
    assert await skus(start=date(2026, 3, 2)) == ["B"]
    assert await skus(end=date(2026, 3, 1)) == ["A"]


async def test_customers_are_chosen_by_state_and_day_and_deleted_ones_stay_away(exporting: Exporting) -> None:
    await exporting.a_customer(reference="K-1", tags=("a", "b"), credit_limit=D(500), created_at=at_noon(1))
    await exporting.a_customer(reference="K-2", status=CustomerStatus.PENDING, created_at=at_noon(2))
    gone = await exporting.a_customer(reference="K-3")
    async with exporting.open(exporting.team.actor(Role.ADMIN)) as uow:
        change = gone.delete(SystemClock().now())
        await uow.customers.save(replace(change, before=gone))
        await uow.commit()

    async def references(statuses: tuple[CustomerStatus, ...] = (), **days: Any) -> list[str]:
        found = await exporting.run(ExportKind.CUSTOMERS, statuses=tuple(map(str, statuses)), **days)
        return [row["Reference"] for row in found]

    (first, _) = await exporting.run(ExportKind.CUSTOMERS)
    assert (first["Name"], first["City"], first["Tags"], first["Credit limit"]) == ("Brandt KG", "Leipzig", "a, b", 500)
    assert await references() == ["K-1", "K-2"]
    assert await references((CustomerStatus.PENDING,)) == ["K-2"]
    assert await references(end=date(2026, 3, 1)) == ["K-1"]


async def test_nothing_is_no_export_and_nobody_else_is_exported(
    exporting: Exporting, open_uow: OpenUnitOfWork, other: TestOrganization
) -> None:
    elsewhere = Exporting(open_uow, other)
    customer = await elsewhere.a_customer()
    await elsewhere.a_quote(customer, "Q-1", at_noon(1))

    for kind in sorted(set(ExportKind) - {ExportKind.AUDIT, ExportKind.SUMMARY}):
        with pytest.raises(NothingToExport):
            await exporting.run(kind)
    with pytest.raises(NothingToExport):
        await exporting.quotes(customer_id=customer.id)
    assert await exporting.exports_told() == []


async def test_viewers_export_nothing(exporting: Exporting) -> None:
    for kind in ExportKind:
        with pytest.raises(PermissionMissing):
            await exporting.run(kind, exporting.team.actor(Role.VIEWER))


async def test_what_is_too_large_is_refused_before_anything_is_written(exporting: Exporting) -> None:
    customer = await exporting.a_customer()
    await exporting.a_customer()
    async with exporting.open(exporting.team.actor(Role.ADMIN)) as uow:
        for sku in "AB":
            await uow.products.save(a_product(sku=sku).create())
        await uow.commit()
    for day in (1, 2):
        await exporting.a_quote(customer, f"Q-{day}", at_noon(day), lines=(a_priced_line("A", "1"),))

    for kind in sorted(set(ExportKind) - {ExportKind.AUDIT, ExportKind.SUMMARY}):
        assert len(await exporting.run(kind, most_rows=2)) == 2
    exporting.files.written.clear()
    for kind in sorted(set(ExportKind) - {ExportKind.SUMMARY}):
        with pytest.raises(ExportTooLarge, match="POST /api/v1/exports") as refused:
            await exporting.run(kind, most_rows=1)
        assert refused.value.details == {"most_rows": 1}
    # What counts is what would be written.
    assert len(await exporting.quotes(most_rows=1, end=date(2026, 3, 1))) == 1
    assert list(exporting.files.written) == [FILE]


async def test_filters_of_another_kind_are_refused(exporting: Exporting) -> None:
    for kind, filters in (
        (ExportKind.PRODUCTS, {"statuses": ("draft",)}),
        (ExportKind.CUSTOMERS, {"owner_id": UserId(uuid4())}),
        (ExportKind.QUOTES, {"archived": True}),
        (ExportKind.QUOTES, {"statuses": ("approved?",)}),
        (ExportKind.CUSTOMERS, {"statuses": ("draft",)}),
        (ExportKind.AUDIT, {"trace_id": "x"}),
    ):
        with pytest.raises(Invalid):
            await exporting.run(kind, **filters)
