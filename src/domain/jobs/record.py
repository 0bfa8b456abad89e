"""A job as its organisation sees it: where it stands, and what can be done about it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Self
from uuid import UUID

from src.domain.shared.change import Change
from src.domain.shared.errors import Conflict, NotFound
from src.domain.shared.events import DomainEvent


class JobNotFound(NotFound):
    code = "job_not_found"


class JobStateConflict(Conflict):
    """The job's state does not allow this; details: ``state``, ``verb``."""

    code = "job_state_conflict"


class JobState(StrEnum):
    """*queued* also between two attempts; *failed*: nobody tries again unless told to."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class JobVerb(StrEnum):
    RETRY = "retry"
    CANCEL = "cancel"


STARTS: Mapping[JobVerb, frozenset[JobState]] = MappingProxyType(
    {
        JobVerb.RETRY: frozenset({JobState.FAILED}),
        JobVerb.CANCEL: frozenset({JobState.QUEUED, JobState.RUNNING, JobState.FAILED}),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEvent(DomainEvent):
    """*name* and *subject_id* say what was to be done, and to what."""

    resource_type: str = "job"
    name: str
    subject_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRetried(JobEvent):
    action = "job.retried"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCancelled(JobEvent):
    action = "job.cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """*attempt* counts from 1, 0 before the first. *done* of *total* steps (None: nobody knows how many) for long jobs.

    *error* is what the last attempt died of, for a *failed* job as for one that waits for its next attempt at *due_at*.
    """

    id: UUID
    name: str
    subject_id: UUID
    state: JobState
    created_at: datetime
    due_at: datetime
    attempt: int = 0
    done: int = 0
    total: int | None = None
    error: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None

    def retry(self, *, at: datetime) -> Change[Self]:
        """Try again, from the first attempt on. Raises JobStateConflict unless it has failed for good."""
        self._check(JobVerb.RETRY)
        after = replace(self, state=JobState.QUEUED, attempt=0, due_at=at, ended_at=None)
        return Change(
            self, after, (JobRetried(resource_id=self.id, at=at, name=self.name, subject_id=self.subject_id),)
        )

    def cancel(self, *, at: datetime) -> Change[Self]:
        """Never (again) run it; an attempt under way can commit nothing more. Raises JobStateConflict when it has ended."""
        self._check(JobVerb.CANCEL)
        after = replace(self, state=JobState.CANCELLED, ended_at=at)
        event = JobCancelled(resource_id=self.id, at=at, name=self.name, subject_id=self.subject_id)
        return Change(self, after, (event,))

    def _check(self, verb: JobVerb) -> None:
        if self.state not in STARTS[verb]:
            message = f"This job is {self.state.value}: it cannot be {_DONE[verb]}."
            raise JobStateConflict(message, state=self.state.value, verb=verb.value)


_DONE: Mapping[JobVerb, str] = MappingProxyType({JobVerb.RETRY: "retried", JobVerb.CANCEL: "cancelled"})
