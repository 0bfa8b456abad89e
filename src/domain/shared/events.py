"""What has happened, told in the past tense. The audit chain and the timeline are made of these."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainEvent:
    """Something that happened to one resource. Further fields of a subclass become the entry's details.

    *at* is an instant in UTC.
    """

    action: ClassVar[str]
    resource_type: ClassVar[str]

    resource_id: UUID
    at: datetime
