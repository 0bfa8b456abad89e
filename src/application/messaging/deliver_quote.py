"""Make the PDF of a sent quote and hand its mail over. A job: it runs at least once, and each part only counts once."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Final

from src.application.delivery_jobs import after_failures
from src.application.messaging.notices import owners_of
from src.application.messaging.templates import template_for
from src.application.ports.clock import Clock, IdFactory
from src.application.ports.documents import QuoteDocument, QuoteRenderer
from src.application.ports.jobs import TELL_OF_FAILED_TEMPLATE, Job
from src.application.ports.mail import (
    Attachment,
    ComposedText,
    Email,
    Mailer,
    MailRefused,
    MailTemplates,
    RecipientRefused,
    TemplateFailed,
    is_sendable,
)
from src.application.ports.security import Envelopes
from src.application.ports.storage import ObjectStorage
from src.application.transactions import Transactions
from src.domain.documents.stored_document import StoredDocument
from src.domain.identity.actor import Actor, Permission
from src.domain.identity.organization import Logo
from src.domain.identity.user import User
from src.domain.messaging.message import UNREACHED, DeliveryStatus, Message
from src.domain.messaging.template import MailTemplate, TemplateKind
from src.domain.quoting.quote import Quote
from src.domain.quoting.revision import Revision
from src.domain.quoting.states import QuoteStatus
from src.domain.quoting.validity import is_over
from src.domain.shared.change import Change
from src.domain.shared.ids import DocumentId, MessageId
from src.domain.shared.storage_keys import document_key

# What is no longer offered does not leave the house, however late its turn comes.
_GIVEN_UP = frozenset({QuoteStatus.CANCELLED, QuoteStatus.SUPERSEDED, QuoteStatus.EXPIRED})
# Between tries to keep that a mail has left, in seconds: a connection that broke, a server that starts again.
_PAUSES: Final = (0.0, 1.0, 5.0, 25.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverQuoteCommand:
    message_id: MessageId


class DeliverQuote:
    """No transaction is open while it renders, stores or mails. Raises MailDeferred when it is worth another attempt.

    A message whose attempts have all failed is settled by what follows a failed job, not here: see ``ClearUpAfterJob``.
    """

    def __init__(
        self,
        transactions: Transactions,
        renderer: QuoteRenderer,
        storage: ObjectStorage,
        templates: MailTemplates,
        mailer: Mailer,
        envelopes: Envelopes,
        clock: Clock,
        ids: IdFactory,
    ) -> None:
        self._transactions, self._renderer, self._storage = transactions, renderer, storage
        self._templates, self._mailer, self._envelopes = templates, mailer, envelopes
        self._clock, self._ids = clock, ids

    async def __call__(self, actor: Actor, command: DeliverQuoteCommand) -> None:
        async with self._transactions.begin(actor, Permission.DELIVER_MESSAGES) as uow:
            message = await uow.messages.get(command.message_id)
            quote = await uow.quotes.get(message.quote_id)
            stored = await uow.documents.of_revision(quote.id, message.revision)
            revision = next(revision for revision in quote.revisions if revision.number == message.revision)
            template = await template_for(uow, TemplateKind.OFFER, revision.content.locale)
            reply_to = _reply_to(quote, await uow.users.all())
        if message.status is not DeliveryStatus.QUEUED:
            return
        ended = self._ended(revision)
        if ended is not None:
            await self._settle(actor, message, DeliveryStatus.FAILED, f"Not sent: the offer is {ended.value}.")
            return
        document = QuoteDocument.of(quote, message.revision)
        pdf = await self._pdf(actor, message, document, stored, revision.content.logo)
        composed = await self._composed(actor, message, document, template)
        envelope_id = self._envelopes.envelope_id(message.id)
        email = _email(message, document, composed, pdf, reply_to=reply_to, envelope_id=envelope_id)
        await self._hand_over(actor, message, email)

    def _ended(self, revision: Revision) -> QuoteStatus | None:
        """How it ended, if it is no longer offered; expired also before the job that says so has come."""
        if revision.status in _GIVEN_UP:
            return revision.status
        over = is_over(revision.content.valid_until, revision.content.time_zone, self._clock.now())
        return QuoteStatus.EXPIRED if revision.status is QuoteStatus.SENT and over else None

    async def _pdf(
        self,
        actor: Actor,
        message: Message,
        document: QuoteDocument,
        stored: StoredDocument | None,
        logo: Logo | None,
    ) -> bytes:
        """The PDF of the revision: made once, then always the stored one."""
        if stored is not None:
            return await self._storage.get(stored.storage_key)
        if logo is not None:
            document = replace(document, logo=await self._storage.get(logo.storage_key))
        rendered = await asyncio.to_thread(self._renderer.render, document)
        digest = sha256(rendered.content).hexdigest()
        key = document_key(actor.organization_id, digest)
        await self._storage.put(key, rendered.content, content_type="application/pdf")
        creation = StoredDocument(
            id=DocumentId(self._ids.new()),
            quote_id=message.quote_id,
            revision=message.revision,
            content_digest=document.content_digest,
            sha256=digest,
            size=len(rendered.content),
            storage_key=key,
            created_at=self._clock.now(),
        ).create(replaced_characters=rendered.replaced_characters, logo_left_out=rendered.logo_left_out)
        async with self._transactions.begin(actor, Permission.DELIVER_MESSAGES) as uow:
            kept = await uow.documents.save(creation)
            await uow.commit()
        return rendered.content if kept.sha256 == digest else await self._storage.get(kept.storage_key)

    async def _composed(
        self, actor: Actor, message: Message, document: QuoteDocument, template: MailTemplate | None
    ) -> ComposedText:
        """In the organisation's own words, or, where these cannot be used, in ours: the mail goes out all the same."""
        if template is not None:
            try:
                return await asyncio.to_thread(self._templates.quote_sent, document, message.note, template.texts)
            except TemplateFailed as failed:
                await self._keep_fault(actor, message, template, str(failed))
        return self._templates.quote_sent(document, message.note)

    async def _keep_fault(self, actor: Actor, message: Message, template: MailTemplate, reason: str) -> None:
        """Once for each version of a template: its owners need not hear of every mail."""
        async with self._transactions.begin(actor, Permission.DELIVER_MESSAGES) as uow:
            if await uow.mail_templates.keep_fault(template, reason):
                uow.record(template.failed(reason, self._clock.now()))
                job = Job.asked_by(
                    actor, self._ids.new(), TELL_OF_FAILED_TEMPLATE, template.id, reference_id=message.quote_id
                )
                await uow.jobs.enqueue(job)
                await uow.commit()

    async def _hand_over(self, actor: Actor, message: Message, email: Email) -> None:
        try:
            answer = await self._mailer.send(email)
        except RecipientRefused as refused:
            await self._settle(actor, message, DeliveryStatus.BOUNCED, str(refused))
            return
        except MailRefused as refused:
            await self._settle(actor, message, DeliveryStatus.FAILED, str(refused))
            return
        await self._keep_taken(actor, message, answer)

    async def _keep_taken(self, actor: Actor, message: Message, answer: str) -> None:
        """Not in one try: another attempt would mail again, and after the last a mail that left would be told as failed."""
        for pause in (*_PAUSES, None):
            try:
                await self._settle(actor, message, DeliveryStatus.HANDED_OVER, answer)
            except Exception:  # Whatever it is: the mail has left, and only this may say so. The last one is raised.
                if pause is None:
                    raise
                await asyncio.sleep(pause)
            else:
                return

    async def _settle(self, actor: Actor, message: Message, status: DeliveryStatus, answer: str) -> None:
        now, unreached = self._clock.now(), status in UNREACHED
        async with self._transactions.begin(actor, Permission.DELIVER_MESSAGES) as uow:
            if unreached:
                await uow.quotes.lock(message.quote_id)
            queued = await uow.messages.get(message.id)
            if queued.status is DeliveryStatus.QUEUED:
                settled = await uow.messages.save(_settled(queued, status, answer, now))
                if unreached:
                    await after_failures(uow, actor, self._ids, [settled], now)
                await uow.commit()


def _reply_to(quote: Quote, users: Sequence[User]) -> str:
    """The seller's address, or that of an owner of the organisation where the seller is gone; empty where none can be named."""
    sellers = [user for user in users if user.id == quote.owner_id and user.active]
    return next((user.email for user in (*sellers, *owners_of(users)) if is_sendable(user.email)), "")


def _settled(message: Message, status: DeliveryStatus, answer: str, at: datetime) -> Change[Message]:
    match status:
        case DeliveryStatus.HANDED_OVER:
            return message.handed_over(answer=answer, at=at)
        case DeliveryStatus.BOUNCED:
            return message.bounced(answer=answer, at=at)
        case _:
            return message.failed(answer=answer, at=at)


def _email(
    message: Message, document: QuoteDocument, composed: ComposedText, pdf: bytes, *, reply_to: str, envelope_id: str
) -> Email:
    return Email(
        message_id=message.header,
        sender_name=document.seller.name,
        reply_to=reply_to,
        recipient=message.recipient,
        recipient_name=message.recipient_name,
        subject=composed.subject,
        text=composed.text,
        html=composed.html,
        attachments=(Attachment(file_name=document.file_name, content_type="application/pdf", content=pdf),),
        envelope_id=envelope_id,
    )
