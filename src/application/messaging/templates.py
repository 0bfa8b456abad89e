"""The organisation's own words for mails to customers: kept, tried, and chosen for a mail."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypedDict

from src.application.ports.clock import Clock, IdFactory
from src.application.ports.documents import QuoteDocument
from src.application.ports.mail import ComposedText, MailTemplates, TemplateFailed
from src.application.ports.unit_of_work import UnitOfWork
from src.application.transactions import Transactions
from src.application.versions import check_version
from src.domain.identity.actor import Actor, Permission
from src.domain.messaging.template import MailTemplate, TemplateKind, TemplateTexts, language_of
from src.domain.shared.errors import Invalid, invalid_field
from src.domain.shared.ids import MailTemplateId, QuoteId


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltInTemplate:
    """Our own words in one language, as a template to begin with."""

    kind: TemplateKind
    language: str
    texts: TemplateTexts


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateMailTemplateCommand:
    kind: TemplateKind
    language: str
    texts: TemplateTexts


class CreateMailTemplate:
    """Mails of its kind and language have these words from now on. Raises MailTemplateTaken, Invalid (field, line, reason)."""

    def __init__(self, transactions: Transactions, templates: MailTemplates, clock: Clock, ids: IdFactory) -> None:
        self._transactions, self._templates, self._clock, self._ids = transactions, templates, clock, ids

    async def __call__(self, actor: Actor, command: CreateMailTemplateCommand) -> MailTemplate:
        actor.require(Permission.MANAGE_MAIL_TEMPLATES)  # Before it is tried, which takes a moment.
        template = MailTemplate(
            id=MailTemplateId(self._ids.new()),
            kind=command.kind,
            language=command.language,
            texts=_in_one_form(command.texts),
            created_at=self._clock.now(),
        )
        creation = template.create()
        await _check(self._templates, template.kind, template.texts)
        async with self._transactions.begin(actor, Permission.MANAGE_MAIL_TEMPLATES) as uow:
            stored = await uow.mail_templates.save(creation)
            await uow.commit()
        return stored


class TemplateChanges(TypedDict, total=False):
    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeMailTemplateCommand:
    template_id: MailTemplateId
    changes: TemplateChanges
    expected_version: int | None = None


class ChangeMailTemplate:
    """Raises MailTemplateNotFound, VersionChanged, Invalid (field, line, reason)."""

    def __init__(self, transactions: Transactions, templates: MailTemplates, clock: Clock) -> None:
        self._transactions, self._templates, self._clock = transactions, templates, clock

    async def __call__(self, actor: Actor, command: ChangeMailTemplateCommand) -> MailTemplate:
        async with self._transactions.begin(actor, Permission.MANAGE_MAIL_TEMPLATES) as uow:
            seen = await uow.mail_templates.get(command.template_id)
        check_version(seen, command.expected_version)
        texts = _in_one_form(replace(seen.texts, **command.changes))
        texts.check()
        await _check(self._templates, seen.kind, texts)
        async with self._transactions.begin(actor, Permission.MANAGE_MAIL_TEMPLATES) as uow:
            template = await uow.mail_templates.get(command.template_id)
            check_version(template, seen.version)
            stored = await uow.mail_templates.save(template.become(texts, self._clock.now()))
            await uow.commit()
        return stored


class ResetMailTemplate:
    """The built-in words again. Raises MailTemplateNotFound, VersionChanged."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions, self._clock = transactions, clock

    async def __call__(self, actor: Actor, template_id: MailTemplateId, expected_version: int | None = None) -> None:
        async with self._transactions.begin(actor, Permission.MANAGE_MAIL_TEMPLATES) as uow:
            template = await uow.mail_templates.get(template_id)
            check_version(template, expected_version)
            await uow.mail_templates.delete(template.delete(self._clock.now()))
            await uow.commit()


class GetMailTemplate:
    """Raises MailTemplateNotFound."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, template_id: MailTemplateId) -> MailTemplate:
        async with self._transactions.begin(actor, Permission.VIEW_ORGANIZATION) as uow:
            return await uow.mail_templates.get(template_id)


class ListMailTemplates:
    """Those that the organisation has changed, by kind and language."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor) -> Sequence[MailTemplate]:
        async with self._transactions.begin(actor, Permission.VIEW_ORGANIZATION) as uow:
            return await uow.mail_templates.all()


class ListBuiltInTemplates:
    """Our own words, as templates to begin with."""

    def __init__(self, templates: MailTemplates) -> None:
        self._templates = templates

    async def __call__(self, actor: Actor) -> Sequence[BuiltInTemplate]:
        actor.require(Permission.VIEW_ORGANIZATION)
        return [
            BuiltInTemplate(kind=kind, language=language, texts=self._templates.built_in(kind, language))
            for kind in TemplateKind
            for language in self._templates.languages()
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewMailTemplateCommand:
    """Of a draft (*kind*, *language* and *texts*) or of a saved one (*template_id*); *quote_id*: with that quote's values."""

    template_id: MailTemplateId | None = None
    kind: TemplateKind = TemplateKind.OFFER
    language: str = "en"
    texts: TemplateTexts | None = None
    quote_id: QuoteId | None = None
    note: str = ""


class PreviewMailTemplate:
    """What a mail would say; nothing is stored. With the values of a quote it takes the permission to see quotes as well.

    Raises MailTemplateNotFound, QuoteNotFound, Invalid (field, line, reason).
    """

    def __init__(self, transactions: Transactions, templates: MailTemplates) -> None:
        self._transactions, self._templates = transactions, templates

    async def __call__(self, actor: Actor, command: PreviewMailTemplateCommand) -> ComposedText:
        if command.quote_id is not None:
            actor.require(Permission.VIEW_QUOTES)
        document: QuoteDocument | None = None
        kind, language, texts = command.kind, command.language, command.texts
        async with self._transactions.begin(actor, Permission.MANAGE_MAIL_TEMPLATES) as uow:
            if command.template_id is not None:
                saved = await uow.mail_templates.get(command.template_id)
                kind, language, texts = saved.kind, saved.language, saved.texts
            if command.quote_id is not None:
                quote = await uow.quotes.get(command.quote_id)
                document = replace(QuoteDocument.of(quote, quote.current.number), locale=language)
        texts = self._templates.built_in(kind, language) if texts is None else _in_one_form(texts)
        texts.check()
        await _check(self._templates, kind, texts)
        try:
            if document is None:
                return await asyncio.to_thread(self._templates.sample, kind, language, texts)
            return await asyncio.to_thread(self._templates.quote_sent, document, command.note, texts)
        except TemplateFailed as failed:
            raise invalid_field("text", str(failed)) from None


async def template_for(uow: UnitOfWork, kind: TemplateKind, locale: str) -> MailTemplate | None:
    """The organisation's own words for a mail in the language of *locale*."""
    return await uow.mail_templates.find(kind, language_of(locale))


async def _check(templates: MailTemplates, kind: TemplateKind, texts: TemplateTexts) -> None:
    """Raises Invalid."""
    faults = await asyncio.to_thread(templates.faults, kind, texts)
    if faults:
        raise Invalid("The template cannot be used.", fields=tuple(faults))


def _in_one_form(texts: TemplateTexts) -> TemplateTexts:
    """With line feeds alone, whatever machine it comes from."""
    return replace(texts, text=texts.text.replace("\r\n", "\n"), html=texts.html.replace("\r\n", "\n"))
