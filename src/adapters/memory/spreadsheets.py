"""Spreadsheets as rows, for tests of use cases."""

from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

from src.application.ports.documents import Cell, Column, CopiedRows, SpreadsheetFormat, SpreadsheetWriter


class MemorySpreadsheets(SpreadsheetWriter):
    """*written* keeps titles and rows by path, *totals* the rows below them; no file is made."""

    def __init__(self) -> None:
        self.written: dict[Path, list[Sequence[Cell]]] = {}
        self.copied: dict[Path, bytes] = {}
        self.totals: dict[Path, Sequence[Sequence[Cell]]] = {}

    async def write(
        self,
        path: Path,
        file_format: SpreadsheetFormat,
        columns: Sequence[Column],
        rows: AsyncIterator[Sequence[Cell]],
        sheet: str,
        totals: Callable[[], Sequence[Sequence[Cell]]] = tuple,
    ) -> int:
        kept: list[Sequence[Cell]] = [row async for row in rows]
        self.written[path] = [tuple(column.title for column in columns), *kept]
        self.totals[path] = totals() if kept else ()
        return len(kept)

    async def write_csv(self, path: Path, columns: Sequence[Column], source: CopiedRows) -> int:
        """As the bytes that came, without a head."""
        chunks: list[bytes] = []

        async def sink(chunk: bytes) -> None:
            chunks.append(chunk)

        count = await source(sink)
        self.copied[path] = b"".join(chunks)
        return count
