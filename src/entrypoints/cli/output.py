"""Tables and progress bars; bars only on a terminal, and always on standard error."""

import json
import sys
from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from src.application.documents import export_sources
from src.entrypoints.strict_json import printable

_LONGEST: Final = 20_000  # Characters of a cell.
_WIDEST: Final = 1_000_000


def print_json(value: object) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))


def print_table(columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]]) -> None:
    """*columns* are titles with their justification: ``left`` or ``right``. What does not fit a terminal is folded.

    Into a file or a pipe each row goes whole and on one line, so that nothing is lost on the way to another program.
    """
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title, justify in columns:
        right = justify == "right"
        table.add_column(title, justify="right" if right else "left", no_wrap=right, overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(text, longest=_LONGEST)) for text in row))
    if sys.stdout.isatty():
        Console().print(table)
        return
    console = Console(width=_WIDEST)
    with console.capture() as shown:
        console.print(table, width=max(console.measure(table).maximum, 1))
    print("\n".join(line.rstrip() for line in shown.get().splitlines()))


def counted(number: int, one: str, many: str = "") -> str:
    """``1 file``, ``2 files``; *many* where it is not *one* with an s."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def progress() -> Progress:
    """A bar for long work that disappears when it is done."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )


class ExportBar(export_sources.Progress):
    """The rows of an export as a line of *bar*."""

    def __init__(self, bar: Progress, description: str) -> None:
        self._bar, self._task = bar, bar.add_task(description, total=None)

    def expect(self, rows: int) -> None:
        self._bar.update(self._task, total=rows)

    def add(self, rows: int) -> None:
        self._bar.advance(self._task, rows)
