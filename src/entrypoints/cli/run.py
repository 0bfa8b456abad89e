"""``proffer up``, ``serve``, ``worker``, ``migrate`` and ``demo``: what keeps an installation going."""

import asyncio
import gc
import signal
from collections.abc import Awaitable, Callable
from typing import Annotated

import uvloop
from cyclopts import Parameter
from dishka import AsyncContainer
from dishka.integrations.litestar import LitestarProvider
from litestar import Litestar

from src.adapters.embedded_postgres import EmbeddedPostgresError
from src.adapters.jobs.upkeep import keep_audit_partitions_until, purge_until, run_schedules_until
from src.adapters.postgres.bootstrap import DatabaseUnfit
from src.application.ports.storage import ObjectStorage
from src.entrypoints.cli.failures import fail
from src.entrypoints.cli.session import cli_origin
from src.entrypoints.cli.welcome import welcome
from src.entrypoints.container import AppEngine, make_container
from src.entrypoints.database import Database
from src.entrypoints.demo import seed
from src.entrypoints.http.api import create_api
from src.entrypoints.http.app import HttpSettings
from src.entrypoints.http.authentication import HttpActors
from src.entrypoints.http.readiness import DatabaseReady, StorageReady
from src.entrypoints.http.serve import PortBusy, check_port, serve_until
from src.entrypoints.logging import configure_logging
from src.entrypoints.settings import Settings, SettingsError, read_settings
from src.entrypoints.telemetry import TelemetryMissing, report_errors
from src.entrypoints.worker.daily_heads import sign_heads_until
from src.entrypoints.worker.handlers import run_jobs
from src.entrypoints.worker.sweep import sweep_storage_until

WithWorker = Annotated[bool, Parameter(help="Also run a worker for jobs in this process.")]


def up() -> int:
    """Start everything on this machine: database, demonstration data, API and worker.

    A second start is quick and keeps the data. PROFFER_PORT chooses the port; Ctrl-C stops everything.
    """

    async def start(settings: Settings, database: Database) -> None:
        check_port(settings.host, settings.port)
        database.own_server()
        await database.prepare()
        container = make_container(settings, database.urls)
        try:
            await seed(container, cli_origin())
        finally:
            await container.close()
        await _run(settings, database, api=True, jobs=True, ready=lambda: print(welcome(settings), flush=True))

    return _in_a_loop(start)


def serve(*, worker: WithWorker = True) -> int:
    """Serve the API (PROFFER_HOST, PROFFER_PORT), with a worker unless --no-worker.

    The schema must be up to date: `proffer migrate` sees to that.
    """

    async def start(settings: Settings, database: Database) -> None:
        check_port(settings.host, settings.port)
        await _run(settings, database, api=True, jobs=worker, ready=lambda: print(f"Serving {settings.public_url}"))

    return _in_a_loop(start)


def worker() -> int:
    """Run jobs: PDFs and mails of sent quotes. Any number of workers may run at once."""

    async def start(settings: Settings, database: Database) -> None:
        await _run(settings, database, api=False, jobs=True, ready=lambda: print("Waiting for jobs."))

    return _in_a_loop(start)


async def migrate() -> int:
    """Make the database's roles and schema, or bring them up to date. It may be repeated at any time."""

    async def start(_: Settings, database: Database) -> None:
        await database.prepare()
        print("The database is up to date.")

    return await _with_database(start)


async def demo() -> int:
    """Make the demonstration organisation, unless it is there."""

    async def start(settings: Settings, database: Database) -> None:
        await database.prepare()
        container = make_container(settings, database.urls)
        try:
            made = await seed(container, cli_origin())
        finally:
            await container.close()
        print("The demonstration organisation is made." if made else "The demonstration organisation is there already.")

    return await _with_database(start)


def _in_a_loop(start: Callable[[Settings, Database], Awaitable[None]]) -> int:
    """What serves for long runs in uvloop, which takes less time for each answer of the database and each request."""
    return uvloop.run(_with_database(start))


async def _with_database(start: Callable[[Settings, Database], Awaitable[None]]) -> int:
    """Run *start* with the database; what a person can mend is said in a sentence."""
    try:
        settings = read_settings()
        configure_logging(settings.log_format, settings.log_level)
        with Database(settings) as database:
            await start(settings, database)
    except (SettingsError, EmbeddedPostgresError, DatabaseUnfit, PortBusy, TelemetryMissing) as error:
        return fail(str(error))
    except OSError as error:
        return fail(f"The database cannot be reached: {error}. Is it running, and is PROFFER_DATABASE_URL right?")
    return 0


async def _run(settings: Settings, database: Database, *, api: bool, jobs: bool, ready: Callable[[], None]) -> None:
    """Serve and work until a signal says stop, then finish what is under way."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    container = make_container(settings, database.urls, HttpActors(), LitestarProvider())
    try:
        async with asyncio.TaskGroup() as tasks:
            if jobs:
                tasks.create_task(_work(container, database, stop))
            if api:
                app = await _api(container, settings)
                _keep_for_good()
                tasks.create_task(serve_until(app, settings.host, settings.port, stop, ready))
            else:
                ready()
    finally:
        await container.close()


def _keep_for_good() -> None:
    """What is there when serving begins stays: a full collection that looks through it answers nobody for 100 ms."""
    gc.collect()
    gc.freeze()


async def _api(container: AsyncContainer, settings: Settings) -> Litestar:
    checks = (
        DatabaseReady(await container.get(AppEngine)),
        StorageReady(await container.get(ObjectStorage)),
    )
    http = HttpSettings(
        trusted_proxies=settings.trusted_proxies,
        cors_origins=settings.cors_origins,
        require_idempotency_keys=settings.require_idempotency_keys,
        metrics_token=settings.metrics_token,
        traces_endpoint=settings.traces_endpoint,
    )
    if settings.sentry_dsn:
        report_errors(settings.sentry_dsn)
    return await create_api(container, http, checks)


async def _work(container: AsyncContainer, database: Database, stop: asyncio.Event) -> None:
    """A worker that ends without being told to takes the whole process with it: better seen than half alive."""
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(purge_until(database.urls.worker, stop))
            tasks.create_task(keep_audit_partitions_until(database.urls.worker, stop))
            tasks.create_task(sign_heads_until(container, stop))
            tasks.create_task(sweep_storage_until(container, stop))
            tasks.create_task(run_schedules_until(database.urls.worker, stop))
            await run_jobs(container, database.urls.worker, stop)
    finally:
        stop.set()
