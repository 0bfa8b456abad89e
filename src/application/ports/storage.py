"""Where bytes are kept."""

from abc import abstractmethod
from typing import Protocol


class ObjectStorage(Protocol):
    @abstractmethod
    async def put(self, key: str, content: bytes, *, content_type: str) -> None:
        """Keep *content* under *key* (``tenant/kind/name``). The same key with the same content is no error.

        Raises ObjectExists when other content is already there: nothing is ever overwritten.
        """

    @abstractmethod
    async def get(self, key: str) -> bytes:
        """The content under *key*. Raises ObjectMissing."""

    @abstractmethod
    async def check(self) -> None:
        """Return when the store can be used, raise StorageUnavailable otherwise."""


class ObjectMissing(Exception):
    """Nothing is kept under this key."""


class ObjectExists(Exception):
    """Other content is kept under this key."""


class StorageUnavailable(Exception):
    """The store cannot be reached or written to."""
