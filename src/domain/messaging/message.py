"""Messages to people outside, and what became of them."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from src.domain.shared.change import Change
from src.domain.shared.errors import NotFound
from src.domain.shared.events import DomainEvent
from src.domain.shared.ids import MessageId, QuoteId


class MessageNotFound(NotFound):
    code = "message_not_found"


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
class Message:
    """One e-mail to one recipient about one revision. *note* is the sender's own sentence in it."""

    id: MessageId
    quote_id: QuoteId
    revision: int
    recipient: str = field(metadata={"personal": True})
    recipient_name: str = field(metadata={"personal": True})
    note: str
    status: DeliveryStatus
    created_at: datetime
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
        )
        queued = MessageQueued(resource_id=quote_id, at=at, message_id=message_id, revision=revision)
        return Change(None, message, (queued,))

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
        event = MessageQueued(resource_id=self.quote_id, at=at, message_id=self.id, revision=self.revision)
        return Change(self, replace(self, status=DeliveryStatus.QUEUED, answer=""), (event,))

    def erased(self) -> Self:
        """Without the person that it went to; one that waits has failed."""
        waits = self.status is DeliveryStatus.QUEUED
        return replace(
            self,
            recipient="erased@erased.invalid",
            recipient_name="",
            status=DeliveryStatus.FAILED if waits else self.status,
            answer="Not sent: the person has been erased." if waits else "",
        )

    @property
    def header(self) -> str:
        """The fixed Message-ID, so that a doubled handover is recognisable."""
        return f"<{self.id}@proffer.invalid>"
