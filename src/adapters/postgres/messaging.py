"""Messages and stored documents in PostgreSQL."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from src.adapters.postgres.connection import Row
from src.adapters.postgres.customers import one_person
from src.adapters.postgres.records import Records, row_of
from src.adapters.postgres.tables import mail_templates, messages, stored_documents
from src.adapters.postgres.transaction import Transaction
from src.application.ports.messaging import MailTemplateRepository, MessageRepository, StoredDocumentRepository
from src.domain.documents.stored_document import StoredDocument
from src.domain.messaging.message import ERASED_ADDRESS, DeliveryStatus, Message, MessageKind, MessageNotFound
from src.domain.messaging.template import MailTemplate, MailTemplateNotFound, TemplateKind
from src.domain.shared.change import Change
from src.domain.shared.ids import ContactId, MailTemplateId, MessageId, QuoteId


class PostgresMessages(MessageRepository):
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def get(self, message_id: MessageId) -> Message:
        return await self._one(message_id, lock=True)

    async def find(self, message_id: MessageId) -> Message:
        return await self._one(message_id, lock=False)

    async def _one(self, message_id: MessageId, *, lock: bool) -> Message:
        row = await row_of(self._transaction, messages, message_id, lock=lock)
        if row is None:
            raise MessageNotFound("There is no such message.")
        return _to_message(row)

    async def of_quote(self, quote_id: QuoteId) -> Sequence[Message]:
        columns = messages.c
        statement = (
            select(messages)
            .where(columns.organization_id == self._transaction.organization_id, columns.quote_id == quote_id)
            .order_by(columns.created_at, columns.id)
        )
        return [_to_message(row) for row in await self._transaction.connection.execute(statement)]

    async def to_person(self, contact_id: ContactId) -> Sequence[Message]:
        columns, organization_id = messages.c, self._transaction.organization_id
        person = one_person(organization_id, contact_id)
        address = select(person.c.email).where(person.c.email != ERASED_ADDRESS)
        statement = select(messages).where(
            columns.organization_id == organization_id,
            columns.contact_id.in_(select(person.c.id)) | columns.recipient.in_(address),
        )
        rows = await self._transaction.connection.execute(statement.order_by(columns.created_at, columns.id))
        return [_to_message(row) for row in rows]

    async def erase_person(self, contact_id: ContactId) -> Sequence[Message]:
        columns, waited = messages.c, []
        for message in await self.to_person(contact_id):
            erased = message.erased()
            if erased.status is not message.status:
                waited.append(erased)
            await self._transaction.connection.execute(
                update(messages)
                .where(columns.organization_id == self._transaction.organization_id, columns.id == message.id)
                .values(
                    recipient=erased.recipient,
                    recipient_name=erased.recipient_name,
                    status=erased.status.value,
                    answer=erased.answer,
                )
            )
        return waited

    async def save(self, change: Change[Message]) -> Message:
        before, after = change.before, change.after
        version = self._transaction.next_version(after.id, before.version if before else 0)
        stored = replace(after, version=version)
        row = {
            "id": stored.id,
            "quote_id": stored.quote_id,
            "revision": stored.revision,
            "contact_id": stored.contact_id,
            "recipient": stored.recipient,
            "recipient_name": stored.recipient_name,
            "note": stored.note,
            "kind": stored.kind.value,
            "attempt_group": stored.attempt_group,
            "status": stored.status.value,
            "answer": stored.answer,
            "notes": stored.notes,
            "created_at": stored.created_at,
            "version": stored.version,
        }
        if before is None:
            await self._transaction.add(messages, row)
        else:
            await self._transaction.change(messages, stored.id, before.version, row)
        self._transaction.changes.append(replace(change, after=stored))
        return stored


class PostgresStoredDocuments(StoredDocumentRepository):
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def of_revision(self, quote_id: QuoteId, revision: int) -> StoredDocument | None:
        columns = stored_documents.c
        statement = select(stored_documents).where(
            columns.organization_id == self._transaction.organization_id,
            columns.quote_id == quote_id,
            columns.revision == revision,
        )
        row = (await self._transaction.connection.execute(statement)).one_or_none()
        return None if row is None else _to_document(row)

    async def save(self, change: Change[StoredDocument]) -> StoredDocument:
        document = change.after
        columns = stored_documents.c
        statement = (
            insert(stored_documents)
            .values(
                organization_id=self._transaction.organization_id,
                id=document.id,
                quote_id=document.quote_id,
                revision=document.revision,
                content_digest=document.content_digest,
                sha256=document.sha256,
                size=document.size,
                storage_key=document.storage_key,
                created_at=document.created_at,
                version=document.version,
            )
            .on_conflict_do_nothing(index_elements=[columns.organization_id, columns.quote_id, columns.revision])
        )
        result = await self._transaction.connection.execute(statement)
        if result.rowcount:
            self._transaction.changes.append(change)
            return document
        kept = await self.of_revision(document.quote_id, document.revision)
        assert kept is not None  # It was in the way, and nothing ever removes one.
        return kept


class PostgresMailTemplates(MailTemplateRepository):
    def __init__(self, transaction: Transaction) -> None:
        missing = MailTemplateNotFound("There is no such mail template.")
        self._transaction = transaction
        self._records = Records(transaction, mail_templates, MailTemplate, missing)
        self._own = mail_templates.c.organization_id == transaction.organization_id

    async def get(self, template_id: MailTemplateId) -> MailTemplate:
        return await self._records.get(template_id)

    async def find(self, kind: TemplateKind, language: str) -> MailTemplate | None:
        columns = mail_templates.c
        statement = select(mail_templates).where(self._own, columns.kind == kind.value, columns.language == language)
        return next(iter(await self._records.read(statement)), None)

    async def all(self) -> Sequence[MailTemplate]:
        columns = mail_templates.c
        statement = select(mail_templates).where(self._own)
        return await self._records.read(statement.order_by(columns.kind, columns.language))

    async def save(self, change: Change[MailTemplate]) -> MailTemplate:
        return await self._records.save(change)

    async def delete(self, change: Change[MailTemplate]) -> None:
        await self._records.delete(change)

    async def keep_fault(self, template: MailTemplate, fault: str) -> bool:
        columns = mail_templates.c
        statement = (
            update(mail_templates)
            .where(self._own, columns.id == template.id, columns.version == template.version, columns.fault == "")
            .values(fault=fault)
        )
        return (await self._transaction.connection.execute(statement)).rowcount == 1


def _to_message(row: Row) -> Message:
    return Message(
        id=row.id,
        quote_id=row.quote_id,
        revision=row.revision,
        recipient=row.recipient,
        recipient_name=row.recipient_name,
        note=row.note,
        kind=MessageKind(row.kind),
        attempt_group=row.attempt_group,
        status=DeliveryStatus(row.status),
        created_at=row.created_at,
        contact_id=row.contact_id,
        answer=row.answer,
        notes=row.notes,
        version=row.version,
    )


def _to_document(row: Row) -> StoredDocument:
    return StoredDocument(
        id=row.id,
        quote_id=row.quote_id,
        revision=row.revision,
        content_digest=row.content_digest,
        sha256=row.sha256,
        size=row.size,
        storage_key=row.storage_key,
        created_at=row.created_at,
        version=row.version,
    )
