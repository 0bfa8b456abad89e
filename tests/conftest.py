"""What all tests share: Hypothesis' profiles, and the database where a test asks for it."""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import TextIO

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from xdist.remote import Producer

from src.adapters.embedded_postgres import ServerAddress
from src.adapters.postgres.addresses import DatabaseUrls
from src.adapters.postgres.engine import make_engine
from src.adapters.postgres.unit_of_work import OpenPostgresUnitOfWork
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.entrypoints.logging import configure_logging
from tests.database import HOME_VARIABLE, drop_database, migrated_clone, test_server
from tests.scheduling import TogetherScheduling

# No deadlines: other work may run on the machine. The same examples every time, so that a red run can be repeated.
settings.register_profile("usual", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fast", settings.get_profile("usual"), max_examples=10)
settings.register_profile("thorough", deadline=None, max_examples=2000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "usual"))


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # Once for the run; the test processes inherit it.
        home = Path(mkdtemp(prefix="proffer-tests-"))
        home.chmod(0o711)  # The server may run as another user.
        os.environ[HOME_VARIABLE] = str(home)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        home = Path(os.environ.pop(HOME_VARIABLE))
        test_server(home).stop()
        shutil.rmtree(home, ignore_errors=True)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> TogetherScheduling | None:
    return TogetherScheduling(config, log) if config.getvalue("dist") == "loadgroup" else None


@pytest.fixture(scope="session")
def test_home() -> Path:
    """The run's own folder, shared by all test processes."""
    return Path(os.environ[HOME_VARIABLE])


@pytest.fixture(scope="session")
def log_file(test_home: Path, worker_name: str) -> Path:
    """Everything that this test process logs, as in production."""
    return test_home / f"log-{worker_name}.jsonl"


@pytest.fixture(scope="session", autouse=True)
def log_stream(log_file: Path) -> Iterator[TextIO]:
    with log_file.open("a", encoding="utf-8") as stream:
        configure_logging("json", "info", stream)
        yield stream


@pytest.fixture(scope="session")
def server(test_home: Path) -> ServerAddress:
    """The run's PostgreSQL; nothing may stop it."""
    return test_server(test_home).start()


@pytest.fixture(scope="session")
def worker_name(request: pytest.FixtureRequest) -> str:
    """``gw0``, ``gw1`` …, or ``main`` when tests do not run in parallel."""
    worker = getattr(request.config, "workerinput", {"workerid": "main"})
    return str(worker["workerid"])


@pytest_asyncio.fixture(scope="session")
async def database(test_home: Path, server: ServerAddress, worker_name: str) -> AsyncIterator[DatabaseUrls]:
    """The test process' own database. Tests keep apart by making organisations of their own."""
    name = f"proffer_{worker_name}"
    yield await migrated_clone(test_home, server, name)
    await drop_database(server, name)


@pytest_asyncio.fixture(scope="session")
async def app_engine(database: DatabaseUrls) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(database.app, pool_size=10, patience=60)
    yield engine
    await engine.dispose()


@pytest_asyncio.fixture(scope="session")
async def operator_engine(database: DatabaseUrls) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(database.operator, pool_size=2, patience=60)
    yield engine
    await engine.dispose()


@pytest_asyncio.fixture(scope="session")
async def owner_engine(database: DatabaseUrls) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(database.owner, pool_size=2)
    yield engine
    await engine.dispose()


@pytest_asyncio.fixture(scope="session")
async def admin_engine(server: ServerAddress, worker_name: str) -> AsyncIterator[AsyncEngine]:
    """The server's administrator, who may look through everybody's eyes."""
    engine = create_async_engine(server.url(f"proffer_{worker_name}").replace("postgresql://", "postgresql+asyncpg://"))
    yield engine
    await engine.dispose()


@pytest.fixture(scope="session")
def open_postgres(app_engine: AsyncEngine, operator_engine: AsyncEngine) -> OpenUnitOfWork:
    return OpenPostgresUnitOfWork(app_engine, operator_engine)
