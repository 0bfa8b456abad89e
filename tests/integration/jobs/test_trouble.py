"""A database that is full or fails for a moment is nobody's failure: no job ends for it, and no worker."""

from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest
from pgqueuer.models import Job as QueuedJob
from sqlalchemy import text

from src.adapters.jobs.attempts import Attempt, fenced_queries
from src.adapters.jobs.worker import libpq_address
from src.adapters.postgres.connection import lent
from src.adapters.postgres.engine import make_engine
from src.application.ports.jobs import Job
from src.domain.jobs.record import JobState
from tests.job_queue import HURRIED, Queue, until

pytestmark = pytest.mark.asyncio
DISK_FULL, INTERNAL = "53100", "XX000"
ONCE = replace(HURRIED, attempts=1)


class Diary:
    """A handler that writes down its attempts, and what it does in the first one."""

    def __init__(self, queue: Queue, statement: str | None = None) -> None:
        self.attempts: list[Attempt] = []
        self._queue, self._statement = queue, statement

    async def __call__(self, _: Job, attempt: Attempt) -> None:
        self.attempts.append(attempt)
        if len(self.attempts) == 1 and self._statement is not None:
            await self._queue.do(self._statement)


async def ended(queue: Queue, job: Job) -> JobState:
    """How it ended, be it well or not."""

    async def is_over() -> bool:
        return (await queue.record(job)).state in {JobState.SUCCEEDED, JobState.FAILED}

    await until(is_over)
    return (await queue.record(job)).state


@pytest.mark.parametrize("sqlstate", [DISK_FULL, INTERNAL])
async def test_a_job_that_cannot_be_put_back_is_taken_again(queue: Queue, sqlstate: str) -> None:
    job, diary = queue.a_job(), Diary(queue, "SELECT 1 / 0")
    await queue.add(job)

    async with queue.trouble("pgqueuer", "NEW.status = 'queued'", sqlstate) as trouble, queue.worker(diary):
        state = await ended(queue, job)
        assert await trouble.has_come()

    assert state is JobState.SUCCEEDED
    assert [attempt.number for attempt in diary.attempts] == [1, 2]


async def test_a_job_that_is_not_put_back_in_time_is_still_no_failure(queue: Queue) -> None:
    """The driver gives up waiting, which is an error of its own and none of PostgreSQL's."""
    connection = await asyncpg.connect(libpq_address(queue.urls.worker), command_timeout=0.1)
    queries = fenced_queries(connection)
    queries.holder = uuid4()
    async with queue.admin.begin() as other:
        await other.exec_driver_sql("LOCK TABLE jobs.pgqueuer")
        await queries.retry_job(QueuedJob.model_construct(id=1), timedelta(0), None)
    await connection.close()


async def test_a_worker_waits_while_the_disk_is_full(queue: Queue) -> None:
    job, diary = queue.a_job(), Diary(queue)
    await queue.add(job)

    async with queue.trouble("pgqueuer", "NEW.status = 'picked'", DISK_FULL, times=2) as trouble, queue.worker(diary):
        state = await ended(queue, job)
        assert await trouble.has_come()

    assert state is JobState.SUCCEEDED
    assert diary.attempts == [Attempt(1, last=False)]


@pytest.mark.parametrize("sqlstate", ["08006", DISK_FULL, "53300", "57P01", "57P03"])
async def test_a_last_attempt_that_found_the_database_away_is_none(queue: Queue, sqlstate: str) -> None:
    job = queue.a_job()
    diary = Diary(queue, f"DO $$ BEGIN RAISE SQLSTATE '{sqlstate}'; END $$")
    await queue.add(job)

    async with queue.worker(diary, ONCE):
        state = await ended(queue, job)

    assert state is JobState.SUCCEEDED
    assert diary.attempts == [Attempt(1, last=True)] * 2


async def test_a_last_attempt_whose_connection_was_cut_is_none(queue: Queue) -> None:
    job = queue.a_job()
    attempts: list[Attempt] = []
    await queue.add(job)
    engine = make_engine(queue.urls.app, pool_size=1)

    async def cut_the_first_time(_: Job, attempt: Attempt) -> None:
        attempts.append(attempt)
        async with lent(engine) as connection:
            await connection.execute(
                text("SELECT pg_terminate_backend(pg_backend_pid())" if attempt.fence == 1 else "SELECT 1")
            )

    async with queue.worker(cut_the_first_time, ONCE):
        state = await ended(queue, job)
    await engine.dispose()

    assert state is JobState.SUCCEEDED
    assert attempts == [Attempt(1, last=True)] * 2


@pytest.mark.parametrize("sqlstate", ["22012", "53200", "57014"])
async def test_what_may_be_the_jobs_own_doing_counts(queue: Queue, sqlstate: str) -> None:
    """One that takes all memory, or all time, would come back for ever."""
    job = queue.a_job()
    await queue.add(job)

    async with queue.worker(Diary(queue, f"DO $$ BEGIN RAISE SQLSTATE '{sqlstate}'; END $$"), ONCE):
        assert await ended(queue, job) is JobState.FAILED


async def test_a_job_whose_attempt_cannot_be_told_is_given_back(queue: Queue) -> None:
    job, diary = queue.a_job(), Diary(queue)
    await queue.add(job)
    await queue.do("ALTER FUNCTION jobs.attempt(bigint) RENAME TO attempt_of")
    async with AsyncExitStack() as afterwards:
        afterwards.push_async_callback(queue.do, "ALTER FUNCTION jobs.attempt_of(bigint) RENAME TO attempt")
        async with queue.worker(diary, ONCE):
            await until(lambda: _was_given_back(queue))
            assert diary.attempts == []
            await afterwards.aclose()
            state = await ended(queue, job)

    assert state is JobState.SUCCEEDED
    assert diary.attempts == [Attempt(1, last=True)]


async def _was_given_back(queue: Queue) -> bool:
    told = "SELECT (count(*) > 1)::text FROM jobs.pgqueuer_log WHERE entrypoint = :n AND status <> 'picked'"
    return await queue.ask(told, n=queue.name) == ["true"]
