"""Aggregates of one kind in memory, by id."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from src.adapters.memory.state import MemoryTransaction
from src.domain.shared.change import Change
from src.domain.shared.errors import DomainError, Stale


class Aggregate(Protocol):
    """What every aggregate has. Read-only, because the aggregates are frozen."""

    @property
    def id(self) -> Any: ...
    @property
    def version(self) -> int: ...


Item = TypeVar("Item", bound=Aggregate)


class ChangedMeanwhile(Stale):
    """Someone else saved it first."""


class MemoryRecords(Generic[Item]):
    """*items* is the dictionary of the state that they are kept in."""

    def __init__(self, transaction: MemoryTransaction, items: dict[UUID, Item], missing: DomainError) -> None:
        self.transaction, self.items = transaction, items
        self._missing = missing

    def get(self, identity: UUID) -> Item:
        """Raises the domain's error for what is not there."""
        if identity not in self.items:
            raise type(self._missing)(self._missing.message)
        return self.items[identity]

    def find(self, identities: Sequence[UUID]) -> Mapping[Any, Item]:
        return {identity: self.items[identity] for identity in identities if identity in self.items}

    def others(self, item: Item) -> list[Item]:
        return [other for other in self.items.values() if other.id != item.id]

    def save(self, change: Change[Item]) -> Item:
        """The item as stored, its version raised. Raises ChangedMeanwhile."""
        before, after = change.before, change.after
        if before is not None:
            self._check_unchanged(before)
        version = self.transaction.next_version(after.id, 0 if before is None else before.version)
        stored = replace(after, version=version)  # type: ignore[type-var]  # Every aggregate is a dataclass.
        self.items[stored.id] = stored
        self.transaction.changes.append(replace(change, after=stored))
        return stored

    def delete(self, change: Change[Item]) -> None:
        """Raises ChangedMeanwhile."""
        assert change.before is not None
        self._check_unchanged(change.before)
        del self.items[change.before.id]
        self.transaction.changes.append(change)

    def _check_unchanged(self, before: Item) -> None:
        stored = self.items.get(before.id)
        if stored is None or stored.version != before.version:
            raise ChangedMeanwhile("Someone else changed this meanwhile; read it again.")
