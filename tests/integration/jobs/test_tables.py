"""The queue's tables are those of the pgqueuer that is installed."""

import pytest
from pgqueuer.adapters.persistence import qb
from pgqueuer.domain.settings import DBSettings
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from tests.job_queue import Queue

_COLUMNS = """
    SELECT table_name || '.' || column_name || ' ' || udt_name || ' ' || is_nullable || ' ' || coalesce(column_default, '')
    FROM information_schema.columns WHERE table_schema = :schema
"""
_INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = :schema"
_TRIGGERS = """
    SELECT pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE c.relnamespace = CAST(:schema AS regnamespace) AND NOT t.tgisinternal AND t.tgname <> 'mirror'
"""
_ENUMS = """
    SELECT t.typname || ' ' || string_agg(e.enumlabel, ' ' ORDER BY e.enumsortorder)
    FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid
    WHERE t.typnamespace = CAST(:schema AS regnamespace) GROUP BY t.typname
"""
_FUNCTIONS = """
    SELECT proname || ' ' || regexp_replace(regexp_replace(prosrc, '--[^\n]*', '', 'g'), '\\s+', ' ', 'g') FROM pg_proc
    WHERE pronamespace = CAST(:schema AS regnamespace) AND starts_with(proname, 'fn_pgqueuer')
"""


@pytest.mark.asyncio
async def test_the_tables_are_those_that_pgqueuer_would_install(queue: Queue) -> None:
    """A new release of pgqueuer that wants other tables fails here, and needs a migration."""
    theirs = qb.QueryBuilderEnvironment(DBSettings(db_schema="theirs")).build_install_query()
    engine = create_async_engine(queue.urls.owner, poolclass=NullPool)
    async with engine.connect() as connection:
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw is not None
        await connection.execute(text("SELECT 1"))  # Begins the transaction, so that everything is undone.
        await raw.execute(theirs)
        expected = await _description(connection, "theirs")
        found = await _description(connection, "jobs")
        await connection.rollback()
    await engine.dispose()

    assert len(expected) > 50
    assert found == expected


async def _description(connection: AsyncConnection, schema: str) -> list[str]:
    lines: list[str] = []
    for statement in (_COLUMNS, _INDEXES, _TRIGGERS, _ENUMS, _FUNCTIONS):
        rows = await connection.execute(text(statement), {"schema": schema})
        lines.extend(str(line).replace(f"{schema}.", "") for line in rows.scalars())
    return sorted(lines)
