"""Pages by keyset: a cursor names the last row that was shown, so that new rows shift nothing; and how lists are searched."""

import base64
import binascii
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from operator import eq
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import (
    BinaryExpression,
    ColumnClause,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    any_,
    bindparam,
    false,
    func,
    literal,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import array

from src.adapters.postgres.connection import Connection, Row
from src.application.ports.paging import CursorRefused, Page, Paging

Item = TypeVar("Item")

_NONE: Final[Mapping[str, Any]] = {}
_SETS: Final = 500  # Of conditions that a list is asked for.
_BETWEEN: Final = "\x1f"  # No text that is stored has it, so that nothing is found across two of them.


def searched(*texts: str) -> str:
    """What is kept beside *texts* to find them by. Folded here, because the server's locale may know ASCII only."""
    return _BETWEEN.join(texts).casefold()


def contains(column: ColumnElement[Any], search: str) -> ColumnElement[bool]:
    """Whether *column*, made by ``searched``, contains *search*, no matter the case; nothing in it is a pattern."""
    wanted = folded(search)
    return false() if wanted is None else func.strpos(column, wanted) > 0


def folded(search: str) -> str | None:
    """What to look for in texts made by ``searched``; None when no stored text can contain it, and some may not even be sent."""
    return None if "\0" in search or _BETWEEN in search else search.casefold()


def containing(search: str) -> str | None:
    """The pattern of LIKE for ``contains``; None when no stored text can contain it."""
    pattern = folded(search)
    if pattern is None:
        return None
    for special in ("\\", "%", "_"):
        pattern = pattern.replace(special, f"\\{special}")
    return f"%{pattern}%"


BATCH: Final = 1000  # Rows that a stream fetches at once.


async def oldest_first(
    connection: Connection,
    table: FromClause,
    conditions: Sequence[ColumnElement[bool]],
    item: Callable[[Row], Item],
) -> AsyncIterator[Item]:
    """All of *table*, by creation and then id, through a cursor of the server: never more than a batch in memory."""
    statement = select(table).where(*conditions).order_by(table.c.created_at, table.c.id)
    async for row in connection.stream(statement, BATCH):
        yield item(row)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows a list is asked for: *conditions* that are put together once for all, and the *values* of their parameters."""

    conditions: tuple[ColumnElement[bool], ...]
    values: Mapping[str, Any]


async def newest_first(
    connection: Connection,
    table: FromClause,
    conditions: Sequence[ColumnElement[bool]],
    paging: Paging,
    item: Callable[[Row], Item],
) -> Page[Item]:
    """A page of *table*, by creation and then id, the newest first."""
    statements = _count_and_rows(table, tuple(conditions), after=paging.cursor is not None)
    return await _page(connection, statements, _NONE, paging, item)


async def newest_wanted(
    connection: Connection, table: FromClause, wanted: Wanted, paging: Paging, item: Callable[[Row], Item]
) -> Page[Item]:
    """As ``newest_first``, with statements that are kept: putting them together takes as long as sending them."""
    statements = _kept_count_and_rows(table, wanted.conditions, after=paging.cursor is not None)
    return await _page(connection, statements, wanted.values, paging, item)


async def _page(
    connection: Connection,
    statements: tuple[Select[Any], Select[Any]],
    values: Mapping[str, Any],
    paging: Paging,
    item: Callable[[Row], Item],
) -> Page[Item]:
    counting, showing = statements
    place: dict[str, Any] = {"page_limit": paging.limit + 1}
    if paging.cursor is None:
        place["page_skip"] = paging.skip
    else:
        place["page_created_at"], place["page_id"] = read_cursor(paging.cursor)
    rows = (await connection.execute(showing, {**values, **place})).all()
    shown = rows[: paging.limit]
    more = len(rows) > paging.limit
    if paging.cursor is None and not more and (rows or not paging.skip):
        total = paging.skip + len(rows)  # The last page, so that nobody needs to count.
    else:
        total = (await connection.execute(counting, values)).scalar_one()
    return Page(
        items=tuple(map(item, shown)),
        total=total,
        next_cursor=write_cursor(shown[-1].created_at, shown[-1].id) if more else None,
    )


def for_counting(conditions: Sequence[ColumnElement[bool]]) -> Iterator[ColumnElement[bool]]:
    """*conditions*, but the tenant's as ``= ANY (ARRAY[…])``, which finds the same.

    Were it written as in its policy, the planner would compare the two values and put a node between scan and count, through which
    every row passes: a fifth of the time.
    """
    for condition in conditions:
        if isinstance(condition, BinaryExpression) and condition.operator is eq:
            column = condition.left
            if isinstance(column, ColumnClause) and column.name == "organization_id":
                yield column == any_(array([condition.right]))
                continue
        yield condition


async def counted(
    connection: Connection,
    table: FromClause,
    conditions: Sequence[ColumnElement[bool]],
    at_most: int,
    values: Mapping[str, Any] = _NONE,
) -> int:
    """How many rows there are; *at_most* for more, so that it takes no longer. *values*: those of parameters."""
    found = select(literal(1)).select_from(table).where(*for_counting(conditions)).limit(at_most).subquery()
    return int((await connection.execute(select(func.count()).select_from(found), values)).scalar_one())


def _count_and_rows(
    table: FromClause, conditions: tuple[ColumnElement[bool], ...], *, after: bool
) -> tuple[Select[Any], Select[Any]]:
    """How many rows meet *conditions*, and one page of them: *after* the row that a cursor names, or else by its place."""
    counting, newest = _bare_count_and_rows(table)
    showing = newest.where(*conditions).limit(bindparam("page_limit", type_=Integer))
    if after:
        columns = table.c
        last = (
            bindparam("page_created_at", type_=columns.created_at.type),
            bindparam("page_id", type_=columns.id.type),
        )
        showing = showing.where(tuple_(columns.created_at, columns.id) < tuple_(*last))
    else:
        showing = showing.offset(bindparam("page_skip", type_=Integer))
    return counting.where(*for_counting(conditions)), showing


_kept_count_and_rows: Final = lru_cache(_SETS)(_count_and_rows)


@cache
def _bare_count_and_rows(table: FromClause) -> tuple[Select[Any], Select[Any]]:
    columns = table.c
    newest = select(table).order_by(columns.created_at.desc(), columns.id.desc())
    return select(func.count()).select_from(table), newest


def write_cursor(created_at: datetime, identity: UUID) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode((created_at, identity))).decode()


def read_cursor(cursor: str) -> tuple[datetime, UUID]:
    """Raises CursorRefused."""
    try:
        created_at, identity = msgspec.json.decode(
            base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True), type=tuple[datetime, UUID]
        )
        if created_at.tzinfo is None:
            raise CursorRefused
        return created_at.astimezone(UTC), identity
    except (binascii.Error, UnicodeError, OverflowError, msgspec.MsgspecError):
        raise CursorRefused from None
