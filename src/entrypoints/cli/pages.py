"""All of a list, page after page."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from src.application.ports.paging import LARGEST_PAGE, Page, Paging

Item = TypeVar("Item")


async def every(list_page: Callable[[Paging], Awaitable[Page[Item]]]) -> AsyncIterator[Item]:
    """What is looked for may be the last of many."""
    paging = Paging(limit=LARGEST_PAGE)
    while True:
        page = await list_page(paging)
        for item in page.items:
            yield item
        if page.next_cursor is None:
            return
        paging = Paging(limit=LARGEST_PAGE, cursor=page.next_cursor)
