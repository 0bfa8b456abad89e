"""Tables in files that people bring: CSV and XLSX, read row by row."""

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from src.domain.shared.errors import FieldError, Invalid

LARGEST_FILE = 10 * 1024 * 1024  # Bytes, as uploaded.
MOST_ROWS = 100_000
MOST_COLUMNS = 200
LONGEST_CELL = 32_767


class FileRefused(Invalid):
    """A file that cannot be read as a table; the sentence says what to do."""

    code = "file_refused"

    def __init__(self, message: str, *, row: int | None = None, column: str = "", reason: str = "unreadable") -> None:
        place = "file" if row is None else f"row {row}" + (f", column {column}" if column else "")
        super().__init__(message, fields=(FieldError(place, message),), reason=reason, row=row, column=column)


@dataclass(frozen=True, slots=True)
class TabularRow:
    """One row. *number* is what a spreadsheet shows beside it; the header is 1. *cells* by the header's titles."""

    number: int
    cells: dict[str, str]


class TabularFile(Protocol):
    """An open file. Iterating gives its rows once; empty rows are left out.

    Cells are trimmed text: numbers without exponents or binary dust, days as ISO 8601. Raises FileRefused on the way.
    """

    header: tuple[str, ...]

    @abstractmethod
    def __iter__(self) -> Iterator[TabularRow]: ...


class TabularReader(Protocol):
    @abstractmethod
    def open(self, content: bytes, name: str) -> AbstractContextManager[TabularFile]:
        """The table in *content*, which the user calls *name*. Raises FileRefused."""
