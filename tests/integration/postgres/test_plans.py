"""How the database finds things once there are many: by the tenant's index, and the same whoever came first."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from src.adapters.embedded_postgres import ServerAddress
from src.adapters.postgres.engine import make_engine
from src.adapters.postgres.unit_of_work import OpenPostgresUnitOfWork, PostgresUnitOfWork
from src.application.documents.export_tables import LINES, QUOTES, UNIT_COST
from src.application.ports.documents import Column, ColumnKind
from src.application.ports.paging import Paging
from src.application.ports.quoting import QuoteFilter
from src.application.ports.reporting import RevenueBy
from src.application.ports.unit_of_work import OpenUnitOfWork, UnitOfWork
from src.domain.identity.actor import Actor, Role
from src.domain.quoting.states import QuoteStatus
from src.domain.shared.ids import CustomerId, OrganizationId, UserId
from tests.builders.crowd import multiply
from tests.builders.everything import a_full_organization
from tests.builders.quotes import NOON
from tests.database import drop_database, migrated_clone
from tests.integration.postgres.arguments import ONLY_ADD, REPOSITORIES, Arguments, call, rows_of
from tests.integration.postgres.plans import plans_of, said_to, settings_in
from tests.organizations import ORIGIN

pytestmark = pytest.mark.asyncio

LARGE, USUAL, FEW, ORGANIZATIONS = 50_000, 5_000, 100, 30

# It speaks past the statements of the others, by the driver itself; a test of its own measures it.
SAYS_NOTHING: Final = {"audit.links"}
# They look at everything of one kind that the organisation has, through the tenant's index, and keep some of it.
READ_ALL: Final = {
    "contacts.by_email": "once for each batch of an import, by a text that no index of ours folds",
    "contacts.with_days": "reminders look at everybody's days",
    "customers.by_registration": "once for each batch of an import",
    "messages.erase_person": "somebody's erasure is rare",
    "messages.to_person": "somebody's export is rare",
    "reports.revenue": "a report sums over everything",
    "reports.summary": "the same",
}


@dataclass(frozen=True, slots=True)
class Crowd:
    """Thirty-one organisations with 200,000 quotes: a large one, and *usual*, one of the others."""

    engine: AsyncEngine
    address: str  # As asyncpg reads it.
    open_uow: OpenUnitOfWork
    large: Arguments
    usual: Arguments

    @property
    def actor(self) -> Actor:
        """An owner of the usual one."""
        return _owner_of(self.usual)


def _owner_of(arguments: Arguments) -> Actor:
    return Actor.user(
        organization_id=arguments.organization_id,
        user_id=UserId(arguments.rows["users"].id),
        role=Role.OWNER,
        name="Olga",
        origin=ORIGIN,
    )


@pytest_asyncio.fixture(scope="module")
async def crowd(test_home: Path, server: ServerAddress, worker_name: str) -> AsyncIterator[Crowd]:
    name = f"proffer_plans_{worker_name}"
    urls = await migrated_clone(test_home, server, name)
    engine, operator = make_engine(urls.app, pool_size=2), make_engine(urls.operator, pool_size=1)
    admin = create_async_engine(server.url(name).replace("postgresql://", "postgresql+asyncpg://"))
    open_uow = OpenPostgresUnitOfWork(engine, operator)
    model = (await a_full_organization(open_uow)).organization.id
    others = [uuid4() for _ in range(ORGANIZATIONS)]
    async with admin.begin() as connection:
        await multiply(connection, model, {model: LARGE} | dict.fromkeys(others, USUAL), FEW)
    async with admin.connect() as connection:
        # Else the server does it by itself a minute later, between two runs whose pages are compared.
        await (await connection.execution_options(isolation_level="AUTOCOMMIT")).execute(text("VACUUM ANALYZE"))
    async with admin.connect() as connection:
        large, usual = [
            Arguments(OrganizationId(tenant), await rows_of(connection, tenant)) for tenant in (model, others[7])
        ]
    address = make_url(urls.app).set(drivername="postgresql").render_as_string(hide_password=False)
    yield Crowd(engine, address, open_uow, large, usual)
    for made in (engine, operator, admin):
        await made.dispose()
    await drop_database(server, name)


@pytest.mark.parametrize("method", sorted(REPOSITORIES.keys() - ONLY_ADD))
async def test_the_tenant_is_a_condition_of_the_index(method: str, crowd: Crowd) -> None:
    """Of every method of every repository, as the application's role; a new one is asked without being named here."""
    repository, name = method.split(".")

    async with crowd.open_uow(crowd.actor) as uow:
        calls = await crowd.usual.of(uow, method, REPOSITORIES[method])
    for arguments in calls:
        async with crowd.open_uow(crowd.actor) as uow:
            with said_to(crowd.engine) as said:
                await call(getattr(getattr(uow, repository), name), arguments)
        assert said or method in SAYS_NOTHING
        async with crowd.open_uow(crowd.actor) as uow:  # Another: what was run may have been refused.
            assert isinstance(uow, PostgresUnitOfWork)
            plans = await plans_of(uow._transaction.connection, said)
        for one in plans:
            assert one.scans_without_the_tenant() == [], one.sql
            enough = USUAL if method in READ_ALL else 100
            assert one.rows_removed() <= max(10 * one.rows_found(), enough), (one.sql, one.plan)


async def test_a_scan_that_passes_by_the_tenants_index_is_noticed(crowd: Crowd) -> None:
    async with crowd.open_uow(crowd.actor) as uow:
        assert isinstance(uow, PostgresUnitOfWork)
        connection = uow._transaction.connection
        await connection.execute(text("SET LOCAL enable_indexscan = off"))
        await connection.execute(text("SET LOCAL enable_bitmapscan = off"))
        with said_to(crowd.engine) as said:
            await uow.quotes.page(QuoteFilter(customer_id=CustomerId(uuid4())), Paging())
        [seen] = await plans_of(connection, said)

    assert seen.scans_without_the_tenant() == ["Seq Scan on quotes"]
    assert seen.rows_removed() > LARGE


async def test_a_sort_on_disk_is_noticed(crowd: Crowd) -> None:
    sorted_by = "SELECT * FROM proffer.quotes WHERE organization_id = $1 ORDER BY"
    asked = [(f"{sorted_by} {order}", (crowd.usual.organization_id,)) for order in ("title, id", "status, title, id")]
    async with crowd.open_uow(crowd.actor) as uow:
        assert isinstance(uow, PostgresUnitOfWork)
        connection = uow._transaction.connection
        await connection.execute(text("SET LOCAL work_mem = '64kB'"))
        await connection.execute(text("SET LOCAL enable_sort = off"))
        whole, in_parts = await plans_of(connection, asked)

    assert (whole.spills(), in_parts.spills()) == (["Sort"], ["Incremental Sort"])


COPIED: Final = {
    "everything": QuoteFilter(),
    "of two states": QuoteFilter(statuses=(QuoteStatus.DRAFT, QuoteStatus.SENT)),
    "of one state": QuoteFilter(statuses=(QuoteStatus.SENT,)),
    "of a time": QuoteFilter(created_from=NOON, created_before=NOON + timedelta(days=9)),
}


@pytest.mark.parametrize("lines", [False, True], ids=["quotes", "lines"])
@pytest.mark.parametrize("which", COPIED)
async def test_what_is_copied_out_is_read_by_the_tenants_index_and_never_sorted_on_disk(
    which: str, lines: bool, crowd: Crowd
) -> None:
    """Of the large organisation. COPY runs the statement that is explained here, under what is set for it before."""
    columns = (*((*LINES, UNIT_COST) if lines else QUOTES), Column("Region", ColumnKind.TEXT, 18, "custom.region"))
    copied = bytearray()

    async def keep(piece: bytes) -> None:
        copied.extend(piece)

    async with crowd.open_uow(_owner_of(crowd.large)) as uow:
        assert isinstance(uow, PostgresUnitOfWork)
        with said_to(crowd.engine) as said:
            copy = uow.quotes.copied(COPIED[which], columns, lambda _: None, lines=lines)
            assert copy is not None
            rows = await copy(keep)
        place = [sql.startswith("SELECT") for sql, _ in said].index(True)
        for sql, _ in said[:place]:
            await uow._transaction.connection.execute(text(sql))
        [plan] = await plans_of(uow._transaction.connection, [said[place]])

    assert copied.count(b"\n") == rows > 0
    assert plan.scans_without_the_tenant() == [], plan.sql
    assert plan.spills() == [], (plan.sql, plan.plan)


PAGED: Final[dict[str, Callable[[UnitOfWork], Awaitable[Any]]]] = {
    "a page of quotes": lambda uow: uow.quotes.page(QuoteFilter(), Paging()),
    "quotes in a state": lambda uow: uow.quotes.page(QuoteFilter(statuses=(QuoteStatus.SENT,)), Paging()),
    "quotes of a time": lambda uow: uow.quotes.page(QuoteFilter(created_before=NOON), Paging()),
    "revenue by customer": lambda uow: uow.reports.revenue(RevenueBy.CUSTOMER, [QuoteStatus.SENT], None, None),
    "revenue by category": lambda uow: uow.reports.revenue(RevenueBy.CATEGORY, [QuoteStatus.SENT], None, None),
}


@pytest.mark.parametrize("what", PAGED)
async def test_a_plan_does_not_depend_on_who_came_first(what: str, crowd: Crowd) -> None:
    """Pages that are touched, not time: a statement that a pooled connection keeps is run by both, in either order."""
    said = {}
    for arguments in (crowd.large, crowd.usual):
        async with crowd.open_uow(_owner_of(arguments)) as uow:
            with said_to(crowd.engine) as seen:
                await PAGED[what](uow)
        said[arguments.organization_id] = seen
    large, usual = crowd.large.organization_id, crowd.usual.organization_id

    settings = settings_in(said[large])
    for (sql, of_large), (_, of_usual) in zip(said[large], said[usual], strict=True):
        if sql in settings:
            continue
        touched = {}
        for first in (large, usual):
            connection = await asyncpg.connect(crowd.address)
            try:
                await connection.execute(f"PREPARE kept AS {sql}")
                # From its sixth run on, the server may settle for one plan.
                for tenant in (*[first] * 6, usual if first == large else large):
                    parameters = of_large if tenant == large else of_usual
                    touched[first, tenant] = await _buffers(connection, tenant, parameters, settings)
            finally:
                await connection.close()
        for tenant in (large, usual):
            least = min(touched[large, tenant], touched[usual, tenant])
            assert max(touched[large, tenant], touched[usual, tenant]) <= 3 * least, (sql, touched)


async def _buffers(
    connection: "asyncpg.Connection[Any]", tenant: UUID, parameters: Sequence[Any], settings: Sequence[str]
) -> int:
    """How many pages the prepared statement touches."""
    async with connection.transaction():
        for setting in settings:
            await connection.execute(setting)
        await connection.execute("SELECT set_config('app.tenant_id', $1, true)", str(tenant))
        given = f"({', '.join(map(_literal, parameters))})" if parameters else ""
        told = await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) EXECUTE kept{given}")
    plan = json.loads(told)[0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, list | tuple):
        return "'{" + ",".join(map(str, value)) + "}'"
    return f"'{value}'"
