"""Jobs exist with the commit that makes them necessary, run at least once, and are kept when they fail for good."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError

from src.adapters.jobs.attempts import Attempt
from src.adapters.jobs.worker import WorkerSettings
from src.application.ports.jobs import Job
from src.domain.identity.actor import Role
from tests.job_queue import HURRIED, Queue, until

pytestmark = pytest.mark.asyncio


class Notebook:
    """A handler that writes down what it is given, and fails as often as it is told."""

    def __init__(self, *, failures: int = 0, poison: UUID | None = None) -> None:
        self.jobs: list[Job] = []
        self.attempts: list[Attempt] = []
        self._failures, self._poison = failures, poison

    async def __call__(self, job: Job, attempt: Attempt) -> None:
        self.jobs.append(job)
        self.attempts.append(attempt)
        if job.id == self._poison or (self._poison is None and attempt.number <= self._failures):
            raise ValueError(f"attempt {attempt.number} of {job.id}")


async def test_an_error_of_odd_characters_harms_no_other_job(queue: Queue) -> None:
    """Neither PostgreSQL nor JSON takes them; what cannot be put away would come back, and all with it."""
    good = [queue.a_job() for _ in range(3)]
    poison = queue.a_job()
    seen: list[UUID] = []

    async def handle(job: Job, _: Attempt) -> None:
        seen.append(job.id)
        if job.id == poison.id:
            raise ValueError("bo\0te pleine")

    await queue.add(poison, *good)
    async with queue.worker(handle):
        await until(lambda: seen.count(poison.id) == HURRIED.attempts)

    assert [seen.count(job.id) for job in good] == [1, 1, 1]
    assert await queue.statuses() == ["failed"]


async def test_what_is_rolled_back_is_never_run(queue: Queue) -> None:
    forgotten, kept = queue.a_job(), queue.a_job()
    async with queue.open(queue.organization.actor(Role.SALES)) as uow:
        await uow.jobs.enqueue(forgotten)
    await queue.add(kept)

    notebook = Notebook()
    async with queue.worker(notebook):
        await until(lambda: kept in notebook.jobs)

    assert notebook.jobs == [kept]
    assert await queue.statuses() == []


async def test_a_job_waits_for_its_time(queue: Queue) -> None:
    now = datetime.now(UTC)
    later = replace(queue.a_job(), not_before=now + timedelta(hours=1))
    past = replace(queue.a_job(), not_before=now - timedelta(hours=1))
    await queue.add(later, past)

    notebook = Notebook()
    async with queue.worker(notebook):
        await until(lambda: past in notebook.jobs)
        await queue.do(f"UPDATE jobs.pgqueuer SET execute_after = now() WHERE dedupe_key = '{later.id}'")
        await until(lambda: later in notebook.jobs)

    assert notebook.jobs == [past, later]


async def test_what_waits_for_its_time_is_not_run_before(queue: Queue) -> None:
    later, now = replace(queue.a_job(), not_before=datetime.now(UTC) + timedelta(hours=1)), queue.a_job()
    await queue.add(later, now)

    notebook = Notebook()
    async with queue.worker(notebook):
        await until(lambda: now in notebook.jobs)

    assert notebook.jobs == [now]
    assert await queue.statuses() == ["queued"]


async def test_a_job_arrives_as_it_was_sent_and_leaves_the_queue(queue: Queue) -> None:
    job = queue.a_job()
    await queue.add(job)
    assert await queue.statuses() == ["queued"]

    notebook = Notebook()
    async with queue.worker(notebook):
        await until(lambda: bool(notebook.jobs))

    assert notebook.jobs == [job]
    assert notebook.attempts == [Attempt(1, last=False)]
    assert await queue.statuses() == []


async def test_a_failing_job_is_tried_again(queue: Queue) -> None:
    job = queue.a_job()
    await queue.add(job)

    notebook = Notebook(failures=2)
    async with queue.worker(notebook):
        await until(lambda: len(notebook.attempts) == 3)

    assert notebook.jobs == [job, job, job]
    assert notebook.attempts == [Attempt(1, last=False), Attempt(2, last=False), Attempt(3, last=True)]
    assert await queue.statuses() == []


async def test_a_job_that_fails_for_good_is_kept_with_its_error_and_blocks_nobody(queue: Queue) -> None:
    poison, healthy = queue.a_job(), queue.a_job()
    await queue.add(poison, healthy)

    notebook = Notebook(poison=poison.id)
    async with queue.worker(notebook):
        await until(lambda: len(notebook.jobs) == 1 + HURRIED.attempts)

    assert [job for job in notebook.jobs if job == healthy] == [healthy]
    assert await queue.statuses() == ["failed"]
    [told] = await queue.ask(
        "SELECT traceback::text FROM jobs.pgqueuer_log WHERE entrypoint = :n AND status = 'failed'", n=queue.name
    )
    assert f"attempt 3 of {poison.id}" in told

    async with queue.worker(notebook):
        await asyncio.sleep(3 * HURRIED.poll.total_seconds())
    assert len(notebook.jobs) == 1 + HURRIED.attempts  # It is not tried again.


async def test_a_job_that_hangs_is_given_up_and_counts_as_failed(queue: Queue) -> None:
    started = 0

    async def hang(_: Job, __: Attempt) -> None:
        nonlocal started
        started += 1
        await asyncio.Event().wait()

    await queue.add(queue.a_job())
    settings = WorkerSettings(
        attempts=2, base=HURRIED.base, cap=HURRIED.cap, poll=HURRIED.poll, longest=timedelta(milliseconds=50)
    )

    async def is_given_up() -> bool:
        return await queue.statuses() == ["failed"]

    async with queue.worker(hang, settings):
        await until(is_given_up)

    assert started == 2


async def test_stopping_waits_for_the_job_under_way(queue: Queue) -> None:
    started, may_end, ended = asyncio.Event(), asyncio.Event(), []

    async def slow(job: Job, _: Attempt) -> None:
        started.set()
        await may_end.wait()
        ended.append(job)

    first, second = queue.a_job(), queue.a_job()
    await queue.add(first)
    async with queue.worker(slow) as stop:
        await started.wait()
        stop.set()
        await queue.add(second)
        await asyncio.sleep(3 * HURRIED.poll.total_seconds())
        assert ended == []
        may_end.set()

    assert ended == [first]
    assert await queue.statuses() == ["queued"]  # The second, for the next worker.


async def test_two_workers_share_the_work(queue: Queue) -> None:
    jobs = [queue.a_job() for _ in range(40)]
    await queue.add(*jobs)

    one, other = Notebook(), Notebook()
    async with queue.worker(one), queue.worker(other):
        await until(lambda: len(one.jobs) + len(other.jobs) >= len(jobs))

    assert sorted(job.id for job in one.jobs + other.jobs) == sorted(job.id for job in jobs)
    assert await queue.statuses() == []


async def test_polling_suffices_where_nothing_is_notified(queue: Queue) -> None:
    """Behind a pooler in transaction mode LISTEN hears nothing."""
    notebook = Notebook()
    await queue.do("ALTER TABLE jobs.pgqueuer DISABLE TRIGGER tg_pgqueuer_changed")
    try:
        async with queue.worker(notebook):
            await asyncio.sleep(2 * HURRIED.poll.total_seconds())
            await queue.add(queue.a_job())
            await until(lambda: bool(notebook.jobs))
    finally:
        await queue.do("ALTER TABLE jobs.pgqueuer ENABLE TRIGGER tg_pgqueuer_changed")


async def test_a_job_cannot_wait_twice(queue: Queue) -> None:
    job = queue.a_job()
    await queue.add(job)

    with pytest.raises(IntegrityError, match="pgqueuer_unique_dedupe_key"):
        await queue.add(job)


async def test_a_worker_whose_connection_is_cut_takes_another(queue: Queue) -> None:
    notebook = Notebook()
    async with queue.worker(notebook):
        await queue.add(queue.a_job())
        await until(lambda: len(notebook.jobs) == 1)
        cut = await queue.ask(
            "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity "
            "WHERE usename = 'proffer_worker' AND datname = current_database()"
        )
        later = queue.a_job()
        await queue.add(later)
        await until(lambda: later in notebook.jobs)

    assert cut == ["true"]


async def test_a_worker_waits_for_a_database_that_is_not_there(queue: Queue) -> None:
    nowhere = queue.urls.worker.replace(queue.urls.worker.rpartition("@")[2].partition("/")[0], "127.0.0.1:1")

    async with queue.worker(Notebook(), url=nowhere) as stop:
        await asyncio.sleep(0.1)
        assert not stop.is_set()


async def test_a_worker_waits_for_its_turn_at_a_full_server(queue: Queue) -> None:
    """The same as for a server that is just starting: it answers, but not yet to us."""
    name = queue.urls.worker.rpartition("/")[2]
    notebook = Notebook()
    await queue.add(queue.a_job())
    await queue.do(f"ALTER DATABASE {name} CONNECTION LIMIT 0")
    try:
        async with queue.worker(notebook):
            await asyncio.sleep(0.2)
            assert notebook.jobs == []
            await queue.do(f"ALTER DATABASE {name} CONNECTION LIMIT -1")
            await until(lambda: bool(notebook.jobs))
    finally:
        await queue.do(f"ALTER DATABASE {name} CONNECTION LIMIT -1")


async def test_a_worker_takes_the_address_that_the_pools_take(queue: Queue) -> None:
    notebook = Notebook()
    await queue.add(queue.a_job())
    async with queue.worker(notebook, url=f"{queue.urls.worker}?ssl=prefer"):
        await until(lambda: bool(notebook.jobs))


async def test_a_job_that_cannot_be_read_is_kept_as_failed(queue: Queue) -> None:
    await queue.do(
        f"SELECT jobs.enqueue(gen_random_uuid(), gen_random_uuid(), '{queue.name}', gen_random_uuid(), 'nonsense', now())"
    )
    notebook = Notebook()

    async def is_given_up() -> bool:
        return await queue.statuses() == ["failed"]

    async with queue.worker(notebook):
        await until(is_given_up)

    assert notebook.jobs == []
