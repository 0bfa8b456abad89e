"""What is kept for a day goes after a day, of every organisation, and nothing else does."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from src.adapters.jobs.upkeep import purge, purge_until
from src.adapters.postgres.addresses import DatabaseUrls
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.domain.identity.actor import Role
from src.domain.shared.once import StoredAnswer
from tests.builders.identity import once
from tests.builders.postgres import unguarded
from tests.organizations import new_organization

pytestmark = pytest.mark.asyncio


async def test_what_is_older_than_a_day_is_purged(
    database: DatabaseUrls, open_postgres: OpenUnitOfWork, owner_engine: AsyncEngine
) -> None:
    tenants = []
    for _ in range(2):
        made = await new_organization(open_postgres)
        tenants.append(made.organization.id)
        for key in ("old", "new"):
            actor, promise = once(made.actor(Role.OWNER), key=key)
            async with open_postgres(actor) as uow:
                await uow.commit()
            assert promise.held is not None
            await promise.held.finish(StoredAnswer(status=200, headers=(), body=b"x"))
    bucket = uuid4().hex
    async with unguarded(owner_engine, "idempotency_keys") as connection:
        aging = "UPDATE proffer.idempotency_keys SET created_at = now() - interval '25 hours' WHERE key = 'old'"
        await connection.execute(text(aging))
        await connection.execute(
            text("INSERT INTO proffer.throttles VALUES (:old, now() - interval '25 hours'), (:new, now())"),
            {"old": f"{bucket}-old", "new": f"{bucket}-new"},
        )

    assert await purge(database.worker) >= 3

    async with unguarded(owner_engine, "idempotency_keys") as connection:
        kept = "SELECT key FROM proffer.idempotency_keys WHERE organization_id = ANY (:tenants)"
        keys = (await connection.execute(text(kept), {"tenants": tenants})).scalars().all()
        like = "SELECT bucket FROM proffer.throttles WHERE starts_with(bucket, :bucket)"
        buckets = (await connection.execute(text(like), {"bucket": bucket})).scalars().all()
    assert sorted(keys) == ["new", "new"]
    assert buckets == [f"{bucket}-new"]


async def test_it_goes_on_until_it_is_told_to_stop_whatever_the_database_does() -> None:
    stop = asyncio.Event()
    nowhere = "postgresql+asyncpg://nobody@127.0.0.1:1/nothing"
    purging = asyncio.create_task(purge_until(nowhere, stop, timedelta(milliseconds=5)))
    await asyncio.sleep(0.05)

    assert not purging.done()
    stop.set()
    await asyncio.wait_for(purging, 5)
