"""Pages of lists on the wire, and the parameters that ask for them."""

from collections.abc import Callable
from typing import Annotated, Generic, TypeVar

from litestar.params import QueryParameter
from msgspec import Struct

from src.application.ports.paging import DEEPEST_SKIP, LARGEST_PAGE, Page, Paging

Item = TypeVar("Item")
Source = TypeVar("Source")

Skip = Annotated[int, QueryParameter(name="skip", ge=0, le=DEEPEST_SKIP, description="Rows to leave out.")]
Limit = Annotated[int, QueryParameter(name="limit", ge=1, le=LARGEST_PAGE, description="Rows at most.")]
Cursor = Annotated[
    str | None,
    QueryParameter(
        name="cursor", max_length=500, description="`next_cursor` of the page before; better than a deep skip."
    ),
]
Search = Annotated[
    str, QueryParameter(name="search", max_length=200, description="Contained text, no matter the case.")
]


class PageResponse(Struct, Generic[Item], frozen=True):
    """*total* counts all rows that match; *next_cursor* is null on the last page."""

    items: list[Item]
    total: int
    skip: int
    limit: int
    next_cursor: str | None

    @classmethod
    def of(cls, page: Page[Source], paging: Paging, item: "Callable[[Source], Item]") -> "PageResponse[Item]":
        return PageResponse(
            items=[item(source) for source in page.items],
            total=page.total,
            skip=paging.skip,
            limit=paging.limit,
            next_cursor=page.next_cursor,
        )

    @classmethod
    def whole(cls, items: list[Item]) -> "PageResponse[Item]":
        """A list that is short by nature, on one page."""
        return PageResponse(items=items, total=len(items), skip=0, limit=max(len(items), 1), next_cursor=None)


def paging_of(skip: int, limit: int, cursor: str | None) -> Paging:
    return Paging(skip=skip, limit=limit, cursor=cursor)
