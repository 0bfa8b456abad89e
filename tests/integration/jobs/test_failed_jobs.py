"""In whatever way a job fails for good, what waits for it waits no longer; and nobody who acts on both waits for ever."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from src.adapters.jobs.attempts import Attempt
from src.adapters.jobs.worker import JobHandler, WorkerSettings, run_worker
from src.adapters.postgres.connection import lent
from src.adapters.postgres.engine import make_engine
from src.adapters.system import SystemClock, Uuid7Ids
from src.application.documents.exports import CancelExport
from src.application.jobs.manage_jobs import CLEAR_UP, ClearUpAfterJob, RetryJob
from src.application.ports.audit import AuditFilter
from src.application.ports.jobs import DELIVER_QUOTE, IMPORT_CATALOG, RUN_EXPORT, Job
from src.application.ports.mail import MailDeferred
from src.application.ports.paging import Paging
from src.application.ports.unit_of_work import UnitOfWork
from src.application.transactions import Transactions
from src.domain.documents.catalog_import import ImportEnded, ImportStatus
from src.domain.documents.export import MOST_PREPARING, ExportState, TooManyExports
from src.domain.identity.actor import Actor, Origin, Role
from src.domain.jobs.record import JobState
from src.domain.messaging.message import DeliveryStatus
from src.domain.shared.ids import ExportId, ImportId, MessageId
from tests.builders.catalogue import an_import
from tests.builders.exports import an_export
from tests.builders.messages import add_a_queued_message
from tests.builders.quotes import NOON
from tests.job_queue import HURRIED, Queue, until

pytestmark = pytest.mark.asyncio
ONCE = replace(HURRIED, attempts=1)


async def refuses(_: Job, __: Attempt) -> None:
    raise MailDeferred("451 not now")


async def breaks(_: Job, __: Attempt) -> None:
    raise OSError("/srv/proffer/files: SELECT secret")


async def hangs(_: Job, __: Attempt) -> None:
    await asyncio.Event().wait()


@dataclass(frozen=True, slots=True)
class Site:
    """An organisation with a queue. What its jobs are about waits for them."""

    queue: Queue

    @property
    def admin(self) -> Actor:
        return self.queue.organization.actor(Role.ADMIN)

    async def waiting(self, name: str) -> Job:
        """A job of this *name*, and what waits for it."""
        async with self.queue.open(self.admin) as uow:
            job = replace(self.queue.a_job(name), subject_id=await self._subject(uow, name))
            if name == RUN_EXPORT:
                export = an_export(self.admin.person, created_at=NOON, job_id=job.id)
                await uow.exports.save(replace(export, id=ExportId(job.subject_id)).request())
            await uow.jobs.enqueue(job)
            await uow.commit()
        return job

    async def _subject(self, uow: UnitOfWork, name: str) -> UUID:
        if name == IMPORT_CATALOG:
            return (await uow.imports.save(an_import(self.admin.person).start())).id
        if name == RUN_EXPORT:
            return uuid4()
        return (await add_a_queued_message(uow, self.admin)).id

    async def outcome(self, job: Job) -> tuple[str, str]:
        """Of what waited for *job*, and what is told of it."""
        async with self.queue.open(self.admin) as uow:
            if job.name == DELIVER_QUOTE:
                message = await uow.messages.get(MessageId(job.subject_id))
                return message.status.value, message.answer
            if job.name == RUN_EXPORT:
                export = await uow.exports.get(ExportId(job.subject_id))
                return export.state.value, export.message
            ended = await uow.imports.get(ImportId(job.subject_id))
            return ended.status.value, "".join(error.message for error in ended.errors)

    @asynccontextmanager
    async def worker(self, settings: WorkerSettings, **handlers: JobHandler) -> AsyncIterator[None]:
        async def clear_up(job: Job, _: Attempt) -> None:
            origin = Origin(trace_id=job.trace_id)
            actor = Actor.job(organization_id=job.organization_id, name=job.name, origin=origin)
            await ClearUpAfterJob(Transactions(self.queue.open), SystemClock(), Uuid7Ids())(actor, job.subject_id)

        stop = asyncio.Event()
        working = asyncio.create_task(
            run_worker(self.queue.urls.worker, handlers | {CLEAR_UP: clear_up}, stop, settings)
        )
        try:
            yield
        finally:
            stop.set()
            await working

    async def has_settled(self, job: Job) -> bool:
        return (await self.outcome(job))[0] not in {"queued", "preparing", "running"}


@pytest.fixture
def site(queue: Queue) -> Site:
    return Site(queue)


ENDS = {
    DELIVER_QUOTE: DeliveryStatus.FAILED.value,
    RUN_EXPORT: ExportState.FAILED.value,
    IMPORT_CATALOG: ImportStatus.REFUSED.value,
}


@pytest.mark.parametrize("name", list(ENDS))
@pytest.mark.parametrize(
    ("handler", "told"),
    [(refuses, "451 not now"), (breaks, "Something went wrong inside;"), (hangs, "It took longer than 0:00:00.5")],
)
async def test_what_waits_for_a_job_that_fails_waits_no_longer(
    site: Site, name: str, handler: JobHandler, told: str
) -> None:
    job = await site.waiting(name)

    async with site.worker(replace(ONCE, longest=timedelta(milliseconds=500)), **{name: handler}):
        await until(lambda: site.has_settled(job))

    state, message = await site.outcome(job)
    assert state == ENDS[name]
    assert message.startswith(told)
    assert "secret" not in message
    unknown = " Whether the mail has left before that is not known."
    may_have_left = name == DELIVER_QUOTE and handler is not refuses
    assert message == (await site.queue.record(job)).error + (unknown if may_have_left else "")
    async with site.queue.open(site.admin) as uow:
        entries = await uow.audit.page(AuditFilter(trace_id=job.trace_id), Paging())
    assert entries.total >= 1  # Whoever follows the trace of the request finds how it ended.


@pytest.mark.parametrize("name", list(ENDS))
async def test_what_waits_for_a_job_whose_workers_die_waits_no_longer(site: Site, name: str) -> None:
    job = await site.waiting(name)
    await site.queue.do(f"UPDATE proffer.jobs SET attempt = 1 WHERE id = '{job.id}'")  # As one that died has left it.

    async with site.worker(ONCE, **{name: hangs}):
        await until(lambda: site.has_settled(job))

    state, message = await site.outcome(job)
    assert state == ENDS[name]
    assert message.startswith("Its worker died in the last attempt, of 1.")
    assert message.endswith("Whether the mail has left before that is not known.") == (name == DELIVER_QUOTE)


async def test_a_job_and_its_export_end_alike_when_the_last_connection_is_cut(site: Site) -> None:
    """The database can be used again at once, so that this was an attempt, and the last."""
    job = await site.waiting(RUN_EXPORT)
    engine = make_engine(site.queue.urls.app, pool_size=1)

    async def is_cut(_: Job, __: Attempt) -> None:
        async with lent(engine) as connection:
            await connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    async with site.worker(ONCE, **{RUN_EXPORT: is_cut}):
        await until(lambda: site.has_settled(job))
    await engine.dispose()

    assert (await site.outcome(job))[0] == ExportState.FAILED.value
    assert (await site.queue.record(job)).state is JobState.FAILED


async def test_a_job_that_is_retried_before_anybody_has_cleared_up_keeps_what_waits(site: Site) -> None:
    job = await site.waiting(DELIVER_QUOTE)
    stop = asyncio.Event()
    working = asyncio.create_task(run_worker(site.queue.urls.worker, {DELIVER_QUOTE: refuses}, stop, ONCE))
    await until(lambda: _has(site, job, JobState.FAILED))
    stop.set()
    await working

    retry = RetryJob(Transactions(site.queue.open), SystemClock())
    await retry(site.admin, job.id)
    async with site.worker(ONCE):
        await until(lambda: _nothing_to_clear_up(site))

    assert (await site.outcome(job))[0] == "queued"
    await site.queue.cancel(job)


@pytest.mark.parametrize("name", list(ENDS))
async def test_what_failed_waits_again_with_its_job_but_an_import_begins_with_its_file(site: Site, name: str) -> None:
    job = await site.waiting(name)
    async with site.worker(ONCE, **{name: refuses}):
        await until(lambda: site.has_settled(job))
    retry = RetryJob(Transactions(site.queue.open), SystemClock())

    if name == IMPORT_CATALOG:
        with pytest.raises(ImportEnded):
            await retry(site.admin, job.id)
        assert (await site.queue.record(job)).state is JobState.FAILED
    else:
        await retry(site.admin, job.id)
        assert (await site.outcome(job))[0] in {"queued", "preparing"}
    await site.queue.cancel(job)


async def test_an_export_is_not_retried_beside_as_many_as_may_be_prepared(site: Site) -> None:
    job = await site.waiting(RUN_EXPORT)
    async with site.worker(ONCE, **{RUN_EXPORT: refuses}):
        await until(lambda: site.has_settled(job))
    async with site.queue.open(site.admin) as uow:
        others = [await uow.exports.save(an_export(site.admin.person).request()) for _ in range(MOST_PREPARING)]
        await uow.commit()
    retry = RetryJob(Transactions(site.queue.open), SystemClock())

    with pytest.raises(TooManyExports):
        await retry(site.admin, job.id)

    assert (await site.queue.record(job)).state is JobState.FAILED
    async with site.queue.open(site.admin) as uow:
        for other in others:
            await uow.exports.save(other.ended(ExportState.CANCELLED, message="", at=NOON))
        await uow.commit()
    assert (await retry(site.admin, job.id)).state is JobState.QUEUED
    await site.queue.cancel(job)


async def test_giving_an_export_up_takes_its_job_first_as_retrying_it_does(site: Site) -> None:
    """Otherwise each of the two could hold what the other waits for."""
    job = await site.waiting(RUN_EXPORT)
    async with site.queue.open(site.admin) as uow:
        await uow.jobs.lock(job.id)
        cancel = CancelExport(Transactions(site.queue.open), SystemClock())
        cancelling = asyncio.create_task(cancel(site.admin, ExportId(job.subject_id)))
        await until(lambda: _somebody_waits(site))
        await uow.exports.lock(ExportId(job.subject_id))  # Had the other one this, the two would wait for each other.
    cancelled = await cancelling

    assert cancelled.state is ExportState.CANCELLED
    assert (await site.queue.record(job)).state is JobState.CANCELLED


async def test_retrying_takes_the_export_before_it_writes_the_job_as_an_attempt_does(site: Site) -> None:
    """An attempt that ends holds its export, and then wants the job's record for its fence."""
    job = await site.waiting(RUN_EXPORT)
    async with site.worker(ONCE, **{RUN_EXPORT: refuses}):
        await until(lambda: site.has_settled(job))
    async with site.queue.open(site.admin) as uow:
        await uow.exports.lock(ExportId(job.subject_id))
        retrying = asyncio.create_task(RetryJob(Transactions(site.queue.open), SystemClock())(site.admin, job.id))
        await until(lambda: _somebody_waits(site))
        await uow.jobs.report(job.id, done=1, total=None)
        await uow.commit()

    assert (await retrying).state is JobState.QUEUED
    await site.queue.cancel(job)


async def _has(site: Site, job: Job, state: JobState) -> bool:
    return (await site.queue.record(job)).state is state


async def _nothing_to_clear_up(site: Site) -> bool:
    return await site.queue.ask("SELECT 1 FROM jobs.pgqueuer WHERE entrypoint = :n", n=CLEAR_UP) == []


async def _somebody_waits(site: Site) -> bool:
    told = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    return await site.queue.ask(told) != []
