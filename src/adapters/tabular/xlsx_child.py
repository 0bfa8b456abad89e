"""Reads one XLSX file in a process of its own: ``python -m src.adapters.tabular.xlsx_child`` takes it, and writes JSON lines.

Its memory and time are limited by the system, so that no file can eat the process that asked.
"""

import resource
import sys
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from io import BytesIO

import msgspec
from python_calamine import CalamineError, CalamineWorkbook

MEMORY = 256 * 1024 * 1024
SECONDS = 60
MOST_CELLS = 20_000_000

_Value = int | float | str | bool | time | date | datetime | timedelta


def text_of(value: _Value) -> str:
    """A cell as text: numbers plainly, days as ISO 8601."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{Decimal(repr(value)):f}" if not value.is_integer() or abs(value) >= 1e15 else str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)


def main() -> int:
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    encoder, out = msgspec.json.Encoder(), sys.stdout.buffer
    try:
        workbook = CalamineWorkbook.from_filelike(BytesIO(sys.stdin.buffer.read()))
        sheet = workbook.get_sheet_by_index(0)
        if sheet.total_height * sheet.total_width > MOST_CELLS:
            return 3
        first = 1 if sheet.start is None else sheet.start[0] + 1
        # Column by column from A on, also where the first are empty: the number of the first row is all that is lost.
        for number, row in enumerate(sheet.iter_rows(), start=first if sheet.start else 1):
            out.write(encoder.encode((number, [text_of(cell) for cell in row])))
            out.write(b"\n")
    except (CalamineError, ValueError):
        return 2
    except MemoryError:
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
