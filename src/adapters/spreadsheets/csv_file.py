"""CSV as RFC 4180 wants it, with a byte order mark, because spreadsheet programs guess the encoding otherwise.

A text that some program could take for a formula gets a ``'`` before the dangerous character: at its beginning, and
after a character that another dialect would take for the end of a field. Numbers never do, also when negative.
"""

import csv
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from src.adapters.spreadsheets.cells import encodable, flag_text, in_utc, plain
from src.application.ports.documents import Cell, Column

_SIGNS = "=+@|＝＋－＠-"  # The last one stands last so that it is no range.
_DANGEROUS = re.compile(rf"((?:\A|[;|\t\r\n])[\s'\"\0\u200b\ufeff]*)(?=[{_SIGNS}]|\{{=)")
# Begins with a letter or digit and has nothing that could begin a field again: nearly every text, found at once.
_SURELY_HARMLESS = re.compile(r"[A-Za-z0-9][^;|\t\r\n\0]*", re.ASCII)
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

    def abandon(self) -> None:
        self._file.close()


def harmless(text: str) -> str:
    """*text*, with a ``'`` before whatever begins a formula."""
    if text.isascii() and _SURELY_HARMLESS.fullmatch(text):
        return text
    guarded = _DANGEROUS.sub(r"\1'", encodable(text).replace("\0", ""))
    return f"'{guarded}" if guarded.startswith(_LEADING_CONTROL) else guarded


def instant_text(instant: datetime) -> str:
    """``2026-11-20T12:30:15Z``. Raises ValueError for an instant without a zone."""
    return in_utc(instant).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


# By type, because asking one cell after another what it is would take longer than writing it.
_TEXTS: Mapping[type, Callable[[Any], str]] = {
    type(None): lambda _: "",
    str: harmless,
    Decimal: plain,
    datetime: instant_text,
    bool: flag_text,
    int: str,
    date: date.isoformat,
}


def _text_of(cell: Cell) -> str:
    return _TEXTS[type(cell)](cell)
