"""Attempts at jobs: whose a job is, and that nobody else ends or prolongs it."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg
import structlog
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence import qb
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.settings import DBSettings
from pgqueuer.models import Job as QueuedJob
from pgqueuer.models import TracebackRecord
from pgqueuer.types import JOB_STATUS, JobId

from src.domain.shared.text import storable

_logger = structlog.stdlib.get_logger("proffer.worker")
# Why a job is queued again when its worker was told to stop, or the database was away; that counts as nobody's failure.
RETURNED: Final = "returned"
# Whatever a statement can fail with. A server that does not answer in time is a TimeoutError, which is an OSError.
TROUBLE: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)

_ATTEMPT: Final = "SELECT number, fence FROM jobs.attempt($1)"
_BEAT: Final = (
    "UPDATE jobs.pgqueuer SET heartbeat = now() "
    "WHERE id = ANY($1::bigint[]) AND queue_manager_id = $2 AND status = 'picked'"
)
# The library's own statements do not ask whose a job is: a worker that comes back late would end another's attempt.
# A job that the library calls cancelled is one whose worker was torn down in the middle of it; it is given back.
_END: Final = """
    WITH told AS (
        SELECT * FROM unnest($1::bigint[], $2::jobs.pgqueuer_status[], $3::jsonb[]) AS told (id, status, traceback)
    ), ended AS (
        DELETE FROM jobs.pgqueuer q USING told t
        WHERE q.id = t.id AND q.queue_manager_id = $4 AND q.status = 'picked' AND t.status NOT IN ('failed', 'canceled')
        RETURNING q.id, t.status, q.entrypoint, q.priority, t.traceback
    ), held AS (
        UPDATE jobs.pgqueuer q SET status = 'failed', updated = now(), queue_manager_id = NULL FROM told t
        WHERE q.id = t.id AND q.queue_manager_id = $4 AND q.status = 'picked' AND t.status = 'failed'
        RETURNING q.id, t.status, q.entrypoint, q.priority, t.traceback
    ), returned AS (
        UPDATE jobs.pgqueuer q
        SET status = 'queued', execute_after = now(), updated = now(), queue_manager_id = NULL FROM told t
        WHERE q.id = t.id AND q.queue_manager_id = $4 AND q.status = 'picked' AND t.status = 'canceled'
        RETURNING q.id, q.status, q.entrypoint, q.priority,
            jsonb_build_object('additional_context', jsonb_build_object('reason', 'returned'))
    )
    INSERT INTO jobs.pgqueuer_log (job_id, status, entrypoint, priority, traceback)
    SELECT * FROM ended UNION ALL SELECT * FROM held UNION ALL SELECT * FROM returned
"""
_AGAIN: Final = """
    WITH retried AS (
        UPDATE jobs.pgqueuer
        SET status = 'queued', execute_after = now() + $2::interval, attempts = attempts + 1, updated = now(),
            queue_manager_id = NULL
        WHERE id = $1 AND queue_manager_id = $4 AND status = 'picked'
        RETURNING id, entrypoint, priority
    )
    INSERT INTO jobs.pgqueuer_log (job_id, status, entrypoint, priority, traceback)
    SELECT id, 'queued', entrypoint, priority, $3::jsonb FROM retried
"""


@dataclass(frozen=True, slots=True)
class Attempt:
    """*number* counts from 1; after the *last* the job is kept as failed.

    *fence* grows with every attempt ever made, also by hand; 0 for one that nobody else can make.
    """

    number: int
    last: bool
    fence: int = field(default=0, compare=False)


class FencedQueries(Queries):
    """The library's statements, for jobs that are still this *holder*'s and for no others."""

    holder: UUID

    async def attempt(self, queued: QueuedJob, attempts: int) -> Attempt:
        """Which one it is. The queue counts failures only, and a job that kills its worker would come back for ever."""
        [row] = await self.driver.fetch(_ATTEMPT, queued.id)
        number = int(str(row["number"]))
        return Attempt(number, last=number == attempts, fence=int(str(row["fence"])))

    async def update_heartbeat(self, job_ids: list[JobId]) -> None:
        await self.driver.execute(_BEAT, sorted(set(job_ids)), self.holder)

    async def log_jobs(self, job_status: list[tuple[QueuedJob, JOB_STATUS, TracebackRecord | None]]) -> None:
        await self.driver.execute(
            _END,
            [job.id for job, _, _ in job_status],
            [status for _, status, _ in job_status],
            [_json_of(told) for _, _, told in job_status],
            self.holder,
        )

    async def retry_job(self, job: QueuedJob, delay: timedelta, traceback_record: TracebackRecord | None) -> None:
        try:
            await self.driver.execute(_AGAIN, job.id, delay, _json_of(traceback_record), self.holder)
        except TROUBLE as error:
            # Raised, it would end the job for good. Nobody beats for it any more, so it is taken again before long.
            _logger.warning("job_not_put_back", job_id=job.id, error=type(error).__name__)


def fenced_queries(connection: "asyncpg.Connection[asyncpg.Record]") -> FencedQueries:
    settings = DBSettings(db_schema="jobs")
    return FencedQueries(
        AsyncpgDriver(connection),
        qbe=qb.QueryBuilderEnvironment(settings),
        qbq=qb.QueryQueueBuilder(settings),
        qbs=qb.QuerySchedulerBuilder(settings),
    )


def _json_of(told: TracebackRecord | None) -> str | None:
    """What PostgreSQL takes, whatever characters an error brings: a job that cannot be put away would come back for ever."""
    return None if told is None else json.dumps(storable_json(told.model_dump()), default=_text_of)


def storable_json(value: Any) -> Any:
    """*value* with every text in it storable."""
    match value:
        case str():
            return storable(value)
        case dict():
            return {storable_json(key): storable_json(item) for key, item in value.items()}
        case list() | tuple():
            return [storable_json(item) for item in value]
        case _:
            return value


def _text_of(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
