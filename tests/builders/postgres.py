"""What really happens in the database."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine


@contextmanager
def statements_of(engine: AsyncEngine) -> Iterator[list[str]]:
    """Fills with the text of every statement that *engine* runs meanwhile."""
    seen: list[str] = []

    def remember(*args: Any) -> None:
        seen.append(args[2])

    event.listen(engine.sync_engine, "before_cursor_execute", remember)
    try:
        yield seen
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", remember)


@asynccontextmanager
async def unguarded(owner_engine: AsyncEngine, table: str) -> AsyncIterator[AsyncConnection]:
    """The owner's connection, with the rows of *table* in sight: row-level security is forced on the owner as well."""
    async with owner_engine.begin() as connection:
        await connection.execute(text(f"ALTER TABLE proffer.{table} NO FORCE ROW LEVEL SECURITY"))
        yield connection
        await connection.execute(text(f"ALTER TABLE proffer.{table} FORCE ROW LEVEL SECURITY"))
