"""What really happens in the database."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from src.adapters.postgres.connection import watched


@contextmanager
def statements_of(engine: AsyncEngine) -> Iterator[list[str]]:
    """Fills with the text of every statement that repositories and directories run on *engine* meanwhile."""
    seen: list[str] = []
    with watched(engine, lambda sql, _: seen.append(sql)):
        yield seen


@asynccontextmanager
async def unguarded(owner_engine: AsyncEngine, table: str) -> AsyncIterator[AsyncConnection]:
    """The owner's connection, with the rows of *table* in sight: row-level security is forced on the owner as well."""
    async with owner_engine.begin() as connection:
        await connection.execute(text(f"ALTER TABLE proffer.{table} NO FORCE ROW LEVEL SECURITY"))
        yield connection
        await connection.execute(text(f"ALTER TABLE proffer.{table} FORCE ROW LEVEL SECURITY"))
