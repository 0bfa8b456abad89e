"""Messages to people outside, and what became of them."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from typing import Final, Self

from src.domain.shared.change import Change
from src.domain.shared.errors import Conflict, NotFound
from src.domain.shared.events import DomainEvent
from src.domain.shared.ids import ContactId, MessageId, QuoteId

# Of one revision: more look like a machine gone wild, and mail servers take them for spam.
MOST_ATTEMPT_GROUPS: Final = 20
ERASED_ADDRESS: Final = "erased@erased.invalid"


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


class MessageKind(StrEnum):
    OFFER = "offer"


class DeliveryStatus(StrEnum):
    """Where a message is; beside the quote's state, never part of it."""

    QUEUED = "queued"
    HANDED_OVER = "handed_over"
    FAILED = "failed"


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
        return f"<{self.id}@proffer.invalid>"

    def _queued(self, at: datetime) -> MessageQueued:
        return MessageQueued(
            resource_id=self.quote_id,
            at=at,
            message_id=self.id,
            revision=self.revision,
            attempt_group=self.attempt_group,
        )


class DeliveryOutcome(StrEnum):
    """What became of an attempt group. *queued* while one of its mails waits, *failed* when none has left the house."""

    QUEUED = "queued"
    HANDED_OVER = "handed_over"
    PARTLY_FAILED = "partly_failed"
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
        if statuses == {DeliveryStatus.FAILED}:
            return DeliveryOutcome.FAILED
        return DeliveryOutcome.PARTLY_FAILED if DeliveryStatus.FAILED in statuses else DeliveryOutcome.HANDED_OVER


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
    """Whether the last mail of one revision to each of its recipients has failed; of no *messages* it is not said."""
    statuses = {message.status for message in newest_to_each(messages)}
    return statuses == {DeliveryStatus.FAILED}


def _place(message: Message) -> tuple[int, int, MessageKind]:
    return message.revision, message.attempt_group, message.kind
