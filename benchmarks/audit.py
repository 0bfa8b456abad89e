"""What the audit costs: commits a second with a chain and without one, for one busy organisation and for 200; and how
many entries a second are verified, in how much memory.

``python -m benchmarks.audit [ENTRIES]``. The transactions are whole units of work: begin, one entry, commit.
"""

import asyncio
import os
import shutil
import sys
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from tempfile import mkdtemp
from time import perf_counter, process_time
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from src.adapters.audit_heads import Ed25519HeadSigner
from src.adapters.jobs.worker import libpq_address
from src.adapters.postgres import audit
from src.adapters.postgres import connection as connections
from src.adapters.postgres.engine import make_engine
from src.adapters.postgres.unit_of_work import OpenPostgresUnitOfWork
from src.adapters.system import SystemClock
from src.application.audit.verify_audit import VerifyAudit
from src.application.transactions import Transactions
from src.domain.audit.chain import ChainHead, append
from src.domain.audit.entry import AuditEntry, AuditRecord
from src.domain.identity.actor import Actor, Origin
from src.domain.identity.user import UserLoginFailed
from src.domain.shared.ids import OrganizationId
from src.entrypoints.database import Database
from src.entrypoints.settings import read_settings

WRITERS, TENANTS, SECONDS, ENTRIES = 16, 200, 5.0, 500_000


def actor_of(tenant: OrganizationId) -> Actor:
    origin = Origin(trace_id="a" * 32, ip_address="192.0.2.1", user_agent="benchmark/1.0 (like a browser, so long)")
    return Actor.job(organization_id=tenant, name="benchmark", origin=origin)


async def make_tenants(admin: AsyncEngine, count: int) -> list[OrganizationId]:
    tenants = [OrganizationId(uuid4()) for _ in range(count)]
    async with admin.begin() as connection:
        for tenant in tenants:
            await connection.execute(
                text(
                    "SELECT proffer.create_organization(:id, :slug, '{}', 'EUR', 'UTC', 'en', '{}', NULL, now(), 1, :hash)"
                ),
                {"id": tenant, "slug": f"bench-{tenant}", "hash": ChainHead().hash},
            )
    return tenants


async def commits_per_second(opener: OpenPostgresUnitOfWork, tenants: Sequence[OrganizationId]) -> float:
    actors, clock, done = [actor_of(tenant) for tenant in tenants], SystemClock(), 0
    begun = perf_counter()

    async def write(number: int) -> None:
        nonlocal done
        while perf_counter() - begun < SECONDS:
            actor = actors[number % len(actors)]
            number += WRITERS
            async with opener(actor) as uow:
                uow.record(UserLoginFailed(resource_id=actor.organization_id, at=clock.now()))
                await uow.commit()
            done += 1

    await asyncio.gather(*(write(number) for number in range(WRITERS)))
    return done / (perf_counter() - begun)


# The same row in as many messages, with no head to lock: at a random place, as if hashes were not.
_UNCHAINED = """
    CREATE FUNCTION proffer.append_unchained(document json) RETURNS void LANGUAGE sql SECURITY DEFINER
    AS $$
    INSERT INTO proffer.audit_entries (organization_id, sequence, month, at, action, resource_type, resource_id,
        actor_kind, user_id, text, previous_hash, hash)
    SELECT current_setting('app.tenant_id')::uuid, 1 + (random() * 1e18)::bigint, date_trunc('month', ats[1])::date,
        ats[1], actions[1], resource_types[1], resource_ids[1], actor_kinds[1], user_ids[1], texts[1],
        repeat(md5(random()::text), 2), repeat(md5(random()::text), 2)
    FROM json_to_record(document) AS told(
        ats timestamptz[], actions text[], resource_types text[], resource_ids uuid[], actor_kinds text[],
        user_ids uuid[], texts text[]
    )
    $$
"""


async def fill(admin_url: str, tenant: OrganizationId, count: int) -> int:
    """The mean length of a text."""
    event = UserLoginFailed(resource_id=tenant, at=SystemClock().now())
    record = AuditRecord.of(event, actor_of(tenant))
    connection = await asyncpg.connect(libpq_address(admin_url))
    names = (
        "organization_id sequence at action resource_type resource_id actor_kind user_id text previous_hash hash month"
    )
    entries = append(tenant, ChainHead(), (record for _ in range(count)))
    last = None
    while batch := list(islice(entries, 10_000)):
        rows = [_row(tenant, entry) for entry in batch]
        await connection.copy_records_to_table(
            "audit_entries", schema_name="proffer", records=rows, columns=names.split()
        )
        last = batch[-1]
    assert last is not None
    await connection.execute(
        "UPDATE proffer.audit_heads SET sequence = $2, hash = $3 WHERE organization_id = $1",
        tenant,
        last.sequence,
        last.hash,
    )
    await connection.execute("ANALYZE proffer.audit_entries")
    await connection.close()
    return len(record.text)


def _row(tenant: UUID, entry: AuditEntry) -> tuple[Any, ...]:
    told = entry.record
    shown = (told.at, told.action, told.resource_type, told.resource_id, told.actor_kind, told.user_id, told.text)
    return (tenant, entry.sequence, *shown, entry.previous_hash, entry.hash, entry.month)


def _kib(name: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


async def main(entries: int) -> None:
    with Database(read_settings()) as database:
        await database.prepare()
        admin_url = database.admin_url.replace("postgresql+asyncpg", "postgresql")
        admin = create_async_engine(admin_url.replace("postgresql://", "postgresql+asyncpg://"))
        async with admin.begin() as connection:
            await connection.execute(text(_UNCHAINED))
        app = make_engine(database.urls.app, pool_size=WRITERS, patience=60)
        opener = OpenPostgresUnitOfWork(app, app)
        hot, *many = await make_tenants(admin, TENANTS + 1)
        print(f"Commits a second, {WRITERS} writers in one process, each for {SECONDS:g} s")
        for name, tenants in (("one organisation", [hot]), (f"{TENANTS} organisations", many)):
            with_chain = await commits_per_second(opener, tenants)
            unchained = patch.object(audit, "APPEND", audit.APPEND.replace("append_audit", "append_unchained"))
            # What nobody waits for can wait for the disk.
            with unchained, patch.object(connections, "COMMIT_WITH", "{last}; COMMIT"):
                plain = await commits_per_second(opener, tenants)
            print(f"{name:>20}: chain {with_chain:7.0f}  no chain {plain:7.0f}  ratio {with_chain / plain:.2f}")
        [tenant] = await make_tenants(admin, 1)
        length = await fill(admin_url, tenant, entries)
        verify = VerifyAudit(Transactions(opener), Ed25519HeadSigner([bytes(32)]))
        before = most = _kib("VmRSS")

        def look(*_: object) -> None:
            nonlocal most
            most = max(most, _kib("VmRSS"))

        begun, worked = perf_counter(), process_time()
        result = await verify(actor_of(tenant), None, look)
        seconds, busy = perf_counter() - begun, process_time() - worked
        assert result.intact
        assert result.entries == entries
        print(f"{entries:,} entries of {length} bytes verified: {entries / seconds:,.0f}/s")
        print(f"  for each second of our own processor time: {entries / busy:,.0f}")
        print(f"  memory grew by {(most - before) / 1024:.1f} MiB at most")
        await admin.dispose()
        await app.dispose()


if __name__ == "__main__":
    home = Path(mkdtemp(prefix="proffer-bench-"))
    home.chmod(0o755)
    os.environ["PROFFER_HOME"] = str(home / "var")
    try:
        asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else ENTRIES))
    finally:
        shutil.rmtree(home, ignore_errors=True)
