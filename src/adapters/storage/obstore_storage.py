"""Bytes in a folder or in an S3 bucket."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError
from obstore.store import LocalStore, S3Store

from src.application.ports.storage import (
    ObjectExists,
    ObjectMissing,
    ObjectStorage,
    StorageUnavailable,
    StoredObject,
    safe_key,
)

_PIECE: Final = 1 << 20  # Bytes.
_PARTS_AT_ONCE: Final = 3  # Of 5 MiB each; that many are in memory.
PROBE_KEY = "health/probe"  # Can be nobody's object: those begin with the id of an organisation.


class ObstoreStorage(ObjectStorage):
    """The store itself refuses to overwrite (a hard link here, ``If-None-Match`` there), so that two writers may race.

    A folder keeps no content type; S3 does.
    """

    def __init__(self, store: LocalStore | S3Store) -> None:
        self._store = store

    async def put(self, key: str, content: bytes, *, content_type: str) -> None:
        attributes = self._attributes(content_type)
        try:
            with _telling_outages():
                # One request whatever the size: only that can be create-only.
                await self._store.put_async(
                    safe_key(key), content, mode="create", attributes=attributes, use_multipart=False
                )
        except AlreadyExistsError:
            if await self.get(key) != content:
                raise ObjectExists(f"Other content is kept under {key}.") from None

    async def get(self, key: str) -> bytes:
        try:
            with _telling_outages():
                result = await self._store.get_async(safe_key(key))
                return bytes(await result.bytes_async())
        except (NotFoundError, FileNotFoundError):
            raise ObjectMissing(f"Nothing is kept under {key}.") from None

    async def put_stream(self, key: str, chunks: AsyncIterable[bytes], *, content_type: str) -> int:
        source = _Counted(chunks)
        try:
            with _telling_outages():
                await self._store.put_async(
                    safe_key(key),
                    source.pieces(),
                    attributes=self._attributes(content_type),
                    max_concurrency=_PARTS_AT_ONCE,
                )
        except StorageUnavailable:
            if source.failure is not None:
                raise source.failure from None
            raise
        return source.size

    async def stream(self, key: str) -> AsyncIterator[bytes]:
        try:
            with _telling_outages():
                result = await self._store.get_async(safe_key(key))
                async for piece in result.stream(min_chunk_size=_PIECE):
                    yield bytes(piece)
        except (NotFoundError, FileNotFoundError):
            raise ObjectMissing(f"Nothing is kept under {key}.") from None

    async def delete(self, key: str) -> None:
        with _telling_outages(), suppress(NotFoundError, FileNotFoundError):
            await self._store.delete_async(safe_key(key))

    async def objects(self, folder: str) -> AsyncIterator[StoredObject]:
        with _telling_outages():
            async for page in self._store.list(f"{safe_key(folder)}/"):
                for found in page:
                    yield StoredObject(key=found["path"], size=found["size"], changed_at=found["last_modified"])

    async def discard_unfinished(self, folder: str, before: datetime) -> int:
        """In a folder only: S3 tells of parts only those who ask for uploads, which this client cannot."""
        safe_key(folder)
        if not isinstance(self._store, LocalStore) or self._store.prefix is None:
            return 0
        with _telling_outages():
            return await asyncio.to_thread(_discard_files, Path(self._store.prefix) / folder, before)

    async def check(self) -> None:
        """Writes one byte under a fixed key, because a full or read-only store can still be read."""
        with _telling_outages():
            await self._store.put_async(PROBE_KEY, b"1", mode="overwrite", use_multipart=False)

    def _attributes(self, content_type: str) -> dict[str, str] | None:
        return {"Content-Type": content_type} if isinstance(self._store, S3Store) else None


def _discard_files(folder: Path, before: datetime) -> int:
    """A file is written under its name with a # and a number, which no key of ours has, and gets its own when it is whole."""
    discarded = 0
    for path in folder.rglob("*#*"):
        with suppress(FileNotFoundError):  # Its writer has just finished or given up, or another worker sweeps as well.
            if path.stat().st_mtime < before.timestamp():
                path.unlink()
                discarded += 1
    return discarded


class _Counted:
    """*chunks* on their way into a store, which tells of their errors only as text."""

    def __init__(self, chunks: AsyncIterable[bytes]) -> None:
        self._chunks = chunks
        self.size = 0
        self.failure: BaseException | None = None

    async def pieces(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._chunks:
                self.size += len(chunk)
                yield chunk
        except BaseException as error:
            self.failure = error
            raise


@contextmanager
def _telling_outages() -> Iterator[None]:
    """Whatever is no answer about the object is an outage."""
    try:
        yield
    except (AlreadyExistsError, NotFoundError, FileNotFoundError):
        raise
    except (BaseError, OSError) as error:
        raise StorageUnavailable(str(error)) from error
