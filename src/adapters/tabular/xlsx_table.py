"""XLSX: looked into first, then read by a process of its own."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from typing import Final

import msgspec

from src.adapters.tabular.header import as_row, read_header
from src.adapters.tabular.package import check_package
from src.application.ports.tabular import MOST_ROWS, FileRefused, TabularFile, TabularRow

_Line = tuple[int, list[str]]
_ROOT: Final = Path(__file__).parents[3]
_DAMAGED: Final = 2


class XlsxTable(TabularFile):
    """The first sheet of an open workbook."""

    def __init__(self, process: "Popen[bytes]", name: str) -> None:
        self._process, self._name = process, name
        self._lines = self._read()
        first = next(self._lines, None)
        self.header = read_header(None if first is None else first[1], name)

    def __iter__(self) -> Iterator[TabularRow]:
        for number, cells in self._lines:
            if number > MOST_ROWS + 1:
                raise FileRefused(f"{self._name} has more than {MOST_ROWS} rows; split it.", reason="too_large")
            row = as_row(self.header, cells, number)
            if row is not None:
                yield TabularRow(number, row)

    def _read(self) -> Iterator[_Line]:
        """What the process writes. Raises FileRefused when it ends badly."""
        decoder = msgspec.json.Decoder(_Line)
        assert self._process.stdout is not None
        for line in self._process.stdout:
            yield decoder.decode(line)
        ended = self._process.wait()
        if ended == _DAMAGED:
            raise FileRefused(f"{self._name} is damaged; save it again as .xlsx.", reason="damaged")
        if ended != 0:
            raise FileRefused(f"{self._name} needs too much memory or time to read; split it.", reason="too_large")


@contextmanager
def open_xlsx(content: bytes, name: str) -> Iterator[XlsxTable]:
    """Raises FileRefused."""
    check_package(content, name)
    command = [sys.executable, "-m", "src.adapters.tabular.xlsx_child"]
    # The file itself goes through a pipe: on no disk is anything that a killed process could leave.
    with Popen(command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, cwd=_ROOT) as process:  # noqa: S603 — our own module.
        try:
            _send(process, content)
            yield XlsxTable(process, name)
        finally:
            process.kill()


def _send(process: "Popen[bytes]", content: bytes) -> None:
    """All of it; the process writes nothing before. How it has ended, where it did, its lines tell."""
    assert process.stdin is not None
    with suppress(BrokenPipeError):
        process.stdin.write(content)
    with suppress(BrokenPipeError):
        process.stdin.close()
