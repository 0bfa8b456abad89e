"""Bytes kept in memory, for tests and demonstrations."""

from src.application.ports.storage import ObjectExists, ObjectMissing, ObjectStorage, safe_key


class MemoryStorage(ObjectStorage):
    """Forgets everything with the process."""

    def __init__(self) -> None:
        self._contents: dict[str, bytes] = {}

    def keys(self) -> list[str]:
        return list(self._contents)

    async def put(self, key: str, content: bytes, *, content_type: str) -> None:
        if self._contents.setdefault(safe_key(key), content) != content:
            raise ObjectExists(f"Other content is kept under {key}.")

    async def get(self, key: str) -> bytes:
        try:
            return self._contents[safe_key(key)]
        except KeyError:
            raise ObjectMissing(f"Nothing is kept under {key}.") from None

    async def check(self) -> None:
        return
