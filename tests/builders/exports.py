"""Exports, and what makes them."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from src.domain.documents.export import DataExport, ExportFilters, ExportFormat, ExportKind, StoredFile
from src.domain.shared.ids import ExportId, UserId
from tests.builders.quotes import NOON


def an_export(created_by: UserId, **changes: Any) -> DataExport:
    values: dict[str, Any] = {
        "id": ExportId(uuid4()),
        "kind": ExportKind.QUOTES,
        "file_format": ExportFormat.CSV,
        "filters": ExportFilters(),
        "created_by": created_by,
        "api_key_id": None,
        "job_id": uuid4(),
        "created_at": NOON,
    }
    return DataExport(**values | changes)


def a_file(key: str = "a/exports/b/c") -> StoredFile:
    return StoredFile(storage_key=key, size=3, sha256="a" * 64)


def made(export: DataExport, at: datetime, *, key: str = "a/exports/b/c", with_costs: bool = False) -> Any:
    """The change that makes it ready."""
    return export.made(rows=1, file=a_file(key), with_costs=with_costs, file_name="quotes.csv", at=at)
