"""Spreadsheets as rows, for tests of use cases."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from src.application.ports.documents import Cell, Column, SpreadsheetFormat, SpreadsheetWriter


class MemorySpreadsheets(SpreadsheetWriter):
    """*written* keeps titles and rows by path; no file is made."""

    def __init__(self) -> None:
        self.written: dict[Path, list[Sequence[Cell]]] = {}

    async def write(
        self,
        path: Path,
        file_format: SpreadsheetFormat,
        columns: Sequence[Column],
        rows: AsyncIterator[Sequence[Cell]],
        sheet: str,
    ) -> int:
        kept: list[Sequence[Cell]] = [row async for row in rows]
        self.written[path] = [tuple(column.title for column in columns), *kept]
        return len(kept)
