"""The catalogue lint: nothing found on our schema, and every fault that is planted is."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from src.adapters.embedded_postgres import ServerAddress
from src.adapters.postgres.addresses import DatabaseUrls
from src.adapters.postgres.bootstrap import DatabaseUnfit, migrate
from src.adapters.postgres.lint import ALLOWED, Finding, lint
from tests.database import drop_database, migrated_clone

# ruff: noqa: ISC004 — a fault may need several statements.
pytestmark = pytest.mark.asyncio

_GOOD = "organization_id uuid NOT NULL, id uuid NOT NULL, PRIMARY KEY (organization_id, id)"
_TENANT = "organization_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)"
_POLICY = f"CREATE POLICY tenant ON proffer.planted FOR ALL TO proffer_app USING ({_TENANT}) WITH CHECK ({_TENANT})"
_SECURE = (
    "ALTER TABLE proffer.planted ENABLE ROW LEVEL SECURITY; ALTER TABLE proffer.planted FORCE ROW LEVEL SECURITY; "
    f"{_POLICY}"
)

# A fault, and what must be found of it. The database's owner can do all of these, but for those of the roles.
FAULTS = {
    "table without tenant column": (
        "CREATE TABLE proffer.planted (id uuid PRIMARY KEY)",
        [Finding("table without tenant column", "planted")],
    ),
    "row-level security not forced": (
        "ALTER TABLE proffer.customers NO FORCE ROW LEVEL SECURITY",
        [Finding("row-level security not enabled and forced", "customers")],
    ),
    "row-level security not enabled": (
        "ALTER TABLE proffer.customers DISABLE ROW LEVEL SECURITY",
        [Finding("row-level security not enabled and forced", "customers")],
    ),
    "tenant column nullable": (
        f"CREATE TABLE proffer.planted (organization_id uuid, id uuid); {_SECURE}",
        [Finding("tenant column nullable", "planted")],
    ),
    "no policy": (
        "DROP POLICY tenant ON proffer.customers",
        [Finding("no policy with USING and WITH CHECK", "customers")],
    ),
    "policy without check": (
        f"CREATE TABLE proffer.planted ({_GOOD}); {_SECURE}; DROP POLICY tenant ON proffer.planted; "
        f"CREATE POLICY half ON proffer.planted FOR ALL TO proffer_app USING ({_TENANT})",
        [Finding("no policy with USING and WITH CHECK", "planted")],
    ),
    "policy without the tenant variable": (
        "CREATE POLICY open ON proffer.customers FOR SELECT TO proffer_app USING (true)",
        [Finding("policy does not read the tenant variable", "customers.open")],
    ),
    "policy that guards writing and not reading": (
        f"CREATE POLICY half ON proffer.customers FOR ALL TO proffer_app USING (true) WITH CHECK ({_TENANT})",
        [Finding("policy does not read the tenant variable", "customers.half")],
    ),
    "policy that guards reading and not writing": (
        f"CREATE POLICY half ON proffer.customers FOR ALL TO proffer_app USING ({_TENANT}) WITH CHECK (true)",
        [Finding("policy does not read the tenant variable", "customers.half")],
    ),
    "policy with a back door": (
        f"CREATE POLICY wide ON proffer.customers FOR SELECT TO proffer_app USING ({_TENANT} OR name = 'open')",
        [Finding("policy says more than the tenant", "customers.wide")],
    ),
    "policy that breaks on an empty variable": (
        "CREATE POLICY bare ON proffer.customers FOR SELECT TO proffer_app "
        "USING (organization_id = (SELECT current_setting('app.tenant_id')::uuid))",
        [Finding("policy says more than the tenant", "customers.bare")],
    ),
    "table open to every tenant": (
        "GRANT SELECT ON proffer.alembic_version TO proffer_app",
        [Finding("table open to every tenant", "alembic_version")],
    ),
    "column open to every tenant": (
        "GRANT UPDATE (version_num) ON proffer.alembic_version TO proffer_app",
        [Finding("table open to every tenant", "alembic_version")],
    ),
    "table that every tenant may empty": (
        "GRANT DELETE ON proffer.alembic_version TO proffer_app",
        [Finding("table open to every tenant", "alembic_version")],
    ),
    "partition open by its own name": (
        "GRANT SELECT ON proffer.audit_entries_default TO proffer_app",
        [Finding("partition open by its own name", "audit_entries_default")],
    ),
    "partition without row-level security": (
        "ALTER TABLE proffer.audit_entries_default NO FORCE ROW LEVEL SECURITY",
        [Finding("row-level security not enabled and forced", "audit_entries_default")],
    ),
    "partition without a policy": (
        "DROP POLICY tenant ON proffer.audit_entries_default",
        [Finding("no policy with USING and WITH CHECK", "audit_entries_default")],
    ),
    "policy that reads the variable per row": (
        "CREATE POLICY slow ON proffer.customers FOR SELECT TO proffer_app "
        "USING (organization_id = nullif(current_setting('app.tenant_id', true), '')::uuid)",
        [Finding("policy reads the variable per row", "customers.slow")],
    ),
    "foreign key that can cross tenants": (
        "ALTER TABLE proffer.products ADD UNIQUE (organization_id, id, sku); "
        f"CREATE TABLE proffer.planted ({_GOOD}, head uuid REFERENCES proffer.audit_heads (organization_id)); {_SECURE}",
        [Finding("foreign key that can cross tenants", "proffer.planted.planted_head_fkey")],
    ),
    "unique index not beginning with the tenant": (
        "CREATE UNIQUE INDEX planted ON proffer.customers (vat_number)",
        [Finding("unique index not beginning with the tenant", "proffer.planted")],
    ),
    "index column whose = is not leakproof": (
        "CREATE INDEX planted ON proffer.quotes (organization_id, payable)",
        [Finding("index column whose = is not leakproof", "proffer.planted (payable)")],
    ),
    "view of its owner": (
        "CREATE VIEW proffer.planted AS SELECT id FROM proffer.customers; GRANT SELECT ON proffer.planted TO proffer_app",
        [Finding("view not security_invoker", "planted")],
    ),
    "materialised view granted": (
        "CREATE MATERIALIZED VIEW proffer.planted AS SELECT 1 AS one; GRANT SELECT ON proffer.planted TO proffer_app",
        [Finding("materialised view granted", "planted")],
    ),
    "definer function": (
        "CREATE FUNCTION proffer.planted() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog "
        "AS 'SELECT 1'",
        [Finding("definer function", "proffer.planted()")],
    ),
    "definer function without search_path": (
        "CREATE FUNCTION proffer.planted() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
        [Finding("definer function without search_path", "proffer.planted()")],
    ),
    "application may truncate": (
        "GRANT TRUNCATE ON proffer.customers TO proffer_app",
        [Finding("application may truncate", "customers")],
    ),
    "application may reference": (
        "GRANT REFERENCES ON proffer.customers TO proffer_app",
        [Finding("application may references", "customers")],
    ),
    "application may add triggers": (
        "GRANT TRIGGER ON proffer.customers TO proffer_app",
        [Finding("application may trigger", "customers")],
    ),
    "application may create in schema": (
        "GRANT CREATE ON SCHEMA proffer TO proffer_app",
        [Finding("application may create in schema", "proffer")],
    ),
    "constraint not validated": (
        "ALTER TABLE proffer.customers ADD CONSTRAINT planted CHECK (name <> '') NOT VALID",
        [Finding("constraint not validated", "planted")],
    ),
}


@pytest_asyncio.fixture(scope="module")
async def scratch(test_home: Path, server: ServerAddress, worker_name: str) -> AsyncIterator[DatabaseUrls]:
    """A database to do harm to."""
    name = f"scratch_{worker_name}"
    yield await migrated_clone(test_home, server, name)
    await drop_database(server, name)


@pytest_asyncio.fixture
async def owner(scratch: DatabaseUrls) -> AsyncIterator[AsyncConnection]:
    """The owner, in a transaction that is undone."""
    engine = create_async_engine(scratch.owner, poolclass=NullPool)
    async with engine.connect() as connection:
        yield connection
        await connection.rollback()
    await engine.dispose()


async def test_our_schema_is_clean(owner: AsyncConnection) -> None:
    assert await lint(owner) == []
    assert await lint(owner, schema="jobs") == []


async def test_no_exception_has_outlived_its_reason(owner: AsyncConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = dict(ALLOWED)
    monkeypatch.setattr("src.adapters.postgres.lint.ALLOWED", {})

    assert sorted(await lint(owner) + await lint(owner, schema="jobs")) == sorted(kept)


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_planted_fault_is_found(fault: str, owner: AsyncConnection) -> None:
    statements, expected = FAULTS[fault]
    for statement in statements.split("; "):
        await owner.execute(text(statement))

    assert await lint(owner) == expected


async def test_the_queue_must_stay_closed_to_the_application(owner: AsyncConnection) -> None:
    await owner.execute(text("GRANT SELECT (payload) ON jobs.pgqueuer TO proffer_app"))

    assert await lint(owner, schema="jobs") == [Finding("table open to every tenant", "pgqueuer")]


@pytest.mark.parametrize(
    ("attribute", "rule"),
    [
        ("SUPERUSER", "superuser"),
        ("BYPASSRLS", "bypassrls"),
        ("CREATEROLE", "createrole"),
        ("REPLICATION", "replication"),
    ],
)
async def test_a_role_that_is_too_mighty_is_found(attribute: str, rule: str, admin: AsyncConnection) -> None:
    """With a role of the test's own in the application's place: roles belong to the whole server."""
    role = f"planted_{uuid4().hex[:12]}"
    await admin.execute(text(f"CREATE ROLE {role} {attribute}"))

    findings = await lint(admin, app_role=role)

    assert Finding(f"application role is {rule}", role) in findings


async def test_a_role_that_owns_or_belongs_is_found(admin: AsyncConnection) -> None:
    role = f"planted_{uuid4().hex[:12]}"
    await admin.execute(text(f"CREATE ROLE {role}"))
    await admin.execute(text(f"GRANT proffer_owner TO {role}"))
    await admin.execute(text("CREATE SCHEMA planted"))
    await admin.execute(text("CREATE TABLE planted.mine (id int)"))
    await admin.execute(text(f"ALTER TABLE planted.mine OWNER TO {role}"))
    await admin.execute(text(f"GRANT TEMP ON DATABASE {admin.engine.url.database} TO {role}"))

    findings = await lint(admin, app_role=role)

    assert Finding("application is a member of", "proffer_owner") in findings
    assert Finding("application owns", "mine") in findings
    assert any(finding.rule == "application may create temporary tables" for finding in findings)


@pytest_asyncio.fixture
async def admin(scratch: DatabaseUrls, server: ServerAddress) -> AsyncIterator[AsyncConnection]:
    """The administrator in the scratch database, in a transaction that is undone."""
    name = scratch.owner.rpartition("/")[2]
    engine: AsyncEngine = create_async_engine(server.url(name), poolclass=NullPool)
    async with engine.connect() as connection:
        yield connection
        await connection.rollback()
    await engine.dispose()


async def test_migrating_refuses_a_schema_that_is_not_safe(
    test_home: Path, server: ServerAddress, worker_name: str
) -> None:
    name = f"unsafe_{worker_name}"
    urls = await migrated_clone(test_home, server, name)
    engine = create_async_engine(urls.owner, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.execute(text("ALTER TABLE proffer.customers NO FORCE ROW LEVEL SECURITY"))
        await connection.execute(text("GRANT SELECT ON jobs.pgqueuer TO proffer_app"))
    await engine.dispose()

    with pytest.raises(DatabaseUnfit, match="not enabled and forced: customers; table open to every tenant: pgqueuer"):
        await migrate(urls.owner)
    await drop_database(server, name)
