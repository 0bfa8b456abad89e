"""No statement sees or changes another organisation's row: asked of every table that the catalogue knows."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from sqlalchemy import Column, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from src.adapters.postgres.tables import metadata
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.domain.identity.actor import Role
from tests.builders.everything import a_full_organization
from tests.organizations import TestOrganization

pytestmark = pytest.mark.asyncio

DENIED = "42501"  # insufficient_privilege: a policy or a right that is missing.
TABLES = sorted(table.name for table in metadata.sorted_tables)


@dataclass(frozen=True, slots=True)
class Two:
    """Two organisations with a row in every table each."""

    mine: TestOrganization
    theirs: TestOrganization


@pytest_asyncio.fixture(scope="module")
async def two(open_postgres: OpenUnitOfWork) -> Two:
    return Two(await a_full_organization(open_postgres), await a_full_organization(open_postgres))


@pytest_asyncio.fixture
async def connection(app_engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """The application role, on a connection that has been used: its variable is '' and no longer unset."""
    async with app_engine.connect() as made:
        await made.execute(text("SELECT set_config('app.tenant_id', :t, true)"), {"t": str(uuid4())})
        await made.rollback()
        yield made
        await made.rollback()


async def _as(connection: AsyncConnection, organization_id: UUID | str) -> None:
    await connection.execute(text("SELECT set_config('app.tenant_id', :t, true)"), {"t": str(organization_id)})


async def _state_of(connection: AsyncConnection, statement: str, **parameters: Any) -> str:
    """The SQLSTATE that the statement is refused with."""
    with pytest.raises(DBAPIError) as refused:
        await connection.execute(text(statement), parameters)
    await connection.rollback()
    return str(refused.value.orig.sqlstate)  # type: ignore[union-attr]  # asyncpg's errors have one.


async def _rows_or_state(connection: AsyncConnection, statement: str, parameters: dict[str, Any]) -> int | str:
    """How many rows the statement gives, or the SQLSTATE that it is refused with."""
    try:
        return len((await connection.execute(text(statement), parameters)).all())
    except DBAPIError as error:
        await connection.rollback()
        return str(error.orig.sqlstate)  # type: ignore[union-attr]  # As above.


async def test_the_catalogue_knows_the_same_tables(connection: AsyncConnection) -> None:
    """A new table is covered by what follows, without being named here."""
    rows = await connection.execute(
        text(
            "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
            "WHERE c.relnamespace = 'proffer'::regnamespace AND c.relkind IN ('r', 'p') "
            "AND NOT c.relispartition AND a.attname = 'organization_id' ORDER BY 1"
        )
    )
    assert list(rows.scalars()) == TABLES


@pytest.mark.parametrize("table", TABLES)
async def test_others_rows_are_not_seen(table: str, two: Two, connection: AsyncConnection) -> None:
    count = f"SELECT count(*) FROM proffer.{table} WHERE organization_id = :o"

    await _as(connection, two.mine.organization.id)
    own = (await connection.execute(text(count), {"o": two.mine.organization.id})).scalar_one()
    foreign = (await connection.execute(text(count), {"o": two.theirs.organization.id})).scalar_one()
    everything = (await connection.execute(text(f"SELECT count(*) FROM proffer.{table}"))).scalar_one()

    assert own > 0, f"the organisations of this test have no row in {table}: give them one"
    assert foreign == 0
    assert everything == own


@pytest.mark.parametrize("table", TABLES)
async def test_others_rows_cannot_be_locked_changed_or_removed(
    table: str, two: Two, connection: AsyncConnection
) -> None:
    theirs = {"o": two.theirs.organization.id}
    for statement in (
        f"SELECT 1 FROM proffer.{table} WHERE organization_id = :o FOR UPDATE",
        f"UPDATE proffer.{table} SET organization_id = organization_id WHERE organization_id = :o RETURNING 1",
        f"DELETE FROM proffer.{table} WHERE organization_id = :o RETURNING 1",
    ):
        await _as(connection, two.mine.organization.id)
        assert await _rows_or_state(connection, statement, theirs) in {0, DENIED}, statement


@pytest.mark.parametrize("table", TABLES)
async def test_rows_cannot_be_given_to_others(table: str, two: Two, connection: AsyncConnection) -> None:
    """Not by an insert, not by an upsert, not by an update of an own row."""
    theirs = {"o": two.theirs.organization.id}
    columns = [column.name for column in _given(table)]
    names = ", ".join(f'"{name}"' for name in columns)
    copied = ", ".join(":o" if name == "organization_id" else f'"{name}"' for name in columns)
    insert = f"INSERT INTO proffer.{table} ({names}) SELECT {copied} FROM proffer.{table} LIMIT 1"
    for statement in (
        insert,
        f"{insert} ON CONFLICT DO NOTHING",
        f"UPDATE proffer.{table} SET organization_id = :o",
    ):
        await _as(connection, two.mine.organization.id)
        assert await _state_of(connection, statement, **theirs) == DENIED, statement


@pytest.mark.parametrize("table", TABLES)
async def test_an_upsert_does_not_reach_others_rows(table: str, two: Two, connection: AsyncConnection) -> None:
    """Their key in, as a conflict that would be updated: refused, and not told from a key that nobody has."""
    key = [column.name for column in metadata.tables[f"proffer.{table}"].primary_key]
    columns = [column.name for column in _given(table)]
    names = ", ".join(f'"{name}"' for name in columns)
    upsert = (
        f"INSERT INTO proffer.{table} ({names}) SELECT {{}} FROM proffer.{table} LIMIT 1 "
        f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET organization_id = excluded.organization_id"
    )
    await _as(connection, two.theirs.organization.id)
    row = (await connection.execute(text(f"SELECT {', '.join(key)} FROM proffer.{table} LIMIT 1"))).one()._mapping
    await connection.rollback()

    for theirs in (dict(row), dict(row) | {"organization_id": uuid4()}):
        await _as(connection, two.mine.organization.id)
        values = ", ".join(f":{name}" if name in key else f'"{name}"' for name in columns)
        assert await _state_of(connection, upsert.format(values), **theirs) == DENIED


@pytest.mark.parametrize("tenant", [None, ""])
@pytest.mark.parametrize("table", TABLES)
async def test_without_a_tenant_everything_is_empty_and_closed(
    table: str, tenant: str | None, two: Two, connection: AsyncConnection
) -> None:
    if tenant is not None:
        await _as(connection, tenant)
    count = (await connection.execute(text(f"SELECT count(*) FROM proffer.{table}"))).scalar_one()
    columns = _given(table)
    nulls = ", ".join(":o" if column.name == "organization_id" else "NULL" for column in columns)
    names = ", ".join(f'"{column.name}"' for column in columns)
    statement = f"INSERT INTO proffer.{table} ({names}) VALUES ({nulls})"

    assert count == 0
    assert await _state_of(connection, statement, o=two.mine.organization.id) == DENIED


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("table", TABLES)
async def test_a_tenant_that_is_no_id_is_an_error_and_never_rows(table: str, connection: AsyncConnection) -> None:
    await _as(connection, "x")

    assert await _state_of(connection, f"SELECT count(*) FROM proffer.{table}") == "22P02"


@pytest.mark.parametrize("table", TABLES)
async def test_copying_out_shows_own_rows_only(table: str, two: Two, connection: AsyncConnection) -> None:
    await _as(connection, two.mine.organization.id)
    own = (await connection.execute(text(f"SELECT count(*) FROM proffer.{table}"))).scalar_one()
    raw = (await connection.get_raw_connection()).driver_connection
    assert raw is not None

    status = await raw.copy_from_query(f"SELECT organization_id FROM proffer.{table}", output=_swallow)

    assert status == f"COPY {own}"


async def _swallow(_: bytes) -> None:
    return


async def test_no_reference_reaches_others_rows(two: Two, connection: AsyncConnection) -> None:
    """Every foreign key that the catalogue knows: a foreign row is the same as one that does not exist."""
    references = await _references(connection)
    assert len(references) >= 10
    for name, table, columns, target, target_columns in references:
        names = ", ".join(target_columns)
        await _as(connection, two.theirs.organization.id)
        theirs = (await connection.execute(text(f"SELECT {names} FROM proffer.{target} LIMIT 1"))).one()
        await connection.rollback()
        changed = ", ".join(f"{column} = :v{number}" for number, column in enumerate(columns))

        states = []
        for values in (theirs, [uuid4() if isinstance(value, UUID) else value for value in theirs]):
            await _as(connection, two.mine.organization.id)
            parameters = {f"v{number}": value for number, value in enumerate(values)}
            states.append(await _state_of(connection, f"UPDATE proffer.{table} SET {changed}", **parameters))

        assert states[0] == states[1], name
        # Or a check on the row itself, or a column that the database writes alone: for both alike.
        assert states[0] in {"23503", "23514", "428C9", DENIED}, name


def _given(table: str) -> list[Column[Any]]:
    """Without those that the database computes by itself."""
    return [column for column in metadata.tables[f"proffer.{table}"].columns if column.computed is None]


async def _references(connection: AsyncConnection) -> list[tuple[str, str, list[str], str, list[str]]]:
    """Name, table, columns, target and its columns of all foreign keys; without the tenant's own column."""
    rows = await connection.execute(
        text(
            "SELECT k.conname, a.relname, b.relname, "
            "ARRAY(SELECT attname::text FROM unnest(k.conkey) WITH ORDINALITY u (n, i) JOIN pg_attribute "
            "ON attrelid = k.conrelid AND attnum = n WHERE attname <> 'organization_id' ORDER BY i), "
            "ARRAY(SELECT attname::text FROM unnest(k.confkey) WITH ORDINALITY u (n, i) JOIN pg_attribute "
            "ON attrelid = k.confrelid AND attnum = n WHERE attname <> 'organization_id' ORDER BY i) "
            "FROM pg_constraint k JOIN pg_class a ON a.oid = k.conrelid JOIN pg_class b ON b.oid = k.confrelid "
            "WHERE k.contype = 'f' AND k.connamespace = 'proffer'::regnamespace AND cardinality(k.conkey) > 1 ORDER BY 1"
        )
    )
    return [(name, table, columns, target, targets) for name, table, target, columns, targets in rows]


async def test_the_application_owns_nothing_and_bypasses_nothing(connection: AsyncConnection) -> None:
    rows = (
        await connection.execute(
            text(
                "SELECT rolname, rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication AS mighty, "
                "(SELECT count(*) FROM pg_class WHERE relowner = pg_roles.oid) AS owned "
                "FROM pg_roles WHERE rolname LIKE 'proffer\\_%' AND rolname <> 'proffer_admin' ORDER BY 1"
            )
        )
    ).all()

    assert [row.rolname for row in rows] == [
        "proffer_app",
        "proffer_door",
        "proffer_operator",
        "proffer_owner",
        "proffer_worker",
    ]
    assert not any(row.mighty for row in rows)
    assert {row.rolname for row in rows if row.owned} == {"proffer_owner"}


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT proffer.create_organization(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
        "INSERT INTO proffer.organizations (organization_id) VALUES (gen_random_uuid())",
        "SELECT * FROM jobs.pgqueuer",
        "SELECT * FROM jobs.pgqueuer_log",
        "DELETE FROM jobs.pgqueuer",
        "CREATE TABLE proffer.mine (id int)",
        "CREATE TABLE public.mine (id int)",
        "CREATE TEMP TABLE customers (id int)",
        "TRUNCATE proffer.customers",
        "ALTER TABLE proffer.customers DISABLE ROW LEVEL SECURITY",
        "UPDATE proffer.audit_entries SET action = 'x'",
        "DELETE FROM proffer.audit_entries",
        "SET ROLE proffer_owner",
        "SET SESSION AUTHORIZATION proffer_owner",
    ],
)
async def test_the_application_may_not(statement: str, connection: AsyncConnection) -> None:
    assert await _state_of(connection, statement) == DENIED


async def test_the_door_shows_only_what_the_login_needs(two: Two, connection: AsyncConnection) -> None:
    user = two.theirs.users[Role.OWNER]

    rows = (await connection.execute(text("SELECT * FROM proffer.find_accounts(:e)"), {"e": user.email})).all()
    nobody = (await connection.execute(text("SELECT * FROM proffer.find_accounts('%')"))).all()

    assert [row.user_id for row in rows] == [user.id]
    assert set(rows[0]._mapping) == {
        "organization_id",
        "slug",
        "user_id",
        "email",
        "name",
        "role",
        "password_hash",
    }
    assert nobody == []
