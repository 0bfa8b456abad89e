"""What the API needs to do its work."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from src.adapters.postgres.bootstrap import check_commits
from src.adapters.postgres.connection import REACH_DISK
from src.application.ports.storage import ObjectStorage
from src.entrypoints.http.health import ReadinessCheck

_BETWEEN_WRITES: Final = 1.0  # Seconds.


class DatabaseReady(ReadinessCheck):
    """The application role can connect, what it commits reaches the disk and stays, and the schema is there."""

    name = "database"

    def __init__(self, engine: AsyncEngine, now: Callable[[], float] = time.monotonic) -> None:
        self._engine, self._now = engine, now
        self._turn, self._writes_again_at = asyncio.Lock(), now()

    async def check(self) -> None:
        async with self._engine.connect() as connection:
            await check_commits(connection)
            await connection.execute(text("SELECT 1 FROM proffer.organizations LIMIT 1"))
        # Anybody may ask, and as often as they like: that must not become as many writes.
        async with self._turn:
            if self._now() >= self._writes_again_at:
                await self._reach_disk()
                self._writes_again_at = self._now() + _BETWEEN_WRITES

    async def _reach_disk(self) -> None:
        """As every commit does behind itself, when it is too late to refuse."""
        async with self._engine.connect() as connection:
            await connection.execute(text(REACH_DISK))
            await connection.commit()


class StorageReady(ReadinessCheck):
    name = "storage"

    def __init__(self, storage: ObjectStorage) -> None:
        self._storage = storage

    async def check(self) -> None:
        await self._storage.check()
