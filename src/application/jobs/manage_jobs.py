"""Try failed jobs again, give jobs up, and clear up after those that failed or were given up.

Whoever needs a job and what it is about takes the job first, then the other, and writes the job last.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from src.application.delivery_jobs import after_failures
from src.application.ports.clock import Clock, IdFactory
from src.application.ports.jobs import DELIVER_QUOTE, IMPORT_CATALOG, RUN_EXPORT, UNKNOWN_ENDS, Job
from src.application.ports.mail import NO_ANSWER
from src.application.ports.unit_of_work import UnitOfWork
from src.application.transactions import Transactions
from src.domain.documents.catalog_import import ImportEnded, RowError
from src.domain.documents.export import ExportState, check_may_prepare
from src.domain.identity.actor import Actor, Permission
from src.domain.jobs.record import JobRecord, JobState
from src.domain.messaging.message import DeliveryStatus
from src.domain.shared.ids import ExportId, ImportId, MessageId

CLEAR_UP: Final = "clear_up_after_job"
_MAY_HAVE_LEFT: Final = "Whether the mail has left before that is not known."
_CANCELLED: Final = "The job was cancelled."
_ENDED: Final = frozenset({JobState.FAILED, JobState.CANCELLED})
# What waits for these jobs would wait for ever. The queue's trigger knows the same names.
_AWAITED: Final = frozenset({DELIVER_QUOTE, IMPORT_CATALOG, RUN_EXPORT})


class RetryJob:
    """A job that has failed for good begins anew; a message or an export that failed with it waits again.

    Raises JobNotFound, JobStateConflict, TooManyExports; ImportEnded, because an import that failed is begun with its file.
    """

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions, self._clock = transactions, clock

    async def __call__(self, actor: Actor, job_id: UUID) -> JobRecord:
        now = self._clock.now()
        async with self._transactions.begin(actor, Permission.MANAGE_JOBS) as uow:
            job = await uow.jobs.lock(job_id)
            retrying = job.retry(at=now)
            if job.name == DELIVER_QUOTE:
                message = await uow.messages.get(MessageId(job.subject_id))
                if message.status is DeliveryStatus.FAILED:
                    await uow.messages.save(message.queued_again(at=now))
            elif job.name == RUN_EXPORT:
                export = await uow.exports.lock(ExportId(job.subject_id))
                if export.state is ExportState.FAILED:
                    check_may_prepare(await uow.exports.preparing(export.created_by))
                    await uow.exports.save(export.again(at=now))
            elif job.name == IMPORT_CATALOG:
                (await uow.imports.lock(ImportId(job.subject_id))).check_open()
            retried = await uow.jobs.save(retrying)
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
                job = Job.asked_by(actor, self._ids.new(), CLEAR_UP, job_id)
                await uow.jobs.enqueue(job)
            await uow.commit()
        return cancelled


class ClearUpAfterJob:
    """What waited for a job that failed for good or was cancelled waits no longer, and says why; see ``_AWAITED``.

    Enqueued for a cancelled job by whoever cancels it, for a failed one by the queue itself, in whatever way it failed.
    One that was retried meanwhile is left alone. Raises JobNotFound.
    """

    def __init__(self, transactions: Transactions, clock: Clock, ids: IdFactory) -> None:
        self._transactions, self._clock, self._ids = transactions, clock, ids

    async def __call__(self, actor: Actor, job_id: UUID) -> None:
        now = self._clock.now()
        async with self._transactions.begin(actor, Permission.DELIVER_MESSAGES) as uow:
            job = await uow.jobs.lock(job_id)
            if job.state not in _ENDED:
                return
            failed = job.state is JobState.FAILED
            reason = job.error if failed else _CANCELLED
            if job.name == DELIVER_QUOTE:
                await self._give_up(uow, actor, MessageId(job.subject_id), _answer(job), now)
            elif job.name == IMPORT_CATALOG:
                running = await uow.imports.lock(ImportId(job.subject_id))
                try:
                    running.check_open()
                except ImportEnded:
                    return
                error = RowError(row=None, column="", message=reason)
                await uow.imports.save(running.finished(refused=(error,), at=now))
            elif job.name == RUN_EXPORT:
                export = await uow.exports.lock(ExportId(job.subject_id))
                if export.is_preparing:
                    state = ExportState.FAILED if failed else ExportState.CANCELLED
                    await uow.exports.save(export.ended(state, message=reason, at=now))
            await uow.commit()

    async def _give_up(self, uow: UnitOfWork, actor: Actor, message_id: MessageId, answer: str, now: datetime) -> None:
        message = await uow.messages.find(message_id)
        await uow.quotes.lock(message.quote_id)
        message = await uow.messages.get(message_id)
        if message.status is DeliveryStatus.QUEUED:
            failed = await uow.messages.save(message.failed(answer=answer, at=now))
            await after_failures(uow, actor, self._ids, [failed], now)


def _answer(job: JobRecord) -> str:
    """Why a mail was given up. An attempt may hand it over and end, or be interrupted, before it can say so."""
    if job.state is JobState.CANCELLED:
        # Attempts that were given back, or were before somebody retried the job, are not counted.
        return f"Not sent: {_CANCELLED}" if job.started_at is None else f"{_CANCELLED} {_MAY_HAVE_LEFT}"
    unknown = job.error.startswith((*UNKNOWN_ENDS, NO_ANSWER))
    return f"{job.error} {_MAY_HAVE_LEFT}" if unknown else job.error


class ReportProgress:
    """How far a job has got, for whoever looks at it meanwhile."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, job_id: UUID, *, done: int, total: int | None = None) -> None:
        async with self._transactions.begin(actor, Permission.DELIVER_MESSAGES) as uow:
            await uow.jobs.report(job_id, done=done, total=total)
            await uow.commit()
