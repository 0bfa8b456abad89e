"""Jobs over HTTP: what follows a commit, how far it has got, and what to do when it fails."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from dishka.integrations.litestar import FromDishka
from litestar import Controller, get, post
from litestar.params import FromPath, QueryParameter
from litestar.status_codes import HTTP_200_OK
from msgspec import Struct

from src.application.jobs.manage_jobs import CancelJob, RetryJob
from src.application.jobs.read_jobs import GetJob, ListJobs
from src.application.ports.jobs import JobFilter
from src.domain.identity.actor import Actor, Permission
from src.domain.jobs.record import JobRecord, JobState
from src.entrypoints.http.paging import Cursor, Limit, PageResponse, Skip, paging_of

State = Annotated[JobState | None, QueryParameter(name="state", description="`failed` are the dead letters.")]
Name = Annotated[str | None, QueryParameter(name="name", max_length=100, description="What the job does.")]
Subject = Annotated[UUID | None, QueryParameter(name="subject_id", description="What it does it to.")]


class JobResponse(Struct, frozen=True):
    """*attempt* is 0 before the first; *done* of *total* (null: unknown) for long jobs; *error* of the last attempt."""

    id: UUID
    name: str
    subject_id: UUID
    state: str
    attempt: int
    done: int
    total: int | None
    error: str
    created_at: datetime
    due_at: datetime
    started_at: datetime | None
    ended_at: datetime | None

    @classmethod
    def of(cls, job: JobRecord) -> Self:
        return cls(
            id=job.id,
            name=job.name,
            subject_id=job.subject_id,
            state=job.state.value,
            attempt=job.attempt,
            done=job.done,
            total=job.total,
            error=job.error,
            created_at=job.created_at,
            due_at=job.due_at,
            started_at=job.started_at,
            ended_at=job.ended_at,
        )


class JobController(Controller):
    path = "/api/v1/jobs"
    tags = ("jobs",)

    @get(permission=Permission.VIEW_JOBS)
    async def list_jobs(
        self,
        actor: FromDishka[Actor],
        list_jobs: FromDishka[ListJobs],
        in_state: State = None,
        name: Name = None,
        subject_id: Subject = None,
        skip: Skip = 0,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> PageResponse[JobResponse]:
        """Jobs, newest first. Those that ended well are kept for 30 days."""
        paging = paging_of(skip, limit, cursor)
        criteria = JobFilter(states=frozenset({in_state} if in_state else ()), name=name, subject_id=subject_id)
        return PageResponse.of(await list_jobs(actor, criteria, paging), paging, JobResponse.of)

    @get("/{job_id:uuid}", permission=Permission.VIEW_JOBS)
    async def get_job(
        self, job_id: FromPath[UUID], actor: FromDishka[Actor], get_job: FromDishka[GetJob]
    ) -> JobResponse:
        """One job, with how far it has got."""
        return JobResponse.of(await get_job(actor, job_id))

    @post("/{job_id:uuid}/retry", status_code=HTTP_200_OK, permission=Permission.MANAGE_JOBS)
    async def retry_job(
        self, job_id: FromPath[UUID], actor: FromDishka[Actor], retry_job: FromDishka[RetryJob]
    ) -> JobResponse:
        """Try a job again that has failed for good; 409 `import_ended` for an import, which is begun anew with its file."""
        return JobResponse.of(await retry_job(actor, job_id))

    @post("/{job_id:uuid}/cancel", status_code=HTTP_200_OK, permission=Permission.MANAGE_JOBS)
    async def cancel_job(
        self, job_id: FromPath[UUID], actor: FromDishka[Actor], cancel_job: FromDishka[CancelJob]
    ) -> JobResponse:
        """Give a job up. One under way is interrupted; what it has committed already stays."""
        return JobResponse.of(await cancel_job(actor, job_id))
