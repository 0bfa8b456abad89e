"""A database that is away is nobody's failure: no job ends for it, and no worker. What a job does to itself counts."""

from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest
from pgqueuer.models import Job as QueuedJob
from sqlalchemy import make_url, text

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


CUT = "SELECT pg_terminate_backend(pg_backend_pid())"


def raising(sqlstate: str) -> str:
    return f"DO $$ BEGIN RAISE SQLSTATE '{sqlstate}'; END $$"


@dataclass
class Failing:
    """A handler that does *statement*. In so many attempts nobody gets a connection meanwhile, and the one after them ends well."""

    queue: Queue
    statement: str
    away: int = 0
    attempts: list[Attempt] = field(default_factory=list)

    async def __call__(self, _: Job, attempt: Attempt) -> None:
        self.attempts.append(attempt)
        if len(self.attempts) == self.away + 1 > 1:
            await self._allow("-1")
            return
        engine = make_engine(self.queue.urls.app, pool_size=1)
        if len(self.attempts) > 1:
            await self._allow("-1")
        async with AsyncExitStack() as afterwards:
            afterwards.push_async_callback(engine.dispose)
            connection = await afterwards.enter_async_context(lent(engine))
            if self.away:
                await self._allow("0")
            await connection.execute(text(self.statement))

    async def _allow(self, connections: str) -> None:
        """To all but administrators. Who has a connection keeps it, such as the worker itself."""
        database = make_url(self.queue.urls.app).database
        await self.queue.do(f"ALTER DATABASE {database} CONNECTION LIMIT {connections}")


@pytest.mark.parametrize("statement", [CUT, *map(raising, ("08006", "53300", "57P01", "57P03"))])
async def test_a_last_attempt_that_found_the_database_away_is_none(queue: Queue, statement: str) -> None:
    job, handler = queue.a_job(), Failing(queue, statement, away=2)
    await queue.add(job)

    async with queue.worker(handler, ONCE):
        state = await ended(queue, job)

    assert state is JobState.SUCCEEDED
    assert handler.attempts == [Attempt(1, last=True)] * 3


@pytest.mark.parametrize(
    "statement", [CUT, *map(raising, ("08006", "53300", "57P01", DISK_FULL, "22012", "53200", "57014"))]
)
async def test_what_may_be_the_jobs_own_doing_counts(queue: Queue, statement: str) -> None:
    """Others can use the database: a job that fills the disk or has its connection cut would come back for ever."""
    job, handler = queue.a_job(), Failing(queue, statement)
    await queue.add(job)

    async with queue.worker(handler):
        assert await ended(queue, job) is JobState.FAILED

    assert [attempt.number for attempt in handler.attempts] == [1, 2, 3]


async def test_pauses_grow_while_the_database_stays_away(queue: Queue) -> None:
    job, handler = queue.a_job(), Failing(queue, CUT, away=4)
    await queue.add(job)

    async with queue.worker(handler, replace(ONCE, random=lambda: 1.0, cap=timedelta(milliseconds=4))):
        assert await ended(queue, job) is JobState.SUCCEEDED

    pauses = await queue.ask(
        "SELECT traceback -> 'additional_context' ->> 'retry_delay' FROM jobs.pgqueuer_log "
        "WHERE entrypoint = :n AND traceback IS NOT NULL ORDER BY id",
        n=queue.name,
    )
    assert pauses == ["0:00:00.001000", "0:00:00.002000", "0:00:00.004000", "0:00:00.004000"]


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
