"""The store's two adapters: what a test here finds true is true of both."""

import pytest
import pytest_asyncio

from src.adapters.memory.unit_of_work import MemoryStore, OpenMemoryUnitOfWork
from src.application.ports.unit_of_work import OpenUnitOfWork
from tests.builders.sent_offers import Offer, a_sent_offer
from tests.organizations import TestOrganization, new_organization


@pytest.fixture
def memory_store() -> MemoryStore:
    """What is kept in memory, when the store is the one in memory."""
    return MemoryStore()


@pytest.fixture(params=["memory", "postgres"])
def open_uow(request: pytest.FixtureRequest, memory_store: MemoryStore) -> OpenUnitOfWork:
    if request.param == "memory":
        return OpenMemoryUnitOfWork(memory_store)
    opener: OpenUnitOfWork = request.getfixturevalue("open_postgres")
    return opener


@pytest_asyncio.fixture
async def organization(open_uow: OpenUnitOfWork) -> TestOrganization:
    return await new_organization(open_uow)


@pytest_asyncio.fixture
async def other(open_uow: OpenUnitOfWork) -> TestOrganization:
    return await new_organization(open_uow)


@pytest_asyncio.fixture
async def offer(open_uow: OpenUnitOfWork, organization: TestOrganization) -> Offer:
    return await a_sent_offer(open_uow, organization)
