"""The queue as tests see it: adding jobs, running workers that do not make tests wait, looking at what is left."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from src.adapters.jobs.worker import JobHandler, WorkerSettings, run_worker
from src.adapters.postgres.addresses import DatabaseUrls
from src.application.ports.jobs import Job
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.domain.identity.actor import Role
from src.domain.jobs.record import JobRecord
from tests.organizations import TestOrganization

HURRIED = WorkerSettings(
    attempts=3,
    base=timedelta(milliseconds=1),
    cap=timedelta(milliseconds=2),
    poll=timedelta(milliseconds=50),
    heartbeat=timedelta(seconds=1),
)


@dataclass(frozen=True, slots=True)
class Queue:
    """The queue as a test sees it. *name* is a kind of job that no other test has."""

    urls: DatabaseUrls
    open: OpenUnitOfWork
    organization: TestOrganization
    admin: AsyncEngine
    name: str = field(default_factory=lambda: f"job-{uuid4().hex[:12]}")

    def a_job(self, name: str | None = None) -> Job:
        return Job(
            id=uuid4(),
            name=name or self.name,
            organization_id=self.organization.organization.id,
            subject_id=uuid4(),
            trace_id=uuid4().hex,
        )

    async def add(self, *jobs: Job) -> None:
        async with self.open(self.organization.actor(Role.SALES)) as uow:
            for job in jobs:
                await uow.jobs.enqueue(job)
            await uow.commit()

    async def record(self, job: Job) -> JobRecord:
        """The job as its organisation sees it."""
        async with self.open(self.organization.actor(Role.SALES)) as uow:
            return await uow.jobs.get(job.id)

    async def retry(self, job: Job) -> None:
        async with self.open(self.organization.actor(Role.ADMIN)) as uow:
            await uow.jobs.save((await uow.jobs.lock(job.id)).retry(at=datetime.now(UTC)))
            await uow.commit()

    async def cancel(self, job: Job) -> None:
        async with self.open(self.organization.actor(Role.ADMIN)) as uow:
            await uow.jobs.save((await uow.jobs.lock(job.id)).cancel(at=datetime.now(UTC)))
            await uow.commit()

    async def statuses(self) -> list[str]:
        """Of this test's jobs that are still there, in the order of their making."""
        return await self.ask("SELECT status::text FROM jobs.pgqueuer WHERE entrypoint = :n ORDER BY id", n=self.name)

    async def ask(self, statement: str, **parameters: str) -> list[str]:
        async with self.admin.begin() as connection:
            return list((await connection.execute(text(statement), parameters)).scalars())

    async def do(self, statement: str) -> None:
        async with self.admin.begin() as connection:
            await connection.execute(text(statement))

    @asynccontextmanager
    async def trouble(self, table: str, when: str, sqlstate: str, *, times: int = 1) -> AsyncIterator["Trouble"]:
        """So many times the database refuses to write a row of *table* where the condition *when* holds, with *sqlstate*."""
        trouble = Trouble(self)
        await self.do(f"CREATE SEQUENCE jobs.{trouble.name} MINVALUE 0 START 0")  # What it has counted is never undone.
        await self.do(
            f"CREATE FUNCTION jobs.{trouble.name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN "
            f"IF nextval('jobs.{trouble.name}') < {times} THEN RAISE SQLSTATE '{sqlstate}'; END IF; RETURN NEW; END $$"
        )
        await self.do(
            f"CREATE TRIGGER {trouble.name} BEFORE INSERT OR UPDATE ON jobs.{table} FOR EACH ROW "
            f"WHEN (NEW.entrypoint = '{self.name}' AND {when}) EXECUTE FUNCTION jobs.{trouble.name}()"
        )
        try:
            yield trouble
        finally:
            await self.do(f"DROP TRIGGER {trouble.name} ON jobs.{table}")
            await self.do(f"DROP FUNCTION jobs.{trouble.name}")
            await self.do(f"DROP SEQUENCE jobs.{trouble.name}")

    @asynccontextmanager
    async def worker(
        self, handler: JobHandler, settings: WorkerSettings = HURRIED, *, url: str | None = None
    ) -> AsyncIterator[asyncio.Event]:
        """A worker in this process. Leaving stops it, and waits for it."""
        stop = asyncio.Event()
        working = asyncio.create_task(run_worker(url or self.urls.worker, {self.name: handler}, stop, settings))
        try:
            yield stop
        finally:
            stop.set()
            await working


@dataclass(frozen=True, slots=True)
class Trouble:
    """See ``Queue.trouble``."""

    queue: Queue
    name: str = field(default_factory=lambda: f"trouble_{uuid4().hex[:12]}")

    async def has_come(self) -> bool:
        [came] = await self.queue.ask(f"SELECT is_called::text FROM jobs.{self.name}")
        return came == "true"


async def until(condition: Callable[[], bool | Awaitable[bool]], *, patience: float = 60) -> None:
    """Wait for it; the deadline (seconds) is there for broken code, not for slow machines."""
    async with asyncio.timeout(patience):
        while True:
            held = condition()
            if held if isinstance(held, bool) else await held:
                return
            await asyncio.sleep(0.02)
