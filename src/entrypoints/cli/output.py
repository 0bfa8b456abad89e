"""Tables and progress bars; bars only on a terminal, and always on standard error."""

import json
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from src.application.documents import export_sources


def print_json(value: object) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))


def print_table(columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]]) -> None:
    """*columns* are titles with their justification: ``left`` or ``right``."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title, justify in columns:
        table.add_column(title, justify="right" if justify == "right" else "left", no_wrap=justify == "right")
    for row in rows:
        table.add_row(*(text.replace("[", "\\[") for text in row))
    # Into a file or a pipe a table keeps its full width, so that nothing is cut off.
    Console(width=None if sys.stdout.isatty() else 200).print(table)


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
