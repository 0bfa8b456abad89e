"""Messages to people outside, and what became of them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from typing import Final, Self
from uuid import UUID

from src.domain.messaging.report import UNDER_WAY, DeliveryReport, ReportedAction
from src.domain.shared.change import Change
from src.domain.shared.errors import Conflict, NotFound
from src.domain.shared.events import DomainEvent
from src.domain.shared.ids import ContactId, MessageId, QuoteId

# Of one revision: more look like a machine gone wild, and mail servers take them for spam.
MOST_ATTEMPT_GROUPS: Final = 20
# Whoever can write to the return path can write many: each is an audit entry.
MOST_NOTES: Final = 20
ERASED_ADDRESS: Final = "erased@erased.invalid"
_RIGHT_PART: Final = "proffer.invalid"
_HEADER: Final = re.compile(
    rf"<([0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}})@{re.escape(_RIGHT_PART)}>", re.ASCII
)


class MessageNotFound(NotFound):
    code = "message_not_found"


class MessageDoubled(Conflict):
    """The recipient has a message of this kind about this revision in this attempt group already."""

    code = "message_doubled"


class StillUnderWay(Conflict):
    """A mail to one of the recipients still waits to be handed over; details: ``attempt_group``."""

    code = "still_under_way"


class TooManyAttempts(Conflict):
    """The offer was sent again and again; details: ``most``."""

    code = "too_many_attempts"


class ReportTooEarly(Conflict):
    """The report is about a message of which we do not know yet that it has left; to be handed in again, shortly."""

    code = "report_too_early"


class MessageKind(StrEnum):
    OFFER = "offer"


class DeliveryStatus(StrEnum):
    """Where a message is; beside the quote's state, never part of it."""

    QUEUED = "queued"
    HANDED_OVER = "handed_over"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    FAILED = "failed"


UNREACHED: Final = frozenset({DeliveryStatus.FAILED, DeliveryStatus.BOUNCED})


class Evidence(StrEnum):
    """How we know what became of a message: our mail server's answer, or a report that names it.

    An *envelope id* is ours and nobody can guess it; a *message id* is known to whoever has the mail.
    """

    ANSWER = "answer"
    ENVELOPE_ID = "envelope_id"
    MESSAGE_ID = "message_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageEvent(DomainEvent):
    resource_type: str = "quote"
    message_id: MessageId
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageQueued(MessageEvent):
    action = "message.queued"
    attempt_group: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageHandedOver(MessageEvent):
    """*answer* is the server's last line, which may name the recipient."""

    action = "message.handed_over"
    answer: str = field(metadata={"personal": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFailed(MessageEvent):
    action = "message.failed"
    answer: str = field(metadata={"personal": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageBounced(MessageEvent):
    """A server has refused the recipient for good, at once or after it had taken the mail."""

    action = "message.bounced"
    answer: str = field(metadata={"personal": True})
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDelivered(MessageEvent):
    action = "message.delivered"
    answer: str = field(metadata={"personal": True})
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReported(MessageEvent):
    """A server tells of a mail that is still under way, or of which no more will be told."""

    action = "message.reported"
    reported: ReportedAction
    answer: str = field(metadata={"personal": True})
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFailed(DomainEvent):
    """None of the *recipients* of a revision was reached, by whatever attempt group; *attempt_group* failed last."""

    action = "quote.delivery_failed"
    resource_type: str = "quote"
    revision: int
    attempt_group: int
    recipients: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One e-mail to one recipient about one revision. *note* is the sender's own sentence in it.

    *attempt_group* counts from 1: sending opens the first, each sending again another. A recipient is in a group once.
    *contact_id* is who it went to, whatever their address was or becomes; None for some of before that was kept.
    *notes* counts what other servers told of it while it was under way.
    """

    id: MessageId
    quote_id: QuoteId
    revision: int
    recipient: str = field(metadata={"personal": True})
    recipient_name: str = field(metadata={"personal": True})
    note: str
    status: DeliveryStatus
    created_at: datetime
    contact_id: ContactId | None = None
    kind: MessageKind = MessageKind.OFFER
    attempt_group: int = 1
    answer: str = field(default="", metadata={"personal": True})
    notes: int = 0
    version: int = 0

    @classmethod
    def queue(
        cls,
        *,
        message_id: MessageId,
        quote_id: QuoteId,
        revision: int,
        recipient: str,
        recipient_name: str,
        note: str,
        at: datetime,
        attempt_group: int = 1,
        contact_id: ContactId | None = None,
    ) -> Change[Self]:
        message = cls(
            id=message_id,
            quote_id=quote_id,
            revision=revision,
            recipient=recipient,
            recipient_name=recipient_name,
            note=note,
            status=DeliveryStatus.QUEUED,
            created_at=at,
            contact_id=contact_id,
            attempt_group=attempt_group,
        )
        return Change(None, message, (message._queued(at),))

    def handed_over(self, *, answer: str, at: datetime) -> Change[Self]:
        """The mail server has taken it."""
        event = MessageHandedOver(
            resource_id=self.quote_id, at=at, message_id=self.id, revision=self.revision, answer=answer
        )
        return Change(self, replace(self, status=DeliveryStatus.HANDED_OVER, answer=answer), (event,))

    def failed(self, *, answer: str, at: datetime) -> Change[Self]:
        """The mail server will not take it, or has not for too long."""
        event = MessageFailed(
            resource_id=self.quote_id, at=at, message_id=self.id, revision=self.revision, answer=answer
        )
        return Change(self, replace(self, status=DeliveryStatus.FAILED, answer=answer), (event,))

    def bounced(self, *, answer: str, at: datetime, evidence: Evidence = Evidence.ANSWER) -> Change[Self]:
        """A server will never give it to the recipient."""
        return self._told(MessageBounced, DeliveryStatus.BOUNCED, answer, evidence, at)

    def reported(self, report: DeliveryReport, *, evidence: Evidence, at: datetime) -> Change[Self] | None:
        """As another server has it (RFC 3464); None where that changes nothing. Raises ReportTooEarly.

        Reports come in any order, doubled, and from several mailboxes behind one address; whatever the order, the message
        ends in the same status: what was delivered once has arrived, and a bounce before or after takes nothing back.
        Of one that failed here only *delivered* is news: it had left, though nobody could say so.
        """
        if self.status is DeliveryStatus.QUEUED:
            raise ReportTooEarly("This message has not been handed over yet; hand the report in again, shortly.")
        told = report.strongest
        # Whoever was erased is not to come back with what a server says about them.
        answer = "" if self.recipient == ERASED_ADDRESS else told.answer
        known_to_be_under_way = self.status is DeliveryStatus.HANDED_OVER
        if told.action is ReportedAction.DELIVERED and self.status is not DeliveryStatus.DELIVERED:
            return self._told(MessageDelivered, DeliveryStatus.DELIVERED, answer, evidence, at)
        if told.action is ReportedAction.FAILED and known_to_be_under_way:
            return self.bounced(answer=answer, evidence=evidence, at=at)
        if told.action in UNDER_WAY and known_to_be_under_way:
            return self._noted(told.action, answer, evidence, at)
        return None

    def queued_again(self, *, at: datetime) -> Change[Self]:
        """One that failed is handed over once more, by another job."""
        return Change(self, replace(self, status=DeliveryStatus.QUEUED, answer=""), (self._queued(at),))

    def erased(self) -> Self:
        """Without the person that it went to; one that waits has failed."""
        waits = self.status is DeliveryStatus.QUEUED
        return replace(
            self,
            recipient=ERASED_ADDRESS,
            recipient_name="",
            status=DeliveryStatus.FAILED if waits else self.status,
            answer="Not sent: the person has been erased." if waits else "",
        )

    @property
    def header(self) -> str:
        """The fixed Message-ID, so that a doubled handover is recognisable."""
        return f"<{self.id}@{_RIGHT_PART}>"

    def _told(
        self,
        kind: type[MessageBounced | MessageDelivered],
        status: DeliveryStatus,
        answer: str,
        evidence: Evidence,
        at: datetime,
    ) -> Change[Self]:
        event = kind(
            resource_id=self.quote_id,
            at=at,
            message_id=self.id,
            revision=self.revision,
            answer=answer,
            evidence=evidence,
        )
        return Change(self, replace(self, status=status, answer=answer), (event,))

    def _noted(self, reported: ReportedAction, answer: str, evidence: Evidence, at: datetime) -> Change[Self] | None:
        if answer == self.answer or self.notes >= MOST_NOTES:
            return None
        event = MessageReported(
            resource_id=self.quote_id,
            at=at,
            message_id=self.id,
            revision=self.revision,
            reported=reported,
            answer=answer,
            evidence=evidence,
        )
        return Change(self, replace(self, answer=answer, notes=self.notes + 1), (event,))

    def _queued(self, at: datetime) -> MessageQueued:
        return MessageQueued(
            resource_id=self.quote_id,
            at=at,
            message_id=self.id,
            revision=self.revision,
            attempt_group=self.attempt_group,
        )


def message_named_by(header: str) -> MessageId | None:
    """Whose Message-ID *header* is, if it is one of ours."""
    found = _HEADER.fullmatch(header.strip())
    return None if found is None else MessageId(UUID(found[1]))


class DeliveryOutcome(StrEnum):
    """What became of an attempt group.

    *queued* while one of its mails waits; *delivered* or *bounced* when all have been, *failed* when none has reached its
    recipient, for whatever reason; *partly_failed* when some have not.
    """

    QUEUED = "queued"
    HANDED_OVER = "handed_over"
    DELIVERED = "delivered"
    PARTLY_FAILED = "partly_failed"
    BOUNCED = "bounced"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptGroup:
    """The mails that one sending of a revision made; *messages* are in the order of their making, never empty."""

    revision: int
    kind: MessageKind
    number: int
    messages: tuple[Message, ...]

    @property
    def outcome(self) -> DeliveryOutcome:
        statuses = {message.status for message in self.messages}
        if DeliveryStatus.QUEUED in statuses:
            return DeliveryOutcome.QUEUED
        if len(statuses) == 1:
            return DeliveryOutcome(statuses.pop().value)
        if statuses <= UNREACHED:
            return DeliveryOutcome.FAILED
        return DeliveryOutcome.PARTLY_FAILED if statuses & UNREACHED else DeliveryOutcome.HANDED_OVER


def attempt_groups(messages: Iterable[Message]) -> tuple[AttemptGroup, ...]:
    """The groups of one quote's *messages*: by revision, then in the order of their opening."""
    ordered = sorted(messages, key=lambda one: (*_place(one), one.created_at, one.id))
    return tuple(
        AttemptGroup(revision=revision, kind=kind, number=number, messages=tuple(group))
        for (revision, number, kind), group in groupby(ordered, key=_place)
    )


def newest_to_each(messages: Iterable[Message]) -> tuple[Message, ...]:
    """Of one revision's *messages* the last to each recipient: a contact, or an address where that is not known."""
    newest: dict[object, Message] = {}
    for message in sorted(messages, key=lambda one: (one.attempt_group, one.id)):
        newest[message.contact_id or message.recipient.lower()] = message
    return tuple(newest.values())


def reached_nobody(messages: Iterable[Message]) -> bool:
    """Whether the last mail of one revision to each of its recipients has failed or bounced; of no *messages* it is not
    said.
    """
    statuses = {message.status for message in newest_to_each(messages)}
    return bool(statuses) and statuses <= UNREACHED


def _place(message: Message) -> tuple[int, int, MessageKind]:
    return message.revision, message.attempt_group, message.kind
