"""What use cases say to the database: recorded while they run once, to be said again by asyncpg alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"


@dataclass(frozen=True)
class Recorded:
    """One statement as it went to the driver, with its rows of parameters."""

    sql: str
    rows: tuple[tuple[Any, ...], ...]
    many: bool

    async def run(self, connection: Connection, rows: list[tuple[Any, ...]] | None = None) -> list["asyncpg.Record"]:
        """Say it again, with other *rows* where they are given."""
        given = rows or list(self.rows)
        if self.many or self.sql.startswith(("INSERT", "UPDATE")):
            await connection.executemany(self.sql, given)
            return []
        return await connection.fetch(self.sql, *given[0])


@contextmanager
def recorded(engine: AsyncEngine) -> Iterator[list[Recorded]]:
    """Fills with what *engine* is told meanwhile."""
    seen: list[Recorded] = []

    def keep(_c: Any, _cursor: Any, sql: str, parameters: Any, _context: Any, many: bool) -> None:
        seen.append(Recorded(sql, tuple(map(tuple, parameters)) if many else (tuple(parameters),), many))

    event.listen(engine.sync_engine, "before_cursor_execute", keep)
    try:
        yield seen
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", keep)
