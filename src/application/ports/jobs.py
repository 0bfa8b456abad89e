"""Jobs: what is to be done after the commit, outside of any request."""

from abc import abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from src.application.ports.paging import Page, Paging
from src.domain.identity.actor import Actor
from src.domain.jobs.record import JobRecord, JobState
from src.domain.shared.change import Change
from src.domain.shared.ids import OrganizationId

# Names of jobs that more than one context speaks of.
DELIVER_QUOTE: Final = "deliver_quote"
IMPORT_CATALOG: Final = "import_catalog"
TELL_OF_FAILED_DELIVERY: Final = "tell_of_failed_delivery"
TELL_OF_FAILED_TEMPLATE: Final = "tell_of_failed_template"
RUN_EXPORT: Final = "run_export"
DELETE_OLD_EXPORTS: Final = "delete_old_exports"

# How the error of a job begins whose last attempt ended nobody knows where: what it was doing may be done all the same.
WORKER_DIED: Final = "Its worker died in the last attempt"
TOOK_TOO_LONG: Final = "It took longer than"
WENT_WRONG: Final = "Something went wrong inside"
UNKNOWN_ENDS: Final = (WORKER_DIED, TOOK_TOO_LONG, WENT_WRONG)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """*name* says what to do, *subject_id* to what: ids only, never content. *trace_id* ties it to its request.

    Handed out at least once; *id* stays the same over all attempts. *reference_id* is a second thing that it concerns, *detail* a part of the first;
    address and agent are those of the request, where the job has to audit it. *not_before* is an instant; None: at once.
    """

    id: UUID
    name: str
    organization_id: OrganizationId
    subject_id: UUID
    trace_id: str
    reference_id: UUID | None = None
    detail: str = ""
    ip_address: str = ""
    user_agent: str = ""
    not_before: datetime | None = None

    @classmethod
    def asked_by(
        cls,
        actor: Actor,
        job_id: UUID,
        name: str,
        subject_id: UUID,
        *,
        reference_id: UUID | None = None,
        detail: str = "",
        audited: bool = False,
        not_before: datetime | None = None,
    ) -> "Job":
        """In the actor's organisation and in the trace of their request; *audited*: with its address and agent too."""
        return cls(
            id=job_id,
            name=name,
            organization_id=actor.organization_id,
            subject_id=subject_id,
            trace_id=actor.origin.trace_id,
            reference_id=reference_id,
            detail=detail,
            ip_address=actor.origin.ip_address if audited else "",
            user_agent=actor.origin.user_agent if audited else "",
            not_before=not_before,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """What is None is not asked for."""

    states: frozenset[JobState] = frozenset()
    name: str | None = None
    subject_id: UUID | None = None


class JobQueue(Protocol):
    """Belongs to a unit of work: what is enqueued exists from its commit on, or never."""

    @abstractmethod
    async def enqueue(self, job: Job) -> None: ...

    @abstractmethod
    async def get(self, job_id: UUID) -> JobRecord:
        """Raises JobNotFound."""

    @abstractmethod
    async def lock(self, job_id: UUID) -> JobRecord:
        """As ``get``, and no worker takes or ends it until this unit of work ends. Raises JobNotFound."""

    @abstractmethod
    async def page(self, criteria: JobFilter, paging: Paging) -> Page[JobRecord]:
        """Newest first. Raises CursorRefused."""

    @abstractmethod
    async def save(self, change: Change[JobRecord]) -> JobRecord:
        """A job that was locked, retried or cancelled: the queue follows with the commit."""

    @abstractmethod
    async def report(self, job_id: UUID, *, done: int, total: int | None) -> None:
        """How far a long job has got; *total* None: nobody knows. No event: it says nothing that lasts."""
