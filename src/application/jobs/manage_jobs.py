"""Try failed jobs again, give jobs up, and clear up after those that were given up."""

from datetime import datetime
from typing import Final
from uuid import UUID

from src.application.deliveries import after_failures
from src.application.ports.clock import Clock, IdFactory
from src.application.ports.jobs import DELIVER_QUOTE, IMPORT_CATALOG, RUN_EXPORT, Job
from src.application.ports.unit_of_work import UnitOfWork
from src.application.transactions import Transactions
from src.domain.documents.catalog_import import ImportEnded, RowError
from src.domain.documents.export import ExportState
from src.domain.identity.actor import Actor, Permission
from src.domain.jobs.record import JobRecord
from src.domain.messaging.message import DeliveryStatus
from src.domain.shared.ids import ExportId, ImportId, MessageId

CLEAR_UP: Final = "clear_up_after_job"
_CANCELLED: Final = "The job was cancelled."
# What waits for these jobs would wait for ever.
_AWAITED: Final = frozenset({DELIVER_QUOTE, IMPORT_CATALOG, RUN_EXPORT})


class RetryJob:
    """A job that has failed for good begins anew; a message or an export that failed with it waits again.

    Raises JobNotFound, JobStateConflict.
    """

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions, self._clock = transactions, clock

    async def __call__(self, actor: Actor, job_id: UUID) -> JobRecord:
        now = self._clock.now()
        async with self._transactions.begin(actor, Permission.MANAGE_JOBS) as uow:
            retried = await uow.jobs.save((await uow.jobs.lock(job_id)).retry(at=now))
            if retried.name == DELIVER_QUOTE:
                message = await uow.messages.get(MessageId(retried.subject_id))
                if message.status is DeliveryStatus.FAILED:
                    await uow.messages.save(message.queued_again(at=now))
            elif retried.name == RUN_EXPORT:
                export = await uow.exports.lock(ExportId(retried.subject_id))
                if export.state is ExportState.FAILED:
                    await uow.exports.save(export.again(at=now))
            await uow.commit()
        return retried


class CancelJob:
    """It is never run (again). One under way is interrupted and can commit nothing more; what it has committed stays.

    Raises JobNotFound, JobStateConflict.
    """

    def __init__(self, transactions: Transactions, clock: Clock, ids: IdFactory) -> None:
        self._transactions, self._clock, self._ids = transactions, clock, ids

    async def __call__(self, actor: Actor, job_id: UUID) -> JobRecord:
        async with self._transactions.begin(actor, Permission.MANAGE_JOBS) as uow:
            cancelled = await uow.jobs.save((await uow.jobs.lock(job_id)).cancel(at=self._clock.now()))
            if cancelled.name in _AWAITED:
                # Not here: an attempt under way holds what has to be cleared up, and ends only with this commit.
                job = Job(
                    id=self._ids.new(),
                    name=CLEAR_UP,
                    organization_id=actor.organization_id,
                    subject_id=job_id,
                    trace_id=actor.origin.trace_id,
                )
                await uow.jobs.enqueue(job)
            await uow.commit()
        return cancelled


class ClearUpAfterJob:
    """What waited for a job that was cancelled waits no longer: the message failed, the import ended, the export is given up."""

    def __init__(self, transactions: Transactions, clock: Clock, ids: IdFactory) -> None:
        self._transactions, self._clock, self._ids = transactions, clock, ids

    async def __call__(self, actor: Actor, job_id: UUID) -> None:
        now = self._clock.now()
        async with self._transactions.begin(actor, Permission.DELIVER_MESSAGES) as uow:
            job = await uow.jobs.get(job_id)
            if job.name == DELIVER_QUOTE:
                await self._give_up(uow, actor, MessageId(job.subject_id), now)
            elif job.name == IMPORT_CATALOG:
                running = await uow.imports.lock(ImportId(job.subject_id))
                try:
                    running.check_open()
                except ImportEnded:
                    return
                error = RowError(row=None, column="", message=_CANCELLED)
                await uow.imports.save(running.finished(refused=(error,), at=now))
            elif job.name == RUN_EXPORT:
                export = await uow.exports.lock(ExportId(job.subject_id))
                if export.is_preparing:
                    await uow.exports.save(export.ended(ExportState.CANCELLED, message=_CANCELLED, at=now))
            await uow.commit()

    async def _give_up(self, uow: UnitOfWork, actor: Actor, message_id: MessageId, now: datetime) -> None:
        message = await uow.messages.find(message_id)
        await uow.quotes.lock(message.quote_id)
        message = await uow.messages.get(message_id)
        if message.status is DeliveryStatus.QUEUED:
            failed = await uow.messages.save(message.failed(answer=f"Not sent: {_CANCELLED}", at=now))
            await after_failures(uow, actor, self._ids, [failed], now)


class ReportProgress:
    """How far a job has got, for whoever looks at it meanwhile."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, job_id: UUID, *, done: int, total: int | None = None) -> None:
        async with self._transactions.begin(actor, Permission.DELIVER_MESSAGES) as uow:
            await uow.jobs.report(job_id, done=done, total=total)
            await uow.commit()
