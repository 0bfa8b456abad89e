"""Importing many products by ``proffer catalog import``: how long it takes, and the peak of its memory.

``python -m benchmarks.import_rows [ROWS]``. The base is the same command with one row.
"""

import asyncio
import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import mkdtemp
from time import perf_counter

from src.domain.identity.actor import Role
from src.entrypoints.database import Database
from src.entrypoints.demo import EMAILS
from src.entrypoints.settings import read_settings

MANY = 100_000
OWNER = EMAILS[Role.OWNER]
# The peak of the process itself, told by Linux after its work.
PROGRAM = """
import sys
from src.entrypoints.cli.app import app
code = app(sys.argv[1:], result_action="return_value")
status = open("/proc/self/status").read()
print(code, status.partition("VmHWM:")[2].split()[0])
"""


def write(path: Path, count: int) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["sku", "name", "unit", "list_price", "cost", "tax_rate_percent"])
        writer.writerows((f"B{count}-{n}", f"Bolt {n}", "C62", f"{n % 977}.25", "1.5", "19") for n in range(count))


def bring_in(path: Path, *options: str) -> tuple[float, float]:
    """Seconds, and the peak in MiB."""
    begin = perf_counter()
    arguments = ["catalog", "import", "products", str(path), "--as", OWNER, *options]
    told = subprocess.run([sys.executable, "-c", PROGRAM, *arguments], check=True, capture_output=True, text=True)
    code, peak = told.stdout.split()[-2:]
    assert code == "0", told.stdout
    return perf_counter() - begin, int(peak) / 1024


async def main(count: int, folder: Path) -> None:
    with Database(read_settings()) as database:
        await database.prepare()
        command = [sys.executable, "-m", "src.entrypoints.cli", "demo"]
        await asyncio.to_thread(subprocess.run, command, check=True, stdout=subprocess.DEVNULL)
        for rows in (1, count):
            write(folder / f"{rows}.csv", rows)
        for name, rows, options in (
            ("one row", 1, ()),
            ("all or nothing", count, ()),
            ("the same again", count, ()),
        ):
            seconds, peak = await asyncio.to_thread(bring_in, folder / f"{rows}.csv", *options)
            print(f"{rows:>9,} rows  {name:16} {seconds:7.2f} s  peak {peak:6.1f} MiB", flush=True)


if __name__ == "__main__":
    home = Path(mkdtemp(prefix="proffer-bench-"))
    home.chmod(0o755)
    os.environ["PROFFER_HOME"] = str(home / "var")
    try:
        asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else MANY, home))
    finally:
        shutil.rmtree(home, ignore_errors=True)
