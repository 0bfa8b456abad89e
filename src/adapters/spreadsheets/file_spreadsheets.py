"""Spreadsheets written to files, row by row."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from threading import Lock

from src.adapters.spreadsheets.copied_csv import CopiedCsv
from src.adapters.spreadsheets.csv_file import CsvFile
from src.adapters.spreadsheets.jsonl_file import JsonLinesFile
from src.adapters.spreadsheets.xlsx_file import XlsxFile
from src.application.ports.documents import Cell, Column, CopiedRows, SpreadsheetFormat, SpreadsheetWriter

ROWS_AT_ONCE = 500  # Some 50 ms of work in the thread, and no more rows than that in memory.

_A_BATCH = 0.5  # Seconds; ten times what the thread works at once.
COPIED_AT_ONCE = 1024 * 1024  # Bytes.


class FileSpreadsheets(SpreadsheetWriter):
    """Rows come on the event loop and are written in a thread. A file that was not finished is removed."""

    async def write(
        self,
        path: Path,
        file_format: SpreadsheetFormat,
        columns: Sequence[Column],
        rows: AsyncIterator[Sequence[Cell]],
        sheet: str,
        totals: Callable[[], Sequence[Sequence[Cell]]] = tuple,
    ) -> int:
        # Here, in a millisecond: what a thread opened for somebody who was cancelled meanwhile, nobody would close.
        file = _opened(path, file_format, columns, sheet)
        turns = Lock()  # After a cancellation the thread still writes while we want to close.
        count = 0
        try:
            async for batch in _batches(rows):
                await asyncio.to_thread(_in_turn, turns, file.write, batch)
                count += len(batch)
            if count and (closing := totals()):
                await asyncio.to_thread(_in_turn, turns, file.write_totals, closing)
            await asyncio.to_thread(_in_turn, turns, file.close)
        except BaseException:
            _give_up(turns, file, path)
            raise
        return count

    async def write_csv(self, path: Path, columns: Sequence[Column], source: CopiedRows) -> int:
        try:
            await asyncio.to_thread(lambda: CsvFile(path, columns).close())  # With its head.
            with await asyncio.to_thread(path.open, "ab", COPIED_AT_ONCE) as file:
                rows = CopiedCsv(columns)

                # A piece takes a fraction of a millisecond, and what is written is mostly only kept until there is more.
                async def sink(piece: bytes) -> None:
                    file.write(rows.rows_in(piece))

                return await source(sink)
        except BaseException:
            await asyncio.to_thread(path.unlink, missing_ok=True)
            raise


def _opened(
    path: Path, file_format: SpreadsheetFormat, columns: Sequence[Column], sheet: str
) -> XlsxFile | CsvFile | JsonLinesFile:
    match file_format:
        case SpreadsheetFormat.XLSX:
            return XlsxFile(path, columns, sheet)
        case SpreadsheetFormat.CSV:
            return CsvFile(path, columns)
        case SpreadsheetFormat.JSON_LINES:
            return JsonLinesFile(path, columns)


def _give_up(turns: Lock, file: XlsxFile | CsvFile | JsonLinesFile, path: Path) -> None:
    """Not in a thread: whoever was cancelled may wait for none. One that takes longer than a batch closes it already."""
    if turns.acquire(timeout=_A_BATCH):
        file.abandon()
    path.unlink(missing_ok=True)


def _in_turn(turns: Lock, step: Callable[..., None], *arguments: object) -> None:
    with turns:
        step(*arguments)


async def _batches(rows: AsyncIterator[Sequence[Cell]]) -> AsyncIterator[list[Sequence[Cell]]]:
    batch: list[Sequence[Cell]] = []
    async for row in rows:
        batch.append(row)
        if len(batch) == ROWS_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch
