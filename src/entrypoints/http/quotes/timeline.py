"""The timeline of a quote on the wire."""

import json
from datetime import datetime
from typing import Self
from uuid import UUID

from msgspec import Struct

from src.application.approvals.subjects.quote import SUBJECT
from src.application.quoting.read_quotes import QuoteTimeline
from src.domain.audit.entry import AuditEntry
from src.domain.identity.actor import Actor
from src.domain.messaging.message import Message
from src.entrypoints.http.approvals.schemas import ApprovalResponse, shown_facts


class TimelineEntry(Struct, frozen=True):
    """What happened, who did it (a user, or else a kind such as ``job``), and what the event tells."""

    sequence: int
    at: datetime
    action: str
    actor_kind: str
    user_id: UUID | None
    details: dict[str, object]

    @classmethod
    def of(cls, entry: AuditEntry) -> Self:
        record = entry.record
        return cls(
            sequence=entry.sequence,
            at=record.at,
            action=record.action,
            actor_kind=record.actor_kind,
            user_id=record.user_id,
            details=json.loads(record.text)["details"],
        )


class MessageResponse(Struct, frozen=True):
    """One mail: ``queued``, ``handed_over`` or ``failed``, with the mail server's last *answer*."""

    id: UUID
    revision: int
    recipient: str
    status: str
    answer: str
    created_at: datetime

    @classmethod
    def of(cls, message: Message) -> Self:
        return cls(
            id=message.id,
            revision=message.revision,
            recipient=message.recipient,
            status=message.status.value,
            answer=message.answer,
            created_at=message.created_at,
        )


class TimelineResponse(Struct, frozen=True):
    entries: list[TimelineEntry]
    approvals: list[ApprovalResponse]
    messages: list[MessageResponse]

    @classmethod
    def of(cls, timeline: QuoteTimeline, actor: Actor) -> Self:
        return cls(
            entries=[TimelineEntry.of(entry) for entry in timeline.entries],
            approvals=[
                ApprovalResponse.of(request, shown_facts(actor, dict(request.facts), SUBJECT))
                for request in timeline.approvals
            ],
            messages=[MessageResponse.of(message) for message in timeline.messages],
        )
