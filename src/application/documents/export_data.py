"""Export at once, into a file of the caller's."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from src.application.documents.export_sources import ExportRequest, NobodyAsks, Progress
from src.application.documents.export_writer import ExportWriter, WrittenExport
from src.application.ports.clock import Clock
from src.application.transactions import Transactions
from src.domain.documents.export import NEEDED, ExportKind
from src.domain.identity.actor import Actor
from src.domain.shared.events import DomainEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class DataExported(DomainEvent):
    """*conditions* are texts as ``name=value``."""

    resource_type: str = "organization"
    file_format: str
    rows: int
    conditions: tuple[str, ...]


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
class AuditExported(DataExported):
    action = "audit.exported"


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryExported(DataExported):
    action = "quotes_summary.exported"


_EVENTS: Final[Mapping[ExportKind, type[DataExported]]] = {
    ExportKind.QUOTES: QuotesExported,
    ExportKind.QUOTE_LINES: QuoteLinesExported,
    ExportKind.CUSTOMERS: CustomersExported,
    ExportKind.PRODUCTS: ProductsExported,
    ExportKind.AUDIT: AuditExported,
    ExportKind.SUMMARY: SummaryExported,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportDataCommand:
    """A file at *path*; with *most_rows*, only when there are no more than these."""

    request: ExportRequest
    path: Path
    most_rows: int | None = None


class ExportData:
    """Audited before anybody has the file, because data leaves the house.

    Raises NothingToExport, ExportTooLarge, TooManyRows, Invalid.
    """

    def __init__(self, writer: ExportWriter, transactions: Transactions, clock: Clock) -> None:
        self._writer, self._transactions, self._clock = writer, transactions, clock

    async def __call__(
        self, actor: Actor, command: ExportDataCommand, progress: Progress | None = None
    ) -> WrittenExport:
        request = command.request
        written = await self._writer.write(
            actor, request, command.path, progress or NobodyAsks(), most_rows=command.most_rows
        )
        async with self._transactions.begin(actor, NEEDED[request.kind][0]) as uow:
            event = _EVENTS[request.kind](
                resource_id=actor.organization_id,
                at=self._clock.now(),
                file_format=request.file_format.value,
                rows=written.rows,
                conditions=request.filters.told(),
            )
            uow.record(event)
            await uow.commit()
        return written
