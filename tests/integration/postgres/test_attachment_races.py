"""Uploads at the same time: together they never pass the quota or the number, and the count is that of the rows."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from src.adapters.postgres.transaction import ChangedMeanwhile
from src.application.documents.add_attachment import AttachmentLimits
from src.application.ports.attachments import StorageUse
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.domain.documents.attachment import (
    Attachment,
    AttachmentNotFound,
    QuotaExceeded,
    SubjectKind,
    TooManyAttachments,
    TooManyUploads,
)
from src.domain.identity.actor import Role
from tests.contract.store.test_attachments import Desk, a_desk
from tests.job_queue import until

pytestmark = pytest.mark.asyncio
FILE = b"x" * 1000
LIMITS = AttachmentLimits(largest=1000, quota=5500, per_subject=100)


async def _all_at_once(desk: Desk, count: int, limits: AttachmentLimits) -> list[Attachment | BaseException]:
    """Each waits until all have begun, so that no look beforehand can see what the others are about to add."""
    begun = asyncio.Barrier(count)

    async def pieces() -> AsyncIterator[bytes]:
        yield FILE[:500]
        await begun.wait()
        yield FILE[500:]

    return await asyncio.gather(
        *(desk.add(f"{number}.txt", chunks=pieces(), limits=limits) for number in range(count)),
        return_exceptions=True,
    )


async def _counted(engine: AsyncEngine, desk: Desk) -> StorageUse:
    """From the rows themselves."""
    async with engine.connect() as connection:
        tenant = str(desk.made.organization.id)
        await connection.execute(text("SELECT set_config('app.tenant_id', :t, true)"), {"t": tenant})
        statement = "SELECT coalesce(sum(size), 0), count(*) FROM proffer.attachments WHERE status = 'stored'"
        size, count = (await connection.execute(text(statement))).one()
        return StorageUse(int(size), int(count))


async def test_rivals_never_pass_the_quota_together(open_postgres: OpenUnitOfWork, app_engine: AsyncEngine) -> None:
    desk = await a_desk(open_postgres)

    outcomes = await _all_at_once(desk, 8, LIMITS)

    assert sum(isinstance(one, Attachment) for one in outcomes) == 5
    assert sum(isinstance(one, QuotaExceeded) for one in outcomes) == 3
    assert await desk.use() == StorageUse(5000, 5) == await _counted(app_engine, desk)
    await desk.run_jobs()
    assert len(await desk.keys()) == 5


async def test_rivals_never_pass_the_number_together(open_postgres: OpenUnitOfWork) -> None:
    desk = await a_desk(open_postgres)

    outcomes = await _all_at_once(desk, 8, replace(LIMITS, quota=1 << 20, per_subject=3))

    assert sum(isinstance(one, Attachment) for one in outcomes) == 3
    assert sum(isinstance(one, TooManyAttachments) for one in outcomes) == 5


@pytest.mark.parametrize("files", [0, 1], ids=["the first ever", "beside others"])
async def test_rivals_never_send_more_at_once_than_may_be(files: int, open_postgres: OpenUnitOfWork) -> None:
    desk, all_asked, begun = await a_desk(open_postgres), asyncio.Event(), list[int]()
    limits = replace(LIMITS, quota=1 << 20, at_once=3)
    for number in range(files):
        await desk.add(f"old{number}.txt", FILE, limits=limits)

    async def pieces(number: int) -> AsyncIterator[bytes]:
        begun.append(number)
        await all_asked.wait()
        yield FILE

    adding = [
        asyncio.create_task(desk.add(f"{number}.txt", chunks=pieces(number), limits=limits)) for number in range(8)
    ]
    await until(lambda: len(begun) + sum(task.done() for task in adding) == 8)
    all_asked.set()
    outcomes = await asyncio.gather(*adding, return_exceptions=True)

    assert sum(isinstance(one, Attachment) for one in outcomes) == 3
    assert sum(isinstance(one, TooManyUploads) for one in outcomes) == 5


async def test_of_rivals_who_remove_or_change_what_they_all_saw_one_wins(open_postgres: OpenUnitOfWork) -> None:
    desk = await a_desk(open_postgres)

    async def act(seen: Attachment, everybody: asyncio.Barrier, *, remove: bool) -> None:
        async with open_postgres(desk.worker) as uow:
            attachment = await uow.attachments.get(seen.id)
            await everybody.wait()
            if remove:
                await uow.attachments.remove(attachment.erase(desk.clock.now()))
            else:
                await uow.attachments.save(attachment.delete(desk.clock.now()))
            await uow.commit()

    for number in range(10):
        added, everybody = await desk.add(f"{number}.txt", FILE, limits=LIMITS), asyncio.Barrier(4)
        acts = [act(added, everybody, remove=number % 4 != one) for one in range(4)]

        outcomes = await asyncio.gather(*acts, return_exceptions=True)

        assert [type(one) for one in outcomes if one is not None] == [ChangedMeanwhile] * 3
        async with open_postgres(desk.actor(Role.OWNER)) as uow:
            told = [one.record.action for one in await uow.audit.of_resource("quote", desk.quote)]
        assert told.count("attachment.erased") + told.count("attachment.deleted") == number + 1
        async with open_postgres(desk.worker) as uow:
            await uow.attachments.free_room(added.size)
            await uow.commit()


async def test_rivals_delete_once_and_the_count_stays_right(
    open_postgres: OpenUnitOfWork, app_engine: AsyncEngine
) -> None:
    desk = await a_desk(open_postgres)
    one = await desk.add("a.txt", FILE, kind=SubjectKind.CUSTOMER)
    await desk.add("b.txt", FILE)

    outcomes = await asyncio.gather(*(desk.delete(one) for _ in range(5)), return_exceptions=True)

    assert sum(outcome is None for outcome in outcomes) == 1
    assert sum(isinstance(outcome, AttachmentNotFound) for outcome in outcomes) == 4
    assert await desk.use() == StorageUse(1000, 1) == await _counted(app_engine, desk)
