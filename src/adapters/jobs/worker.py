"""Running jobs with pgqueuer: claimed by the worker's own role, retried with growing pauses, kept when they fail for good."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import asyncpg
import msgspec
import structlog
from pgqueuer import QueueManager
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence import qb
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.settings import DBSettings
from pgqueuer.errors import RetryRequested
from pgqueuer.models import Job as QueuedJob
from sqlalchemy.engine import make_url

from src.application.ports.jobs import Job

_logger = structlog.stdlib.get_logger("proffer.worker")
_AT_ONCE: Final = 8
_RECONNECT_PAUSE: Final = 1.0  # Seconds.
# Since its last failure, because a failed job may be queued again by hand.
_TAKEN: Final = """
    SELECT count(*) AS taken FROM jobs.pgqueuer_log WHERE job_id = $1 AND status = 'picked' AND id > coalesce(
        (SELECT max(id) FROM jobs.pgqueuer_log WHERE job_id = $1 AND status = 'failed'), 0
    )
"""
# A server that is away, going away, coming back, or full for the moment.
LOST: Final = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.TooManyConnectionsError,
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """*number* counts from 1; after the *last* the job is kept as failed."""

    number: int
    last: bool


JobHandler = Callable[[Job, Attempt], Awaitable[None]]


class JobAbandoned(Exception):
    """The worker died in the job's last attempt, so nobody could say that it failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """Pauses grow from *base* to *cap*, each a random part of that (full jitter). *poll* bounds how late work is seen.

    A job that takes *longest* is given up, which counts as a failed attempt.
    """

    attempts: int = 12
    base: timedelta = timedelta(seconds=5)
    cap: timedelta = timedelta(hours=1)
    poll: timedelta = timedelta(seconds=1)
    heartbeat: timedelta = timedelta(seconds=30)
    longest: timedelta = timedelta(minutes=15)
    random: Callable[[], float] = field(default=random.random)

    def pause(self, number: int) -> timedelta:
        """How long to wait after attempt *number*."""
        longest: timedelta = min(self.cap, self.base * (1 << min(number, 20)))
        return longest * self.random()


async def run_worker(
    url: str,
    handlers: Mapping[str, JobHandler],
    stop: asyncio.Event,
    settings: WorkerSettings | None = None,
) -> None:
    """Run jobs until *stop* is set, then finish those under way. A database that goes away is waited for.

    *url* is the worker role's. Every job runs at least once, so handlers must bear being run again.
    """
    while not stop.is_set():
        try:
            await _work(url, handlers, stop, settings or WorkerSettings())
        except LOST as error:
            _logger.warning("worker_lost_database", error=type(error).__name__)
            await _sleep(stop, _RECONNECT_PAUSE)


async def _work(url: str, handlers: Mapping[str, JobHandler], stop: asyncio.Event, settings: WorkerSettings) -> None:
    connection = await asyncpg.connect(libpq_address(url), timeout=5)
    try:
        queries = _queries(connection)
        manager = QueueManager(queries)
        for name, handler in handlers.items():
            manager.entrypoint(name, on_failure="hold")(_entrypoint(handler, settings, queries))
        watching = asyncio.create_task(_pass_on(stop, manager))
        try:
            await manager.run(
                dequeue_timeout=settings.poll,
                batch_size=_AT_ONCE // 2,
                max_concurrent_tasks=_AT_ONCE,
                heartbeat_timeout=settings.heartbeat,
                log_aggregation_interval=timedelta(0),
            )
        finally:
            watching.cancel()
    finally:
        await connection.close(timeout=5)


def _queries(connection: "asyncpg.Connection[asyncpg.Record]") -> Queries:
    settings = DBSettings(db_schema="jobs")
    return Queries(
        AsyncpgDriver(connection),
        qbe=qb.QueryBuilderEnvironment(settings),
        qbq=qb.QueryQueueBuilder(settings),
        qbs=qb.QuerySchedulerBuilder(settings),
    )


def _entrypoint(
    handler: JobHandler, settings: WorkerSettings, queries: Queries
) -> Callable[[QueuedJob], Awaitable[None]]:
    async def run(queued: QueuedJob) -> None:
        job = msgspec.json.decode(queued.payload or b"", type=Job)
        number = await _number_of_attempt(queries, queued)
        attempt = Attempt(number, last=number == settings.attempts)
        log = _logger.bind(job=job.name, job_id=str(job.id), attempt=attempt.number, trace_id=job.trace_id)
        if number > settings.attempts:
            log.error("job_abandoned")
            raise JobAbandoned(f"It was taken {settings.attempts} times, and its worker died in the last attempt.")
        try:
            async with asyncio.timeout(settings.longest.total_seconds()):
                await handler(job, attempt)
        except Exception as error:
            if attempt.last:
                log.exception("job_failed")
                raise
            pause = settings.pause(attempt.number)
            log.warning(
                "job_retried", error=f"{type(error).__name__}: {error}", pause_s=round(pause.total_seconds(), 1)
            )
            raise RetryRequested(pause, reason=type(error).__name__) from error
        log.info("job_done")

    return run


async def _number_of_attempt(queries: Queries, queued: QueuedJob) -> int:
    """The queue counts failures; a job that kills its worker would be taken again for ever. So count who took it."""
    [row] = await queries.driver.fetch(_TAKEN, queued.id)
    return max(queued.attempts + 1, int(str(row["taken"])))


async def _pass_on(stop: asyncio.Event, manager: QueueManager) -> None:
    await stop.wait()
    manager.shutdown.set()


async def _sleep(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return


def libpq_address(url: str) -> str:
    """The address in the form that asyncpg itself takes, where *ssl* would be a setting of the server."""
    address = make_url(url)
    query = {"sslmode" if name == "ssl" else name: value for name, value in address.query.items()}
    return address.set(drivername="postgresql", query=query).render_as_string(hide_password=False)
