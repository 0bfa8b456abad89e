"""An export that is given up while its job is about to end has one end, and no file without one."""

import asyncio
from pathlib import Path

import pytest

from src.adapters.memory.storage import MemoryStorage
from src.application.documents.exports import CancelExport
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.domain.documents.export import MOST_PREPARING, DataExport, ExportState, ExportStateConflict, TooManyExports
from src.domain.identity.actor import Role
from tests.builders.quotes import a_product
from tests.contract.store.test_export_jobs import BEGIN, Desk
from tests.organizations import new_organization

pytestmark = pytest.mark.asyncio
ROUNDS = 8


async def test_giving_up_and_ending_at_once_have_one_winner(open_postgres: OpenUnitOfWork, tmp_path: Path) -> None:
    team = await new_organization(open_postgres)
    desk, admin = Desk(open_postgres, team, MemoryStorage(), tmp_path), team.actor(Role.ADMIN)
    async with open_postgres(admin) as uow:
        await uow.products.save(a_product(created_at=BEGIN).create())
        await uow.commit()
    cancel, ends = CancelExport(desk.transactions, desk.clock), []
    for _ in range(ROUNDS):
        asked = await desk.request(admin)
        # Two attempts, as when a worker was taken for dead.
        results = await asyncio.gather(
            desk.run(asked), cancel(admin, asked.id), desk.run(asked), return_exceptions=True
        )
        ended = await desk.look(asked)
        ends.append(ended)
        failures = [one for one in results if isinstance(one, BaseException)]

        assert ended.state in {ExportState.READY, ExportState.CANCELLED}
        assert [type(one) for one in failures] == ([ExportStateConflict] if ended.state is ExportState.READY else [])

    assert sorted(desk.storage.keys()) == sorted(one.storage_key for one in ends if one.storage_key)
    assert await desk.told("export.ready") + await desk.told("export.ended") == ROUNDS


async def test_whoever_asks_for_many_at_once_gets_as_many_as_may_be(
    open_postgres: OpenUnitOfWork, tmp_path: Path
) -> None:
    team = await new_organization(open_postgres)
    desk, admin = Desk(open_postgres, team, MemoryStorage(), tmp_path), team.actor(Role.ADMIN)

    asked = await asyncio.gather(*(desk.request(admin) for _ in range(2 * MOST_PREPARING)), return_exceptions=True)

    assert sum(isinstance(one, DataExport) for one in asked) == MOST_PREPARING
    assert sum(isinstance(one, TooManyExports) for one in asked) == MOST_PREPARING
