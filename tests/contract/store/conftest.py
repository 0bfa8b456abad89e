"""The store's two adapters: what a test here finds true is true of both."""

import pytest
import pytest_asyncio

from src.adapters.memory.unit_of_work import MemoryStore, OpenMemoryUnitOfWork
from src.application.ports.unit_of_work import OpenUnitOfWork
from tests.organizations import TestOrganization, new_organization


@pytest.fixture(params=["memory", "postgres"])
def open_uow(request: pytest.FixtureRequest) -> OpenUnitOfWork:
    if request.param == "memory":
        return OpenMemoryUnitOfWork(MemoryStore())
    opener: OpenUnitOfWork = request.getfixturevalue("open_postgres")
    return opener


@pytest_asyncio.fixture
async def organization(open_uow: OpenUnitOfWork) -> TestOrganization:
    return await new_organization(open_uow)


@pytest_asyncio.fixture
async def other(open_uow: OpenUnitOfWork) -> TestOrganization:
    return await new_organization(open_uow)
