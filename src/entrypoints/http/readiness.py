"""What the API needs to do its work."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from src.adapters.postgres.bootstrap import check_commits
from src.adapters.postgres.connection import REACH_DISK
from src.application.ports.storage import ObjectStorage
from src.entrypoints.http.health import ReadinessCheck


class DatabaseReady(ReadinessCheck):
    """The application role can connect, what it commits reaches the disk and stays, and the schema is there."""

    name = "database"

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def check(self) -> None:
        async with self._engine.connect() as connection:
            await check_commits(connection)
            await connection.execute(text("SELECT 1 FROM proffer.organizations LIMIT 1"))
            await connection.execute(
                text(REACH_DISK)
            )  # As every commit does behind itself, when it is too late to refuse.
            await connection.commit()


class StorageReady(ReadinessCheck):
    name = "storage"

    def __init__(self, storage: ObjectStorage) -> None:
        self._storage = storage

    async def check(self) -> None:
        await self._storage.check()
