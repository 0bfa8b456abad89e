"""The first row of a table: its columns."""

from collections.abc import Sequence

from src.application.ports.tabular import LONGEST_CELL, MOST_COLUMNS, FileRefused


def read_header(cells: Sequence[str] | None, name: str) -> tuple[str, ...]:
    """The columns, in small letters with underscores. Raises FileRefused for none, for twins and for too many."""
    titles = [cell.strip().casefold().replace(" ", "_") for cell in cells or ()]
    while titles and not titles[-1]:
        titles.pop()
    if not titles:
        raise FileRefused(f"{name} is empty: the first row names the columns.", row=1, reason="empty")
    if len(titles) > MOST_COLUMNS:
        raise FileRefused(f"{name} has more than {MOST_COLUMNS} columns.", row=1, reason="too_large")
    for position, title in enumerate(titles):
        if not title:
            raise FileRefused(f"Column {position + 1} has no title.", row=1, reason="header")
        if title in titles[:position]:
            raise FileRefused(f"Two columns are called {title[:60]!r}.", row=1, reason="header")
    return tuple(titles)


def as_row(header: Sequence[str], cells: Sequence[str], number: int) -> dict[str, str] | None:
    """The cells by title; None for an empty row. Raises FileRefused for cells beyond the header, or too long."""
    trimmed = [cell.strip() for cell in cells]
    if not any(trimmed):
        return None
    for position, cell in enumerate(trimmed):
        if position >= len(header) and cell:
            raise FileRefused(f"Row {number} has more cells than the header.", row=number, reason="ragged")
        if len(cell) > LONGEST_CELL:
            raise FileRefused(
                f"A cell has more than {LONGEST_CELL} characters.",
                row=number,
                column=header[position],
                reason="too_large",
            )
    trimmed += [""] * (len(header) - len(trimmed))
    return dict(zip(header, trimmed, strict=False))
