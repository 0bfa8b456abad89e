"""The audit by months: closed under their own names, made ahead, given up when they are empty; and nothing is ever refused."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from src.adapters.embedded_postgres import ServerAddress
from src.adapters.jobs.upkeep import keep_audit_partitions
from src.adapters.jobs.worker import libpq_address
from src.adapters.memory.system import TickingClock
from src.adapters.postgres.addresses import DatabaseUrls
from src.adapters.postgres.audit import PostgresAuditPartitions
from src.adapters.postgres.bootstrap import migrate
from src.adapters.postgres.connection import lent
from src.adapters.postgres.engine import make_engine
from src.adapters.postgres.lint import lint
from src.adapters.postgres.unit_of_work import OpenPostgresUnitOfWork, PostgresUnitOfWork
from src.adapters.postgres.versions import downgrade, upgrade
from src.application.ports.audit import AuditFilter, EmptyMonths
from src.application.ports.paging import Paging
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.domain.audit.chain import ChainHead, append, latest_month, month_of
from src.domain.audit.entry import AuditEntry, AuditRecord
from src.domain.identity.actor import Actor, Role
from src.domain.identity.user import UserLoginFailed
from tests.builders.audit import SIGNER, verifying
from tests.database import drop_database, empty_database, migrated_clone
from tests.integration.postgres.plans import plans_of, said_to
from tests.job_queue import until
from tests.organizations import ORIGIN, TestOrganization, new_organization

pytestmark = pytest.mark.asyncio

_PARTITIONS = (
    "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'proffer.audit_entries'::regclass ORDER BY 1"
)
_CLOSED = (
    "SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity AS guarded, c.relacl::text AS rights, "
    "ARRAY(SELECT t.tgname::text || t.tgenabled::text FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal "
    "OR t.tgrelid = c.oid AND t.tgparentid <> 0 AND t.tgname = 'only_behind_an_anchor' ORDER BY 1) AS triggers "
    "FROM pg_class c WHERE c.relispartition AND c.relkind = 'r' AND c.relname LIKE 'audit%'"
)


class Months:
    """A database of its own, whose partitions a test may take away."""

    def __init__(self, urls: DatabaseUrls) -> None:
        self.urls = urls
        self.app, self.operator = make_engine(urls.app, pool_size=3), make_engine(urls.operator, pool_size=1)
        self.owner: AsyncEngine = create_async_engine(urls.owner, poolclass=NullPool)
        self.open: OpenUnitOfWork = OpenPostgresUnitOfWork(self.app, self.operator)

    async def names(self) -> list[str]:
        async with self.owner.connect() as connection:
            found = (await connection.execute(text(_PARTITIONS))).scalars()
            return [name.removeprefix("proffer.audit_entries_") for name in found]

    async def tell(self, team: TestOrganization, *times: datetime) -> None:
        for at in times:
            async with self.open(team.actor(Role.OWNER)) as uow:
                uow.record(UserLoginFailed(resource_id=team.users[Role.OWNER].id, at=at))
                await uow.commit()

    async def entries(self, team: TestOrganization) -> list[AuditEntry]:
        async with self.open(team.actor(Role.OWNER)) as uow:
            return [entry async for entry in uow.audit.stream(AuditFilter())]

    async def is_intact(self, team: TestOrganization) -> bool:
        return (await verifying(self.open)(team.actor(Role.OWNER))).intact

    async def do(self, *statements: str) -> None:
        async with self.owner.begin() as connection:
            for statement in statements:
                await connection.execute(text(statement))

    async def close(self) -> None:
        for engine in (self.app, self.operator, self.owner):
            await engine.dispose()


@pytest_asyncio.fixture
async def months(test_home: Path, server: ServerAddress, worker_name: str) -> AsyncIterator[Months]:
    name = f"months_{worker_name}"
    made = Months(await migrated_clone(test_home, server, name))
    yield made
    await made.close()
    await drop_database(server, name)


def _this_month() -> date:
    return month_of(datetime.now(UTC))


def _ahead() -> list[str]:
    now = datetime.now(UTC)
    counts = [now.year * 12 + now.month - 1 + ahead for ahead in range(4)]
    return [f"{count // 12}_{count % 12 + 1:02}" for count in counts]


async def test_this_month_and_the_next_three_are_there_and_made_once(months: Months) -> None:
    assert await months.names() == [*_ahead(), "default"]
    for name in _ahead()[2:]:
        await months.do(f"DROP TABLE proffer.audit_entries_{name}")

    made = await asyncio.gather(*(keep_audit_partitions(months.urls.worker) for _ in range(4)))

    assert sum(made) == 2
    assert await keep_audit_partitions(months.urls.worker) == 0
    assert await months.names() == [*_ahead(), "default"]


async def test_every_partition_is_as_closed_as_the_whole(months: Months) -> None:
    await months.do("SELECT proffer.make_audit_partition('2041-05-01')")
    async with months.owner.connect() as connection:
        rows = (await connection.execute(text(_CLOSED))).all()
        assert await lint(connection) == []

    assert len(rows) == 6
    for row in rows:
        assert row.guarded, row.relname
        assert row.rights is None or "proffer_app" not in row.rights, row.relname
        assert row.triggers == ["append_onlyA", "only_behind_an_anchorA"], row.relname


async def test_a_partition_by_its_own_name_is_nobodys(months: Months) -> None:
    team, name = await new_organization(months.open), f"proffer.audit_entries_{_ahead()[0]}"
    async with months.open(team.actor(Role.OWNER)) as uow:
        assert isinstance(uow, PostgresUnitOfWork)
        with pytest.raises(DBAPIError, match="permission denied"):
            await uow._transaction.connection.execute(text(f"SELECT count(*) FROM {name}"))
    for change in (f"UPDATE {name} SET text = ''", f"DELETE FROM {name}", f"TRUNCATE {name}"):
        with pytest.raises(DBAPIError, match="audit entries are only ever added"):
            await months.do(change)
    # Even with a right to it, by a slip of somebody's: only own rows.
    await months.do(f"GRANT SELECT ON {name} TO proffer_app")
    other = await new_organization(months.open)
    async with months.open(other.actor(Role.OWNER)) as uow:
        assert isinstance(uow, PostgresUnitOfWork)
        asked = text(f"SELECT count(*) FROM {name} WHERE organization_id = :foreign")
        rows = await uow._transaction.connection.execute(asked, {"foreign": team.organization.id})
        assert rows.scalar_one() == 0


async def test_a_worker_that_was_off_for_months_costs_nobody_an_entry(months: Months) -> None:
    for name in _ahead():
        await months.do(f"DROP TABLE proffer.audit_entries_{name}")
    team = await new_organization(months.open)
    before = await months.entries(team)

    assert await keep_audit_partitions(months.urls.worker) == 3  # This month's entries are in the default one already.
    await months.tell(team, datetime.now(UTC))

    assert await months.names() == [*_ahead()[1:], "default"]
    assert (await months.entries(team))[:-1] == before
    assert len(before) > 1
    assert await months.is_intact(team)


async def test_clocks_that_go_wrong_cost_nobody_an_entry(months: Months) -> None:
    team = await new_organization(months.open)
    before = len(await months.entries(team))

    await months.tell(team, datetime(2099, 12, 31, tzinfo=UTC), datetime(1999, 1, 1, tzinfo=UTC), datetime.now(UTC))

    entries = await months.entries(team)
    assert [entry.month for entry in entries[before:]] == [_this_month()] * 3
    assert await months.is_intact(team)


async def test_the_database_chains_as_the_domain_does(months: Months) -> None:
    """Texts of any letters, many at once, from any place of the chain."""
    team = await new_organization(months.open, clock=TickingClock(datetime(2018, 1, 1, tzinfo=UTC)))
    actor = Actor.job(organization_id=team.organization.id, name='Ä "\\ \u2028 😀 \u0001', origin=ORIGIN)
    times = [datetime(year, 12, 28, 23, 59, 59, 999999, tzinfo=UTC) for year in (2018, 2019, 2018, 2099)]
    events = [UserLoginFailed(resource_id=team.users[Role.OWNER].id, at=at) for at in times]
    async with months.open(actor) as uow:
        head = await uow.audit.head()
        before = [entry async for entry in uow.audit.stream(AuditFilter())]
        for event in events:
            uow.record(event)
        await uow.commit()

    records = [AuditRecord.of(event, actor) for event in events]
    expected = list(append(team.organization.id, head, records, before[-1].month, latest_month(datetime.now(UTC))))
    assert (await months.entries(team))[len(before) :] == expected


async def test_a_time_that_is_asked_for_is_not_looked_for_before(months: Months) -> None:
    await months.do(*(f"SELECT proffer.make_audit_partition('2024-{month:02}-01')" for month in range(1, 13)))
    team = await new_organization(months.open)
    since = AuditFilter(since=datetime(2024, 11, 30, 23, tzinfo=UTC))

    async with months.open(team.actor(Role.OWNER)) as uow:
        assert isinstance(uow, PostgresUnitOfWork)
        looked = []
        for criteria in (AuditFilter(), since):
            with said_to(months.app) as said:
                await uow.audit.page(criteria, Paging())
            plans = await plans_of(uow._transaction.connection, said)
            looked.append([_relations(plan.plan) for plan in plans])
            assert [plan.scans_without_the_tenant() for plan in plans] == [[], []]

    whole, later = looked
    for names in whole:
        assert len(names) == 12 + 4 + 1
    for names in later:
        assert names == {f"audit_entries_{name}" for name in ("2024_11", "2024_12", *_ahead(), "default")}


def _relations(plan: dict[str, Any]) -> set[str]:
    """Of what is run; parts that are left out while it runs have no loops."""
    found = {name for inner in plan.get("Plans", []) for name in _relations(inner)}
    if "Relation Name" in plan:
        found.add(plan["Relation Name"])
    return found


async def test_a_month_is_given_up_when_it_is_empty_and_past_and_not_before(months: Months) -> None:
    await months.do(*(f"SELECT proffer.make_audit_partition('2024-{month:02}-01')" for month in (1, 2, 3, 4)))
    await _make_an_old_organization(months)
    partitions = PostgresAuditPartitions(months.operator)

    assert await partitions.drop_empty(date(2024, 4, 1)) == _gone(1, 3)
    assert await partitions.drop_empty(date(2090, 1, 1)) == _gone(4)

    assert await months.names() == ["2024_02", *_ahead(), "default"]


async def test_a_month_that_somebody_is_reading_is_left_for_later(months: Months) -> None:
    await months.do("SELECT proffer.make_audit_partition('2024-01-01')")
    team = await new_organization(months.open)
    async with months.open(team.actor(Role.OWNER)) as uow:
        await uow.audit.page(AuditFilter(), Paging())

        left = await PostgresAuditPartitions(months.operator).drop_empty(date(2024, 4, 1))

    assert left == EmptyMonths(dropped=[], left={date(2024, 1, 1): "in use"})
    assert await PostgresAuditPartitions(months.operator).drop_empty(date(2024, 4, 1)) == _gone(1)


async def test_a_month_that_takes_too_long_does_not_keep_the_others(months: Months) -> None:
    """Its own time for each, whatever the connection's is; here it runs out while the first one waits for a lock."""
    await months.do(*(f"SELECT proffer.make_audit_partition('2024-{month:02}-01')" for month in (1, 2)))
    partitions = PostgresAuditPartitions(months.operator, text("SET LOCAL statement_timeout = '400ms'"))
    async with months.owner.connect() as connection:
        await connection.execute(text("LOCK TABLE proffer.audit_entries_2024_01 IN ACCESS SHARE MODE"))

        result = await partitions.drop_empty(date(2024, 4, 1))

    assert result == EmptyMonths(dropped=[date(2024, 2, 1)], left={date(2024, 1, 1): "too large"})
    assert await partitions.drop_empty(date(2024, 4, 1)) == _gone(1)


async def test_each_month_has_a_minute_and_what_comes_after_the_limit_of_the_connection(
    months: Months, server: ServerAddress, worker_name: str
) -> None:
    """As the database has it in force while a month is dropped."""
    await months.do(*(f"SELECT proffer.make_audit_partition('2024-{month:02}-01')" for month in (1, 2)))
    admin = await asyncpg.connect(libpq_address(server.url(f"months_{worker_name}")))
    await admin.execute(_TELL_LIMITS)

    assert await PostgresAuditPartitions(months.operator).drop_empty(date(2024, 4, 1)) == _gone(1, 2)

    in_force = [row["limit"] for row in await admin.fetch('SELECT "limit" FROM public.told')]
    await admin.close()
    async with lent(months.operator) as connection:
        after = (await connection.execute(text("SHOW statement_timeout"))).scalar_one()
    assert (in_force, after) == (["1min", "1min"], "5s")


# Whatever is dropped, as the server's administrator sees it.
_TELL_LIMITS = """
    CREATE TABLE public.told ("limit" text);
    CREATE FUNCTION public.tell() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN
        INSERT INTO public.told VALUES (current_setting('statement_timeout'));
    END $$;
    CREATE EVENT TRIGGER tell ON sql_drop EXECUTE FUNCTION public.tell();
"""


def _gone(*months_of_2024: int) -> EmptyMonths:
    return EmptyMonths(dropped=[date(2024, month, 1) for month in months_of_2024], left={})


async def _make_an_old_organization(months: Months) -> None:
    """With its first entries in February 2024, as the owner can arrange it."""
    await new_organization(months.open)
    await months.do(
        "ALTER TABLE proffer.audit_entries DISABLE TRIGGER USER",
        f"ALTER TABLE proffer.audit_entries_{_ahead()[0]} DISABLE TRIGGER USER",
        "ALTER TABLE proffer.audit_entries NO FORCE ROW LEVEL SECURITY",
        "UPDATE proffer.audit_entries SET month = '2024-02-01' WHERE sequence = 1",
        "ALTER TABLE proffer.audit_entries FORCE ROW LEVEL SECURITY",
        f"ALTER TABLE proffer.audit_entries_{_ahead()[0]} ENABLE ALWAYS TRIGGER append_only",
        "ALTER TABLE proffer.audit_entries ENABLE ALWAYS TRIGGER append_only",
        "ALTER TABLE proffer.audit_entries ENABLE ALWAYS TRIGGER only_behind_an_anchor",
    )


async def test_only_what_an_anchor_covers_can_be_removed_even_by_the_door(months: Months) -> None:
    team, other = await new_organization(months.open), await new_organization(months.open)
    before, theirs = await months.entries(team), await months.entries(other)
    operator = Actor.operator(organization_id=team.organization.id, name="audit retention", origin=ORIGIN)
    async with months.open(operator) as uow:
        head = ChainHead(2, before[1].hash)
        await uow.audit.keep_anchor(
            SIGNER.sign_anchor(team.organization.id, head, 2, date(2026, 1, 1), datetime.now(UTC))
        )
        await uow.commit()
    tenant = f"SELECT set_config('app.tenant_id', '{team.organization.id}', true)"
    for change, refusal in (
        ("DELETE FROM proffer.audit_entries WHERE sequence = 3", "no anchor covers entry 3"),
        ("DELETE FROM proffer.audit_anchors", "permission denied"),
        ("UPDATE proffer.audit_entries SET text = ''", "permission denied"),
    ):
        with pytest.raises(DBAPIError, match=refusal):
            await months.do("SET LOCAL ROLE proffer_door", tenant, change)
    await months.do("SET LOCAL ROLE proffer_door", tenant, "DELETE FROM proffer.audit_entries WHERE sequence <= 2")

    assert await months.entries(team) == before[2:]
    assert await months.entries(other) == theirs
    assert await months.is_intact(team)


async def test_entries_move_into_their_months_without_loss(
    test_home: Path, server: ServerAddress, worker_name: str
) -> None:
    """Rows, hashes and order as they were, there and back again."""
    name = f"moving_{worker_name}"
    urls = await empty_database(test_home, server, name)
    await migrate(urls.owner)
    months = Months(urls)
    old = TickingClock(datetime(2020, 1, 1, tzinfo=UTC))
    teams = [await new_organization(months.open, clock=old) for _ in range(2)]
    late, early = datetime(2021, 1, 31, 23, 59, 59, 999999, tzinfo=UTC), datetime(2021, 2, 1, tzinfo=UTC)
    await months.tell(teams[0], late, early, late, datetime(2099, 12, 1, tzinfo=UTC))
    before = [await months.entries(team) for team in teams]

    async with months.owner.connect() as connection:
        await connection.run_sync(downgrade, "0014")
        await connection.commit()
        kept = "SELECT * FROM proffer.audit_entries ORDER BY organization_id, sequence"
        await connection.execute(text("ALTER TABLE proffer.audit_entries NO FORCE ROW LEVEL SECURITY"))
        rows = [tuple(row) for row in await connection.execute(text(kept))]
        await connection.rollback()
        await connection.run_sync(upgrade)
        await connection.commit()
    await months.app.dispose()

    assert len(rows) == sum(map(len, before))
    assert [await months.entries(team) for team in teams] == before
    assert [entry.month for entry in before[0][-4:]] == [
        date(2021, 1, 1),
        date(2021, 2, 1),
        date(2021, 2, 1),
        _this_month(),
    ]
    assert {"2020_01", "2021_01", "2021_02"} <= set(await months.names())
    assert [await months.is_intact(team) for team in teams] == [True, True]
    await months.tell(teams[0], early)  # The chain goes on in the month that it had got to.
    assert (await months.entries(teams[0]))[-1].month == _this_month()
    await months.close()
    await drop_database(server, name)


# A row that is left out, and one that is moved with something else in it.
@pytest.mark.parametrize(
    ("written", "instead"),
    [
        (
            "proffer.audit_entries_before e JOIN",
            "(SELECT * FROM proffer.audit_entries_before WHERE sequence <> 2) e JOIN",
        ),
        ("e.text", "e.text || CASE e.sequence WHEN 2 THEN ' ' ELSE '' END"),
    ],
)
async def test_a_move_that_loses_an_entry_is_undone(
    written: str, instead: str, test_home: Path, server: ServerAddress, worker_name: str
) -> None:
    name = f"losing_{worker_name}"
    months = Months(await empty_database(test_home, server, name))
    await migrate(months.urls.owner)
    team = await new_organization(months.open)
    before = await months.entries(team)
    async with months.owner.connect() as connection:
        await connection.run_sync(downgrade, "0014")
        await connection.commit()
        with (
            said_otherwise(connection, "INSERT INTO proffer.audit_entries ", written, instead) as changed,
            pytest.raises(DBAPIError, match="missing or changed after they were moved"),
        ):
            await connection.run_sync(upgrade)
        await connection.rollback()
        assert changed == [1]
        await connection.run_sync(upgrade)
        await connection.commit()
    await months.app.dispose()

    assert await months.entries(team) == before
    await months.close()
    await drop_database(server, name)


async def test_a_way_back_that_loses_an_entry_is_undone(months: Months) -> None:
    team = await new_organization(months.open)
    before = await months.entries(team)
    written = "FROM proffer.audit_entries_months"
    async with months.owner.connect() as connection:
        with (
            said_otherwise(
                connection, "INSERT INTO proffer.audit_entries ", written, f"{written} WHERE sequence <> 2"
            ) as changed,
            pytest.raises(DBAPIError, match="missing or changed after they were moved"),
        ):
            await connection.run_sync(downgrade, "0014")
        await connection.rollback()

    assert changed == [1]
    assert await months.entries(team) == before


@contextmanager
def said_otherwise(connection: AsyncConnection, beginning: str, written: str, instead: str) -> Iterator[list[int]]:
    """Statements with *beginning* say *instead* where they have *written*; how often each did."""
    changed: list[int] = []

    def change(_: object, __: object, statement: str, parameters: object, *___: object) -> tuple[str, object]:
        if statement.strip().startswith(beginning):
            changed.append(statement.count(written))
            statement = statement.replace(written, instead)
        return statement, parameters

    event.listen(connection.sync_connection, "before_cursor_execute", change, retval=True)
    try:
        yield changed
    finally:
        event.remove(connection.sync_connection, "before_cursor_execute", change)


async def test_there_is_no_way_back_once_entries_are_gone(months: Months) -> None:
    team = await new_organization(months.open)
    operator = Actor.operator(organization_id=team.organization.id, name="audit retention", origin=ORIGIN)
    first = (await months.entries(team))[0]
    async with months.open(operator) as uow:
        anchor = SIGNER.sign_anchor(
            team.organization.id, ChainHead(1, first.hash), 1, date(2026, 1, 1), datetime.now(UTC)
        )
        await uow.audit.keep_anchor(anchor)
        await uow.audit.remove(1, 1)
        await uow.commit()

    async with months.owner.connect() as connection:
        with pytest.raises(DBAPIError, match="their anchors are needed"):
            await connection.run_sync(downgrade, "0014")


async def test_two_months_that_are_attached_while_others_write_hold_nobody_up(months: Months) -> None:
    """A writer whose transaction is open does not keep a partition from being made, nor the other way round."""
    team, other = await new_organization(months.open), await new_organization(months.open)
    await months.do(f"DROP TABLE proffer.audit_entries_{_ahead()[3]}")
    async with months.open(team.actor(Role.OWNER)) as uow:
        uow.record(UserLoginFailed(resource_id=team.users[Role.OWNER].id, at=datetime.now(UTC)))
        await uow.audit.head()
        made = await keep_audit_partitions(months.urls.worker)
        await months.tell(other, datetime.now(UTC))
        await uow.commit()

    assert made == 1
    assert [await months.is_intact(one) for one in (team, other)] == [True, True]


async def test_whoever_is_at_work_is_not_undone_for_a_partition(months: Months) -> None:
    """Somebody has changed an organisation and comes to the audit while a partition is made: the partition waits, or gives up."""
    team = await new_organization(months.open)
    for name in _ahead()[2:]:
        await months.do(f"DROP TABLE proffer.audit_entries_{name}")
    async with months.open(team.actor(Role.OWNER)) as uow:
        assert isinstance(uow, PostgresUnitOfWork)
        connection = uow._transaction.connection
        await connection.execute(text("UPDATE proffer.organizations SET locale = locale"))
        making = asyncio.create_task(keep_audit_partitions(months.urls.worker))

        async def has_come() -> bool:
            return making.done() or await _is_waiting(months)

        await until(has_come)
        await uow.audit.page(AuditFilter(), Paging())
        uow.record(UserLoginFailed(resource_id=team.users[Role.OWNER].id, at=datetime.now(UTC)))
        await uow.commit()
    await making
    await keep_audit_partitions(months.urls.worker)

    assert await months.names() == [*_ahead(), "default"]
    assert await months.is_intact(team)


async def _is_waiting(months: Months) -> bool:
    asked = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'proffer.organizations'::regclass"
    async with months.owner.connect() as connection:
        return bool((await connection.execute(text(asked))).scalar_one())
