"""Which job is done by which use case."""

from collections.abc import Mapping
from contextlib import suppress

from dishka import AsyncContainer

from src.adapters.jobs.worker import Attempt, JobHandler
from src.application.catalog.import_catalog import IMPORT_CATALOG, RunImport
from src.application.messaging.deliver_quote import DeliverQuote, DeliverQuoteCommand
from src.application.ports.jobs import Job
from src.application.quoting.send_quote import DELIVER_QUOTE
from src.domain.documents.catalog_import import ImportEnded
from src.domain.identity.actor import Actor, Origin
from src.domain.shared.ids import ImportId, MessageId


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

    return {DELIVER_QUOTE: deliver_quote, IMPORT_CATALOG: import_catalog}


def _actor(job: Job) -> Actor:
    return Actor.job(organization_id=job.organization_id, name=job.name, origin=Origin(trace_id=job.trace_id))
