"""A mail server or a storage that takes connections and says nothing keeps nobody waiting but its own jobs."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from dishka.integrations.litestar import LitestarProvider
from httpx import ASGITransport, AsyncClient

from src.adapters.embedded_postgres import ServerAddress
from src.adapters.jobs.worker import WorkerSettings
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.entrypoints.container import make_container
from src.entrypoints.http.api import create_api
from src.entrypoints.http.app import HttpSettings
from src.entrypoints.http.authentication import HttpActors
from src.entrypoints.settings import read_settings
from src.entrypoints.worker.handlers import run_jobs
from tests.database import SECRET, drop_database, migrated_clone
from tests.e2e.conftest import Team, log_in_all
from tests.e2e.offers import a_draft
from tests.job_queue import until
from tests.organizations import new_organization

pytestmark = pytest.mark.asyncio
OFFERS, ASKED = 12, 150
SEEN_HANGING = 8  # Jobs that a worker runs at once.
POOL = 4


@dataclass
class SilentServer:
    """Takes every connection and never says a word."""

    port: int = 0
    open: int = 0

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            while await reader.read(65536):
                pass
        finally:
            self.open -= 1
            writer.close()


@pytest_asyncio.fixture
async def silent() -> AsyncIterator[SilentServer]:
    made = SilentServer()
    server = await asyncio.start_server(made.take, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()


@pytest.mark.parametrize("slow", ["smtp", "storage"])
async def test_requests_are_answered_while_every_place_of_the_worker_hangs(
    slow: str,
    silent: SilentServer,
    tmp_path: Path,
    test_home: Path,
    server: ServerAddress,
    worker_name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    given = {
        "PROFFER_HOME": str(tmp_path),
        "PROFFER_SECRET_KEY": SECRET,
        "PROFFER_LOGINS_PER_ADDRESS": "10000",
        "PROFFER_POOL_SIZE": str(POOL),
        "PROFFER_REQUESTS_PER_MINUTE": "address=0 user=0 key=0 organization=0",
    }
    if slow == "smtp":
        given["PROFFER_SMTP_URL"] = f"smtp://127.0.0.1:{silent.port}?security=none"
    else:
        given["PROFFER_STORAGE_URL"] = f"s3://offers?endpoint=http://127.0.0.1:{silent.port}&path_style=true"
    name = f"slow_{worker_name}"
    urls = await migrated_clone(test_home, server, name)
    container = make_container(read_settings(given), urls, HttpActors(), LitestarProvider())
    stop = asyncio.Event()
    # It only has to end soon when the test does.
    settings = WorkerSettings(poll=timedelta(milliseconds=100), grace=timedelta(milliseconds=100))
    app = await create_api(container, HttpSettings())
    transport = ASGITransport(app=app, raise_app_exceptions=False)  # type: ignore[arg-type]  # Two spellings of ASGI.
    try:
        async with AsyncClient(transport=transport, base_url="http://proffer.test") as client:
            team = await log_in_all(client, await new_organization(await container.get(OpenUnitOfWork)))
            for _ in range(OFFERS):
                await _send(team)
            working = asyncio.create_task(run_jobs(container, urls.worker, stop, settings))
            await until(lambda: silent.open >= SEEN_HANGING)  # Every place of the worker hangs, until the test ends it.
            one_by_one = [(await team.sales.get("/api/v1/quotes")).status_code for _ in range(ASKED)]
            at_once = await asyncio.gather(*(team.sales.get("/api/v1/quotes") for _ in range(3 * POOL)))
            still_hanging = silent.open
            stop.set()
            await working
    finally:
        stop.set()
        await container.close()
        await drop_database(server, name)

    # All were answered while nobody let go of the silent one: no request waits for it, and none lacks a connection.
    assert set(one_by_one) == {answer.status_code for answer in at_once} == {200}
    assert still_hanging >= SEEN_HANGING


async def _send(team: Team) -> None:
    draft = await a_draft(team.sales)
    for verb, body in (("submit", None), ("send", {})):
        answer = await team.sales.post(f"/api/v1/quotes/{draft['id']}/{verb}", body)
        assert answer.status_code == 200, answer.text
