"""How long an export of many rows takes, and how much memory: ``python -m benchmarks.export [rows] [runs]``.

Each run is a process of its own. Its peak is compared with what the process had before the first row was made.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from src.adapters.spreadsheets import FileSpreadsheets
from src.application.ports.documents import Cell, Column, ColumnKind, SpreadsheetFormat

COLUMNS = (
    *(Column(title, ColumnKind.TEXT) for title in ("Number", "Title", "Customer", "Contact", "Status", "Salesperson")),
    *(Column(title, ColumnKind.INTEGER, 10) for title in ("Revision", "Lines")),
    *(Column(title, ColumnKind.AMOUNT) for title in ("Net", "Discount", "Tax", "Payable")),
    Column("Currency", ColumnKind.TEXT, 8),
    Column("Valid until", ColumnKind.DATE, 12),
    Column("Created at", ColumnKind.INSTANT, 20),
)
FIRST_DAY, FIRST_INSTANT = date(2026, 1, 1), datetime(2026, 1, 1, 8, tzinfo=UTC)


async def synthetic_rows(count: int) -> AsyncIterator[Sequence[Cell]]:
    for i in range(count):
        net = Decimal(i * 137 % 10_000_000).scaleb(-2)
        yield (
            f"Q-2026-{i:06}",
            f"Control cabinets for line {i % 977}",
            f"Customer {i % 4001} GmbH & Co. KG",
            "Łucja Kowalska",
            ("draft", "sent", "accepted")[i % 3],
            "제인 피터슨",
            i % 4 + 1,
            i % 60,
            net,
            -net / 10,
            net * 19 / 100,
            net * 119 / 100,
            "EUR",
            FIRST_DAY + timedelta(days=i % 365),
            FIRST_INSTANT + timedelta(minutes=i),
        )


def one_run(file_format: SpreadsheetFormat, count: int) -> dict[str, float]:
    idle = peak_mib()
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"quotes.{file_format}"
        start, begun = time.perf_counter(), time.process_time()
        written = asyncio.run(FileSpreadsheets().write(path, file_format, COLUMNS, synthetic_rows(count), "Quotes"))
        seconds, cpu = time.perf_counter() - start, time.process_time() - begun
        assert written == count
        return {"seconds": seconds, "cpu": cpu, "peak": peak_mib() - idle, "file": path.stat().st_size / 2**20}


def peak_mib() -> float:
    """The most memory that this process ever had, as Linux tells it: ``getrusage`` would include the parent's."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def main() -> None:
    count, runs = (*map(int, sys.argv[1:3]), *(100_000, 3)[len(sys.argv) - 1 :])
    print(f"{count:,} rows × {len(COLUMNS)} columns, median of {runs}")
    for file_format in SpreadsheetFormat:
        results = [in_a_child(file_format, count) for _ in range(runs)]
        seconds, peak, size = (median(result[key] for result in results) for key in ("seconds", "peak", "file"))
        print(f"{file_format:5} {seconds:6.2f} s   {peak:6.1f} MiB above idle   file {size:5.1f} MiB")


def in_a_child(file_format: SpreadsheetFormat, count: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.export", "--child", file_format, str(count)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    result: dict[str, float] = json.loads(answer)
    return result


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        print(json.dumps(one_run(SpreadsheetFormat(sys.argv[2]), int(sys.argv[3]))))
    else:
        main()
