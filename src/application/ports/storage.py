"""Where bytes are kept."""

import re
from abc import abstractmethod
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

LONGEST_KEY = 512
_SAFE_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._=-]{0,127}(/[A-Za-z0-9][A-Za-z0-9._=-]{0,127})*")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """*size* in bytes; *changed_at* is an instant in UTC, as the store tells it."""

    key: str
    size: int
    changed_at: datetime


class ObjectStorage(Protocol):
    @abstractmethod
    async def put(self, key: str, content: bytes, *, content_type: str) -> None:
        """Keep *content* under *key* (``tenant/kind/name``). The same key with the same content is no error.

        Raises ObjectExists when other content is already there: nothing is ever overwritten. Raises UnsafeKey.
        *content_type* is for stores that can keep it; keep it elsewhere too.
        """

    @abstractmethod
    async def get(self, key: str) -> bytes:
        """The content under *key*. Raises ObjectMissing, UnsafeKey."""

    @abstractmethod
    async def put_stream(self, key: str, chunks: AsyncIterable[bytes], *, content_type: str) -> int:
        """Keep what *chunks* give under *key*, without holding it in memory; returns its size in bytes.

        *key* must be new, made from a fresh id: content in parts is never create-only. When *chunks* raise, nothing is kept
        and their error is raised. Raises UnsafeKey, StorageUnavailable.
        """

    @abstractmethod
    def stream(self, key: str) -> AsyncIterator[bytes]:
        """The content under *key*, piece by piece. The first piece raises ObjectMissing, UnsafeKey, StorageUnavailable."""

    @abstractmethod
    async def delete(self, key: str) -> None:
        """Keep nothing under *key*; that nothing was kept is no error. Raises UnsafeKey, StorageUnavailable."""

    @abstractmethod
    def objects(self, folder: str) -> AsyncIterator[StoredObject]:
        """What is kept in *folder* (whole segments of keys) and below, in no order. Raises UnsafeKey, StorageUnavailable."""

    @abstractmethod
    async def discard_unfinished(self, folder: str, before: datetime) -> int:
        """Take away what writers who died in the middle have left in *folder*, last written before that instant; how many.

        0 where a store shows nobody such parts: there its own rules must see to them. Raises UnsafeKey, StorageUnavailable.
        """

    @abstractmethod
    async def check(self) -> None:
        """Return when the store can be used, raise StorageUnavailable otherwise."""


class ObjectMissing(Exception):
    """Nothing is kept under this key."""


class ObjectExists(Exception):
    """Other content is kept under this key."""


class StorageUnavailable(Exception):
    """The store cannot be reached or written to."""


class UnsafeKey(ValueError):
    """A key that could leave its folder, or that some store would read in another way."""


def safe_key(key: str) -> str:
    """*key* when every store takes it literally: ASCII letters, digits and ``._=-`` between single slashes.

    Raises UnsafeKey otherwise.
    """
    if len(key) > LONGEST_KEY or _SAFE_KEY.fullmatch(key) is None:
        raise UnsafeKey(f"{key[:80]!r} is not a safe key.")
    return key
