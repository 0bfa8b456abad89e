"""One server for a whole test run, one migrated template, and a clone of it for each test process."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from src.adapters.embedded_postgres import EmbeddedPostgres, ServerAddress
from src.adapters.postgres.addresses import OWNER, DatabaseUrls
from src.adapters.postgres.bootstrap import bootstrap, migrate

SECRET: Final = "the secret key of the tests, long enough to be taken"
HOME_VARIABLE: Final = "PROFFER_TEST_HOME"
_TEMPLATE: Final = "proffer_template"


def test_server(home: Path) -> EmbeddedPostgres:
    """The run's server: quick, forgetful, and the same for all processes of the run.

    PROFFER_POSTGRES_BIN runs the tests on another PostgreSQL, the oldest that is supported, say.
    """
    binaries = os.environ.get("PROFFER_POSTGRES_BIN")
    return EmbeddedPostgres(home / "postgres", binaries=Path(binaries) if binaries else None, durable=False)


@contextmanager
def one_at_a_time(home: Path) -> Iterator[None]:
    with (home / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


async def migrated_clone(home: Path, address: ServerAddress, name: str) -> DatabaseUrls:
    """A new database *name* with the whole schema, made within a tenth of a second from the template."""
    with one_at_a_time(home):
        await _make_template(home, address)
        await _administer(
            address,
            f"DROP DATABASE IF EXISTS {name}",
            f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE} STRATEGY FILE_COPY OWNER {OWNER}",
        )
        return await bootstrap(address.url(name), SECRET)  # Rights on a database do not come with its template.


async def empty_database(home: Path, address: ServerAddress, name: str) -> DatabaseUrls:
    """A new database *name* with roles and schemas, and no table."""
    with one_at_a_time(home):
        await _administer(address, f"DROP DATABASE IF EXISTS {name}")
        return await bootstrap(address.url(name), SECRET)


async def drop_database(address: ServerAddress, name: str) -> None:
    await _administer(address, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


async def _make_template(home: Path, address: ServerAddress) -> None:
    done = home / "template-is-migrated"
    if not done.exists():
        urls = await bootstrap(address.url(_TEMPLATE), SECRET)
        await migrate(urls.owner)
        done.touch()


async def _administer(address: ServerAddress, *statements: str) -> None:
    engine = create_async_engine(address.url("postgres"), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        for statement in statements:
            await connection.execute(text(statement))
    await engine.dispose()
