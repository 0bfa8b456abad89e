"""Pages by keyset: a cursor names the last row that was shown, so that new rows shift nothing; and how lists are searched."""

import base64
import binascii
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from operator import eq
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import (
    BinaryExpression,
    ColumnClause,
    ColumnElement,
    FromClause,
    Select,
    any_,
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

_BETWEEN: Final = "\x1f"  # No text that is stored has it, so that nothing is found across two of them.


def searched(*texts: str) -> str:
    """What is kept beside *texts* to find them by. Folded here, because the server's locale may know ASCII only."""
    return _BETWEEN.join(texts).casefold()


def contains(column: ColumnElement[Any], search: str) -> ColumnElement[bool]:
    """Whether *column*, made by ``searched``, contains *search*, no matter the case; nothing in it is a pattern."""
    if "\0" in search or _BETWEEN in search:
        return false()  # No stored text has them, and the first may not even be sent.
    return func.strpos(column, search.casefold()) > 0


def containing(search: str) -> str | None:
    """The pattern of LIKE for ``contains``; None when no stored text can contain it."""
    if "\0" in search or _BETWEEN in search:
        return None
    folded = search.casefold()
    for special in ("\\", "%", "_"):
        folded = folded.replace(special, f"\\{special}")
    return f"%{folded}%"


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


async def newest_first(
    connection: Connection,
    table: FromClause,
    conditions: Sequence[ColumnElement[bool]],
    paging: Paging,
    item: Callable[[Row], Item],
) -> Page[Item]:
    """A page of *table*, by creation and then id, the newest first."""
    columns = table.c
    counting, showing = _count_and_rows(table)
    statement = showing.where(*conditions).limit(paging.limit + 1)
    if paging.cursor is None:
        statement = statement.offset(paging.skip)
    else:
        statement = statement.where(tuple_(columns.created_at, columns.id) < tuple_(*read_cursor(paging.cursor)))
    total = (await connection.execute(counting.where(*for_counting(conditions)))).scalar_one()
    rows = (await connection.execute(statement)).all()
    shown = rows[: paging.limit]
    more = len(rows) > paging.limit
    return Page(
        items=tuple(item(row) for row in shown),
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
    connection: Connection, table: FromClause, conditions: Sequence[ColumnElement[bool]], at_most: int
) -> int:
    """How many rows there are; *at_most* for more, so that it takes no longer."""
    found = select(literal(1)).select_from(table).where(*for_counting(conditions)).limit(at_most).subquery()
    return int((await connection.execute(select(func.count()).select_from(found))).scalar_one())


@cache
def _count_and_rows(table: FromClause) -> tuple[Select[Any], Select[Any]]:
    """Made once: putting a statement together takes longer than sending it."""
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
