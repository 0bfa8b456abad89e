"""What use cases say to the database: recorded while they run once, to be said again by asyncpg alone."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from sqlalchemy.ext.asyncio import AsyncEngine

from src.adapters.postgres.connection import watched

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"


@dataclass(frozen=True)
class Recorded:
    """One statement as it went to the driver, with its rows of parameters."""

    sql: str
    rows: tuple[tuple[Any, ...], ...]

    async def run(self, connection: Connection, rows: list[tuple[Any, ...]] | None = None) -> list["asyncpg.Record"]:
        """Say it again, with other *rows* where they are given."""
        given = rows or list(self.rows)
        if self.sql.startswith("BEGIN"):
            await connection.execute(self.sql)
            return []
        if len(given) > 1 or self.sql.startswith(("INSERT", "UPDATE")):
            await connection.executemany(self.sql, given)
            return []
        return await connection.fetch(self.sql, *given[0])


@contextmanager
def recorded(engine: AsyncEngine) -> Iterator[list[Recorded]]:
    """Fills with what *engine* is told meanwhile, but not with how transactions end."""
    seen: list[Recorded] = []

    def keep(sql: str, rows: Sequence[Sequence[Any]]) -> None:
        seen.append(Recorded(sql, tuple(map(tuple, rows)) or ((),)))

    with watched(engine, keep):
        yield seen
