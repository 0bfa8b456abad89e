"""What has happened, told in the past tense. The audit chain and the timeline are made of these."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import ClassVar
from uuid import UUID

_COMMON = frozenset({"resource_type", "resource_id", "at"})


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainEvent:
    """Something that happened to one resource. Further fields of a subclass become the entry's details.

    *at* is an instant in UTC. A subclass gives *action* and, where it is always the same, *resource_type*.
    """

    action: ClassVar[str]

    resource_type: str
    resource_id: UUID
    at: datetime

    def details(self) -> dict[str, object]:
        """What the event tells beyond the common fields; a field marked ``personal`` is left out."""
        return {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if field.name not in _COMMON and not field.metadata.get("personal")
        }
