"""Nothing leaks through the pool: many organisations on few connections, with cancellations and failures."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from src.adapters.postgres.addresses import DatabaseUrls
from src.adapters.postgres.engine import make_engine
from src.adapters.postgres.unit_of_work import OpenPostgresUnitOfWork
from src.application.ports.customers import CustomerFilter
from src.application.ports.paging import Paging
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.domain.identity.actor import Role
from tests.builders.quotes import a_customer
from tests.organizations import TestOrganization, new_organization

pytestmark = pytest.mark.asyncio

ORGANIZATIONS, REQUESTS, CONNECTIONS, AT_ONCE = 50, 10_000, 4, 40


class Failure(Exception):
    """Something in the middle of a request."""


@pytest_asyncio.fixture
async def small_pool(database: DatabaseUrls) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(database.app, pool_size=CONNECTIONS, patience=60)
    yield engine
    await engine.dispose()


async def test_many_organisations_on_few_connections_see_only_their_own(
    open_postgres: OpenUnitOfWork, operator_engine: AsyncEngine, small_pool: AsyncEngine
) -> None:
    made = [await new_organization(open_postgres) for _ in range(ORGANIZATIONS)]
    left_over = _tenants_at_checkout(small_pool)
    open_uow = OpenPostgresUnitOfWork(small_pool, operator_engine)
    crowd = Crowd(open_uow, made)

    waiting = iter(range(REQUESTS))

    async def ask() -> int:
        return sum([await crowd.client(number) for number in waiting])

    acknowledged = sum(await asyncio.gather(*(ask() for _ in range(AT_ONCE))))

    assert crowd.leaks == []
    assert acknowledged > REQUESTS * 0.8
    assert crowd.given_up > REQUESTS * 0.02
    assert len(left_over) >= REQUESTS * 0.8
    assert set(left_over) <= {None, ""}
    await _check_connections(small_pool)
    stored = 0
    for organization in made:
        async with open_uow(organization.actor(Role.ADMIN)) as uow:
            stored += (await uow.customers.page(CustomerFilter(), Paging())).total
    assert stored >= acknowledged  # A cancelled request may have been quick enough.


class Crowd:
    """Everybody at once; some fail, and some are given up in their middle."""

    def __init__(self, open_uow: OpenUnitOfWork, made: list[TestOrganization]) -> None:
        self._open, self._made = open_uow, made
        self._chance = random.Random(7)
        self.leaks: list[str] = []
        self.given_up = 0

    async def client(self, number: int) -> int:
        """One request; 1 when it was acknowledged."""
        task = asyncio.create_task(self._request(self._made[number % ORGANIZATIONS]))
        if self._chance.random() < 0.10:
            # A few steps reach the first awaits; the later ones wait for the server's answers.
            for _ in range(self._chance.randrange(12)):
                await asyncio.sleep(0)
            if self._chance.random() < 0.5:
                await asyncio.sleep(self._chance.random() * 0.1)
            task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            self.given_up += 1
            return 0
        except Failure:
            return 0
        return 1

    async def _request(self, organization: TestOrganization) -> None:
        fails = self._chance.random() < 0.05
        async with self._open(organization.actor(Role.ADMIN)) as uow:
            await uow.customers.save(a_customer().create())
            users = await uow.users.all()
            if {user.id for user in users} != {user.id for user in organization.users.values()}:
                self.leaks.append("users")
            await asyncio.sleep(0)
            if fails:
                raise Failure
            if (await uow.organizations.current()).id != organization.organization.id:
                self.leaks.append("organisation")
            await uow.commit()


def _tenants_at_checkout(engine: AsyncEngine) -> list[str | None]:
    """What the tenant's variable holds whenever a connection is handed out; it grows while the test runs."""
    seen: list[str | None] = []

    @event.listens_for(engine.sync_engine, "checkout")
    def look(connection: Any, *_: object) -> None:
        cursor = connection.cursor()
        cursor.execute("SELECT current_setting('app.tenant_id', true)")
        seen.append(cursor.fetchone()[0])
        cursor.close()

    return seen


async def _check_connections(engine: AsyncEngine) -> None:
    """Every connection of the pool, at its checkout: no tenant, no transaction left over, and still usable."""
    connections = [await engine.connect() for _ in range(CONNECTIONS)]
    for connection in connections:
        tenant = (await connection.execute(text("SELECT current_setting('app.tenant_id', true)"))).scalar_one()
        assert tenant in {None, ""}
    for connection in connections:
        await connection.close()
