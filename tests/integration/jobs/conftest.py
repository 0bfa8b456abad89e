"""A database for the queue alone, and an organisation in it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from src.adapters.embedded_postgres import ServerAddress
from src.adapters.postgres.addresses import DatabaseUrls
from src.adapters.postgres.engine import make_engine
from src.adapters.postgres.unit_of_work import OpenPostgresUnitOfWork
from src.application.ports.unit_of_work import OpenUnitOfWork
from tests.database import drop_database, migrated_clone
from tests.job_queue import Queue
from tests.organizations import TestOrganization, new_organization


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def queue_urls(test_home: Path, server: ServerAddress, worker_name: str) -> AsyncIterator[DatabaseUrls]:
    name = f"queue_{worker_name}"
    yield await migrated_clone(test_home, server, name)
    await drop_database(server, name)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def queue_store(queue_urls: DatabaseUrls) -> AsyncIterator[OpenUnitOfWork]:
    app, operator = make_engine(queue_urls.app, pool_size=4), make_engine(queue_urls.operator, pool_size=1)
    yield OpenPostgresUnitOfWork(app, operator)
    await app.dispose()
    await operator.dispose()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def queue_organization(queue_store: OpenUnitOfWork) -> TestOrganization:
    return await new_organization(queue_store)


@pytest_asyncio.fixture(loop_scope="session")
async def queue(
    queue_urls: DatabaseUrls,
    queue_store: OpenUnitOfWork,
    queue_organization: TestOrganization,
    server: ServerAddress,
) -> AsyncIterator[Queue]:
    admin = create_async_engine(server.url(queue_urls.owner.rpartition("/")[2]), poolclass=NullPool)
    yield Queue(queue_urls, queue_store, queue_organization, admin)
    await admin.dispose()
