"""Pages of lists."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from src.domain.shared.errors import FieldError, Invalid

Item = TypeVar("Item")

LARGEST_PAGE = 100
DEEPEST_SKIP = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """*skip* rows, then at most *limit*; with *cursor* (from an earlier page's ``next_cursor``) *skip* does not count."""

    skip: int = 0
    limit: int = 20
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Item]):
    """*total* counts all rows that match. *next_cursor* is None on the last page."""

    items: tuple[Item, ...]
    total: int
    next_cursor: str | None


class CursorRefused(Invalid):
    """A cursor that no earlier page gave."""

    code = "validation_failed"

    def __init__(self) -> None:
        message = "This cursor does not come from an earlier page."
        super().__init__(message, fields=(FieldError("cursor", message),))
