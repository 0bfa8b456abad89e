"""Jobs are added inside the transaction that makes them necessary, and seen in a table that follows the queue."""

from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import select, text, update
from sqlalchemy.sql.elements import ColumnElement

from src.adapters.postgres.connection import Connection, Row
from src.adapters.postgres.pages import newest_first
from src.adapters.postgres.tables import jobs
from src.adapters.postgres.transaction import Transaction
from src.application.ports.jobs import Job, JobFilter, JobQueue
from src.application.ports.paging import Page, Paging
from src.domain.jobs.record import JobNotFound, JobRecord, JobState
from src.domain.shared.change import Change

_ENQUEUE: Final = text(
    "SELECT jobs.enqueue(:id, :organization_id, :name, :subject_id, :payload, coalesce(:not_before, now()))"
)
_HOLD: Final = text("SELECT jobs.hold(:id)")
_MOVES: Final = {
    JobState.QUEUED: text("SELECT jobs.retry(:id)"),
    JobState.CANCELLED: text("SELECT jobs.cancel(:id)"),
}


async def enqueue(connection: Connection, job: Job) -> None:
    """Through a function, because the application may not look into the queue."""
    row = {
        "id": job.id,
        "organization_id": job.organization_id,
        "name": job.name,
        "subject_id": job.subject_id,
        "payload": msgspec.json.encode(job).decode(),
        "not_before": job.not_before,
    }
    await connection.execute(_ENQUEUE, row)


class PostgresJobQueue(JobQueue):
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def enqueue(self, job: Job) -> None:
        await enqueue(self._transaction.connection, job)

    async def get(self, job_id: UUID) -> JobRecord:
        statement = select(jobs).where(*self._mine(), jobs.c.id == job_id)
        row = (await self._transaction.connection.execute(statement)).one_or_none()
        if row is None:
            raise JobNotFound("There is no such job.")
        return _to_record(row)

    async def lock(self, job_id: UUID) -> JobRecord:
        await self._transaction.connection.execute(_HOLD, {"id": job_id})
        return await self.get(job_id)

    async def page(self, criteria: JobFilter, paging: Paging) -> Page[JobRecord]:
        conditions: list[ColumnElement[bool]] = self._mine()
        if criteria.states:
            conditions.append(jobs.c.state.in_([state.value for state in criteria.states]))
        if criteria.name is not None:
            conditions.append(jobs.c.name == criteria.name)
        if criteria.subject_id is not None:
            conditions.append(jobs.c.subject_id == criteria.subject_id)
        return await newest_first(self._transaction.connection, jobs, conditions, paging, _to_record)

    async def save(self, change: Change[JobRecord]) -> JobRecord:
        await self._transaction.connection.execute(_MOVES[change.after.state], {"id": change.after.id})
        stored = await self.get(change.after.id)
        self._transaction.changes.append(replace(change, after=stored))
        return stored

    async def report(self, job_id: UUID, *, done: int, total: int | None) -> None:
        statement = update(jobs).where(*self._mine(), jobs.c.id == job_id).values(done=done, total=total)
        await self._transaction.connection.execute(statement)

    def _mine(self) -> list[Any]:
        return [jobs.c.organization_id == self._transaction.organization_id]


def _to_record(row: Row) -> JobRecord:
    return JobRecord(
        id=row.id,
        name=row.name,
        subject_id=row.subject_id,
        state=JobState(row.state),
        created_at=row.created_at,
        due_at=row.due_at,
        attempt=row.attempt,
        done=row.done,
        total=row.total,
        error=row.error,
        started_at=row.started_at,
        ended_at=row.ended_at,
    )
