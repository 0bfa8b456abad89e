"""Jobs on both stores: seen by their organisation alone, cancelled with what waits for them, told to the audit."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from src.adapters.system import SystemClock, Uuid7Ids
from src.application.jobs.manage_jobs import CLEAR_UP, CancelJob, ClearUpAfterJob, ReportProgress, RetryJob
from src.application.jobs.read_jobs import GetJob, ListJobs
from src.application.ports.audit import AuditFilter
from src.application.ports.jobs import DELIVER_QUOTE, IMPORT_CATALOG, Job, JobFilter
from src.application.ports.paging import Paging
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.application.transactions import Transactions
from src.domain.documents.catalog_import import ImportStatus
from src.domain.identity.actor import Actor, Origin, PermissionMissing, Role
from src.domain.jobs.record import JobNotFound, JobState, JobStateConflict
from src.domain.messaging.message import DeliveryStatus
from tests.builders.catalogue import an_import
from tests.builders.messages import add_a_queued_message
from tests.organizations import TestOrganization

pytestmark = pytest.mark.asyncio
# So far away that no worker of another test takes it.
LATER = datetime.now(UTC) + timedelta(days=1)


def _a_job(team: TestOrganization, name: str = "nobody_does_this", subject_id: UUID | None = None) -> Job:
    return Job.asked_by(team.actor(Role.SALES), uuid4(), name, subject_id or uuid4(), not_before=LATER)


async def _add(open_uow: OpenUnitOfWork, team: TestOrganization, *jobs: Job) -> None:
    async with open_uow(team.actor(Role.SALES)) as uow:
        for job in jobs:
            await uow.jobs.enqueue(job)
        await uow.commit()


def _worker(team: TestOrganization) -> Actor:
    return Actor.job(organization_id=team.organization.id, name="worker", origin=Origin(trace_id="0" * 32))


async def test_jobs_are_listed_by_what_is_asked(open_uow: OpenUnitOfWork, organization: TestOrganization) -> None:
    mail, load = _a_job(organization), _a_job(organization, "also_nobody")
    await _add(open_uow, organization, mail)
    await _add(open_uow, organization, load)
    list_jobs, sales = ListJobs(Transactions(open_uow)), organization.actor(Role.SALES)

    everything = await list_jobs(sales, JobFilter(), Paging())
    by_name = await list_jobs(sales, JobFilter(name=load.name), Paging())
    by_subject = await list_jobs(sales, JobFilter(subject_id=mail.subject_id), Paging())
    by_state = await list_jobs(sales, JobFilter(states=frozenset({JobState.FAILED})), Paging())

    assert [one.id for one in everything.items] == [load.id, mail.id]
    assert [one.id for one in by_name.items] == [load.id]
    assert [one.id for one in by_subject.items] == [mail.id]
    assert by_state.total == 0
    assert everything.items[0].state is JobState.QUEUED
    assert everything.items[0].due_at == LATER


async def test_a_job_is_cancelled_once_and_that_is_audited(
    open_uow: OpenUnitOfWork, organization: TestOrganization
) -> None:
    job, admin = _a_job(organization), organization.actor(Role.ADMIN)
    await _add(open_uow, organization, job)
    cancel = CancelJob(Transactions(open_uow), SystemClock(), Uuid7Ids())

    with pytest.raises(PermissionMissing):
        await cancel(organization.actor(Role.SALES), job.id)
    cancelled = await cancel(admin, job.id)
    with pytest.raises(JobStateConflict, match="cannot be cancelled"):
        await cancel(admin, job.id)
    with pytest.raises(JobStateConflict, match="cannot be retried"):
        await RetryJob(Transactions(open_uow), SystemClock())(admin, job.id)

    assert cancelled.state is JobState.CANCELLED
    assert cancelled.ended_at is not None
    assert await GetJob(Transactions(open_uow))(admin, job.id) == cancelled
    async with open_uow(admin) as uow:
        told = await uow.audit.page(AuditFilter(action="job.cancelled"), Paging())
    assert [entry.record.resource_id for entry in told.items] == [job.id]


async def test_what_is_not_there_is_not_found(open_uow: OpenUnitOfWork, organization: TestOrganization) -> None:
    admin, unknown = organization.actor(Role.ADMIN), uuid4()
    transactions, clock = Transactions(open_uow), SystemClock()

    with pytest.raises(JobNotFound):
        await GetJob(transactions)(admin, unknown)
    with pytest.raises(JobNotFound):
        await RetryJob(transactions, clock)(admin, unknown)
    with pytest.raises(JobNotFound):
        await CancelJob(transactions, clock, Uuid7Ids())(admin, unknown)


async def test_an_import_whose_job_is_cancelled_ends(open_uow: OpenUnitOfWork, organization: TestOrganization) -> None:
    admin, transactions = organization.actor(Role.ADMIN), Transactions(open_uow)
    async with open_uow(admin) as uow:
        started = await uow.imports.save(an_import(admin.person).start())
        await uow.commit()
    job = _a_job(organization, IMPORT_CATALOG, started.id)
    await _add(open_uow, organization, job)

    await CancelJob(transactions, SystemClock(), Uuid7Ids())(admin, job.id)
    queued = await ListJobs(transactions)(admin, JobFilter(name=CLEAR_UP), Paging())
    for _ in range(2):  # It runs at least once.
        await ClearUpAfterJob(transactions, SystemClock(), Uuid7Ids())(_worker(organization), job.id)

    assert [one.subject_id for one in queued.items] == [job.id]
    async with open_uow(admin) as uow:
        ended = await uow.imports.get(started.id)
    assert ended.status is ImportStatus.REFUSED
    assert [error.message for error in ended.errors] == ["The job was cancelled."]


async def test_a_message_whose_job_is_cancelled_has_failed(
    open_uow: OpenUnitOfWork, organization: TestOrganization
) -> None:
    admin, transactions = organization.actor(Role.ADMIN), Transactions(open_uow)
    async with open_uow(admin) as uow:
        message = await add_a_queued_message(uow, admin)
        await uow.commit()
    job = _a_job(organization, DELIVER_QUOTE, message.id)
    await _add(open_uow, organization, job)

    await CancelJob(transactions, SystemClock(), Uuid7Ids())(admin, job.id)
    for _ in range(2):
        await ClearUpAfterJob(transactions, SystemClock(), Uuid7Ids())(_worker(organization), job.id)

    async with open_uow(admin) as uow:
        failed = await uow.messages.get(message.id)
        told = await uow.audit.page(AuditFilter(action="quote.delivery_failed"), Paging())
    assert (failed.status, failed.answer) == (DeliveryStatus.FAILED, "Not sent: The job was cancelled.")
    assert [entry.record.resource_id for entry in told.items] == [message.quote_id]


async def test_progress_is_told(open_uow: OpenUnitOfWork, organization: TestOrganization) -> None:
    job, transactions = _a_job(organization), Transactions(open_uow)
    await _add(open_uow, organization, job)

    await ReportProgress(transactions)(_worker(organization), job.id, done=500, total=1000)

    seen = await GetJob(transactions)(organization.actor(Role.SALES), job.id)
    assert (seen.done, seen.total) == (500, 1000)
