"""Finding the database: the one that was configured, or the embedded one under the home folder."""

from dataclasses import dataclass
from types import TracebackType
from typing import Self

from src.adapters.embedded_postgres import EmbeddedPostgres
from src.adapters.postgres.addresses import DatabaseUrls, role_urls
from src.adapters.postgres.bootstrap import bootstrap, migrate
from src.entrypoints.settings import Settings

EMBEDDED_DATABASE = "proffer"


@dataclass(slots=True)
class Database:
    """The database of this installation while a command runs.

    An embedded server that this command had to start is stopped with it; one that was running goes on.
    """

    settings: Settings
    _server: EmbeddedPostgres | None = None
    _started_here: bool = False

    def __enter__(self) -> Self:
        if self.settings.database_url is None:
            self._server = EmbeddedPostgres(self.settings.home / "postgres", binaries=self.settings.postgres_binaries)
            self._started_here = not self._server.is_running()
            self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._server is not None and self._started_here:
            self._server.stop()

    def own_server(self) -> None:
        """Stop the embedded server at the end whoever started it: what is left of a killed process is taken over."""
        self._started_here = True

    @property
    def admin_url(self) -> str:
        if self._server is None:
            assert self.settings.database_url is not None
            return self.settings.database_url
        return self._server.start().url(EMBEDDED_DATABASE)

    @property
    def urls(self) -> DatabaseUrls:
        """One address for each database role; the passwords follow from the secret key."""
        return role_urls(self.admin_url, self.settings.secret_key)

    async def prepare(self) -> None:
        """Make roles, database and schema, or bring them up to date."""
        urls = await bootstrap(self.admin_url, self.settings.secret_key)
        await migrate(urls.owner)
