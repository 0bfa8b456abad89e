"""Connections whose statements run on asyncpg: what they tell, what they refuse, and in which state they come back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    InvalidRequestError,
    MultipleResultsFound,
    NoResultFound,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine

from src.adapters.postgres.addresses import DatabaseUrls
from src.adapters.postgres.connection import Connection, lent, watched
from src.adapters.postgres.engine import make_engine
from src.application.ports.unit_of_work import OpenUnitOfWork
from tests.organizations import new_organization

pytestmark = pytest.mark.asyncio

_PROCESS = text("SELECT pg_backend_pid()")
_TENANT = text("SELECT current_setting('app.tenant_id', true)")
_NUMBERS = text("SELECT n, n * n AS square FROM generate_series(1, :last) AS n")
_ADD_COUNTER = text("INSERT INTO proffer.quote_counters VALUES (:tenant, :year, 1)")


@pytest_asyncio.fixture
async def one(database: DatabaseUrls) -> AsyncIterator[AsyncEngine]:
    """A pool of one connection."""
    engine = make_engine(database.app, pool_size=1, patience=0.2)
    yield engine
    await engine.dispose()


@pytest_asyncio.fixture
async def tenant(open_postgres: OpenUnitOfWork) -> UUID:
    return (await new_organization(open_postgres)).organization.id


async def _process(engine: AsyncEngine) -> int:
    async with lent(engine) as connection:
        return int((await connection.execute(_PROCESS)).scalar_one())


async def test_rows_have_their_columns_as_attributes(one: AsyncEngine) -> None:
    async with lent(one) as connection:
        rows = await connection.execute(_NUMBERS, {"last": 3})

    assert [(row.n, row.square, row[1]) for row in rows] == [(1, 1, 1), (2, 4, 4), (3, 9, 9)]
    assert rows.scalars() == [1, 2, 3]
    assert rows.rowcount == len(rows.all()) == 3
    with pytest.raises(AttributeError, match="cube"):
        _ = rows.all()[0].cube


async def test_one_row_is_one_row(one: AsyncEngine) -> None:
    async with lent(one) as connection:
        none, single, several = [await connection.execute(_NUMBERS, {"last": last}) for last in (0, 1, 2)]

    assert (none.one_or_none(), none.scalar_one_or_none(), single.scalar_one()) == (None, None, 1)
    with pytest.raises(NoResultFound):
        none.one()
    with pytest.raises(MultipleResultsFound):
        several.scalar_one_or_none()


async def test_a_statement_that_returns_nothing_tells_how_many_rows_it_wrote(one: AsyncEngine, tenant: UUID) -> None:
    async with lent(one) as connection:
        await connection.begin(tenant)
        await connection.execute_many(_ADD_COUNTER, [{"tenant": tenant, "year": year} for year in (1, 2)])
        written = await connection.execute(text("UPDATE proffer.quote_counters SET counter = 7"))

    assert written.rowcount == 2
    assert written.all() == []


async def test_a_transaction_sees_one_tenant_and_leaves_nothing_of_it(one: AsyncEngine) -> None:
    tenant = uuid4()
    async with lent(one) as connection:
        await connection.begin(tenant)
        inside = (await connection.execute(_TENANT)).scalar_one()
    async with lent(one) as connection:
        after = (await connection.execute(_TENANT)).scalar_one()

    assert inside == str(tenant)
    assert not after


async def test_what_is_not_committed_is_undone(one: AsyncEngine, tenant: UUID) -> None:

    async def add(year: int, *, commit: bool) -> None:
        async with lent(one) as connection:
            await connection.begin(tenant)
            await connection.execute(_ADD_COUNTER, {"tenant": tenant, "year": year})
            if commit:
                await connection.commit()

    await add(1, commit=True)
    await add(2, commit=False)

    async with lent(one) as connection:
        await connection.begin(tenant)
        assert (await connection.execute(text("SELECT year FROM proffer.quote_counters"))).scalars() == [1]


async def test_a_broken_constraint_is_told_without_the_values(one: AsyncEngine, tenant: UUID) -> None:
    async with lent(one) as connection:
        await connection.begin(tenant)
        await connection.execute(_ADD_COUNTER, {"tenant": tenant, "year": 1})
        with pytest.raises(IntegrityError, match="quote_counters_pkey") as raised:
            await connection.execute(_ADD_COUNTER, {"tenant": tenant, "year": 1})

    assert str(tenant) not in str(raised.value)
    assert getattr(raised.value.orig, "sqlstate", None) == "23505"
    assert not raised.value.connection_invalidated


async def test_a_failed_transaction_is_not_committed_in_silence(one: AsyncEngine) -> None:
    async with lent(one) as connection:
        await connection.begin(uuid4())
        with pytest.raises(DBAPIError):
            await connection.execute(text("SELECT 1 / 0"))

        with pytest.raises(InvalidRequestError, match="failed"):
            await connection.commit()


async def test_a_last_command_is_committed_in_its_own_message(one: AsyncEngine, tenant: UUID) -> None:
    seen: list[str] = []
    with watched(one, lambda sql, _: seen.append(sql)):
        async with lent(one) as connection:
            await connection.begin(tenant)
            await connection.commit(_add_counter(tenant, 7))

    assert seen[1:] == [_add_counter(tenant, 7)]
    assert await _years(one, tenant) == [7]


async def test_when_the_last_command_fails_nothing_is_committed(one: AsyncEngine, tenant: UUID) -> None:
    before = await _process(one)
    for statement, last in ((_add_counter(tenant, 8), "SELECT 1 / 0"), ("SELECT 1 / 0", _add_counter(tenant, 9))):
        async with lent(one) as connection:
            await connection.begin(tenant)
            with suppress(DBAPIError):
                await connection.execute(text(statement))
            with pytest.raises(DBAPIError):
                await connection.commit(last)

    assert await _years(one, tenant) == []
    assert await _process(one) == before  # It serves on.


def _add_counter(tenant: UUID, year: int) -> str:
    return f"INSERT INTO proffer.quote_counters VALUES ('{tenant}', {year}, 1)"


async def _years(engine: AsyncEngine, tenant: UUID) -> list[int]:
    async with lent(engine) as connection:
        await connection.begin(tenant)
        return (await connection.execute(text("SELECT year FROM proffer.quote_counters"))).scalars()


async def test_after_a_refused_statement_the_connection_serves_on(one: AsyncEngine) -> None:
    before = await _process(one)
    async with lent(one) as connection:
        await connection.begin(uuid4())
        with pytest.raises(DBAPIError, match="division by zero"):
            await connection.execute(text("SELECT 1 / 0"))

    assert await _process(one) == before


async def test_what_is_given_back_runs_nothing_any_more(one: AsyncEngine) -> None:
    async with lent(one) as connection:
        pass

    with pytest.raises(InvalidRequestError, match="given back"):
        await connection.execute(_PROCESS)
    with pytest.raises(InvalidRequestError, match="given back"):
        await connection.begin(uuid4())
    await connection.close()  # Twice does no harm.
    assert await _process(one)


async def test_a_connection_that_was_left_in_the_middle_of_a_statement_is_dropped(one: AsyncEngine) -> None:
    before = await _process(one)

    async def wait() -> None:
        async with lent(one) as connection:
            await connection.begin(uuid4())
            await connection.execute(text("SELECT pg_sleep(4)"))

    waiting = asyncio.create_task(wait())
    await asyncio.sleep(0.05)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert await _process(one) != before


async def test_a_connection_that_the_server_ended_is_replaced(one: AsyncEngine, admin_engine: AsyncEngine) -> None:
    before = await _process(one)
    async with admin_engine.connect() as administrator:
        await administrator.execute(text("SELECT pg_terminate_backend(:process)"), {"process": before})
    async with asyncio.timeout(5):
        while not await _is_noticed(one):  # noqa: ASYNC110 — the driver tells nobody.
            await asyncio.sleep(0.01)

    assert await _process(one) != before


async def _is_noticed(engine: AsyncEngine) -> bool:
    raw = await engine.raw_connection()
    assert raw.driver_connection is not None
    closed: bool = raw.driver_connection.is_closed()
    raw.close()
    return closed


async def test_a_connection_that_the_server_ends_under_way_is_told_as_lost(
    one: AsyncEngine, admin_engine: AsyncEngine
) -> None:
    async with lent(one) as connection:
        process = (await connection.execute(_PROCESS)).scalar_one()
        waiting = asyncio.create_task(connection.execute(text("SELECT pg_sleep(4)")))
        await asyncio.sleep(0.05)
        async with admin_engine.connect() as administrator:
            await administrator.execute(text("SELECT pg_terminate_backend(:process)"), {"process": process})
        with pytest.raises(DBAPIError) as raised:
            await waiting

    assert raised.value.connection_invalidated or getattr(raised.value.orig, "sqlstate", "") == "57P01"
    assert await _process(one) != process


async def test_who_asks_first_is_served_first(one: AsyncEngine) -> None:
    """Even while others come again and again, and give back what they have without waiting in between."""
    served: list[str] = []

    async def greedy() -> None:
        for _ in range(5):
            async with lent(one) as connection:
                await connection.execute(_PROCESS)
            served.append("greedy")

    async def patient() -> None:
        async with lent(one):
            served.append("patient")

    await asyncio.gather(greedy(), patient())

    assert served.index("patient") == 1


async def test_whoever_waits_too_long_for_a_connection_is_told(one: AsyncEngine) -> None:
    async with lent(one):
        with pytest.raises(PoolTimeout, match="1 connections"):
            await _process(one)

    assert await _process(one)


async def test_nobody_who_gave_up_waiting_takes_a_turn_along(one: AsyncEngine) -> None:
    async with lent(one):
        waiting = [asyncio.create_task(_process(one)) for _ in range(3)]
        await asyncio.sleep(0)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    assert await _process(one)


async def test_a_server_that_refuses_leaves_the_turn_for_the_next(database: DatabaseUrls) -> None:
    engine = make_engine(f"{database.app.rpartition('/')[0]}/nothing", pool_size=1, patience=0.2)
    for _ in range(2):
        with pytest.raises(DBAPIError, match="does not exist"):
            await Connection.lend(engine)
    await engine.dispose()


async def test_a_stream_takes_batches_of_its_own_transaction(one: AsyncEngine) -> None:
    async with lent(one) as connection:
        await connection.begin(uuid4())
        seen = [row.n async for row in connection.stream(text("SELECT generate_series(1, 25) AS n"), 10)]

        with pytest.raises(DBAPIError):
            _ = [row async for row in connection.stream(text("SELECT 1 / (3 - generate_series(1, 5))"), 2)]

    assert seen == list(range(1, 26))


async def test_watchers_see_statements_and_values_while_they_watch(one: AsyncEngine, app_engine: AsyncEngine) -> None:
    seen: list[tuple[str, list[list[object]]]] = []
    with watched(one, lambda sql, rows: seen.append((sql, [list(row) for row in rows]))):
        async with lent(one) as connection, lent(app_engine) as other:
            await connection.execute(_NUMBERS, {"last": 2})
            await other.execute(_PROCESS)
    await _process(one)

    assert seen == [("SELECT n, n * n AS square FROM generate_series(1, $1) AS n", [[2]])]
