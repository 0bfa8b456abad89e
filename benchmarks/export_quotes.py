"""100,000 quotes from the database into a spreadsheet by ``proffer quote export``, and what memory that takes.

``python -m benchmarks.export_quotes [QUOTES]``. Quotes are read through a server-side cursor and written as they come.
"""

import asyncio
import csv
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory, mkdtemp
from time import perf_counter

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from src.adapters.spreadsheets.csv_file import harmless
from src.application.documents.export_data import ExportData, ExportDataCommand
from src.application.documents.export_sources import ExportRequest
from src.domain.documents.export import ExportFormat, ExportKind
from src.domain.identity.actor import Role
from src.entrypoints.cli.session import session_of
from src.entrypoints.database import Database
from src.entrypoints.demo import EMAILS
from src.entrypoints.settings import read_settings

RUNS, MANY = 3, 100_000
SALES = EMAILS[Role.SALES]
TURNS = 7  # Ours and theirs one after another, because other work on the machine comes and goes.
_COLUMNS = (
    "SELECT number, revision, q.status, customer_name, title, currency, total_without_tax, tax_total, payable, "
    "valid_until, q.created_at, u.name FROM proffer.quotes q LEFT JOIN proffer.users u "
    "ON u.organization_id = q.organization_id AND u.id = q.owner_id ORDER BY q.created_at, q.id"
)
SAME_FILE = "the same file, byte for byte"
BY_PANDAS = {
    SAME_FILE: _COLUMNS,
    "the same columns": _COLUMNS,
    "the whole table": "SELECT * FROM proffer.quotes ORDER BY created_at, id",
}
# The peak of the process itself, told by Linux after its work.
PROGRAM = """
import sys
from src.entrypoints.cli.app import app
code = app(sys.argv[1:], result_action="return_value")
status = open("/proc/self/status").read()
print(code, status.partition("VmHWM:")[2].split()[0])
"""


async def fill(admin_url: str, count: int) -> None:
    """*count* quotes more, as copies of the demonstration's first one."""
    engine = create_async_engine(admin_url)
    async with engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO proffer.quotes SELECT organization_id, gen_random_uuid(), 'B-' || n, customer_id, owner_id, "
                "created_at + n * interval '1 second', version, revision, status, title || ' ' || n, customer_name, "
                "currency, total_without_tax + n, tax_total, payable + n, valid_until, searched, custom "
                "FROM (SELECT * FROM proffer.quotes LIMIT 1) q, generate_series(1, :count) n"
            ),
            {"count": count},
        )
    await engine.dispose()


def export(folder: Path, name: str, *options: str) -> tuple[float, float]:
    """Seconds, and the peak in MiB."""
    begin = perf_counter()
    arguments = ["quote", "export", str(folder / name), "--as", SALES, "--force", *options]
    told = subprocess.run([sys.executable, "-c", PROGRAM, *arguments], check=True, capture_output=True, text=True)
    code, peak = told.stdout.split()[-2:]
    assert code == "0", told.stderr
    return perf_counter() - begin, int(peak) / 1024


async def main(count: int, folder: Path) -> None:
    with Database(read_settings()) as database:
        await database.prepare()
        command = [sys.executable, "-m", "src.entrypoints.cli", "demo"]
        await asyncio.to_thread(subprocess.run, command, check=True, stdout=subprocess.DEVNULL)
        async with session_of(SALES, None):
            pass
        print(f"medians of {RUNS}; the whole command, its start included")
        idle = [await asyncio.to_thread(export, folder, "few.csv") for _ in range(RUNS)]
        print(f"{'3 quotes':>16}  csv  {_row(idle)}")
        await fill(database.admin_url, count)
        for name in ("many.csv", "many.xlsx"):
            runs = [await asyncio.to_thread(export, folder, name) for _ in range(RUNS)]
            print(f"{count:>9,} quotes  {name[5:]:4} {_row(runs)}", flush=True)
        await beside_pandas(database, count)


async def beside_pandas(database: Database, count: int) -> None:
    """The export itself, without the start of a command: the rows of one organisation into CSV, by us and by pandas."""
    if find_spec("pandas") is None:
        print("Without pandas nothing to compare with: install the dependency group «bench».")
        return
    ours: list[float] = []
    theirs: dict[str, list[float]] = {name: [] for name in BY_PANDAS}
    engine = create_async_engine(database.admin_url)
    async with session_of(SALES, None) as session:
        exporting = await session.get(ExportData)
        with TemporaryDirectory() as folder:
            path, other = Path(folder) / "quotes.csv", Path(folder) / "theirs.csv"
            request = ExportRequest(kind=ExportKind.QUOTES, file_format=ExportFormat.CSV)
            command = ExportDataCommand(request=request, path=path)
            for _ in range(TURNS):
                begin = perf_counter()
                assert (await exporting(session.actor, command)).rows > count
                ours.append(perf_counter() - begin)
                for name, query in BY_PANDAS.items():
                    titles = _titles(path) if name == SAME_FILE else None
                    theirs[name].append(await _by_pandas(engine, query, other, titles))
                    assert titles is None or other.read_bytes() == path.read_bytes()
    await engine.dispose()
    for name, seconds in theirs.items():
        ratio = median(seconds) / median(ours)
        each = sorted(one / our for one, our in zip(seconds, ours, strict=True))
        told = f"by COPY {median(ours):.2f} s, by pandas {median(seconds):.2f} s: {ratio:.1f} × ({each[0]:.1f} to {each[-1]:.1f})"
        print(f"CSV, {name}: {told}; 20 × wanted", flush=True)


def _titles(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return next(csv.reader(file))


async def _by_pandas(engine: AsyncEngine, query: str, path: Path, titles: list[str] | None) -> float:
    """Seconds, for somebody whom no policy binds, with a connection that is open already.

    With *titles* it makes of the rows what we do: exact amounts, instants in ISO 8601, no formula, quoted throughout.
    Without them it writes as it does by itself.
    """
    import pandas as pd  # Here, so that it is not in the processes whose memory is looked at.

    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
        begin = perf_counter()
        frame = await connection.run_sync(lambda sync: pd.read_sql(text(query), sync, coerce_float=titles is None))
        if titles is None:
            frame.to_csv(path, index=False)
        else:
            frame["created_at"] = frame["created_at"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
            for column in ("number", "status", "customer_name", "title", "currency", "name"):
                frame[column] = frame[column].map(harmless, na_action="ignore")
            frame.columns = titles
            frame.to_csv(path, index=False, quoting=csv.QUOTE_ALL, lineterminator="\r\n", encoding="utf-8-sig")
        return perf_counter() - begin


def _row(runs: list[tuple[float, float]]) -> str:
    return f"{median(run[0] for run in runs):6.2f} s  peak {median(run[1] for run in runs):6.1f} MiB"


if __name__ == "__main__":
    home = Path(mkdtemp(prefix="proffer-bench-"))
    home.chmod(0o755)
    os.environ["PROFFER_HOME"] = str(home / "var")
    try:
        asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else MANY, home))
    finally:
        shutil.rmtree(home, ignore_errors=True)
