"""E-mail that leaves the house."""

import re
import unicodedata
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final, Protocol
from uuid import UUID

from src.application.ports.documents import QuoteDocument
from src.domain.identity.challenge import Purpose
from src.domain.identity.organization import Organization
from src.domain.identity.user import User
from src.domain.messaging.report import DeliveryReport
from src.domain.messaging.template import TemplateKind, TemplateTexts
from src.domain.shared.errors import FieldError

LONGEST_HEADER = 998  # RFC 5322, 2.1.1.
LONGEST_ADDRESS = 254  # RFC 5321, 4.5.3.1.3, without its angle brackets.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?P<local>{_ATOM}(?:\.{_ATOM})*)@{_LABEL}(?:\.{_LABEL})*")
_ENVELOPE_ID = re.compile(r"[!-*,-<>-~]{0,100}")
_MESSAGE_ID = re.compile(rf"<{_ATOM}(?:\.{_ATOM})*@{_ATOM}(?:\.{_ATOM})*>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    file_name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposedText:
    """What a message says, twice: as plain text and as HTML. *subject* is one line."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Email:
    """One message to one recipient. *message_id* is ours and fixed, so that a doubled handover is recognisable.

    *message_id* has its angle brackets. Addresses are ASCII (a domain in its ``xn--`` form). *reply_to* and the names
    may be empty. With an *envelope_id* servers on the way are asked to report what becomes of it (RFC 3461); it has at most
    100 visible ASCII characters but no ``+`` and ``=``. Subject, names and file names must have no control characters: adapters call ``refuse_unsafe``.
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
    envelope_id: str = ""

    @classmethod
    def to_user(cls, user: User, organization: Organization, composed: ComposedText, message_id: str) -> "Email":
        """To one of an organisation's own people, in its name, with no address to answer to. *message_id* is the left part."""
        return cls(
            message_id=f"<{message_id}@proffer.invalid>",
            sender_name=organization.party.name,
            reply_to="",
            recipient=user.email,
            recipient_name=user.name,
            subject=composed.subject,
            text=composed.text,
            html=composed.html,
            attachments=(),
        )


NO_ANSWER: Final = "No answer came to the mail"


class Mailer(Protocol):
    @abstractmethod
    async def send(self, email: Email) -> str:
        """Hand the message over and return the server's last answer, as evidence.

        Raises MailRefused when another attempt is pointless (5xx, bad address), RecipientRefused where that is the
        recipient's fault alone, MailDeferred when it is not pointless (4xx, no connection, no answer); its sentence begins
        with NO_ANSWER where the server may have taken the message all the same. What fails after it was taken is no failure.
        """


class MailRefused(Exception):
    """The server will not take this message; its answer is the argument."""


class RecipientRefused(MailRefused):
    """The server will take nothing for this recipient."""


class MailDeferred(Exception):
    """The server could not take the message now; its answer is the argument."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountMail:
    """A code or a link for one person. *expires_at* is in the organisation's time zone, *locale* a BCP 47 tag."""

    purpose: Purpose
    organization: str
    name: str
    email: str
    secret: str = field(repr=False)
    expires_at: datetime
    locale: str


class ApprovalMailKind(StrEnum):
    """*deputy*: it has waited too long, so somebody more may decide."""

    REQUEST = "request"
    DEPUTY = "deputy"
    REMINDER = "reminder"
    APPROVED = "approved"
    REJECTED = "rejected"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalMail:
    """Something about an approval request, for one person. *title* names what is to be approved; *reason* of a rejection."""

    kind: ApprovalMailKind
    organization: str
    name: str
    title: str
    step: str
    reason: str
    request_id: UUID
    locale: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderMail:
    """What a seller is told before an offer ends. *valid_until* is its last day, *locale* a BCP 47 tag."""

    number: str
    title: str
    customer: str
    valid_until: date
    organization: str
    name: str
    locale: str


class NoticeKind(StrEnum):
    """What the people of an organisation are told about its mails."""

    DELIVERY_FAILED = "delivery_failed"
    TEMPLATE_FAILED = "template_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeMail:
    """Something that one of our own people should look at. *subject* names what it is about, *details* are one line each."""

    kind: NoticeKind
    subject: str
    details: tuple[str, ...]
    organization: str
    name: str
    locale: str


class ReportReader(Protocol):
    @abstractmethod
    def read(self, content: bytes) -> DeliveryReport:
        """A report as it came by mail (RFC 3464), with all its headers; of hostile input too it ends soon.

        Raises NoDeliveryReport for everything else, and for what has more than LARGEST_REPORT bytes.
        """


class TemplateFailed(Exception):
    """An organisation's template cannot be used for this mail; the argument says why."""


class MailTemplates(Protocol):
    @abstractmethod
    def faults(self, kind: TemplateKind, texts: TemplateTexts) -> Sequence[FieldError]:
        """All that speaks against *texts*, with their lines; found by reading them and by rendering them with samples."""

    @abstractmethod
    def built_in(self, kind: TemplateKind, language: str) -> TemplateTexts:
        """The words that are used without a template, as one: to begin with. English where we do not know *language*."""

    @abstractmethod
    def languages(self) -> Sequence[str]:
        """Those with built-in words."""

    @abstractmethod
    def sample(self, kind: TemplateKind, language: str, texts: TemplateTexts) -> ComposedText:
        """*texts* with sample values. Raises TemplateFailed."""

    @abstractmethod
    def notice(self, mail: NoticeMail) -> ComposedText:
        """Something about the organisation's mails that has gone wrong, in the organisation's language."""

    @abstractmethod
    def approval(self, mail: ApprovalMail) -> ComposedText:
        """An approval that waits, was decided or cannot go on, with a link to it, in the organisation's language."""

    @abstractmethod
    def account(self, mail: AccountMail) -> ComposedText:
        """A login code, a password reset or an invitation, in the organisation's language."""

    @abstractmethod
    def reminder(self, mail: ReminderMail) -> ComposedText:
        """An offer of the reader's ends soon, in the organisation's language."""

    @abstractmethod
    def quote_sent(self, document: QuoteDocument, note: str, texts: TemplateTexts | None = None) -> ComposedText:
        """The covering letter of an offer, in the language of the offer. *note* is the seller's own sentence or empty.

        *texts* are the organisation's own words instead of ours; raises TemplateFailed when these cannot be used.
        """


def refuse_unsafe(email: Email) -> None:
    """Raise MailRefused when some header could be read as more than it is, or an address as more than one."""
    lines = {
        "subject": email.subject,
        "sender name": email.sender_name,
        "recipient name": email.recipient_name,
        **{f"file name {i}": attachment.file_name for i, attachment in enumerate(email.attachments, start=1)},
    }
    for name, line in lines.items():
        if len(line) > LONGEST_HEADER or any(map(_is_control, line)):
            raise MailRefused(f"The {name} is too long or has control characters.")
    for address in (email.recipient, *filter(None, (email.reply_to,))):
        if not is_sendable(address):
            raise MailRefused(f"{address[:LONGEST_ADDRESS]!r} is no address that we can send to.")
    if len(email.message_id) > LONGEST_ADDRESS or _MESSAGE_ID.fullmatch(email.message_id) is None:
        raise MailRefused("The message id is malformed.")
    if _ENVELOPE_ID.fullmatch(email.envelope_id) is None:
        raise MailRefused("The envelope id is malformed.")
    for attachment in email.attachments:
        if re.fullmatch(r"[a-z]+/[a-z0-9.+-]+", attachment.content_type) is None:
            raise MailRefused("The content type of an attachment is malformed.")


def is_sendable(address: str) -> bool:
    """Whether it is one ASCII address that may stand in a mail."""
    found = _ADDRESS.fullmatch(address)
    return found is not None and len(address) <= LONGEST_ADDRESS and len(found["local"]) <= 64


def _is_control(character: str) -> bool:
    """Control characters, line and paragraph separators, halves of surrogate pairs."""
    return unicodedata.category(character) in {"Cc", "Zl", "Zp", "Cs"}
