"""Messages and stored documents in memory."""

from collections.abc import Sequence
from dataclasses import replace

from src.adapters.memory.customers import merged_into
from src.adapters.memory.records import MemoryRecords
from src.adapters.memory.state import MemoryTransaction
from src.application.ports.messaging import MailTemplateRepository, MessageRepository, StoredDocumentRepository
from src.domain.documents.stored_document import StoredDocument
from src.domain.messaging.message import ERASED_ADDRESS, DeliveryStatus, Message, MessageDoubled, MessageNotFound
from src.domain.messaging.template import MailTemplate, MailTemplateNotFound, MailTemplateTaken, TemplateKind
from src.domain.shared.change import Change
from src.domain.shared.ids import ContactId, MailTemplateId, MessageId, QuoteId


class MemoryMessages(MessageRepository):
    def __init__(self, transaction: MemoryTransaction) -> None:
        self._transaction = transaction

    async def get(self, message_id: MessageId) -> Message:
        message = self._transaction.state.messages.get(message_id)
        if message is None:
            raise MessageNotFound("There is no such message.")
        return message

    async def find(self, message_id: MessageId) -> Message:
        return await self.get(message_id)

    async def of_quote(self, quote_id: QuoteId) -> Sequence[Message]:
        found = [message for message in self._transaction.state.messages.values() if message.quote_id == quote_id]
        return sorted(found, key=lambda message: (message.created_at, message.id))

    async def to_person(self, contact_id: ContactId) -> Sequence[Message]:
        contacts = self._transaction.state.contacts
        people = [contacts[contact_id], *merged_into(contacts.values(), contact_id)]
        ids, addresses = {one.id for one in people}, {one.email for one in people} - {ERASED_ADDRESS}
        messages = self._transaction.state.messages.values()
        found = [one for one in messages if one.contact_id in ids or one.recipient in addresses]
        return sorted(found, key=lambda message: (message.created_at, message.id))

    async def erase_person(self, contact_id: ContactId) -> Sequence[Message]:
        found = await self.to_person(contact_id)
        for message in found:
            self._transaction.state.messages[message.id] = message.erased()
        return [message.erased() for message in found if message.status is DeliveryStatus.QUEUED]

    async def save(self, change: Change[Message]) -> Message:
        before, after = change.before, change.after
        stored = replace(after, version=self._transaction.next_version(after.id, before.version if before else 0))
        others = (one for one in self._transaction.state.messages.values() if one.id != stored.id)
        if stored.recipient != ERASED_ADDRESS and any(_key(one) == _key(stored) for one in others):
            raise MessageDoubled("This recipient is in this attempt group already.")
        self._transaction.state.messages[stored.id] = stored
        self._transaction.changes.append(replace(change, after=stored))
        return stored


def _key(message: Message) -> tuple[object, ...]:
    return message.quote_id, message.revision, message.recipient, message.kind, message.attempt_group


class MemoryStoredDocuments(StoredDocumentRepository):
    def __init__(self, transaction: MemoryTransaction) -> None:
        self._transaction = transaction

    async def of_revision(self, quote_id: QuoteId, revision: int) -> StoredDocument | None:
        return next(
            (
                document
                for document in self._transaction.state.documents.values()
                if (document.quote_id, document.revision) == (quote_id, revision)
            ),
            None,
        )

    async def save(self, change: Change[StoredDocument]) -> StoredDocument:
        document = change.after
        kept = await self.of_revision(document.quote_id, document.revision)
        if kept is not None:
            return kept
        self._transaction.state.documents[document.id] = document
        self._transaction.changes.append(change)
        return document


class MemoryMailTemplates(MailTemplateRepository):
    def __init__(self, transaction: MemoryTransaction) -> None:
        missing = MailTemplateNotFound("There is no such mail template.")
        self._records = MemoryRecords(transaction, transaction.state.mail_templates, missing)

    async def get(self, template_id: MailTemplateId) -> MailTemplate:
        return self._records.get(template_id)

    async def find(self, kind: TemplateKind, language: str) -> MailTemplate | None:
        items = self._records.items.values()
        return next((one for one in items if (one.kind, one.language) == (kind, language)), None)

    async def all(self) -> Sequence[MailTemplate]:
        return sorted(self._records.items.values(), key=lambda one: (one.kind, one.language))

    async def save(self, change: Change[MailTemplate]) -> MailTemplate:
        after = change.after
        if any((one.kind, one.language) == (after.kind, after.language) for one in self._records.others(after)):
            raise MailTemplateTaken("There is a template of this kind and language; change that one.")
        return self._records.save(change)

    async def delete(self, change: Change[MailTemplate]) -> None:
        self._records.delete(change)

    async def keep_fault(self, template: MailTemplate, fault: str) -> bool:
        known = self._records.items.get(template.id)
        if known is None or known.version != template.version or known.fault:
            return False
        self._records.items[template.id] = replace(known, fault=fault)
        return True
