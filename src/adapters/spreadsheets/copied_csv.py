"""From rows as COPY writes them to rows of CSV: pieces as a whole, and only what could be a formula cell by cell.

There is one guard, ``harmless``. A search over the bytes of a piece finds the rows that it could change, and some more.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from src.adapters.spreadsheets.csv_file import harmless
from src.application.ports.documents import Column, ColumnKind

# The search turns each byte into its kind. A text is changed only where a field begins, in this dialect or behind a semicolon
# or a bar in another one, and then, perhaps behind blanks and quotes, something follows that begins a formula.
_BEGINS: Final = b"\t"
_SIGN: Final = b"-"
_ANYWHERE: Final = b"\\"  # Something escaped, such as a line feed, or a bar: to be looked at wherever it stands.
_SIGNS: Final = b"=+@{\xef\xc2\xe1\xe2\xe3"  # The last five begin full-width signs and blanks beyond ASCII.
_KINDS: Final = bytes.maketrans(b"\n;" + _SIGNS + b"|", 2 * _BEGINS + len(_SIGNS) * _SIGN + _ANYWHERE)
_BLANKS: Final = b" '\"\x1c\x1d\x1e\x1f"  # Left out, so that what is behind them stands beside what is before them.

_END: Final = b"\r\n"
_ESCAPED: Final = re.compile(rb"\\(.)", re.DOTALL)
_MEANINGS: Final[Mapping[bytes, bytes]] = {
    b"b": b"\b",
    b"f": b"\f",
    b"n": b"\n",
    b"r": b"\r",
    b"t": b"\t",
    b"v": b"\v",
}


class CopiedCsv:
    """Makes the CSV of one export, piece by piece, as ``CsvFile`` does of the same rows."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._texts = [column.kind is ColumnKind.TEXT for column in columns]
        self._begun = b""

    def rows_in(self, piece: bytes) -> bytes:
        """The rows that end in *piece*, in UTF-8. What is left of it comes with the next one."""
        came = self._begun + piece
        whole = came.rfind(b"\n") + 1
        self._begun = came[whole:]
        return self._csv(came[:whole]) if whole else b""

    def _csv(self, rows: bytes) -> bytes:
        # Tabs and line feeds within texts are escaped: each that is there ends a field.
        quoted = rows.replace(b'"', b'""').replace(b"\t", b'","').replace(b"\n", b'"\r\n"')
        quoted = b'"' + quoted[:-1]
        return self._row_by_row(rows, quoted) if _is_suspicious(rows) else quoted

    def _row_by_row(self, rows: bytes, quoted: bytes) -> bytes:
        plain, lines = rows.split(b"\n"), quoted.split(_END)
        for place, row in enumerate(plain):
            if _is_suspicious(row):
                lines[place] = self._row(row)
        return _END.join(lines)

    def _row(self, row: bytes) -> bytes:
        cells = zip(row.split(b"\t"), self._texts, strict=True)
        return b",".join(
            _quoted(_guarded(cell) if is_text and _is_suspicious(cell) else cell) for cell, is_text in cells
        )


def _is_suspicious(rows: bytes) -> bool:
    kinds = (_BEGINS + rows).translate(_KINDS, _BLANKS)
    return _ANYWHERE in kinds or _BEGINS + _SIGN in kinds


def _guarded(cell: bytes) -> bytes:
    return harmless(_ESCAPED.sub(_meaning, cell).decode()).encode()


def _quoted(cell: bytes) -> bytes:
    return b'"%b"' % cell.replace(b'"', b'""')


def _meaning(escape: re.Match[bytes]) -> bytes:
    return _MEANINGS.get(escape[1], escape[1])
