"""Audit entries on the wire."""

import json
from datetime import datetime
from typing import Self
from uuid import UUID

from msgspec import Struct

from src.domain.audit.chain import Verification
from src.domain.audit.entry import AuditEntry


class FieldChange(Struct, frozen=True):
    field: str
    before: object
    after: object


class AuditEntryResponse(Struct, frozen=True):
    """*text* is the canonical JSON (RFC 8785) that *hash* covers, together with *previous_hash* and its place."""

    sequence: int
    at: datetime
    action: str
    resource_type: str
    resource_id: UUID
    actor_kind: str
    user_id: UUID | None
    ip_address: str
    user_agent: str
    trace_id: str
    details: dict[str, object]
    changes: list[FieldChange]
    text: str
    previous_hash: str
    hash: str

    @classmethod
    def of(cls, entry: AuditEntry) -> Self:
        record, told = entry.record, json.loads(entry.record.text)
        return cls(
            sequence=entry.sequence,
            at=record.at,
            action=record.action,
            resource_type=record.resource_type,
            resource_id=record.resource_id,
            actor_kind=record.actor_kind,
            user_id=record.user_id,
            ip_address=told["ip_address"],
            user_agent=told["user_agent"],
            trace_id=told["trace_id"],
            details=told["details"],
            changes=[FieldChange(**change) for change in told["changes"]],
            text=record.text,
            previous_hash=entry.previous_hash,
            hash=entry.hash,
        )


class VerificationResponse(Struct, frozen=True):
    """*intact*: every entry follows from the one before, up to the stored head. Else *problem* names the first bad one."""

    intact: bool
    entries: int
    head_sequence: int
    head_hash: str
    first_bad: int | None
    problem: str

    @classmethod
    def of(cls, verification: Verification) -> Self:
        return cls(
            intact=verification.intact,
            entries=verification.entries,
            head_sequence=verification.head.sequence,
            head_hash=verification.head.hash,
            first_bad=verification.first_bad,
            problem=verification.problem,
        )
