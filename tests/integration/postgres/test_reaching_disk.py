"""What is acknowledged is on disk, although commits let go of their locks before it is.

The server writes by itself now and then, so each is tried several times: once alone could be lucky.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from src.adapters.embedded_postgres import ServerAddress
from src.adapters.memory.audit_heads import MemoryHeads
from src.adapters.postgres import connection as connections
from src.adapters.postgres.bootstrap import DatabaseUnfit, bootstrap
from src.adapters.postgres.connection import Connection, lent
from src.adapters.postgres.engine import make_engine
from src.adapters.system import SystemClock
from src.application.audit.sign_heads import SignAuditHead
from src.application.audit.verify_audit import VerifyAudit
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.application.transactions import Transactions
from src.domain.audit.signed_head import SignedHead
from src.domain.identity.actor import Actor, Role
from src.domain.shared.once import Replayed, StoredAnswer
from src.entrypoints.http.readiness import DatabaseReady
from tests.builders.audit import SIGNER
from tests.builders.identity import once
from tests.builders.quotes import a_customer
from tests.database import SECRET, drop_database, empty_database
from tests.organizations import TestOrganization, new_organization

pytestmark = pytest.mark.asyncio

_TRIES = range(10)
# Where the server's log was; what commits lies behind it.
_NOTE_PLACE = "SELECT set_config('app.noted', pg_current_wal_insert_lsn()::text, false)"


@pytest_asyncio.fixture
async def team(open_postgres: OpenUnitOfWork) -> TestOrganization:
    return await new_organization(open_postgres)


async def test_what_a_last_command_locks_is_let_go_before_the_disk_is_waited_for(app_engine: AsyncEngine) -> None:
    """And no other commit of the connection is any laxer."""
    async with lent(app_engine) as connection:
        await connection.begin(uuid4())
        await connection.commit("SELECT set_config('app.noted', current_setting('synchronous_commit'), false)")
        [row] = await connection.fetch("SELECT current_setting('app.noted'), current_setting('synchronous_commit')")

    assert tuple(row) == ("off", "on")


async def test_what_is_committed_with_a_last_command_is_on_disk(
    app_engine: AsyncEngine, team: TestOrganization
) -> None:
    for year in _TRIES:
        async with lent(app_engine) as connection:
            await connection.begin(team.organization.id)
            await connection.commit(f"{_add_counter(team.organization.id, year)}; {_NOTE_PLACE}")

            assert await _is_on_disk(connection)


async def test_what_others_committed_can_be_waited_for(app_engine: AsyncEngine, team: TestOrganization) -> None:
    for year in _TRIES:
        async with lent(app_engine) as connection:
            await connection.begin(team.organization.id)
            with _not_waiting():
                await connection.commit(f"{_add_counter(team.organization.id, year)}; {_NOTE_PLACE}")

            await connection.reach_disk()

            assert await _is_on_disk(connection)


async def test_an_answer_is_repeated_only_when_it_is_on_disk(
    app_engine: AsyncEngine, open_postgres: OpenUnitOfWork, team: TestOrganization
) -> None:
    for number in _TRIES:
        actor, _ = once(team.actor(Role.OWNER), str(number))
        await _add_customer(open_postgres, actor)
        async with lent(app_engine) as connection:
            assert actor.origin.once is not None
            assert actor.origin.once.held is not None
            with _not_waiting():
                await actor.origin.once.held.finish(StoredAnswer(status=201, headers=(), body=b""))
            [[place]] = await connection.fetch("SELECT pg_current_wal_insert_lsn()::text")

            again, _ = once(team.actor(Role.OWNER), str(number))
            with pytest.raises(Replayed):
                await _add_customer(open_postgres, again)

            [[on_disk]] = await connection.fetch("SELECT pg_current_wal_flush_lsn() >= $1::text::pg_lsn", place)
        assert on_disk


class _NoLaterThanHere(MemoryHeads):
    """Looks, for each head that is kept elsewhere, whether the chain is on disk here."""

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__()
        self._engine, self.place, self.were_on_disk = engine, "", list[bool]()

    async def put(self, signed: SignedHead) -> str:
        async with lent(self._engine) as connection:
            [[on_disk]] = await connection.fetch("SELECT pg_current_wal_flush_lsn() >= $1::text::pg_lsn", self.place)
        self.were_on_disk.append(on_disk)
        return await super().put(signed)


async def test_a_head_is_kept_elsewhere_only_when_its_chain_is_on_disk(
    app_engine: AsyncEngine, open_postgres: OpenUnitOfWork, team: TestOrganization
) -> None:
    owner, transactions, store = team.actor(Role.OWNER), Transactions(open_postgres), _NoLaterThanHere(app_engine)
    sign = SignAuditHead(transactions, VerifyAudit(transactions, SIGNER), SIGNER, store, SystemClock())
    for _ in _TRIES:
        with _not_waiting():
            await _add_customer(open_postgres, owner)
        async with lent(app_engine) as connection:
            [[store.place]] = await connection.fetch("SELECT pg_current_wal_insert_lsn()::text")
        await sign.now(owner)

    assert store.were_on_disk == [True] * len(_TRIES)


async def test_what_is_told_to_be_proven_is_on_disk(
    app_engine: AsyncEngine, open_postgres: OpenUnitOfWork, team: TestOrganization
) -> None:
    """Whoever keeps it, as ``audit verify --checkpoint`` does, would take a shorter chain for tampering."""
    owner, verify = team.actor(Role.OWNER), VerifyAudit(Transactions(open_postgres), SIGNER)
    for _ in _TRIES:
        with _not_waiting():
            await _add_customer(open_postgres, owner)
        async with lent(app_engine) as connection:
            [[place]] = await connection.fetch("SELECT pg_current_wal_insert_lsn()::text")

            await verify(owner)

            [[on_disk]] = await connection.fetch("SELECT pg_current_wal_flush_lsn() >= $1::text::pg_lsn", place)
        assert on_disk


async def test_a_database_that_forgets_commits_is_refused(
    test_home: Path, server: ServerAddress, worker_name: str
) -> None:
    name = f"forgetful_{worker_name}"
    urls = await empty_database(test_home, server, name)
    engine = create_async_engine(server.url("postgres"), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    async with engine.connect() as administrator:
        await administrator.execute(text(f"ALTER DATABASE {name} SET synchronous_commit TO off"))
    await engine.dispose()

    with pytest.raises(DatabaseUnfit, match="synchronous_commit is off"):
        await bootstrap(server.url(name), SECRET)
    engine = make_engine(urls.app, pool_size=1)
    with pytest.raises(DatabaseUnfit, match="synchronous_commit is off"):
        await DatabaseReady(engine).check()
    await engine.dispose()
    await drop_database(server, name)


async def test_a_server_whose_commits_cannot_wait_for_the_disk_is_not_ready(
    app_engine: AsyncEngine, admin_engine: AsyncEngine
) -> None:
    await DatabaseReady(app_engine).check()
    async with admin_engine.begin() as administrator:
        known = "SELECT oid::regprocedure FROM pg_proc WHERE proname = 'pg_logical_emit_message' AND proargtypes[2] = 'text'::regtype"
        function = str((await administrator.execute(text(known))).scalar_one())  # Its arguments differ by version.
        await administrator.execute(text(f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC"))
    try:
        with pytest.raises(DBAPIError, match="permission denied"):
            await DatabaseReady(app_engine).check()
    finally:
        async with admin_engine.begin() as administrator:
            await administrator.execute(text(f"GRANT EXECUTE ON FUNCTION {function} TO PUBLIC"))


async def test_whoever_asks_for_readiness_makes_no_more_than_a_write_a_second(app_engine: AsyncEngine) -> None:
    now, said = [0.0], list[str]()

    def listen(*told: object) -> None:
        said.append(str(told[2]))

    database = DatabaseReady(app_engine, lambda: now[0])
    event.listen(app_engine.sync_engine, "before_cursor_execute", listen)
    try:
        writes = []
        for now[0] in (0.0, 0.9, 1.0, 1.5):
            await asyncio.gather(*(database.check() for _ in range(5)))
            writes.append(said.count(connections.REACH_DISK))
    finally:
        event.remove(app_engine.sync_engine, "before_cursor_execute", listen)

    assert writes == [1, 1, 2, 2]


@contextmanager
def _not_waiting() -> Iterator[None]:
    """Commits end as if the disk took its time."""
    with patch.object(connections, "COMMIT_WITH", "SET LOCAL synchronous_commit TO off; {last}; COMMIT"):
        yield


async def _add_customer(open_postgres: OpenUnitOfWork, actor: Actor) -> None:
    async with open_postgres(actor) as uow:
        await uow.customers.save(a_customer().create())
        await uow.commit()


def _add_counter(tenant: UUID, year: int) -> str:
    return f"INSERT INTO proffer.quote_counters VALUES ('{tenant}', {year}, 1)"


async def _is_on_disk(connection: Connection) -> bool:
    [[on_disk]] = await connection.fetch("SELECT pg_current_wal_flush_lsn() > current_setting('app.noted')::pg_lsn")
    return bool(on_disk)
