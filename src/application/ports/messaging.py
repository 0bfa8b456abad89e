"""Messages and stored documents in the store."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Protocol

from src.domain.documents.stored_document import StoredDocument
from src.domain.messaging.message import Message
from src.domain.messaging.template import MailTemplate, TemplateKind
from src.domain.shared.change import Change
from src.domain.shared.ids import ContactId, MailTemplateId, MessageId, OrganizationId, QuoteId


class MessageRepository(Protocol):
    @abstractmethod
    async def get(self, message_id: MessageId) -> Message:
        """Locked until the unit of work ends. Raises MessageNotFound."""

    @abstractmethod
    async def find(self, message_id: MessageId) -> Message:
        """As ``get``, without the lock. Raises MessageNotFound."""

    @abstractmethod
    async def of_quote(self, quote_id: QuoteId) -> Sequence[Message]:
        """All messages about this quote, oldest first."""

    @abstractmethod
    async def to_person(self, contact_id: ContactId) -> Sequence[Message]:
        """All messages to this contact and to those that were merged into it, wherever they went, and all to an address
        that one of them has now, oldest first. Who was erased has no address.
        """

    @abstractmethod
    async def erase_person(self, contact_id: ContactId) -> Sequence[Message]:
        """Where the messages ``to_person`` went is forgotten; what waits is not sent any more. Those that waited, as they
        are now. To be called before the contact itself is erased, who has no address then.
        """

    @abstractmethod
    async def save(self, change: Change[Message]) -> Message: ...


class MessageDirectory(Protocol):
    """For whoever hands in what mail servers report, before it is known whom it concerns."""

    @abstractmethod
    async def organization_of(self, message_id: MessageId) -> OrganizationId | None:
        """Whose message it is, also when they are suspended; None where there is none."""


class StoredDocumentRepository(Protocol):
    @abstractmethod
    async def of_revision(self, quote_id: QuoteId, revision: int) -> StoredDocument | None: ...

    @abstractmethod
    async def save(self, change: Change[StoredDocument]) -> StoredDocument:
        """The document as stored. When this revision already has one, that one is returned and nothing changes."""


class MailTemplateRepository(Protocol):
    @abstractmethod
    async def get(self, template_id: MailTemplateId) -> MailTemplate:
        """Raises MailTemplateNotFound."""

    @abstractmethod
    async def find(self, kind: TemplateKind, language: str) -> MailTemplate | None:
        """The one for this kind and language, if there is one."""

    @abstractmethod
    async def all(self) -> Sequence[MailTemplate]:
        """All of them, by kind and language."""

    @abstractmethod
    async def save(self, change: Change[MailTemplate]) -> MailTemplate:
        """Raises MailTemplateTaken when its kind and language have one."""

    @abstractmethod
    async def delete(self, change: Change[MailTemplate]) -> None:
        """Raises ChangedMeanwhile when someone else changed or deleted it first."""

    @abstractmethod
    async def keep_fault(self, template: MailTemplate, fault: str) -> bool:
        """Note that this version cannot be used; False when that is known, or it is no longer there. It raises no version:
        nobody has changed it.
        """
