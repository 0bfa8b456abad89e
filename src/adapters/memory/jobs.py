"""Jobs in memory: they wait until a test takes them."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from src.adapters.memory.state import MemoryTransaction, page_of
from src.application.ports.jobs import Job, JobFilter, JobQueue
from src.application.ports.paging import Page, Paging
from src.domain.jobs.record import JobNotFound, JobRecord, JobState
from src.domain.shared.change import Change


class MemoryJobQueue(JobQueue):
    def __init__(self, transaction: MemoryTransaction) -> None:
        self._transaction = transaction
        self._records = transaction.state.jobs

    async def enqueue(self, job: Job) -> None:
        now = datetime.now(UTC)
        self._transaction.jobs.append(job)
        self._records[job.id] = JobRecord(
            id=job.id,
            name=job.name,
            subject_id=job.subject_id,
            state=JobState.QUEUED,
            created_at=now,
            due_at=max(now, job.not_before or now),
        )

    async def get(self, job_id: UUID) -> JobRecord:
        if job_id not in self._records:
            raise JobNotFound("There is no such job.")
        return self._records[job_id]

    async def lock(self, job_id: UUID) -> JobRecord:
        return await self.get(job_id)

    async def page(self, criteria: JobFilter, paging: Paging) -> Page[JobRecord]:
        found = (
            record
            for record in self._records.values()
            if (not criteria.states or record.state in criteria.states)
            and criteria.name in {None, record.name}
            and criteria.subject_id in {None, record.subject_id}
        )
        return page_of(found, paging, lambda record: record)

    async def save(self, change: Change[JobRecord]) -> JobRecord:
        self._records[change.after.id] = change.after
        self._transaction.changes.append(change)
        return change.after

    async def report(self, job_id: UUID, *, done: int, total: int | None) -> None:
        self._records[job_id] = replace(await self.get(job_id), done=done, total=total)
