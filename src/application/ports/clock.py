"""Time and identity, which the core never makes up by itself."""

from abc import abstractmethod
from datetime import datetime
from typing import Protocol
from uuid import UUID


class Clock(Protocol):
    @abstractmethod
    def now(self) -> datetime:
        """The present instant in UTC, with microseconds."""


class IdFactory(Protocol):
    @abstractmethod
    def new(self) -> UUID:
        """A UUID of version 7: never given before, later ones sort after earlier ones."""
