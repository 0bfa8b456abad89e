"""JSON Lines: one object a row in UTF-8, amounts as texts so that no reader makes floats of them."""

import json
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from src.adapters.spreadsheets.cells import encodable, in_utc, plain
from src.application.ports.documents import Cell, Column


class JsonLinesFile:
    """Rows into a file. The keys are those of the columns."""

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        self._file = path.open("w", encoding="utf-8", newline="\n")
        self._keys = [column.name for column in columns]
        self._write = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

    def write(self, rows: Sequence[Sequence[Cell]]) -> None:
        keys, write = self._keys, self._write
        self._file.writelines(
            f"{write(dict(zip(keys, [_value_of(cell) for cell in row], strict=True)))}\n" for row in rows
        )

    def write_totals(self, rows: Sequence[Sequence[Cell]]) -> None:
        """Nothing: programs add up themselves, and a row of another kind would break them."""

    def close(self) -> None:
        self._file.close()

    def abandon(self) -> None:
        self._file.close()


def _value_of(cell: Cell) -> str | bool | int | None:
    match cell:
        case None:
            return None
        case str():
            return encodable(cell)
        case Decimal():
            return plain(cell)
        case datetime():
            return in_utc(cell).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
        case int():  # True and false as well.
            return cell
        case _:
            return cell.isoformat()
