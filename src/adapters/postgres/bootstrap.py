"""From a bare server to a database with roles and schema. Everything may be repeated."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from src.adapters.postgres.addresses import (
    APP,
    DOOR,
    OPERATOR,
    OWNER,
    WORKER,
    DatabaseUrls,
    administrators_url,
    password_of,
    role_urls,
)
from src.adapters.postgres.lint import lint

OLDEST_SERVER: Final = 150000
SCHEMAS: Final = ("proffer", "jobs")
_LOCK: Final = 7_206_011  # Any number: two processes must not bootstrap one server at the same time.
_ATTRIBUTES: Final = "NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"


class DatabaseUnfit(Exception):
    """The server or the schema cannot be used; the message says why."""


async def bootstrap(admin_url: str, secret: str) -> DatabaseUrls:
    """Make the roles and the database that *admin_url* names, and its two schemas. Raises DatabaseUnfit."""
    admin = administrators_url(admin_url)
    name = admin.database or "proffer"
    async with _connection(await _reachable(admin)) as connection:
        await _check_server(connection)
        await connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
        await _make_roles(connection, secret)
        await _make_database(connection, name)
    async with _connection(admin.set(database=name)) as connection:
        await check_commits(connection)
        await _make_schemas(connection, name)
    return role_urls(admin_url, secret)


async def migrate(owner_url: str) -> None:
    """Bring the schema up to date, then look it over. Raises DatabaseUnfit when the look finds something."""
    from src.adapters.postgres.versions import (
        upgrade,  # Alembic alone is a fifth of the start of a command that needs none.
    )

    engine = create_async_engine(owner_url, poolclass=NullPool, hide_parameters=True)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            await connection.run_sync(upgrade)
            findings = [finding for schema in SCHEMAS for finding in await lint(connection, schema=schema)]
    finally:
        await engine.dispose()
    if findings:
        told = "; ".join(f"{finding.rule}: {finding.where}" for finding in findings)
        raise DatabaseUnfit(f"The schema is not safe: {told}.")


class _connection:  # noqa: N801 — used as a function.
    """A connection of the administrator, outside of transactions, for statements that cannot run inside one."""

    def __init__(self, url: URL) -> None:
        self._engine = create_async_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT", hide_parameters=True)

    async def __aenter__(self) -> AsyncConnection:
        self._open = await self._engine.connect()
        return self._open

    async def __aexit__(self, *_: object) -> None:
        await self._open.close()
        await self._engine.dispose()


async def _reachable(admin: URL) -> URL:
    """The maintenance database, where it can be had; else the named one, which then must exist."""
    maintenance = admin.set(database="postgres")
    try:
        async with _connection(maintenance):
            return maintenance
    except Exception:  # noqa: BLE001 — whatever keeps us out of it, the named database may still be open.
        return admin


async def _check_server(connection: AsyncConnection) -> None:
    version = int((await connection.execute(text("SHOW server_version_num"))).scalar_one())
    if version < OLDEST_SERVER:
        raise DatabaseUnfit(f"This PostgreSQL is version {version // 10000}; Proffer needs 15 or later.")


async def check_commits(connection: AsyncConnection) -> None:
    """Raises DatabaseUnfit when commits do not wait for the disk: then a crash takes back what was acknowledged."""
    if (await connection.execute(text("SHOW synchronous_commit"))).scalar_one() == "off":
        raise DatabaseUnfit(
            "This PostgreSQL forgets commits in a crash: synchronous_commit is off. Set it to on, for the server or the database."
        )


async def _make_roles(connection: AsyncConnection, secret: str) -> None:
    known = set((await connection.execute(text("SELECT rolname FROM pg_roles"))).scalars())
    for role in (OWNER, APP, OPERATOR, WORKER, DOOR):
        if role not in known:
            await connection.execute(text(f"CREATE ROLE {role} {_ATTRIBUTES}"))
    for role in (OWNER, APP, OPERATOR, WORKER):
        # Only digits and the letters a to f: nothing to quote. A changed secret key changes the passwords with it.
        await connection.execute(text(f"ALTER ROLE {role} LOGIN PASSWORD '{password_of(role, secret)}'"))
    await connection.execute(text(f"GRANT {APP} TO {OPERATOR}"))
    await connection.execute(text(f"GRANT {DOOR} TO {OWNER}"))  # To hand the door's functions over.
    await connection.execute(text(f"GRANT {OWNER} TO CURRENT_USER"))


async def _make_database(connection: AsyncConnection, name: str) -> None:
    quoted = connection.dialect.identifier_preparer.quote_identifier(name)
    exists = await connection.execute(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name})
    if exists.first() is None:
        await connection.execute(text(f"CREATE DATABASE {quoted} OWNER {OWNER} ENCODING 'UTF8' TEMPLATE template0"))


async def _make_schemas(connection: AsyncConnection, name: str) -> None:
    quoted = connection.dialect.identifier_preparer.quote_identifier(name)
    roles = f"{OWNER}, {APP}, {OPERATOR}, {WORKER}"
    await connection.execute(text(f"REVOKE ALL ON DATABASE {quoted} FROM PUBLIC"))
    await connection.execute(text(f"GRANT CONNECT ON DATABASE {quoted} TO {roles}"))
    await connection.execute(text("REVOKE ALL ON SCHEMA public FROM PUBLIC"))
    for schema in SCHEMAS:
        await connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION {OWNER}"))
    await connection.execute(text(f"GRANT USAGE ON SCHEMA proffer TO {APP}"))
    await connection.execute(text(f"GRANT USAGE ON SCHEMA jobs TO {APP}, {WORKER}"))
