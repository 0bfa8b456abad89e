"""PostgreSQL that is killed as the power fails: all of its processes at once."""

import os
import shutil
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from src.adapters.embedded_postgres import EmbeddedPostgres
from src.adapters.embedded_postgres.process import running_server
from src.adapters.postgres.addresses import DatabaseUrls
from src.adapters.postgres.bootstrap import bootstrap, migrate
from src.adapters.postgres.engine import make_engine
from src.adapters.postgres.unit_of_work import OpenPostgresUnitOfWork
from src.application.ports.unit_of_work import OpenUnitOfWork
from tests.database import SECRET


@dataclass(frozen=True, slots=True)
class MortalServer:
    """A server with real durability and a migrated database, in a folder of its own; *home* may hold more."""

    home: Path
    server: EmbeddedPostgres
    urls: DatabaseUrls
    open: OpenUnitOfWork

    def kill_and_start(self) -> None:
        kill_postgres(self.home / "postgres" / "data")
        self.server.start()


@asynccontextmanager
async def a_mortal_server(*, pool_size: int) -> AsyncIterator[MortalServer]:
    with _folder() as home:
        server = EmbeddedPostgres(home / "postgres")
        urls = await bootstrap(server.start().url("kills"), SECRET)
        await migrate(urls.owner)
        app, operator = make_engine(urls.app, pool_size=pool_size), make_engine(urls.operator, pool_size=1)
        yield MortalServer(home, server, urls, OpenPostgresUnitOfWork(app, operator))
        await app.dispose()
        await operator.dispose()
        server.stop()


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(mkdtemp(prefix="proffer-kills-"))
    folder.chmod(0o711)  # The server may run as another user.
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def kill_postgres(data: Path) -> None:
    """The server with this data directory, which must run; returns when nothing of it is left."""
    running = running_server(data)
    assert running is not None
    children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
    for number in (running.pid, *map(int, children)):
        with suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
    while running_server(data) is not None:
        time.sleep(0.01)
