"""Which job is done by which use case."""

from collections.abc import Mapping
from contextlib import suppress

from dishka import AsyncContainer

from src.adapters.jobs.worker import Attempt, JobHandler
from src.application.approvals.mails import APPROVAL_JOBS, RunApprovalJob
from src.application.approvals.simulate_policy import SIMULATE_POLICY, RunSimulation
from src.application.catalog.import_catalog import IMPORT_CATALOG, RunImport
from src.application.identity.mailed import (
    NOBODY,
    RECORD_LOGIN_FAILURE,
    SEND_INVITATION,
    SEND_LOGIN_CODE,
    SEND_PASSWORD_RESET,
    RecordLoginFailure,
    SendChallenge,
)
from src.application.messaging.deliver_quote import DeliverQuote, DeliverQuoteCommand
from src.application.ports.jobs import Job
from src.application.quoting.send_quote import DELIVER_QUOTE
from src.domain.documents.catalog_import import ImportEnded
from src.domain.identity.actor import Actor, Origin
from src.domain.identity.challenge import Purpose
from src.domain.shared.ids import ChallengeId, ImportId, MessageId, RequestId, SimulationId, UserId


def job_handlers(container: AsyncContainer) -> Mapping[str, JobHandler]:
    """One handler for each name of a job; each acts for the organisation of its job."""

    async def deliver_quote(job: Job, attempt: Attempt) -> None:
        deliver = await container.get(DeliverQuote)
        command = DeliverQuoteCommand(message_id=MessageId(job.subject_id), last_attempt=attempt.last)
        await deliver(_actor(job), command)

    async def import_catalog(job: Job, _: Attempt) -> None:
        run = await container.get(RunImport)
        with suppress(ImportEnded):  # An attempt before this one has finished it.
            await run(_actor(job), ImportId(job.subject_id))

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
        **_approval_handlers(container),
        DELIVER_QUOTE: deliver_quote,
        IMPORT_CATALOG: import_catalog,
        SEND_LOGIN_CODE: send_challenge(Purpose.LOGIN_CODE),
        SEND_PASSWORD_RESET: send_challenge(Purpose.PASSWORD_RESET),
        SEND_INVITATION: send_invitation,
        RECORD_LOGIN_FAILURE: record_login_failure,
    }


def _approval_handlers(container: AsyncContainer) -> Mapping[str, JobHandler]:
    async def run_approval_job(job: Job, _: Attempt) -> None:
        run = await container.get(RunApprovalJob)
        await run(_actor(job), job.name, RequestId(job.subject_id), job.detail)

    async def simulate_policy(job: Job, _: Attempt) -> None:
        run = await container.get(RunSimulation)
        await run(_actor(job), SimulationId(job.subject_id))

    return {**dict.fromkeys(APPROVAL_JOBS, run_approval_job), SIMULATE_POLICY: simulate_policy}


def _actor(job: Job) -> Actor:
    return Actor.job(organization_id=job.organization_id, name=job.name, origin=_origin(job))


def _origin(job: Job) -> Origin:
    return Origin(trace_id=job.trace_id, ip_address=job.ip_address, user_agent=job.user_agent)
