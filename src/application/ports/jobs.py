"""Jobs: what is to be done after the commit, outside of any request."""

from abc import abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from src.domain.shared.ids import OrganizationId


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


class JobQueue(Protocol):
    """Belongs to a unit of work: what is enqueued exists from its commit on, or never."""

    @abstractmethod
    async def enqueue(self, job: Job) -> None: ...
