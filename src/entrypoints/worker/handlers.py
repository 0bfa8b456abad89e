"""Which job is done by which use case."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Final

from dishka import AsyncContainer

from src.adapters.jobs.attempts import Attempt
from src.adapters.jobs.worker import JobHandler, WorkerSettings, run_worker
from src.adapters.postgres.fence import fenced
from src.application.approvals.mails import APPROVAL_JOBS, RunApprovalJob
from src.application.approvals.simulate_policy import SIMULATE_POLICY, RunSimulation
from src.application.catalog.import_catalog import RunImport
from src.application.documents.delete_old_exports import DeleteOldExports
from src.application.documents.erase_attachment import ERASE_ATTACHMENT, EraseAttachment
from src.application.documents.export_sources import Progress
from src.application.documents.run_export import RunExport, RunExportCommand
from src.application.identity.mailed import (
    NOBODY,
    RECORD_LOGIN_FAILURE,
    SEND_INVITATION,
    SEND_LOGIN_CODE,
    SEND_PASSWORD_RESET,
    RecordLoginFailure,
    SendChallenge,
)
from src.application.jobs.manage_jobs import CLEAR_UP, ClearUpAfterJob, ReportProgress
from src.application.messaging.deliver_quote import DeliverQuote, DeliverQuoteCommand
from src.application.messaging.notices import TellOfFailedDelivery, TellOfFailedTemplate
from src.application.ports.jobs import (
    DELETE_OLD_EXPORTS,
    DELIVER_QUOTE,
    IMPORT_CATALOG,
    RUN_EXPORT,
    TELL_OF_FAILED_DELIVERY,
    TELL_OF_FAILED_TEMPLATE,
    Job,
)
from src.application.quoting.expire_quote import EXPIRE_QUOTE, REMIND_OF_EXPIRY, ExpireQuote, RemindOfExpiry
from src.domain.documents.catalog_import import ImportEnded
from src.domain.identity.actor import Actor, Origin
from src.domain.identity.challenge import Purpose
from src.domain.shared.ids import (
    AttachmentId,
    ChallengeId,
    ExportId,
    ImportId,
    MailTemplateId,
    MessageId,
    QuoteId,
    RequestId,
    SimulationId,
    UserId,
)

_TELL_EVERY: Final = 1.0  # Seconds.
LONG_JOBS: Final = frozenset({IMPORT_CATALOG, SIMULATE_POLICY, RUN_EXPORT})


async def run_jobs(
    container: AsyncContainer, url: str, stop: asyncio.Event, settings: WorkerSettings | None = None
) -> None:
    """All jobs of all organisations, until *stop* is set. *url* is the worker role's; see ``run_worker``."""
    await run_worker(url, job_handlers(container), stop, settings, long_jobs=LONG_JOBS)


def job_handlers(container: AsyncContainer) -> Mapping[str, JobHandler]:
    """One handler for each name of a job; each acts for the organisation of its job, and only while the job is its."""

    async def import_catalog(job: Job, _: Attempt) -> None:
        run = await container.get(RunImport)
        with suppress(ImportEnded):  # An attempt before this one has finished it.
            async with _progress(await container.get(ReportProgress), job) as read:
                await run(_actor(job), ImportId(job.subject_id), progress=read.add)

    async def run_export(job: Job, _: Attempt) -> None:
        run = await container.get(RunExport)
        command = RunExportCommand(export_id=ExportId(job.subject_id))
        async with _progress(await container.get(ReportProgress), job) as progress:
            await run(_actor(job), command, progress)

    async def delete_old_exports(job: Job, _: Attempt) -> None:
        delete = await container.get(DeleteOldExports)
        await delete(_actor(job))

    async def expire_quote(job: Job, _: Attempt) -> None:
        expire = await container.get(ExpireQuote)
        await expire(_actor(job), QuoteId(job.subject_id))

    async def remind_of_expiry(job: Job, _: Attempt) -> None:
        remind = await container.get(RemindOfExpiry)
        await remind(_actor(job), QuoteId(job.subject_id), job.id)

    async def clear_up(job: Job, _: Attempt) -> None:
        after = await container.get(ClearUpAfterJob)
        await after(_actor(job), job.subject_id)

    async def erase_attachment(job: Job, _: Attempt) -> None:
        erase = await container.get(EraseAttachment)
        await erase(_actor(job), AttachmentId(job.subject_id))

    handlers: dict[str, JobHandler] = {
        **_of_mails(container),
        IMPORT_CATALOG: import_catalog,
        RUN_EXPORT: run_export,
        DELETE_OLD_EXPORTS: delete_old_exports,
        CLEAR_UP: clear_up,
        ERASE_ATTACHMENT: erase_attachment,
        EXPIRE_QUOTE: expire_quote,
        REMIND_OF_EXPIRY: remind_of_expiry,
        **_of_accounts(container),
        **_of_approvals(container),
    }
    return {name: _fenced(handler) for name, handler in handlers.items()}


def _of_mails(container: AsyncContainer) -> Mapping[str, JobHandler]:
    async def deliver_quote(job: Job, _: Attempt) -> None:
        deliver = await container.get(DeliverQuote)
        await deliver(_actor(job), DeliverQuoteCommand(message_id=MessageId(job.subject_id)))

    async def tell_of_failed_delivery(job: Job, _attempt: Attempt) -> None:
        tell = await container.get(TellOfFailedDelivery)
        revision = job.detail.partition("#")[0]  # Then the attempt group that failed last.
        await tell(_actor(job), QuoteId(job.subject_id), int(revision), job.id)

    async def tell_of_failed_template(job: Job, _: Attempt) -> None:
        tell = await container.get(TellOfFailedTemplate)
        if job.reference_id is not None:
            await tell(_actor(job), MailTemplateId(job.subject_id), QuoteId(job.reference_id), job.id)

    return {
        DELIVER_QUOTE: deliver_quote,
        TELL_OF_FAILED_DELIVERY: tell_of_failed_delivery,
        TELL_OF_FAILED_TEMPLATE: tell_of_failed_template,
    }


def _of_accounts(container: AsyncContainer) -> Mapping[str, JobHandler]:
    """What is mailed to people who log in."""

    def send_challenge(purpose: Purpose) -> JobHandler:
        async def send(job: Job, _: Attempt) -> None:
            if job.organization_id != NOBODY and job.reference_id is not None:
                mail = await container.get(SendChallenge)
                await mail.to_user(_actor(job), purpose, UserId(job.subject_id), ChallengeId(job.reference_id))

        return send

    async def send_invitation(job: Job, _: Attempt) -> None:
        mail = await container.get(SendChallenge)
        await mail.of_challenge(_actor(job), ChallengeId(job.subject_id))

    async def record_login_failure(job: Job, _: Attempt) -> None:
        if job.organization_id != NOBODY:
            record = await container.get(RecordLoginFailure)
            actor = Actor.anonymous(organization_id=job.organization_id, origin=_origin(job))
            await record(actor, UserId(job.subject_id))

    return {
        SEND_LOGIN_CODE: send_challenge(Purpose.LOGIN_CODE),
        SEND_PASSWORD_RESET: send_challenge(Purpose.PASSWORD_RESET),
        SEND_INVITATION: send_invitation,
        RECORD_LOGIN_FAILURE: record_login_failure,
    }


def _of_approvals(container: AsyncContainer) -> Mapping[str, JobHandler]:
    async def run_approval_job(job: Job, _: Attempt) -> None:
        run = await container.get(RunApprovalJob)
        await run(_actor(job), job.name, RequestId(job.subject_id), job.detail)

    async def simulate_policy(job: Job, _: Attempt) -> None:
        run = await container.get(RunSimulation)
        await run(_actor(job), SimulationId(job.subject_id))

    return {**dict.fromkeys(APPROVAL_JOBS, run_approval_job), SIMULATE_POLICY: simulate_policy}


def _fenced(handler: JobHandler) -> JobHandler:
    async def run(job: Job, attempt: Attempt) -> None:
        with fenced(job.id, attempt.fence):
            await handler(job, attempt)

    return run


class _Steps(Progress):
    """*total* None: nobody knows how many there will be."""

    def __init__(self) -> None:
        self.done = 0
        self.total: int | None = None

    def expect(self, rows: int) -> None:
        self.total = rows

    def add(self, rows: int) -> None:
        self.done += rows


@asynccontextmanager
async def _progress(report: ReportProgress, job: Job) -> AsyncIterator[_Steps]:
    """What it yields is told of every step; now and then, and at the end, the sum is stored for others to see."""
    steps, told = _Steps(), 0

    async def tell() -> None:
        nonlocal told
        if steps.done > told:
            told = steps.done
            await report(_actor(job), job.id, done=told, total=steps.total)

    async def tell_now_and_then() -> None:
        while True:
            await asyncio.sleep(_TELL_EVERY)
            await tell()

    telling = asyncio.create_task(tell_now_and_then())
    try:
        yield steps
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
    await tell()


def _actor(job: Job) -> Actor:
    return Actor.job(organization_id=job.organization_id, name=job.name, origin=_origin(job))


def _origin(job: Job) -> Origin:
    return Origin(trace_id=job.trace_id, ip_address=job.ip_address, user_agent=job.user_agent)
