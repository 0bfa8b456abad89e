"""CSV as RFC 4180 wants it, with a byte order mark, because spreadsheet programs guess the encoding otherwise.

A text that some program could take for a formula gets a ``'`` before the dangerous character: at its beginning, and
after a character that another dialect would take for the end of a field. Numbers never do, also when negative.
"""

import csv
import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from src.adapters.spreadsheets.cells import encodable, in_utc, plain
from src.application.ports.documents import Cell, Column

_SIGNS = "=+@|＝＋－＠-"  # The last one stands last so that it is no range.
_DANGEROUS = re.compile(rf"((?:\A|[;|\t\r\n])[\s'\"\0\u200b\ufeff]*)(?=[{_SIGNS}]|\{{=)")
_LEADING_CONTROL = ("\t", "\r", "\n")


class CsvFile:
    """Rows into a file, quoted throughout."""

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        self._file = path.open("w", encoding="utf-8-sig", newline="")
        self._writer = csv.writer(self._file, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
        self._writer.writerow([harmless(column.title) for column in columns])

    def write(self, rows: Sequence[Sequence[Cell]]) -> None:
        self._writer.writerows([[_text_of(cell) for cell in row] for row in rows])

    def write_totals(self, rows: Sequence[Sequence[Cell]]) -> None:
        """Nothing: programs add up themselves, and would take it for one more row."""

    def close(self) -> None:
        self._file.close()


def harmless(text: str) -> str:
    """*text*, with a ``'`` before whatever begins a formula."""
    guarded = _DANGEROUS.sub(r"\1'", encodable(text).replace("\0", ""))
    return f"'{guarded}" if guarded.startswith(_LEADING_CONTROL) else guarded


def _text_of(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case str():
            return harmless(cell)
        case Decimal():
            return plain(cell)
        case datetime():
            return in_utc(cell).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
        case int():
            return str(cell)
        case _:
            return cell.isoformat()
