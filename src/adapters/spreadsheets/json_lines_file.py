"""JSON Lines: an object for each row, named by the columns, as machines like it."""

import json
import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from src.adapters.spreadsheets.cells import encodable, in_utc, plain
from src.application.ports.documents import Cell, Column

_NOT_A_NAME = re.compile(r"[^a-z0-9]+")


class JsonLinesFile:
    """Names are the titles in lower case with underscores: ``Created at (UTC)`` is ``created_at_utc``."""

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        self._names = [_NOT_A_NAME.sub("_", column.title.lower()).strip("_") for column in columns]
        self._file = path.open("w", encoding="utf-8", newline="\n")

    def write(self, rows: Sequence[Sequence[Cell]]) -> None:
        for row in rows:
            values = {name: _value_of(cell) for name, cell in zip(self._names, row, strict=True)}
            self._file.write(json.dumps(values, ensure_ascii=False) + "\n")

    def close(self) -> None:
        self._file.close()


def _value_of(cell: Cell) -> str | int | None:
    match cell:
        case None | int():
            return cell
        case str():
            return encodable(cell)
        case Decimal():
            return plain(cell)  # As text: many readers would make a double of a number.
        case datetime():
            return in_utc(cell).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        case _:
            return cell.isoformat()
