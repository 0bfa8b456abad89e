"""One organisation's backlog does not keep the others waiting."""

import asyncio
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from dishka.integrations.litestar import LitestarProvider
from sqlalchemy import text

from src.adapters.jobs.attempts import Attempt
from src.adapters.jobs.worker import run_worker
from src.application.approvals.desk import TELL_APPROVERS
from src.application.approvals.simulate_policy import SIMULATE_POLICY
from src.application.ports.jobs import Job
from src.domain.identity.actor import Role
from src.domain.jobs.record import JobState
from src.entrypoints.container import make_container
from src.entrypoints.http.authentication import HttpActors
from src.entrypoints.settings import read_settings
from src.entrypoints.worker.handlers import run_jobs
from tests.builders.approvals import a_simulation
from tests.builders.quotes import a_policy
from tests.database import SECRET
from tests.job_queue import HURRIED, Queue, until
from tests.organizations import TestOrganization, new_organization

pytestmark = pytest.mark.asyncio
BACKLOG = 100_000
LONG_AT_ONCE = 2
A_FEW = 200  # What four workers may have taken already, and take while they look again.

# As ``jobs.enqueue`` would have written them one by one.
_BACKLOG = """
    WITH numbered AS (
        SELECT gen_random_uuid() AS id, turn FROM generate_series(0, {count} - 1) AS turn
    ), queued AS (
        INSERT INTO jobs.pgqueuer (priority, entrypoint, payload, dedupe_key, status)
        SELECT -turn, '{name}', convert_to(json_build_object(
            'id', id, 'name', '{name}', 'organization_id', '{tenant}', 'subject_id', id, 'trace_id', ''
        )::text, 'UTF8'), id::text, 'queued' FROM numbered
        RETURNING id AS queue_id, dedupe_key::uuid AS id, -priority AS turn
    )
    INSERT INTO proffer.jobs (organization_id, id, queue_id, name, subject_id, state, turn, created_at, due_at)
    SELECT '{tenant}', id, queue_id, '{name}', id, 'queued', turn, now(), now() FROM queued
"""


async def _add(queue: Queue, tenant: TestOrganization, count: int) -> list[Job]:
    jobs = [replace(queue.a_job(), organization_id=tenant.organization.id) for _ in range(count)]
    async with queue.open(tenant.actor(Role.SALES)) as uow:
        for job in jobs:
            await uow.jobs.enqueue(job)
        await uow.commit()
    return jobs


async def test_a_single_job_passes_a_hundred_thousand_of_another_organisation(queue: Queue) -> None:
    big, small = await new_organization(queue.open), await new_organization(queue.open)
    await queue.do(_BACKLOG.format(count=BACKLOG, name=queue.name, tenant=big.organization.id))
    served: list[Job] = []

    async def work(job: Job, _: Attempt) -> None:
        await asyncio.sleep(0.02)
        served.append(job)

    async with queue.worker(work), queue.worker(work), queue.worker(work), queue.worker(work):
        await until(lambda: len(served) > 50)
        [mail] = await _add(queue, small, 1)
        before = len(served)
        await until(lambda: mail in served)

    assert served.index(mail) - before <= A_FEW
    await queue.do(f"DELETE FROM jobs.pgqueuer WHERE entrypoint = '{queue.name}'")


async def test_organisations_with_work_take_turns(queue: Queue) -> None:
    tenants = [await new_organization(queue.open) for _ in range(3)]
    for tenant, count in zip(tenants, (30, 10, 20), strict=True):
        await _add(queue, tenant, count)
    served: list[Job] = []

    async def work(job: Job, _: Attempt) -> None:
        served.append(job)

    async with queue.worker(work):
        await until(lambda: len(served) == 60)

    first = [job.organization_id for job in served[:30]]
    assert [first.count(tenant.organization.id) for tenant in tenants] == pytest.approx([10, 10, 10], abs=2)


async def test_who_comes_late_is_not_served_for_the_time_before(queue: Queue) -> None:
    """Else a newcomer with a backlog would hold everybody up until it had caught up."""
    early, late = await new_organization(queue.open), await new_organization(queue.open)
    await _add(queue, early, 300)
    served: list[Job] = []

    async def work(job: Job, _: Attempt) -> None:
        await asyncio.sleep(0.01)
        served.append(job)

    async with queue.worker(work):
        await until(lambda: len(served) >= 80)
        await _add(queue, late, 100)
        start = len(served)
        await until(lambda: len(served) >= start + 100)
        after = [job.organization_id for job in served[start : start + 100]]
        await until(lambda: len(served) == 400)

    assert after.count(early.organization.id) >= 20


async def test_long_jobs_do_not_keep_the_others_waiting(queue: Queue) -> None:
    long, short = f"long-{uuid4().hex}", f"short-{uuid4().hex}"
    for _ in range(12):
        await queue.add(queue.a_job(long))
    quick = queue.a_job(short)
    stop, may_end, begun, done = asyncio.Event(), asyncio.Event(), [], asyncio.Event()

    async def slow(job: Job, _: Attempt) -> None:
        begun.append(job)
        await may_end.wait()

    async def mail(_: Job, __: Attempt) -> None:
        done.set()

    working = asyncio.create_task(
        run_worker(queue.urls.worker, {long: slow, short: mail}, stop, HURRIED, long_jobs={long})
    )
    await until(lambda: bool(begun))
    await queue.add(quick)
    await until(done.is_set)
    at_once = len(begun)
    may_end.set()
    await until(lambda: len(begun) == 12)
    stop.set()
    await working

    assert at_once <= LONG_AT_ONCE


async def test_simulations_that_take_long_keep_no_mail_waiting(queue: Queue, tmp_path: Path) -> None:
    """With the handlers of the service itself, each stuck in the middle of its transaction."""
    team = queue.organization.actor(Role.OWNER)
    async with queue.open(team) as uow:
        simulations = [a_simulation(a_policy(), team.person) for _ in range(12)]
        for simulation in simulations:
            await uow.fact_records.save_simulation(simulation.start())
            await uow.jobs.enqueue(replace(queue.a_job(SIMULATE_POLICY), subject_id=simulation.id))
        await uow.commit()
    mail, stop = queue.a_job(TELL_APPROVERS), asyncio.Event()
    settings = read_settings({"PROFFER_HOME": str(tmp_path), "PROFFER_SECRET_KEY": SECRET})
    container = make_container(settings, queue.urls, HttpActors(), LitestarProvider())

    async def stuck() -> int:
        running = "SELECT id::text FROM proffer.jobs WHERE name = :n AND state = 'running'"
        return len(await queue.ask(running, n=SIMULATE_POLICY))

    async def are_stuck() -> bool:
        return await stuck() >= LONG_AT_ONCE

    async with queue.admin.begin() as other:
        await other.execute(text("SELECT 1 FROM proffer.approval_simulations FOR UPDATE"))
        working = asyncio.create_task(run_jobs(container, queue.urls.worker, stop, HURRIED))
        await until(are_stuck)
        await queue.add(mail)
        await until(lambda: _succeeded(queue, mail))
        at_once = await stuck()
    stop.set()
    await working
    await container.close()
    await queue.do(f"DELETE FROM jobs.pgqueuer WHERE entrypoint = '{SIMULATE_POLICY}'")

    assert at_once <= LONG_AT_ONCE


async def _succeeded(queue: Queue, job: Job) -> bool:
    return (await queue.record(job)).state is JobState.SUCCEEDED
