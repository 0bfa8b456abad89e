"""Each night a job for every organisation that may have export files, made once whoever asks; on a folder and on S3."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from src.adapters.jobs.upkeep import run_schedules
from src.adapters.jobs.worker import libpq_address
from src.adapters.memory.storage import MemoryStorage
from src.adapters.storage import storage_from
from src.adapters.system import SystemClock
from src.application.documents.delete_old_exports import DeletedExports, DeleteOldExports
from src.application.ports.clock import Clock
from src.application.ports.jobs import JobFilter
from src.application.ports.paging import Paging
from src.application.ports.storage import ObjectMissing, ObjectStorage
from src.application.transactions import Transactions
from src.domain.documents.export import KEPT_FOR, LISTED_FOR, ExportState
from src.domain.identity.actor import Actor, Role
from tests.builders.exports import an_export, made
from tests.builders.s3 import a_bucket_server
from tests.job_queue import Queue
from tests.organizations import ORIGIN, TestOrganization, new_organization

pytestmark = pytest.mark.asyncio


async def _nights(queue: Queue, at: timedelta) -> int:
    """As the worker's role asks it, *at* from now."""
    connection = await asyncpg.connect(libpq_address(queue.urls.worker))
    try:
        return int(await connection.fetchval("SELECT jobs.schedule_deletion_of_exports(now() + $1::interval)", at))
    finally:
        await connection.close()


async def _sweeps(queue: Queue, team: TestOrganization) -> int:
    async with queue.open(team.actor(Role.ADMIN)) as uow:
        page = await uow.jobs.page(JobFilter(name="delete_old_exports", subject_id=team.organization.id), Paging())
    return page.total


async def _asked(queue: Queue, team: TestOrganization, *, at: datetime, ended: bool = False) -> None:
    export = an_export(team.actor(Role.SALES).person, created_at=at)
    async with queue.open(team.actor(Role.SALES)) as uow:
        stored = await uow.exports.save(export.request())
        if ended:
            await uow.exports.save(stored.ended(ExportState.EMPTY, message="x", at=at))
        await uow.commit()


async def test_a_night_brings_one_job_to_those_who_may_have_files(queue: Queue) -> None:
    now = SystemClock().now()
    recent, waiting, forgotten, never = [await new_organization(queue.open) for _ in range(4)]
    await _asked(queue, recent, at=now, ended=True)
    await _asked(queue, waiting, at=now - timedelta(days=90))
    await _asked(queue, forgotten, at=now - LISTED_FOR - timedelta(days=1), ended=True)

    assert await run_schedules(queue.urls.worker) >= 2
    assert await _nights(queue, timedelta()) == 0

    assert [await _sweeps(queue, team) for team in (recent, waiting, forgotten, never)] == [1, 1, 1, 0]
    job = Actor.job(organization_id=forgotten.organization.id, name="delete_old_exports", origin=ORIGIN)
    assert (await DeleteOldExports(Transactions(queue.open), MemoryStorage(), SystemClock())(job)).forgotten == 1
    assert await _nights(queue, timedelta(days=1)) >= 2
    assert [await _sweeps(queue, team) for team in (recent, waiting, forgotten, never)] == [2, 2, 1, 0]


async def test_asking_each_minute_does_not_look_at_all_that_was_ever_exported(queue: Queue) -> None:
    """Pages that are touched, once the job of the night is there."""
    team, now = await new_organization(queue.open), SystemClock().now()
    await _asked(queue, team, at=now, ended=True)
    await run_schedules(queue.urls.worker)
    before = await _pages(queue)
    await queue.do(
        "INSERT INTO proffer.exports SELECT (jsonb_populate_record(e, jsonb_build_object('id', gen_random_uuid()))).* "
        f"FROM proffer.exports e, generate_series(1, 20000) WHERE organization_id = '{team.organization.id}'"
    )
    await queue.do("ANALYZE proffer.exports")

    assert await _pages(queue) <= before + 20
    await queue.do(f"DELETE FROM proffer.exports WHERE organization_id = '{team.organization.id}'")


async def _pages(queue: Queue) -> int:
    connection = await asyncpg.connect(libpq_address(queue.urls.worker))
    try:
        asking = "SELECT jobs.schedule_deletion_of_exports(now())"
        told = await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {asking}")
    finally:
        await connection.close()
    plan = json.loads(told)[0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


class Later(Clock):
    def now(self) -> datetime:
        return SystemClock().now() + KEPT_FOR + timedelta(minutes=1)


@pytest.fixture(params=["folder", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStorage]:
    if request.param == "folder":
        yield storage_from((tmp_path / "storage").as_uri())
    else:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        with a_bucket_server() as (address, _):
            yield storage_from(f"s3://bucket/prefix?region=eu-central-1&endpoint={address}&path_style=true")


async def test_old_files_are_deleted_from_every_store(queue: Queue, storage: ObjectStorage) -> None:
    team = await new_organization(queue.open)
    tenant = team.organization.id
    over, stray, foreign = f"{tenant}/exports/a/1", f"{tenant}/exports/b/1", f"{uuid4()}/exports/a/1"
    for key in (over, stray, foreign):
        await storage.put(key, b"x", content_type="text/csv")
    async with queue.open(team.actor(Role.SALES)) as uow:
        export = await uow.exports.save(an_export(team.actor(Role.SALES).person).request())
        await uow.exports.save(made(export, SystemClock().now(), key=over))
        await uow.commit()
    job = Actor.job(organization_id=tenant, name="delete_old_exports", origin=ORIGIN)
    sweep = DeleteOldExports(Transactions(queue.open), storage, Later())

    assert await sweep(job) == DeletedExports(expired=1, strays=1, abandoned=0)

    assert [one.key async for one in storage.objects(f"{tenant}/exports")] == []
    with pytest.raises(ObjectMissing):
        await storage.get(over)
    assert await storage.get(foreign) == b"x"
    async with queue.open(team.actor(Role.SALES)) as uow:
        assert (await uow.exports.get(export.id)).state is ExportState.EXPIRED
