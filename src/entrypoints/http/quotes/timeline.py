"""The timeline of a quote on the wire."""

from collections.abc import Mapping
from datetime import datetime
from typing import Self
from uuid import UUID

from msgspec import Struct

from src.application.approvals.subjects.quote import SUBJECT
from src.application.quoting.compare_revisions import RevisionDifference
from src.application.quoting.read_quotes import QuoteTimeline, TimelineEntry
from src.domain.identity.actor import Actor
from src.domain.messaging.message import AttemptGroup, Message
from src.domain.quoting.revision import Revision
from src.entrypoints.http.approvals.schemas import ApprovalResponse, shown_facts
from src.entrypoints.http.audit.schemas import FieldChange
from src.entrypoints.schemas.pricing import amount_text


class TimelineEntryResponse(Struct, frozen=True):
    """What happened, *who* did it (a name, or else a kind such as ``job``), what the event tells, and what changed."""

    sequence: int
    at: datetime
    action: str
    resource_type: str
    resource_id: UUID
    actor_kind: str
    user_id: UUID | None
    who: str
    details: dict[str, object]
    changes: list[FieldChange]

    @classmethod
    def of(cls, told: TimelineEntry) -> Self:
        record = told.entry.record
        return cls(
            sequence=told.entry.sequence,
            at=record.at,
            action=record.action,
            resource_type=record.resource_type,
            resource_id=record.resource_id,
            actor_kind=record.actor_kind,
            user_id=record.user_id,
            who=told.who,
            details=dict(told.details),
            changes=[changed(change) for change in told.changes],
        )


def changed(change: Mapping[str, object]) -> FieldChange:
    return FieldChange(field=str(change["field"]), before=change["before"], after=change["after"])


class DifferenceResponse(Struct, frozen=True):
    """What *after* says otherwise than *before*, both numbers of revisions; the payable amounts are decimals as text."""

    quote_id: UUID
    before: int
    after: int
    payable_before: str
    payable_after: str
    changes: list[FieldChange]

    @classmethod
    def of(cls, difference: RevisionDifference) -> Self:
        return cls(
            quote_id=difference.quote.id,
            before=difference.before.number,
            after=difference.after.number,
            payable_before=_payable(difference.before),
            payable_after=_payable(difference.after),
            changes=[changed(change) for change in difference.changes],
        )


def _payable(revision: Revision) -> str:
    digits = revision.content.currency.minor_digits
    return amount_text(revision.calculation.payable, digits)


class MessageResponse(Struct, frozen=True):
    """One mail: ``queued``, ``handed_over``, ``delivered``, ``bounced`` or ``failed``, with a server's last *answer*."""

    id: UUID
    revision: int
    attempt_group: int
    recipient: str
    status: str
    answer: str
    created_at: datetime

    @classmethod
    def of(cls, message: Message) -> Self:
        return cls(
            id=message.id,
            revision=message.revision,
            attempt_group=message.attempt_group,
            recipient=message.recipient,
            status=message.status.value,
            answer=message.answer,
            created_at=message.created_at,
        )


class AttemptGroupResponse(Struct, frozen=True):
    """The mails of one sending. *outcome*: ``queued`` while one waits; ``delivered`` or ``bounced`` where all are,
    ``failed`` where none has reached its recipient, ``partly_failed`` where some have not, else ``handed_over``.
    """

    revision: int
    kind: str
    attempt_group: int
    outcome: str
    messages: list[MessageResponse]

    @classmethod
    def of(cls, group: AttemptGroup) -> Self:
        return cls(
            revision=group.revision,
            kind=group.kind.value,
            attempt_group=group.number,
            outcome=group.outcome.value,
            messages=[MessageResponse.of(message) for message in group.messages],
        )


class TimelineResponse(Struct, frozen=True):
    entries: list[TimelineEntryResponse]
    approvals: list[ApprovalResponse]
    messages: list[MessageResponse]

    @classmethod
    def of(cls, timeline: QuoteTimeline, actor: Actor) -> Self:
        return cls(
            entries=[TimelineEntryResponse.of(entry) for entry in timeline.entries],
            approvals=[
                ApprovalResponse.of(request, shown_facts(actor, dict(request.facts), SUBJECT))
                for request in timeline.approvals
            ],
            messages=[MessageResponse.of(message) for message in timeline.messages],
        )
