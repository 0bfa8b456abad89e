"""Running jobs with pgqueuer: claimed by the worker's own role, retried with growing pauses, kept when they fail for good."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import asyncpg
import msgspec
import structlog
from pgqueuer import QueueManager
from pgqueuer.errors import RetryRequested
from pgqueuer.models import Context
from pgqueuer.models import Job as QueuedJob
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from src.adapters.jobs.attempts import RETURNED, TROUBLE, Attempt, FencedQueries, fenced_queries
from src.application.ports.jobs import TOOK_TOO_LONG, WENT_WRONG, WORKER_DIED, Job
from src.application.ports.mail import MailDeferred, MailRefused
from src.domain.shared.errors import DomainError
from src.domain.shared.text import storable

_logger = structlog.stdlib.get_logger("proffer.worker")
AT_ONCE: Final = 8  # Jobs of one worker; long ones have places of their own.
_LONG_AT_ONCE: Final = 2
_RECONNECT_PAUSE: Final = 1.0  # Seconds.
# A server that is away, going away, coming back, or full for the moment.
LOST: Final = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # Asked for something while it was learning that the server is gone.
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,  # No connection, no memory, no room on the disk.
    asyncpg.TransactionRollbackError,
    asyncpg.ReadOnlySQLTransactionError,
)
# No connection, no connection left, a server that goes or comes: if that is so, nobody else can use it either. Memory, room
# on the disk and time may be the job's own doing.
_AWAY: Final = ("08", "53300", "57P")
# Errors whose sentences are meant for people outside.
_SPOKEN: Final = (DomainError, MailDeferred, MailRefused)


JobHandler = Callable[[Job, Attempt], Awaitable[None]]


class JobFailed(Exception):
    """A job's last attempt has failed. The argument is all that its organisation is told of it; the log has the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """Pauses grow from *base* to *cap*, each a random part of that (full jitter); also those of jobs that are given back
    because the database is away. *poll* bounds how late work is seen.

    A job that takes *longest* is given up, which counts as a failed attempt. Jobs under way when the worker is told to
    stop may finish within *grace*; then they are given back, which counts as nothing. A job whose worker has been silent
    for *heartbeat* is somebody else's.
    """

    attempts: int = 12
    base: timedelta = timedelta(seconds=5)
    cap: timedelta = timedelta(hours=1)
    poll: timedelta = timedelta(seconds=1)
    heartbeat: timedelta = timedelta(seconds=30)
    longest: timedelta = timedelta(minutes=15)
    grace: timedelta = timedelta(seconds=8)
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
    long_jobs: Collection[str] = (),
) -> None:
    """Run jobs until *stop* is set, then finish those under way. A database that goes away is waited for.

    *url* is the worker role's. Every job runs at least once, so handlers must bear being run again. *long_jobs* have
    places of their own, so that no number of them keeps a mail waiting.
    """
    settings = settings or WorkerSettings()
    async with asyncio.TaskGroup() as lanes:
        for is_long, at_once in ((False, AT_ONCE), (True, _LONG_AT_ONCE)):
            lane = {name: handler for name, handler in handlers.items() if (name in long_jobs) is is_long}
            if lane:
                lanes.create_task(_Lane(url, lane, stop, settings, at_once).run())


class _Lane:
    """Some of the places of a worker, with a connection of their own."""

    def __init__(
        self,
        url: str,
        handlers: Mapping[str, JobHandler],
        stop: asyncio.Event,
        settings: WorkerSettings,
        at_once: int,
    ) -> None:
        self._url, self._handlers, self._stop = url, handlers, stop
        self._settings, self._at_once = settings, at_once
        self._running: dict[int, Context] = {}

    async def run(self) -> None:
        while not self._stop.is_set():
            try:
                await self._work()
            except LOST as error:
                _logger.warning("worker_lost_database", error=type(error).__name__)
                await _sleep(self._stop, _RECONNECT_PAUSE)

    async def _work(self) -> None:
        connection = await asyncpg.connect(libpq_address(self._url), timeout=5, command_timeout=60)
        try:
            queries = fenced_queries(connection)
            manager = QueueManager(queries)
            queries.holder = manager.queue_manager_id
            for name, handler in self._handlers.items():
                manager.entrypoint(name, on_failure="hold")(self._entrypoint(handler, queries))
            # Nobody hears their heartbeats any more, so that others will take them: they may as well end now.
            connection.add_termination_listener(lambda _: self._give_back())
            watching = asyncio.create_task(self._stop_in_time(manager))
            try:
                await manager.run(
                    dequeue_timeout=self._settings.poll,
                    batch_size=self._at_once // 2,
                    max_concurrent_tasks=self._at_once,
                    heartbeat_timeout=self._settings.heartbeat,
                    log_aggregation_interval=timedelta(0),
                )
            finally:
                watching.cancel()
        finally:
            await connection.close(timeout=5)

    async def _stop_in_time(self, manager: QueueManager) -> None:
        await self._stop.wait()
        manager.shutdown.set()
        await asyncio.sleep(self._settings.grace.total_seconds())
        self._give_back()

    def _give_back(self) -> None:
        for context in self._running.values():
            context.resources = {RETURNED: True}
            context.cancellation.cancel()

    def _entrypoint(
        self, handler: JobHandler, queries: FencedQueries
    ) -> Callable[[QueuedJob, Context], Awaitable[None]]:
        async def run(queued: QueuedJob, context: Context) -> None:
            job = msgspec.json.decode(queued.payload or b"", type=Job)
            log = _logger.bind(job=job.name, job_id=str(job.id), trace_id=job.trace_id)
            with context.cancellation as scope:
                self._running[queued.id] = context
                try:
                    attempt = await self._which(queued, queries, log)
                    await self._attempt(handler, job, attempt, queued.attempts, log)
                finally:
                    del self._running[queued.id]
            if not scope.cancelled_caught:
                return
            if RETURNED in context.resources:
                log.warning("job_given_back")
                raise RetryRequested(timedelta(0), reason=RETURNED)
            log.warning("job_cancelled")

        return run

    async def _which(self, queued: QueuedJob, queries: FencedQueries, log: structlog.stdlib.BoundLogger) -> Attempt:
        try:
            return await queries.attempt(queued, self._settings.attempts)
        except TROUBLE as error:
            raise self._given_back(error, queued.attempts, log) from error

    async def _attempt(
        self,
        handler: JobHandler,
        job: Job,
        attempt: Attempt,
        put_back: int,
        log: structlog.stdlib.BoundLogger,
    ) -> None:
        """The one place that says whether an attempt counts, and whether it was the last. *put_back*: how often before."""
        log = log.bind(attempt=attempt.number)
        if attempt.number > self._settings.attempts:
            log.error("job_abandoned")
            raise JobFailed(f"{WORKER_DIED}, of {self._settings.attempts}.")
        try:
            async with asyncio.timeout(self._settings.longest.total_seconds()) as limit:
                await handler(job, attempt)
        except Exception as error:
            if _speaks_of_absence(error) and await self._is_away():
                raise self._given_back(error, put_back, log) from error
            told = f"{TOOK_TOO_LONG} {self._settings.longest}." if limit.expired() else _told(error, job)
            if attempt.last:
                log.exception("job_failed")
                raise JobFailed(told) from error
            pause = self._settings.pause(attempt.number)
            log.warning("job_retried", error=_text_of(error), pause_s=round(pause.total_seconds(), 1))
            raise RetryRequested(pause, reason=told) from error
        log.info("job_done")

    async def _is_away(self) -> bool:
        """Whether nobody can use the database just now. If it can be used, what went wrong was the attempt's own."""
        try:
            connection = await asyncpg.connect(libpq_address(self._url), timeout=5, command_timeout=5)
            try:
                await connection.execute("SELECT 1")
            finally:
                await connection.close(timeout=5)
        except TROUBLE:
            return True
        return False

    def _given_back(self, error: Exception, put_back: int, log: structlog.stdlib.BoundLogger) -> RetryRequested:
        """For a database that is away: that is no attempt, not even the last."""
        pause = self._settings.pause(put_back)
        log.warning("job_waits_for_database", error=_text_of(error), pause_s=round(pause.total_seconds(), 1))
        return RetryRequested(pause, reason=RETURNED)


def _told(error: Exception, job: Job) -> str:
    """What the job's organisation is told of *error*: nothing of statements, paths or addresses inside."""
    if isinstance(error, _SPOKEN):
        return storable(str(error))
    return f"{WENT_WRONG}; the log has it under the trace id {job.trace_id}."


def _text_of(error: Exception) -> str:
    return storable(f"{type(error).__name__}: {error}")


def _speaks_of_absence(error: BaseException | None) -> bool:
    """Whether *error* would come of a database that nobody can use."""
    while error is not None and not isinstance(error, DBAPIError):
        error = error.__cause__
    return error is not None and (
        error.connection_invalidated or (getattr(error.orig, "sqlstate", None) or "").startswith(_AWAY)
    )


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
