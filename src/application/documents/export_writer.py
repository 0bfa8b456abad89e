"""Writing an export into a file: one transaction, which is over before the file is closed."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from src.application.documents.export_sources import (
    COUNTED,
    ExportRequest,
    ExportTable,
    NobodyAsks,
    Progress,
    count_of,
    table_of,
)
from src.application.documents.export_tables import Row
from src.application.documents.summary import summary_of
from src.application.ports.clock import Clock
from src.application.ports.documents import NothingToExport, SpreadsheetFormat, SpreadsheetWriter
from src.application.ports.summaries import SummaryRenderer
from src.application.ports.unit_of_work import UnitOfWork
from src.application.transactions import Transactions
from src.domain.documents.export import NEEDED, ExportKind, ExportTooLarge
from src.domain.identity.actor import Actor

Over = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenExport:
    """*file_name* has the moment in the organisation's time zone. *with_costs*: some column tells costs."""

    rows: int
    file_name: str
    with_costs: bool


class ExportWriter:
    """For those who export at once, and for the job. It tells the audit nothing: that is theirs, who hand the file out."""

    def __init__(
        self, transactions: Transactions, spreadsheets: SpreadsheetWriter, summaries: SummaryRenderer, clock: Clock
    ) -> None:
        self._transactions, self._spreadsheets = transactions, spreadsheets
        self._summaries, self._clock = summaries, clock

    async def write(
        self, actor: Actor, request: ExportRequest, path: Path, progress: Progress, *, most_rows: int | None = None
    ) -> WrittenExport:
        """Write what *actor* may see of it. *most_rows* None: however many there are.

        Raises PermissionMissing, Invalid, ExportTooLarge, NothingToExport, TooManyRows.
        """
        request.check()
        needed, *others = NEEDED[request.kind]
        async with AsyncExitStack() as stack:
            uow = await stack.enter_async_context(self._transactions.begin(actor, needed))
            for permission in others:
                actor.require(permission)
            zone = (await uow.organizations.current()).zone
            if request.kind is ExportKind.SUMMARY:
                count, with_costs = await self._summarize(uow, request, path, progress, stack.aclose), False
            else:
                await _count(uow, request, progress, most_rows)
                table = await table_of(uow, actor, request, progress)
                count = await self._write(path, SpreadsheetFormat(request.file_format.value), table, stack.aclose)
                with_costs = table.with_costs
        if not count:
            raise NothingToExport("No data for export: nothing meets these conditions.")
        name = f"{request.kind.value}-{self._clock.now().astimezone(zone):%Y%m%d-%H%M%S}.{request.file_format.value}"
        return WrittenExport(rows=count, file_name=name, with_costs=with_costs)

    async def _summarize(
        self, uow: UnitOfWork, request: ExportRequest, path: Path, progress: Progress, over: Over
    ) -> int:
        """Of how many quotes it is."""
        document = await summary_of(uow, request, self._clock)
        await over()
        if document.quotes:
            progress.expect(document.quotes)
            await self._summaries.write(document, path)
            progress.add(document.quotes)
        return document.quotes

    async def _write(self, path: Path, file_format: SpreadsheetFormat, table: ExportTable, over: Over) -> int:
        if table.copied is not None and file_format is SpreadsheetFormat.CSV:
            return await self._spreadsheets.write_csv(path, table.columns, table.copied)
        rows = _and_then(table.rows, over)
        return await self._spreadsheets.write(path, file_format, table.columns, rows, table.sheet, table.totals)


async def _and_then(rows: AsyncIterator[Row], over: Over) -> AsyncIterator[Row]:
    """Packing a large workbook takes longer than a transaction may be idle."""
    async for row in rows:
        yield row
    await over()


async def _count(uow: UnitOfWork, request: ExportRequest, progress: Progress, most_rows: int | None) -> None:
    """Raises ExportTooLarge before anything is written. Where nobody wants to know, nobody counts."""
    if most_rows is None and isinstance(progress, NobodyAsks):
        return
    limit = COUNTED if most_rows is None else most_rows
    counted = await count_of(uow, request, limit + 1)
    if counted <= limit:
        progress.expect(counted)
    elif most_rows is not None:
        message = (
            f"There are more than {most_rows} rows. Have a job write them: POST /api/v1/exports takes the same filters."
        )
        raise ExportTooLarge(message, most_rows=most_rows)
