"""Our exports beside pandas with openpyxl, on the same rows: ``python -m benchmarks.export_beside [rows] [runs]``.

Needs the dependency group ``bench``. Each run is a process of its own; both take their rows from the same generator and
hold the time that it takes. Peaks are above what the process had before the first row.
"""

import asyncio
import json
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.export import COLUMNS, one_run, peak_mib, synthetic_rows
from src.application.ports.documents import ColumnKind, SpreadsheetFormat

RIVALS = {SpreadsheetFormat.XLSX: 2.5, SpreadsheetFormat.CSV: 20.0}  # How many times faster we want to be.


def rival_run(file_format: SpreadsheetFormat, count: int) -> dict[str, float]:
    """The same file by pandas: XLSX through openpyxl, where instants may have no zone; CSV by its own writer."""
    import pandas as pd  # Only in this process: the import alone takes its time, and we do not have it elsewhere.

    idle = peak_mib()
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"quotes.{file_format}"
        start, begun = time.perf_counter(), time.process_time()
        rows = asyncio.run(_collected(count))
        frame = pd.DataFrame(rows, columns=[column.title for column in COLUMNS])
        if file_format is SpreadsheetFormat.XLSX:
            for column in COLUMNS:
                if column.kind is ColumnKind.INSTANT:
                    frame[column.title] = frame[column.title].dt.tz_localize(None)
            frame.to_excel(path, index=False, engine="openpyxl", freeze_panes=(1, 0))
        else:
            frame.to_csv(path, index=False)
        seconds, cpu = time.perf_counter() - start, time.process_time() - begun
        return {"seconds": seconds, "cpu": cpu, "peak": peak_mib() - idle, "file": path.stat().st_size / 2**20}


async def _collected(count: int) -> list[object]:
    return [row async for row in synthetic_rows(count)]


def main() -> None:
    if find_spec("pandas") is None or find_spec("openpyxl") is None:
        print("Left out: install the dependency group «bench» for it.")
        return
    count, runs = (*map(int, sys.argv[1:3]), *(100_000, 3)[len(sys.argv) - 1 :])
    print(f"{count:,} rows × {len(COLUMNS)} columns, median of {runs}")
    for file_format, wanted in RIVALS.items():
        medians = {}
        for who in ("ours", "pandas"):
            results = [_in_a_child(who, file_format, count) for _ in range(runs)]
            # Both keep one core busy; its time tells more than the clock's on a machine with other work.
            medians[who] = median(result["cpu"] for result in results)
            seconds, peak = (median(result[key] for result in results) for key in ("seconds", "peak"))
            told = f"{medians[who]:6.2f} s of a core, {seconds:6.2f} s in all, {peak:6.1f} MiB above idle"
            print(f"{file_format:5} {who:7} {told}", flush=True)
        print(f"{file_format:5} {medians['pandas'] / medians['ours']:.2f} × faster; {wanted} × wanted")


def _in_a_child(who: str, file_format: SpreadsheetFormat, count: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.export_beside", "--child", who, file_format, str(count)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    result: dict[str, float] = json.loads(answer)
    return result


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        run = one_run if sys.argv[2] == "ours" else rival_run
        print(json.dumps(run(SpreadsheetFormat(sys.argv[3]), int(sys.argv[4]))))
    else:
        main()
