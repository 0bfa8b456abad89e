"""XLSX in flat memory: each row leaves for the disk when the next one begins."""

import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter

from src.adapters.spreadsheets.cells import DOUBLE_DIGITS, encodable, fits_a_double, flag_text, in_utc, plain
from src.application.ports.documents import Cell, Column, ColumnKind, TooManyRows

MOST_ROWS = 1_048_575  # Beside the header; the format has no more.
LONGEST_TEXT = 32_767  # The format's limit for a cell.
LONGEST_SHEET_NAME = 31
_FIRST_DAY = date(1900, 3, 1)  # Before it, the format counts a 29 February that never was.
_BEGINNING = datetime(1899, 12, 30)  # noqa: DTZ001 — The format knows no zones.
_SECONDS_OF_A_DAY = 86_400
_ALIGNED_RIGHT = frozenset({ColumnKind.INTEGER, ColumnKind.AMOUNT})


class XlsxFile:
    """One sheet with a bold, frozen, filtered header. Raises TooManyRows beyond the rows that the format has."""

    def __init__(self, path: Path, columns: Sequence[Column], sheet: str) -> None:
        self._book: Any = xlsxwriter.Workbook(
            str(path),
            {
                "constant_memory": True,
                "tmpdir": str(path.parent),
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
            },
        )
        self._sheet: Any = self._book.add_worksheet(_sheet_name(sheet))
        self._day = self._book.add_format({"num_format": "yyyy-mm-dd"})
        self._instant = self._book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self._write_string: Any = self._sheet._write_string  # noqa: SLF001 — write_string checks a place that we know: a tenth of the time.
        self._write_number: Any = self._sheet._write_number  # noqa: SLF001 — as write_string does.
        self._bold = self._book.add_format({"bold": True})
        self._row_format: Any = None
        self._last_row = 0  # Of the rows without the totals, once these are written.
        self._amounts: dict[int, Any] = {}
        self._width = len(columns)
        self._next_row = 1
        self._write_header(columns)

    def write(self, rows: Sequence[Sequence[Cell]]) -> None:
        for row in rows:
            if self._next_row > MOST_ROWS:
                raise TooManyRows(f"A sheet holds {MOST_ROWS} rows; use CSV for more.")
            for column, cell in enumerate(row):
                self._write_cell(self._next_row, column, cell)
            self._next_row += 1

    def write_totals(self, rows: Sequence[Sequence[Cell]]) -> None:
        """Below the rows, in bold, and outside of the filter: values, for formulas would count what is filtered away."""
        self._last_row = max(self._next_row - 1, 1)
        self._row_format = self._bold
        self._amounts = {}
        self.write(rows)

    def close(self) -> None:
        if self._width:
            self._sheet.autofilter(0, 0, self._last_row or max(self._next_row - 1, 1), self._width - 1)
        self._book.close()

    def abandon(self) -> None:
        """Close what is open, and put nothing together."""
        self._sheet.row_data_fh.close()
        Path(self._sheet.row_data_filename).unlink(missing_ok=True)
        self._book.fileclosed = True

    def _write_header(self, columns: Sequence[Column]) -> None:
        head = {"bold": True, "bottom": 1, "valign": "top"}
        left, right = self._book.add_format(head), self._book.add_format({**head, "align": "right"})
        self._sheet.freeze_panes(1, 0)
        for index, column in enumerate(columns):
            self._sheet.set_column(index, index, column.width)
            self._sheet.write_string(0, index, _text(column.title), right if column.kind in _ALIGNED_RIGHT else left)

    def _write_cell(self, row: int, column: int, cell: Cell) -> None:
        match cell:
            case None | "":
                return
            case str():
                self._write_string(row, column, _text(cell), self._row_format)
            case Decimal():
                self._write_amount(row, column, cell)
            case datetime():
                self._write_day(row, column, in_utc(cell).replace(tzinfo=None), self._instant)
            case bool():
                self._write_string(row, column, flag_text(cell), self._row_format)
            case int() if fits_a_double(cell):
                self._write_number(row, column, cell, self._row_format)
            case int():
                self._write_string(row, column, str(cell))
            case _:
                self._write_day(row, column, datetime(cell.year, cell.month, cell.day), self._day)  # noqa: DTZ001 — The format knows no zones.

    def _write_amount(self, row: int, column: int, amount: Decimal) -> None:
        _, digits, exponent = amount.as_tuple()
        if isinstance(exponent, int) and (len(digits) <= DOUBLE_DIGITS or fits_a_double(amount)):
            form = self._amounts.get(exponent) or self._amount_format(exponent)
            self._write_number(row, column, float(amount), form)
        else:
            self._write_string(row, column, plain(amount))

    def _write_day(self, row: int, column: int, instant: datetime, form: Any) -> None:
        if instant.date() < _FIRST_DAY:
            self._write_string(row, column, instant.isoformat(" ") if form is self._instant else str(instant.date()))
        else:
            # As the format counts: days since its beginning. Its own conversion takes several times as long.
            since = instant - _BEGINNING
            self._write_number(row, column, since.days + since.seconds / _SECONDS_OF_A_DAY, form)

    def _amount_format(self, exponent: int) -> Any:
        """As many decimals as the amount was given with, so that 10.50 is not shown as 10.5."""
        decimals = max(-exponent, 0)
        pattern = f"#,##0.{'0' * decimals}" if decimals else "#,##0"
        self._amounts[exponent] = self._book.add_format({"num_format": pattern, "bold": self._row_format is self._bold})
        return self._amounts[exponent]


def _text(text: str) -> str:
    """What fits into a cell; the end of a longer text is cut and marked with an ellipsis."""
    fitting = encodable(text)
    if len(fitting) <= LONGEST_TEXT:
        return fitting
    return fitting[: LONGEST_TEXT - 1] + "…"


def _sheet_name(name: str) -> str:
    """Without the characters that the format forbids."""
    return (
        re.sub(r"[\[\]:*?/\\\x00-\x1f]", " ", encodable(name)).strip(" '")[:LONGEST_SHEET_NAME].strip(" '") or "Sheet1"
    )
