"""Write quotes, their lines, customers and products into files."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from src.application.documents.export_tables import (
    COST,
    CUSTOMERS,
    LINES,
    PRODUCTS,
    QUOTES,
    UNIT_COST,
    CustomColumns,
    Row,
    Totals,
    counts,
    customer_row,
    line_row,
    product_row,
    quote_row,
)
from src.application.ports.catalog import ProductFilter
from src.application.ports.clock import Clock
from src.application.ports.customers import CustomerFilter
from src.application.ports.documents import Column, CsvSource, NothingToExport, SpreadsheetFormat, SpreadsheetWriter
from src.application.ports.quoting import QuoteFilter
from src.application.ports.unit_of_work import UnitOfWork
from src.application.transactions import Transactions
from src.domain.customers.customer import CustomerStatus
from src.domain.identity.actor import Actor, Permission
from src.domain.quoting.content import LAST_YEAR
from src.domain.quoting.states import QuoteStatus
from src.domain.shared.custom_fields import FieldSubject
from src.domain.shared.errors import invalid_field
from src.domain.shared.events import DomainEvent
from src.domain.shared.ids import CustomerId, UserId

OnRow = Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class DataExported(DomainEvent):
    """*start* and *end* are days, both included."""

    resource_type: str = "organization"
    file_format: str
    rows: int
    start: date | None
    end: date | None
    statuses: tuple[str, ...] = ()
    customer_id: CustomerId | None = None
    owner_id: UserId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotesExported(DataExported):
    action = "quotes.exported"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteLinesExported(DataExported):
    action = "quote_lines.exported"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomersExported(DataExported):
    action = "customers.exported"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductsExported(DataExported):
    action = "products.exported"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where to: a file at *path*, created from *start* to *end*, both days included, in the organisation's time zone."""

    path: Path
    file_format: SpreadsheetFormat
    start: date | None = None
    end: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportQuotesCommand:
    """*customer_id* and *owner_id* None: whoever it is."""

    target: Target
    statuses: tuple[QuoteStatus, ...] = ()
    customer_id: CustomerId | None = None
    owner_id: UserId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportCustomersCommand:
    target: Target
    statuses: tuple[CustomerStatus, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportProductsCommand:
    """*archived* None: both."""

    target: Target
    archived: bool | None = None


class _Export:
    """Each returns the number of rows written. Audited, because data leaves the house.

    Raises NothingToExport, TooManyRows, Invalid.
    """

    def __init__(self, transactions: Transactions, spreadsheets: SpreadsheetWriter, clock: Clock) -> None:
        self._transactions, self._spreadsheets, self._clock = transactions, spreadsheets, clock

    async def _write(
        self,
        target: Target,
        columns: Sequence[Column],
        rows: AsyncIterator[Row],
        sheet: str,
        totals: Callable[[], Sequence[Row]] = tuple,
        copied: CsvSource | None = None,
    ) -> int:
        if copied is not None and target.file_format is SpreadsheetFormat.CSV:
            count = await self._spreadsheets.write_csv(target.path, columns, copied)
        else:
            count = await self._spreadsheets.write(target.path, target.file_format, columns, rows, sheet, totals)
        if not count:
            raise NothingToExport("No data for export: nothing meets these conditions.")
        return count


class ExportQuotes(_Export):
    async def __call__(self, actor: Actor, command: ExportQuotesCommand, on_row: OnRow = lambda: None) -> int:
        check_days(command.target)
        async with self._transactions.begin(actor, Permission.EXPORT_QUOTES) as uow:
            custom = CustomColumns(await uow.custom_fields.all(FieldSubject.QUOTE))
            owners = {user.id: user.name for user in await uow.users.all()}
            columns = (*QUOTES, *custom.columns)
            totals = Totals(columns, "total_without_tax", "tax_total", "payable")
            criteria = await quotes_of(uow, command)

            async def rows() -> AsyncIterator[Row]:
                async for quote in uow.quotes.stream(criteria):
                    on_row()
                    totals.add(quote.currency, quote.total_without_tax, quote.tax_total, quote.payable)
                    yield (*quote_row(quote, owners), *custom.cells(quote.custom))

            copied = uow.quotes.copied(criteria, columns, lines=False)
            count = await self._write(command.target, columns, rows(), "Quotes", totals.rows, copied)
            uow.record(_told(QuotesExported, actor, command, count, self._clock.now()))
            await uow.commit()
        return count


class ExportQuoteLines(_Export):
    """The lines of the current revisions; with their costs for those who may see these."""

    async def __call__(self, actor: Actor, command: ExportQuotesCommand, on_row: OnRow = lambda: None) -> int:
        check_days(command.target)
        async with self._transactions.begin(actor, Permission.EXPORT_QUOTES) as uow:
            with_costs = actor.may(Permission.VIEW_COSTS)
            custom = CustomColumns(await uow.custom_fields.all(FieldSubject.QUOTE))
            columns = (*LINES, *((UNIT_COST,) if with_costs else ()), *custom.columns)
            totals = Totals(columns, "net")
            criteria = await quotes_of(uow, command)

            async def rows() -> AsyncIterator[Row]:
                async for line in uow.quotes.stream_lines(criteria):
                    on_row()
                    if counts(line):
                        totals.add(line.quote.currency, line.net)
                    cost = (line.unit_cost,) if with_costs else ()
                    yield (*line_row(line), *cost, *custom.cells(line.quote.custom))

            copied = uow.quotes.copied(criteria, columns, lines=True)
            count = await self._write(command.target, columns, rows(), "Lines", totals.rows, copied)
            uow.record(_told(QuoteLinesExported, actor, command, count, self._clock.now()))
            await uow.commit()
        return count


class ExportCustomers(_Export):
    """Those that are not deleted."""

    async def __call__(self, actor: Actor, command: ExportCustomersCommand, on_row: OnRow = lambda: None) -> int:
        target = command.target
        check_days(target)
        async with self._transactions.begin(actor, Permission.EXPORT_CUSTOMERS) as uow:
            custom = CustomColumns(await uow.custom_fields.all(FieldSubject.CUSTOMER))
            first, before = await _instants(uow, target)
            criteria = CustomerFilter(statuses=command.statuses, created_from=first, created_before=before)

            async def rows() -> AsyncIterator[Row]:
                async for customer in uow.customers.stream(criteria):
                    on_row()
                    yield (*customer_row(customer), *custom.cells(customer.custom))

            count = await self._write(target, (*CUSTOMERS, *custom.columns), rows(), "Customers")
            uow.record(
                CustomersExported(
                    resource_id=actor.organization_id,
                    at=self._clock.now(),
                    file_format=target.file_format.value,
                    rows=count,
                    start=target.start,
                    end=target.end,
                    statuses=tuple(status.value for status in command.statuses),
                )
            )
            await uow.commit()
        return count


class ExportProducts(_Export):
    """With their costs for those who may see these."""

    async def __call__(self, actor: Actor, command: ExportProductsCommand, on_row: OnRow = lambda: None) -> int:
        target = command.target
        check_days(target)
        async with self._transactions.begin(actor, Permission.EXPORT_PRODUCTS) as uow:
            with_costs = actor.may(Permission.VIEW_COSTS)
            custom = CustomColumns(await uow.custom_fields.all(FieldSubject.PRODUCT))
            tree = await uow.categories.tree()
            first, before = await _instants(uow, target)
            criteria = ProductFilter(archived=command.archived, created_from=first, created_before=before)

            async def rows() -> AsyncIterator[Row]:
                async for product in uow.products.stream(criteria):
                    on_row()
                    category = "" if product.category_id is None else tree[product.category_id].name
                    cost = (product.cost,) if with_costs else ()
                    yield (*product_row(product, category), *cost, *custom.cells(product.custom))

            columns = (*PRODUCTS, *((COST,) if with_costs else ()), *custom.columns)
            count = await self._write(target, columns, rows(), "Products")
            uow.record(
                ProductsExported(
                    resource_id=actor.organization_id,
                    at=self._clock.now(),
                    file_format=target.file_format.value,
                    rows=count,
                    start=target.start,
                    end=target.end,
                )
            )
            await uow.commit()
        return count


def check_days(target: Target) -> None:
    """Raises Invalid naming the day."""
    for field, day in (("start_date", target.start), ("end_date", target.end)):
        if day is not None and not 2000 <= day.year <= LAST_YEAR:
            raise invalid_field(field, f"A year from 2000 to {LAST_YEAR} is needed.")
    if target.start and target.end and target.end < target.start:
        raise invalid_field("end_date", "The end lies before the start.")


async def quotes_of(uow: UnitOfWork, command: ExportQuotesCommand) -> QuoteFilter:
    """Unknown customers and owners have no quotes: that is no data, as for those of another organisation."""
    first, before = await _instants(uow, command.target)
    return QuoteFilter(
        statuses=command.statuses,
        customer_id=command.customer_id,
        owner_id=command.owner_id,
        created_from=first,
        created_before=before,
    )


async def _instants(uow: UnitOfWork, target: Target) -> tuple[datetime | None, datetime | None]:
    """From which instant on, and up to which."""
    zone = ZoneInfo((await uow.organizations.current()).time_zone)
    after = None if target.end is None else target.end + timedelta(days=1)
    return _start_of(target.start, zone), _start_of(after, zone)


def _start_of(day: date | None, zone: ZoneInfo) -> datetime | None:
    return None if day is None else datetime.combine(day, time.min, zone)


def _told(
    kind: type[QuotesExported | QuoteLinesExported], actor: Actor, command: ExportQuotesCommand, rows: int, at: datetime
) -> DomainEvent:
    return kind(
        resource_id=actor.organization_id,
        at=at,
        file_format=command.target.file_format.value,
        rows=rows,
        start=command.target.start,
        end=command.target.end,
        statuses=tuple(status.value for status in command.statuses),
        customer_id=command.customer_id,
        owner_id=command.owner_id,
    )
