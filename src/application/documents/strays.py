"""Bytes in the storage that belong to nothing, because whoever kept them died before it could say so."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime
from typing import Final

from src.application.ports.storage import ObjectStorage

_BATCH: Final = 500


async def delete_strays(
    storage: ObjectStorage,
    folder: str,
    before: datetime,
    known: Callable[[Sequence[str]], Awaitable[Collection[str]]],
) -> int:
    """Delete what lies in *folder* since before that instant under keys that are not *known*; how many.

    Younger ones may still be on their way. Raises StorageUnavailable.
    """

    async def delete(keys: Sequence[str]) -> int:
        kept = await known(keys)
        strays = [key for key in keys if key not in kept]
        for key in strays:
            await storage.delete(key)
        return len(strays)

    deleted, old = 0, list[str]()
    async for found in storage.objects(folder):
        if found.changed_at < before:
            old.append(found.key)
        if len(old) == _BATCH:
            deleted += await delete(old)
            old = []
    return deleted + await delete(old)
