"""Write audit entries into a file."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from src.application.ports.audit import AuditFilter
from src.application.ports.clock import Clock
from src.application.ports.documents import (
    Cell,
    Column,
    ColumnKind,
    NothingToExport,
    SpreadsheetFormat,
    SpreadsheetWriter,
)
from src.application.transactions import Transactions
from src.domain.audit.entry import AuditEntry
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.events import DomainEvent

COLUMNS: Final = (
    Column("Sequence", ColumnKind.INTEGER, 10),
    Column("At (UTC)", ColumnKind.INSTANT, 20, "at"),
    Column("Action", ColumnKind.TEXT, 28),
    Column("Resource type", ColumnKind.TEXT, 16),
    Column("Resource id", ColumnKind.TEXT, 38),
    Column("Actor kind", ColumnKind.TEXT, 11),
    Column("User id", ColumnKind.TEXT, 38),
    Column("IP address", ColumnKind.TEXT, 16),
    Column("User agent", ColumnKind.TEXT, 24),
    Column("Trace id", ColumnKind.TEXT, 34),
    Column("Text", ColumnKind.TEXT, 60),
    Column("Previous hash", ColumnKind.TEXT, 66),
    Column("Hash", ColumnKind.TEXT, 66),
)
_LONGEST_CELL: Final = 32_767  # Of XLSX. A text that does not fit is empty there, not cut: cut, it would prove nothing.


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditExported(DomainEvent):
    action = "audit.exported"
    resource_type: str = "organization"
    file_format: str
    rows: int
    conditions: tuple[str, ...]
    since: datetime | None
    before: datetime | None


class ExportAudit:
    """Entries that meet a filter, oldest first; the number of rows. Audited, because data leaves the house.

    Raises NothingToExport.
    """

    def __init__(self, transactions: Transactions, spreadsheets: SpreadsheetWriter, clock: Clock) -> None:
        self._transactions, self._spreadsheets, self._clock = transactions, spreadsheets, clock

    async def __call__(
        self,
        actor: Actor,
        path: Path,
        file_format: SpreadsheetFormat,
        criteria: AuditFilter,
        on_row: Callable[[], None] = lambda: None,
    ) -> int:
        async with self._transactions.begin(actor, Permission.VIEW_AUDIT) as uow:
            actor.require(Permission.VIEW_COSTS)  # Entries tell them, and what is hashed cannot be told in part.
            rows = _rows(uow.audit.stream(criteria), file_format, on_row)
            count = await self._spreadsheets.write(path, file_format, COLUMNS, rows, "Audit")
            if not count:
                raise NothingToExport("There is no data for export.")
            uow.record(
                AuditExported(
                    resource_id=actor.organization_id,
                    at=self._clock.now(),
                    file_format=file_format.value,
                    rows=count,
                    conditions=criteria.told(),
                    since=criteria.since,
                    before=criteria.before,
                )
            )
            await uow.commit()
        return count


async def _rows(
    entries: AsyncIterator[AuditEntry], file_format: SpreadsheetFormat, on_row: Callable[[], None]
) -> AsyncIterator[tuple[Cell, ...]]:
    async for entry in entries:
        on_row()
        record, told = entry.record, json.loads(entry.record.text)
        fits = file_format is not SpreadsheetFormat.XLSX or len(record.text) <= _LONGEST_CELL
        yield (
            entry.sequence,
            record.at,
            record.action,
            record.resource_type,
            str(record.resource_id),
            record.actor_kind,
            None if record.user_id is None else str(record.user_id),
            told["ip_address"],
            told["user_agent"],
            told["trace_id"],
            record.text if fits else "",
            entry.previous_hash,
            entry.hash,
        )
