"""Bytes kept in memory, for tests and demonstrations."""

from collections.abc import AsyncIterable, AsyncIterator
from datetime import UTC, datetime

from src.application.ports.storage import ObjectExists, ObjectMissing, ObjectStorage, StoredObject, safe_key


class MemoryStorage(ObjectStorage):
    """Forgets everything with the process."""

    def __init__(self) -> None:
        self._contents: dict[str, bytes] = {}
        self._changed: dict[str, datetime] = {}

    def keys(self) -> list[str]:
        return list(self._contents)

    async def put(self, key: str, content: bytes, *, content_type: str) -> None:
        if self._contents.setdefault(safe_key(key), content) != content:
            raise ObjectExists(f"Other content is kept under {key}.")
        self._changed.setdefault(key, datetime.now(UTC))

    async def get(self, key: str) -> bytes:
        try:
            return self._contents[safe_key(key)]
        except KeyError:
            raise ObjectMissing(f"Nothing is kept under {key}.") from None

    async def put_stream(self, key: str, chunks: AsyncIterable[bytes], *, content_type: str) -> int:
        safe_key(key)
        content = b"".join([chunk async for chunk in chunks])
        self._contents[key], self._changed[key] = content, datetime.now(UTC)
        return len(content)

    async def stream(self, key: str) -> AsyncIterator[bytes]:
        yield await self.get(key)

    async def delete(self, key: str) -> None:
        self._contents.pop(safe_key(key), None)
        self._changed.pop(key, None)

    async def objects(self, folder: str) -> AsyncIterator[StoredObject]:
        within = f"{safe_key(folder)}/"
        for key, content in tuple(self._contents.items()):
            if key.startswith(within):
                yield StoredObject(key=key, size=len(content), changed_at=self._changed[key])

    async def discard_unfinished(self, folder: str, before: datetime) -> int:
        """What is in memory dies with its writer."""
        safe_key(folder)
        return 0

    async def check(self) -> None:
        return
