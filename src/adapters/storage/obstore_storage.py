"""Bytes in a folder or in an S3 bucket."""

from collections.abc import Iterator
from contextlib import contextmanager

from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError
from obstore.store import LocalStore, S3Store

from src.application.ports.storage import ObjectExists, ObjectMissing, ObjectStorage, StorageUnavailable, safe_key

PROBE_KEY = "health/probe"  # Can be nobody's object: those begin with the id of an organisation.


class ObstoreStorage(ObjectStorage):
    """The store itself refuses to overwrite (a hard link here, ``If-None-Match`` there), so that two writers may race.

    A folder keeps no content type; S3 does.
    """

    def __init__(self, store: LocalStore | S3Store) -> None:
        self._store = store

    async def put(self, key: str, content: bytes, *, content_type: str) -> None:
        attributes = {"Content-Type": content_type} if isinstance(self._store, S3Store) else None
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

    async def check(self) -> None:
        """Writes one byte under a fixed key, because a full or read-only store can still be read."""
        with _telling_outages():
            await self._store.put_async(PROBE_KEY, b"1", mode="overwrite", use_multipart=False)


@contextmanager
def _telling_outages() -> Iterator[None]:
    """Whatever is no answer about the object is an outage."""
    try:
        yield
    except (AlreadyExistsError, NotFoundError, FileNotFoundError):
        raise
    except (BaseError, OSError) as error:
        raise StorageUnavailable(str(error)) from error
