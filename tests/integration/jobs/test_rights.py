"""The application adds jobs and sees none; the worker sees jobs and nothing else."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from src.adapters.postgres.tables import metadata
from tests.job_queue import Queue

pytestmark = pytest.mark.asyncio

QUEUE = ("pgqueuer", "pgqueuer_log", "pgqueuer_schedules", "pgqueuer_statistics")


@pytest_asyncio.fixture
async def application(queue: Queue) -> AsyncIterator[AsyncConnection]:
    engine = create_async_engine(queue.urls.app, poolclass=NullPool)
    async with engine.connect() as connection:
        yield connection
    await engine.dispose()


@pytest_asyncio.fixture
async def worker(queue: Queue) -> AsyncIterator[AsyncConnection]:
    engine = create_async_engine(queue.urls.worker, poolclass=NullPool)
    async with engine.connect() as connection:
        yield connection
    await engine.dispose()


async def _refused(connection: AsyncConnection, statement: str) -> bool:
    with pytest.raises(DBAPIError, match="permission denied"):
        await connection.execute(text(statement))
    await connection.rollback()
    return True


@pytest.mark.parametrize("table", QUEUE)
async def test_the_application_cannot_touch_the_queue(table: str, application: AsyncConnection) -> None:
    for statement in (
        f"SELECT 1 FROM jobs.{table}",
        f"INSERT INTO jobs.{table} DEFAULT VALUES",
        f"UPDATE jobs.{table} SET id = id",
        f"DELETE FROM jobs.{table}",
        f"TRUNCATE jobs.{table}",
        f"SELECT nextval('jobs.{table}_id_seq')",
    ):
        assert await _refused(application, statement)


@pytest.mark.parametrize("table", QUEUE)
async def test_the_worker_can_read_the_queue(table: str, worker: AsyncConnection) -> None:
    await worker.execute(text(f"SELECT 1 FROM jobs.{table}"))


@pytest.mark.parametrize("table", sorted(table.name for table in metadata.sorted_tables))
async def test_the_worker_cannot_touch_what_belongs_to_organisations(table: str, worker: AsyncConnection) -> None:
    for statement in (f"SELECT 1 FROM proffer.{table}", f"DELETE FROM proffer.{table}"):
        assert await _refused(worker, statement)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM proffer.find_accounts('owner@proffer.example')",
        "SELECT jobs.enqueue(gen_random_uuid(), gen_random_uuid(), 'deliver_quote', gen_random_uuid(), '{}', now())",
        "CREATE TABLE jobs.mine (id integer)",
        "CREATE TABLE public.mine (id integer)",
        "CREATE TEMP TABLE mine (id integer)",
        "TRUNCATE jobs.pgqueuer",
        "SET ROLE proffer_app",
        "SET ROLE proffer_owner",
    ],
)
async def test_the_worker_may_not(statement: str, worker: AsyncConnection) -> None:
    assert await _refused(worker, statement)


async def test_only_the_application_may_add_jobs(queue: Queue) -> None:
    """Through one function, whose path of look-ups cannot be bent."""
    [acl] = await queue.ask(
        "SELECT proacl::text FROM pg_proc WHERE oid = 'jobs.enqueue(uuid,uuid,text,uuid,text,timestamptz)'::regprocedure"
    )
    [settings] = await queue.ask(
        "SELECT proconfig::text FROM pg_proc WHERE oid = 'jobs.enqueue(uuid,uuid,text,uuid,text,timestamptz)'::regprocedure"
    )

    assert sorted(entry.partition("=")[0] for entry in acl.strip("{}").split(",")) == ["proffer_app", "proffer_door"]
    assert settings == '{"search_path=pg_catalog, pg_temp"}'
