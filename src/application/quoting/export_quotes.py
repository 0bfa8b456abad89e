"""Write quotes into a spreadsheet."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from src.application.ports.clock import Clock
from src.application.ports.documents import Cell, Column, ColumnKind, SpreadsheetFormat, SpreadsheetWriter
from src.application.ports.quoting import QuoteFilter, QuoteSummary
from src.application.transactions import Transactions
from src.domain.identity.actor import Actor, Permission
from src.domain.quoting.content import LAST_YEAR
from src.domain.quoting.states import QuoteStatus
from src.domain.shared.custom_fields import CustomField, FieldKind, FieldSubject
from src.domain.shared.errors import NotFound, invalid_field
from src.domain.shared.events import DomainEvent

COLUMNS: Final = (
    Column("Number", ColumnKind.TEXT, 16),
    Column("Revision", ColumnKind.INTEGER, 9),
    Column("Status", ColumnKind.TEXT, 17),
    Column("Customer", ColumnKind.TEXT, 32),
    Column("Title", ColumnKind.TEXT, 40),
    Column("Currency", ColumnKind.TEXT, 9),
    Column("Total without tax", ColumnKind.AMOUNT, 18),
    Column("Tax", ColumnKind.AMOUNT, 14),
    Column("Payable", ColumnKind.AMOUNT, 16),
    Column("Valid until", ColumnKind.DATE, 12),
    Column("Created at (UTC)", ColumnKind.INSTANT, 20),
)
# The organisation's own fields stand after these, in their order.
_KINDS: Final = {
    FieldKind.TEXT: ColumnKind.TEXT,
    FieldKind.CHOICE: ColumnKind.TEXT,
    FieldKind.NUMBER: ColumnKind.AMOUNT,
    FieldKind.DATE: ColumnKind.DATE,
}


class NothingToExport(NotFound):
    code = "nothing_to_export"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotesExported(DomainEvent):
    action = "quotes.exported"
    resource_type: str = "organization"
    file_format: str
    rows: int
    start: date | None
    end: date | None
    statuses: tuple[QuoteStatus, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportQuotesCommand:
    """Quotes created from *start* to *end*, both days included, in the organisation's time zone; written to *path*."""

    path: Path
    file_format: SpreadsheetFormat
    start: date | None = None
    end: date | None = None
    statuses: tuple[QuoteStatus, ...] = ()


class ExportQuotes:
    """The number of rows written. Audited, because data leaves the house. Raises NothingToExport, Invalid."""

    def __init__(self, transactions: Transactions, spreadsheets: SpreadsheetWriter, clock: Clock) -> None:
        self._transactions, self._spreadsheets, self._clock = transactions, spreadsheets, clock

    async def __call__(
        self, actor: Actor, command: ExportQuotesCommand, on_row: Callable[[], None] = lambda: None
    ) -> int:
        for field, day in (("start_date", command.start), ("end_date", command.end)):
            if day is not None and not 2000 <= day.year <= LAST_YEAR:
                raise invalid_field(field, f"A year from 2000 to {LAST_YEAR} is needed.")
        if command.start and command.end and command.end < command.start:
            raise invalid_field("end_date", "The end lies before the start.")
        async with self._transactions.begin(actor, Permission.EXPORT_QUOTES) as uow:
            zone = ZoneInfo((await uow.organizations.current()).time_zone)
            criteria = QuoteFilter(
                statuses=command.statuses,
                created_from=_start_of(command.start, zone),
                created_before=_start_of(command.end and command.end + timedelta(days=1), zone),
            )
            fields = await uow.custom_fields.all(FieldSubject.QUOTE)
            columns = (*COLUMNS, *(Column(field.label, _KINDS[field.kind], 20) for field in fields))
            rows = _rows(uow.quotes.stream(criteria), fields, on_row)
            count = await self._spreadsheets.write(command.path, command.file_format, columns, rows, "Quotes")
            if not count:
                raise NothingToExport("There are no quotes to export for these dates and states.")
            uow.record(
                QuotesExported(
                    resource_id=actor.organization_id,
                    at=self._clock.now(),
                    file_format=command.file_format.value,
                    rows=count,
                    start=command.start,
                    end=command.end,
                    statuses=command.statuses,
                )
            )
            await uow.commit()
        return count


def _start_of(day: date | None, zone: ZoneInfo) -> datetime | None:
    return None if day is None else datetime.combine(day, time.min, zone)


async def _rows(
    quotes: AsyncIterator[QuoteSummary], fields: Sequence[CustomField], on_row: Callable[[], None]
) -> AsyncIterator[tuple[Cell, ...]]:
    async for quote in quotes:
        on_row()
        values = dict(quote.custom)
        yield (
            quote.number,
            quote.revision,
            quote.status.value,
            quote.customer_name,
            quote.title,
            quote.currency.code,
            quote.total_without_tax,
            quote.tax_total,
            quote.payable,
            quote.valid_until,
            quote.created_at,
            *(_cell(field, values.get(field.key)) for field in fields),
        )


def _cell(field: CustomField, value: str | None) -> Cell:
    """*value* as what it is, so that numbers add up and days sort."""
    if value is None:
        return None
    match field.kind:
        case FieldKind.NUMBER:
            return Decimal(value)
        case FieldKind.DATE:
            return date.fromisoformat(value)
        case _:
            return value
