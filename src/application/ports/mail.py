"""E-mail that leaves the house."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    file_name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Email:
    """One message to one recipient. *message_id* is ours and fixed, so that a doubled handover is recognisable.

    *reply_to* may be empty. Subject and names must have no control characters: adapters refuse them with MailRefused.
    """

    message_id: str
    sender_name: str
    reply_to: str
    recipient: str
    recipient_name: str
    subject: str
    text: str
    html: str
    attachments: tuple[Attachment, ...]


class Mailer(Protocol):
    @abstractmethod
    async def send(self, email: Email) -> str:
        """Hand the message over and return the server's last answer, as evidence.

        Raises MailRefused when another attempt is pointless (5xx, bad address), MailDeferred when it is not
        (4xx, no connection, no answer).
        """


class MailRefused(Exception):
    """The server will not take this message; its answer is the argument."""


class MailDeferred(Exception):
    """The server could not take the message now; its answer is the argument."""
