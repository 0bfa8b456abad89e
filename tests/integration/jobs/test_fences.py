"""Who has lost a job can neither end it nor let anything of it last; who is told to stop gives it back."""

import asyncio
from contextvars import Context
from dataclasses import replace
from datetime import timedelta

import pytest
from anyio import CancelScope

from src.adapters.jobs.attempts import Attempt
from src.adapters.postgres.fence import AttemptLost, fenced
from src.application.ports.jobs import Job
from src.domain.customers.customer import CustomerNotFound
from src.domain.identity.actor import Role
from src.domain.jobs.record import JobState
from tests.builders.quotes import a_customer
from tests.job_queue import HURRIED, Queue, until

pytestmark = pytest.mark.asyncio


async def _silence(queue: Queue) -> None:
    """As if the worker had not been heard of for long."""
    await queue.do(
        f"UPDATE jobs.pgqueuer SET heartbeat = now() - interval '10 minutes' "
        f"WHERE entrypoint = '{queue.name}' AND status = 'picked'"
    )


async def test_an_attempt_that_was_lost_can_commit_nothing_and_end_nothing(queue: Queue) -> None:
    job = queue.a_job()
    await queue.add(job)
    begun: list[Attempt] = []
    may_go_on, may_end = asyncio.Event(), asyncio.Event()
    lost: list[Exception] = []
    customers = [a_customer(), a_customer()]

    async def write(found: Job, attempt: Attempt) -> None:
        begun.append(attempt)
        turn = len(begun) - 1
        await (may_go_on if turn == 0 else may_end).wait()
        try:
            with fenced(found.id, attempt.fence):
                async with queue.open(queue.organization.actor(Role.SALES)) as uow:
                    await uow.customers.save(customers[turn].create())
                    await uow.commit()
        except AttemptLost as error:
            lost.append(error)
            raise

    quiet = replace(HURRIED, heartbeat=timedelta(hours=1))  # Beats too seldom to be seen in this test.
    async with queue.worker(write, quiet):
        await until(lambda: len(begun) == 1)
        await _silence(queue)
        async with queue.worker(write):
            await until(lambda: len(begun) == 2)
            may_go_on.set()
            await until(lambda: bool(lost))
            await asyncio.sleep(0.3)  # The loser tells the queue that it wants another attempt; nobody listens.
            between = await queue.record(job)
            may_end.set()
            await until(lambda: _is(queue, job, JobState.SUCCEEDED))

    assert (between.state, between.attempt) == (JobState.RUNNING, 2)
    assert [attempt.number for attempt in begun] == [1, 2]
    async with queue.open(queue.organization.actor(Role.SALES)) as uow:
        assert (await uow.customers.get(customers[1].id)).id == customers[1].id
        with pytest.raises(CustomerNotFound):
            await uow.customers.get(customers[0].id)


async def test_a_cancelled_attempt_can_commit_nothing(queue: Queue) -> None:
    job = queue.a_job()
    await queue.add(job)
    customer = a_customer()
    outcome: list[str] = []

    async def stubborn(found: Job, attempt: Attempt) -> None:
        with CancelScope(shield=True), fenced(found.id, attempt.fence):
            async with queue.open(queue.organization.actor(Role.SALES)) as uow:
                await uow.customers.save(customer.create())
                # Somebody else does it, who has no attempt of a job.
                await asyncio.create_task(queue.cancel(found), context=Context())
                with pytest.raises(AttemptLost):
                    await uow.commit()
        outcome.append("refused")

    async with queue.worker(stubborn):
        await until(lambda: bool(outcome))

    assert (await queue.record(job)).state is JobState.CANCELLED
    async with queue.open(queue.organization.actor(Role.SALES)) as uow:
        with pytest.raises(CustomerNotFound):
            await uow.customers.get(customer.id)


async def test_a_job_that_outlasts_the_stop_is_given_back_and_that_is_no_attempt(queue: Queue) -> None:
    job = queue.a_job()
    await queue.add(job)
    begun: list[Attempt] = []

    async def endless(_: Job, attempt: Attempt) -> None:
        begun.append(attempt)
        if len(begun) < 5:
            await asyncio.Event().wait()

    for turn in range(1, 5):
        async with queue.worker(endless, replace(HURRIED, grace=timedelta(milliseconds=50))):
            await until(lambda turn=turn: len(begun) == turn)  # type: ignore[misc]  # A default is no argument.
        record = await queue.record(job)
        assert (record.state, record.attempt, record.error) == (JobState.QUEUED, 0, "")
    async with queue.worker(endless):
        await until(lambda: _is(queue, job, JobState.SUCCEEDED))

    assert begun == [Attempt(1, last=False)] * 5
    assert [attempt.fence for attempt in begun] == [1, 2, 3, 4, 5]


async def _is(queue: Queue, job: Job, state: JobState) -> bool:
    return (await queue.record(job)).state is state
