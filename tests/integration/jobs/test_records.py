"""An organisation sees what becomes of its jobs, by the same commit as the queue; it retries and cancels them."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import DBAPIError

from src.adapters.jobs.attempts import Attempt
from src.adapters.jobs.worker import run_worker
from src.adapters.system import SystemClock
from src.application.jobs.manage_jobs import RetryJob
from src.application.ports.jobs import DELIVER_QUOTE, Job
from src.application.ports.mail import MailDeferred
from src.application.transactions import Transactions
from src.domain.identity.actor import Role
from src.domain.jobs.record import JobNotFound, JobState, JobStateConflict
from src.domain.messaging.message import DeliveryStatus
from tests.builders.messages import add_a_queued_message
from tests.builders.quotes import NOON
from tests.job_queue import HURRIED, Queue, until
from tests.organizations import new_organization

pytestmark = pytest.mark.asyncio


async def test_a_job_is_seen_from_queued_to_succeeded(queue: Queue) -> None:
    job = queue.a_job()
    started, may_end = asyncio.Event(), asyncio.Event()

    async def slow(_: Job, __: Attempt) -> None:
        started.set()
        await may_end.wait()

    await queue.add(job)
    waiting = await queue.record(job)
    async with queue.worker(slow):
        await started.wait()
        running = await queue.record(job)
        may_end.set()
    done = await queue.record(job)

    assert (waiting.state, waiting.attempt, waiting.started_at) == (JobState.QUEUED, 0, None)
    assert (running.state, running.attempt, running.ended_at) == (JobState.RUNNING, 1, None)
    assert (done.state, done.attempt, done.error) == (JobState.SUCCEEDED, 1, "")
    assert running.started_at is not None
    assert done.ended_at is not None
    assert done.ended_at >= running.started_at
    assert (done.name, done.subject_id) == (job.name, job.subject_id)


async def test_a_dead_letter_tells_its_error_and_is_replayed(queue: Queue) -> None:
    job = queue.a_job()
    mended = asyncio.Event()
    attempts: list[int] = []

    async def breaks(_: Job, attempt: Attempt) -> None:
        attempts.append(attempt.number)
        if not mended.is_set():
            raise ValueError("/home/proffer: SELECT secret")

    async def has(state: JobState) -> bool:
        return (await queue.record(job)).state is state

    await queue.add(job)
    async with queue.worker(breaks):
        await until(lambda: has(JobState.FAILED))
        dead = await queue.record(job)
        mended.set()
        await queue.retry(job)
        await until(lambda: has(JobState.SUCCEEDED))

    assert dead.error == f"Something went wrong inside; the log has it under the trace id {job.trace_id}."
    assert dead.attempt == HURRIED.attempts
    assert attempts == [1, 2, 3, 1]


async def test_the_error_is_told_between_attempts_too(queue: Queue) -> None:
    job = queue.a_job()
    settings = replace(HURRIED, base=timedelta(hours=1), cap=timedelta(hours=1), random=lambda: 1.0)

    async def breaks(_: Job, __: Attempt) -> None:
        raise MailDeferred("451 not yet")

    async def has_failed_once() -> bool:
        return (await queue.record(job)).error != ""

    await queue.add(job)
    async with queue.worker(breaks, settings):
        await until(has_failed_once)
    record = await queue.record(job)

    assert (record.state, record.attempt, record.error) == (JobState.QUEUED, 1, "451 not yet")
    assert record.due_at > datetime.now(UTC) + timedelta(minutes=59)


async def test_a_cancelled_job_is_never_run(queue: Queue) -> None:
    cancelled, kept = queue.a_job(), queue.a_job()
    await queue.add(cancelled, kept)
    await queue.cancel(cancelled)
    ran: list[Job] = []

    async def note(job: Job, _: Attempt) -> None:
        ran.append(job)

    async with queue.worker(note):
        await until(lambda: bool(ran))

    assert ran == [kept]
    assert (await queue.record(cancelled)).state is JobState.CANCELLED
    with pytest.raises(JobStateConflict, match="cannot be retried"):
        await queue.retry(cancelled)


async def test_a_job_under_way_is_interrupted_when_it_is_cancelled(queue: Queue) -> None:
    job = queue.a_job()
    started, interrupted = asyncio.Event(), asyncio.Event()

    async def endless(_: Job, __: Attempt) -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            interrupted.set()

    await queue.add(job)
    async with queue.worker(endless):
        await started.wait()
        await queue.cancel(job)
        await until(interrupted.is_set)

    assert (await queue.record(job)).state is JobState.CANCELLED
    assert await queue.statuses() == []


async def test_jobs_of_others_are_not_there(queue: Queue) -> None:
    job = queue.a_job()
    await queue.add(job)
    other = await new_organization(queue.open)

    async with queue.open(other.actor(Role.ADMIN)) as uow:
        with pytest.raises(JobNotFound):
            await uow.jobs.lock(job.id)
    with pytest.raises(DBAPIError, match="belongs to the organisation of its transaction"):
        async with queue.open(other.actor(Role.ADMIN)) as uow:
            await uow.jobs.enqueue(queue.a_job())
    assert (await queue.record(job)).state is JobState.QUEUED
    await queue.cancel(job)


@pytest.mark.parametrize("function", ["retry", "cancel"])
async def test_the_functions_themselves_know_the_tenant(queue: Queue, function: str) -> None:
    """Whatever the code before them forgets."""
    job = queue.a_job()
    await queue.add(job)
    await queue.do(f"SELECT set_config('app.tenant_id', gen_random_uuid()::text, false), jobs.{function}('{job.id}')")

    assert await queue.statuses() == ["queued"]
    await queue.cancel(job)


async def test_progress_is_told(queue: Queue) -> None:
    job = queue.a_job()
    await queue.add(job)
    async with queue.open(queue.organization.actor(Role.SALES)) as uow:
        await uow.jobs.report(job.id, done=500, total=1000)
        await uow.commit()

    record = await queue.record(job)
    assert (record.done, record.total) == (500, 1000)
    await queue.cancel(job)


async def test_a_message_that_failed_waits_again_with_its_job(queue: Queue) -> None:
    admin = queue.organization.actor(Role.ADMIN)
    async with queue.open(admin) as uow:
        message = await add_a_queued_message(uow, admin)
        await uow.commit()
    job = replace(queue.a_job(DELIVER_QUOTE), subject_id=message.id)
    await queue.add(job)
    stop = asyncio.Event()

    async def breaks(_: Job, attempt: Attempt) -> None:
        if attempt.last:
            async with queue.open(admin) as uow:
                failing = await uow.messages.get(message.id)
                await uow.messages.save(failing.failed(answer="No.", at=NOON))
                await uow.commit()
        raise ValueError("no")

    async def has_failed() -> bool:
        return (await queue.record(job)).state is JobState.FAILED

    working = asyncio.create_task(run_worker(queue.urls.worker, {DELIVER_QUOTE: breaks}, stop, HURRIED))
    await until(has_failed)
    stop.set()
    await working
    retried = await RetryJob(Transactions(queue.open), SystemClock())(admin, job.id)

    assert (retried.state, retried.attempt) == (JobState.QUEUED, 0)
    async with queue.open(admin) as uow:
        assert (await uow.messages.get(message.id)).status is DeliveryStatus.QUEUED
    await queue.cancel(job)
