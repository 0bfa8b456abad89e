"""``proffer job …``: what is under way, what has failed, and what to do about it."""

from typing import Annotated
from uuid import UUID

from cyclopts import Parameter

from src.application.jobs.manage_jobs import CancelJob, RetryJob
from src.application.jobs.read_jobs import GetJob, ListJobs
from src.application.ports.jobs import JobFilter
from src.application.ports.paging import Paging
from src.domain.jobs.record import JobRecord, JobState
from src.domain.shared.calendar import instant_text
from src.entrypoints.cli.output import counted, print_json, print_table
from src.entrypoints.cli.session import As, Limit, Organization, session_of

Json = Annotated[bool, Parameter(help="Print JSON instead of a table.", negative="")]
JobId = Annotated[UUID, Parameter(help="The job's id, as the list shows it.")]


async def list_jobs(
    *,
    user: As,
    organization: Organization = None,
    state: Annotated[JobState | None, Parameter(help="Only these; failed are the dead letters.")] = None,
    limit: Limit = 20,
    json: Json = False,
) -> int:
    """List jobs, newest first.

    Example: proffer job list --state failed --as owner@nordlicht.example
    """
    criteria = JobFilter(states=frozenset({state} if state else ()))
    async with session_of(user, organization) as session:
        page = await (await session.get(ListJobs))(session.actor, criteria, Paging(limit=limit))
    if json:
        print_json([_told(one) for one in page.items])
        return 0
    columns = (("Id", "left"), ("Job", "left"), ("State", "left"), ("Attempt", "right"), ("Done", "right"))
    rows = [(str(one.id), one.name, one.state.value, str(one.attempt), _progress(one)) for one in page.items]
    print_table((*columns, ("Error", "left")), [(*row, one.error) for row, one in zip(rows, page.items, strict=True)])
    print(f"{len(page.items)} of {counted(page.total, 'job')}.")
    return 0


async def show(job_id: JobId, *, user: As, organization: Organization = None) -> int:
    """Show one job as JSON, with how far it has got.

    Example: proffer job show 01a1fd39-1c1f-77f9-a1a7-e202bf4fda5b --as owner@nordlicht.example
    """
    async with session_of(user, organization) as session:
        print_json(_told(await (await session.get(GetJob))(session.actor, job_id)))
    return 0


async def retry(job_id: JobId, *, user: As, organization: Organization = None) -> int:
    """Try a job again that has failed for good.

    Example: proffer job retry 01a1fd39-1c1f-77f9-a1a7-e202bf4fda5b --as owner@nordlicht.example
    """
    async with session_of(user, organization) as session:
        retried = await (await session.get(RetryJob))(session.actor, job_id)
    print(f"{retried.name} is queued again; a worker takes it.")
    return 0


async def cancel(job_id: JobId, *, user: As, organization: Organization = None) -> int:
    """Give a job up. One under way is interrupted; what it has committed already stays.

    Example: proffer job cancel 01a1fd39-1c1f-77f9-a1a7-e202bf4fda5b --as owner@nordlicht.example
    """
    async with session_of(user, organization) as session:
        cancelled = await (await session.get(CancelJob))(session.actor, job_id)
    print(f"{cancelled.name} is cancelled.")
    return 0


def _progress(job: JobRecord) -> str:
    if not job.done and job.total is None:
        return ""
    return str(job.done) if job.total is None else f"{job.done} of {job.total}"


def _told(job: JobRecord) -> dict[str, object]:
    return {
        "id": str(job.id),
        "name": job.name,
        "subject_id": str(job.subject_id),
        "state": job.state.value,
        "attempt": job.attempt,
        "done": job.done,
        "total": job.total,
        "error": job.error,
        "created_at": instant_text(job.created_at),
        "due_at": instant_text(job.due_at),
        "started_at": None if job.started_at is None else instant_text(job.started_at),
        "ended_at": None if job.ended_at is None else instant_text(job.ended_at),
    }
