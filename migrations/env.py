"""How Alembic reaches the database: a connection or an address in the configuration's attributes, or in the environment."""

import asyncio
import os

from alembic import context
from sqlalchemy import Connection, pool
from sqlalchemy.ext.asyncio import create_async_engine

from src.adapters.postgres.tables import metadata


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection, target_metadata=metadata, version_table_schema="proffer", include_schemas=True
    )
    with context.begin_transaction():
        context.run_migrations()


async def _connect_and_run(url: str) -> None:
    engine = create_async_engine(url, poolclass=pool.NullPool, hide_parameters=True)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_run)
    finally:
        await engine.dispose()


def main() -> None:
    connection = context.config.attributes.get("connection")
    if connection is not None:
        _run(connection)
        return
    url = context.config.attributes.get("url") or os.environ.get("PROFFER_OWNER_DATABASE_URL")
    if not url:
        message = "Set PROFFER_OWNER_DATABASE_URL to the owner's address, or use `proffer migrate`."
        raise SystemExit(message)
    asyncio.run(_connect_and_run(url))


main()
