"""Audit entries: who did what to which thing, when and from where, and what changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Self
from uuid import UUID

from src.domain.audit.differences import differences
from src.domain.identity.actor import Actor
from src.domain.shared.canonical import plain, text_of_plain
from src.domain.shared.change import Change
from src.domain.shared.events import DomainEvent

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """What is told about one event, before it has its place in the chain. *text* is its canonical JSON (RFC 8785)."""

    at: datetime
    action: str
    resource_type: str
    resource_id: UUID
    actor_kind: str
    user_id: UUID | None
    text: str

    @classmethod
    def of(cls, event: DomainEvent, actor: Actor, change: Change[Any] | None = None) -> Self:
        """The record of *event*; *change* is the change that it belongs to, told field by field."""
        told = {
            "format": FORMAT,
            "at": event.at,
            "action": event.action,
            "resource_type": event.resource_type,
            "resource_id": event.resource_id,
            "actor": {
                "api_key_id": actor.api_key_id,
                "kind": actor.kind,
                "user_id": actor.user_id,
                "name": actor.name if actor.user_id is None else "",
                "session_id": actor.session_id,
            },
            "ip_address": actor.origin.ip_address,
            "user_agent": actor.origin.user_agent,
            "trace_id": actor.origin.trace_id,
            "details": event.details(),
        }
        changes = [] if change is None else differences(change.before, change.after)  # Many, and plain already.
        return cls(
            at=event.at,
            action=event.action,
            resource_type=event.resource_type,
            resource_id=event.resource_id,
            actor_kind=actor.kind.value,
            user_id=actor.user_id,
            text=text_of_plain({name: plain(value) for name, value in told.items()} | {"changes": changes}),
        )

    @classmethod
    def all_of(cls, changes: Sequence[Change[Any]], recorded: Sequence[DomainEvent], actor: Actor) -> list[Self]:
        """The records of a whole unit of work: of each change with its differences told once, then what was recorded."""
        records = [
            cls.of(event, actor, change if position == 0 else None)
            for change in changes
            for position, event in enumerate(change.events)
        ]
        return records + [cls.of(event, actor) for event in recorded]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """A record in its place: *sequence* counts from 1 without gaps; *hash* covers it and *previous_hash*.

    *month* (its first day) is where it is kept, and when retention looks at it.
    """

    sequence: int
    record: AuditRecord
    previous_hash: str
    hash: str
    month: date
