"""CSV: UTF-8, with comma, semicolon or tab."""

import csv
from collections.abc import Iterator
from io import BytesIO, TextIOWrapper
from typing import TextIO

from src.adapters.tabular.header import as_row, read_header
from src.application.ports.tabular import MOST_ROWS, FileRefused, TabularFile, TabularRow

_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_FORMULA = ("=", "@")


class CsvTable(TabularFile):
    """An open CSV file."""

    def __init__(self, file: TextIO, name: str, delimiter: str) -> None:
        self._name = name
        self._rows = csv.reader(file, delimiter=delimiter, strict=True)
        self.header = read_header(self._next(1), name)

    def __iter__(self) -> Iterator[TabularRow]:
        number = 1
        while (cells := self._next(number + 1)) is not None:
            number += 1
            if number > MOST_ROWS + 1:
                raise FileRefused(f"{self._name} has more than {MOST_ROWS} rows; split it.", reason="too_large")
            row = as_row(self.header, cells, number)
            if row is not None:
                self._check_formulas(row, number)
                yield TabularRow(number, row)

    def _next(self, number: int) -> list[str] | None:
        """The next record. Raises FileRefused."""
        try:
            return next(self._rows, None)
        except UnicodeDecodeError:
            raise FileRefused(
                f"{self._name} is not UTF-8; save it as «CSV UTF-8».", row=number, reason="wrong_encoding"
            ) from None
        except csv.Error as error:
            raise FileRefused(
                f"Row {number} cannot be read ({error}): look for a quote that is not closed.",
                row=number,
                reason="unreadable",
            ) from None

    def _check_formulas(self, row: dict[str, str], number: int) -> None:
        for column, cell in row.items():
            if cell.startswith(_FORMULA):
                raise FileRefused(
                    f"{cell[:40]!r} is a formula; give its value instead.", row=number, column=column, reason="formula"
                )


def open_csv(content: bytes, name: str) -> CsvTable:
    """Raises FileRefused."""
    if content.startswith(_UTF16):
        raise FileRefused(f"{name} is UTF-16; save it as «CSV UTF-8».", reason="wrong_encoding")
    if b"\0" in content:
        raise FileRefused(f"{name} is neither CSV nor XLSX.", reason="not_a_table")
    first = content.split(b"\n", 1)[0]
    delimiter = max(",;\t", key=lambda mark: first.count(mark.encode()))
    return CsvTable(TextIOWrapper(BytesIO(content), encoding="utf-8-sig", errors="strict", newline=""), name, delimiter)
