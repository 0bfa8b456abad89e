"""What the table of an audit export looks like."""

import json
from typing import Final

from src.application.ports.documents import Cell, Column, ColumnKind
from src.domain.audit.entry import AuditEntry
from src.domain.documents.export import ExportFormat

AUDIT: Final = (
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


def audit_row(entry: AuditEntry, file_format: ExportFormat) -> tuple[Cell, ...]:
    record, told = entry.record, json.loads(entry.record.text)
    fits = file_format is not ExportFormat.XLSX or len(record.text) <= _LONGEST_CELL
    return (
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
