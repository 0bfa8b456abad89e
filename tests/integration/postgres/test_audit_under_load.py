"""Many writers of one chain: it never forks; and PostgreSQL killed under them: no write without its entry, no entry without its write.

``HYPOTHESIS_PROFILE=thorough`` has the whole figures: 20,000 entries and 12 kills; else a twentieth and 2.
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from src.adapters.jobs.worker import LOST
from src.adapters.postgres.addresses import DatabaseUrls
from src.adapters.postgres.audit import APPEND, AuditedCommit
from src.adapters.postgres.engine import make_engine
from src.adapters.postgres.unit_of_work import OpenPostgresUnitOfWork, PostgresUnitOfWork
from src.application.ports.audit import AuditFilter
from src.application.ports.customers import CustomerFilter
from src.application.ports.paging import Paging
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.domain.audit.entry import AuditRecord
from src.domain.identity.actor import Actor, Role
from src.domain.identity.user import UserLoginFailed
from src.domain.shared.ids import CustomerId
from tests.builders.audit import verifying
from tests.builders.quotes import NOON, a_customer
from tests.hard_kills import MortalServer, a_mortal_server
from tests.job_queue import until
from tests.organizations import TestOrganization, new_organization

pytestmark = pytest.mark.asyncio

THOROUGH: Final = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
ENTRIES, KILLS = (20_000, 12) if THOROUGH else (1_000, 2)
WRITERS: Final = 16


async def test_writers_at_the_same_time_never_fork_a_chain(database: DatabaseUrls) -> None:
    """A tenth of them takes its place in the chain and is undone."""
    app, operator = (
        make_engine(database.app, pool_size=WRITERS, patience=60),
        make_engine(database.operator, pool_size=1),
    )
    open_uow = OpenPostgresUnitOfWork(app, operator)
    team = await new_organization(open_uow)
    owner = team.actor(Role.OWNER)
    async with open_uow(owner) as uow:
        before = (await uow.audit.head()).sequence
    event = UserLoginFailed(resource_id=team.users[Role.OWNER].id, at=NOON)
    waiting, undone = iter(range(ENTRIES)), Counter[int]()

    async def write(writer: int) -> None:
        chance = random.Random(writer)
        for _ in waiting:
            while chance.random() < 0.1:
                async with open_uow(owner) as uow:
                    assert isinstance(uow, PostgresUnitOfWork)
                    transaction = uow._transaction
                    await AuditedCommit(transaction, [AuditRecord.of(event, owner)]).prepare()
                    await transaction.connection.execute(text(APPEND))
                undone[writer] += 1
            async with open_uow(owner) as uow:
                uow.record(event)
                await uow.commit()

    await asyncio.gather(*(write(number) for number in range(WRITERS)))

    async with open_uow(owner) as uow:
        entries = [entry async for entry in uow.audit.stream(AuditFilter())]
    await app.dispose()
    assert sum(undone.values()) > ENTRIES * 0.05
    assert [entry.sequence for entry in entries] == list(range(1, before + ENTRIES + 1))
    assert [entry.previous_hash for entry in entries[1:]] == [entry.hash for entry in entries[:-1]]
    async with OpenPostgresUnitOfWork(operator, operator)(owner) as uow:
        head = await uow.audit.head()
    assert (head.sequence, head.hash) == (entries[-1].sequence, entries[-1].hash)
    await operator.dispose()


@dataclass
class Site:
    """A server that may be killed, and an organisation."""

    server: MortalServer
    open: OpenUnitOfWork
    team: TestOrganization

    @property
    def actor(self) -> Actor:
        return self.team.actor(Role.OWNER)


@pytest_asyncio.fixture
async def site() -> AsyncIterator[Site]:
    async with a_mortal_server(pool_size=8) as server:
        yield Site(server, server.open, await new_organization(server.open))


async def test_whatever_is_killed_every_write_has_its_entry_and_every_entry_its_write(site: Site) -> None:
    acknowledged: dict[CustomerId, int] = {}
    stop, lost = asyncio.Event(), Counter[str]()

    async def write() -> None:
        while not stop.is_set():
            customer = a_customer()
            try:
                async with site.open(site.actor) as uow:
                    stored = await uow.customers.save(customer.create())
                    await uow.commit()
                acknowledged[stored.id] = stored.version
                async with site.open(site.actor) as uow:
                    found = await uow.customers.get(stored.id)
                    noted = replace(found, notes="Once more.")
                    changed = await uow.customers.save(found.become(noted, NOON, by=None))
                    await uow.commit()
                acknowledged[changed.id] = changed.version
            except (*LOST, DBAPIError) as error:  # Nobody was told that this is stored.
                lost[type(error).__name__] += 1
                await asyncio.sleep(0.02)

    writing = [asyncio.create_task(write()) for _ in range(8)]

    async def forty_more() -> None:
        enough = len(acknowledged) + 40
        await until(lambda: len(acknowledged) >= enough or any(task.done() for task in writing))

    for _ in range(KILLS):
        await forty_more()
        await asyncio.to_thread(site.server.kill_and_start)
    await forty_more()
    stop.set()
    await asyncio.gather(*writing)

    versions, entries = await _stored(site), await _told(site)
    assert lost.total() >= KILLS  # The kills hit somebody.
    assert {one: versions[one] >= version for one, version in acknowledged.items()} == dict.fromkeys(acknowledged, True)
    assert versions == entries  # As many entries as versions: none lost, none of what was not stored.
    assert (await verifying(site.open)(site.actor)).intact


async def _stored(site: Site) -> dict[UUID, int]:
    """The version of every customer."""
    found: dict[UUID, int] = {}
    paging = Paging(limit=100)
    while True:
        async with site.open(site.actor) as uow:
            page = await uow.customers.page(CustomerFilter(), paging)
        found |= {one.id: one.version for one in page.items}
        if page.next_cursor is None:
            return found
        paging = Paging(limit=100, cursor=page.next_cursor)


async def _told(site: Site) -> dict[UUID, int]:
    """How many entries there are of every customer."""
    async with site.open(site.actor) as uow:
        criteria = AuditFilter(resource_type="customer")
        return dict(Counter([entry.record.resource_id async for entry in uow.audit.stream(criteria)]))
