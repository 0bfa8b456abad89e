"""A change of an aggregate: what it was, what it is, and what happened in between."""

from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from src.domain.shared.events import DomainEvent

State = TypeVar("State")


@dataclass(frozen=True, slots=True)
class Change(Generic[State]):
    """The only thing that a repository saves, so that nothing is stored without an event to audit.

    *before* is None for something new. Raises ValueError when there is no event.
    """

    before: State | None
    after: State
    events: tuple[DomainEvent, ...]

    def __post_init__(self) -> None:
        if not self.events:
            raise ValueError("A change without an event cannot be audited.")

    def then(self, later: "Change[State]") -> "Change[State]":
        """Both changes as one, from the first state to the last."""
        return replace(later, before=self.before, events=self.events + later.events)
