"""Exports as the worker makes them: into a temporary file, from there into the storage; and what memory that takes.

``python -m benchmarks.export_job [QUOTES] [LINES] [RUNS]``. Each runs in a process of its own; the peak is Linux's.
"""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from secrets import token_hex
from statistics import median
from time import perf_counter

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from benchmarks.export_quotes import SALES, fill
from benchmarks.server import a_home, prepare
from src.application.documents.export_sources import ExportRequest
from src.application.documents.exports import GetExport, RequestExport
from src.application.documents.run_export import RunExport, RunExportCommand
from src.domain.documents.export import ExportFormat, ExportKind, ExportState
from src.domain.identity.actor import Actor, Origin
from src.entrypoints.cli.session import session_of
from src.entrypoints.database import Database
from src.entrypoints.settings import read_settings

USUAL = (100_000, 1_000_000, 3)  # Quotes, lines, runs.


async def run(kind: ExportKind, file_format: ExportFormat) -> None:
    """One export, from the request to the stored file; its rows and its size."""
    async with session_of(SALES, None) as session:
        request = await session.get(RequestExport)
        asked = await request(session.actor, ExportRequest(kind=kind, file_format=file_format))
        origin = Origin(trace_id=token_hex(16))
        job = Actor.job(organization_id=session.actor.organization_id, name="benchmark", origin=origin)
        await (await session.get(RunExport))(job, RunExportCommand(export_id=asked.id))
        ready = await (await session.get(GetExport))(session.actor, asked.id)
    assert ready.state is ExportState.READY, ready.message
    print(ready.rows, ready.size)


def measured(kind: ExportKind, file_format: ExportFormat, runs: int) -> str:
    seconds, peaks = [], []
    for _ in range(runs):
        begin = perf_counter()
        command = [sys.executable, "-m", "benchmarks.export_job", "--child", kind.value, file_format.value]
        told = subprocess.run(command, check=True, capture_output=True, text=True)
        seconds.append(perf_counter() - begin)
        rows, size, peak = map(int, told.stdout.split()[-3:])
        peaks.append(peak / 1024)
    name = f"{rows:>9,} {kind.value} {file_format.value}"
    return f"{name:<32} {size / 2**20:6.1f} MiB {median(seconds):7.2f} s  peak {median(peaks):6.1f} MiB"


async def more_lines(admin_url: str, count: int) -> None:
    """*count* lines, as copies of the demonstration's first, under the copies of its quotes."""
    engine = create_async_engine(admin_url)
    async with engine.begin() as connection:
        names = [row.name for row in await connection.execute(text(_COLUMNS))]
        own = {"id": "gen_random_uuid()", "quote_id": "q.id", "revision": "q.revision", "position": "n"}
        columns = ", ".join(own.get(name, f"l.{name}") for name in names)
        for table in ("quote_revisions", "line_items"):
            await connection.execute(text(f"ALTER TABLE proffer.{table} DISABLE TRIGGER ALL"))
        await connection.execute(text(_LINES.format(names=", ".join(names), columns=columns)), {"count": count})
    await engine.dispose()


_COLUMNS = (
    "SELECT attname AS name FROM pg_attribute "
    "WHERE attrelid = 'proffer.line_items'::regclass AND attnum > 0 AND NOT attisdropped"
)
_LINES = (
    "INSERT INTO proffer.line_items ({names}) SELECT {columns} FROM (SELECT * FROM proffer.line_items LIMIT 1) l, "
    "(SELECT * FROM proffer.quotes WHERE number LIKE 'B-%') q, generate_series(0, 9) n LIMIT :count"
)


async def main(quotes: int, lines: int, runs: int) -> None:
    with a_home(), Database(read_settings()) as database:
        await prepare(database)
        print(f"medians of {runs}; the whole process, its start included")
        for file_format in (ExportFormat.CSV, ExportFormat.XLSX):
            print(await asyncio.to_thread(measured, ExportKind.QUOTES, file_format, runs), flush=True)
        await fill(database.admin_url, max(quotes, lines // 10))
        await more_lines(database.admin_url, lines)
        for kind, file_format in (
            (ExportKind.QUOTES, ExportFormat.XLSX),
            (ExportKind.QUOTES, ExportFormat.CSV),
            (ExportKind.QUOTE_LINES, ExportFormat.CSV),
        ):
            print(await asyncio.to_thread(measured, kind, file_format, runs), flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        asyncio.run(run(ExportKind(sys.argv[2]), ExportFormat(sys.argv[3])))
        print(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])  # In KiB.
    else:
        os.environ.setdefault("PROFFER_LOG_LEVEL", "warning")
        numbers = [int(one) for one in sys.argv[1:4]]
        asyncio.run(main(*numbers, *USUAL[len(numbers) :]))
