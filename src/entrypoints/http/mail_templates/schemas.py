"""Mail templates on the wire."""

from datetime import datetime
from typing import Annotated, Any, Self, cast
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from src.application.messaging.templates import BuiltInTemplate, CreateMailTemplateCommand, TemplateChanges
from src.application.ports.mail import ComposedText
from src.domain.messaging.template import (
    LONGEST_HTML_TEMPLATE,
    LONGEST_SUBJECT_TEMPLATE,
    LONGEST_TEXT_TEMPLATE,
    TEMPLATE_VALUES,
    MailTemplate,
    TemplateKind,
    TemplateTexts,
)

Language = Annotated[str, Meta(max_length=3, examples=["de"], description="The first part of a language tag.")]
Subject = Annotated[str, Meta(max_length=LONGEST_SUBJECT_TEMPLATE, examples=["Offer {{ number }} from {{ seller }}"])]
Text = Annotated[str, Meta(max_length=LONGEST_TEXT_TEMPLATE, examples=["Hello {{ contact }},\n\nhere is our offer."])]
Html = Annotated[
    str,
    Meta(max_length=LONGEST_HTML_TEMPLATE, description="Inside of our frame; empty: it is made of the text."),
]


class CreateMailTemplateRequest(Struct, frozen=True, forbid_unknown_fields=True):
    kind: TemplateKind
    language: Language
    subject: Subject
    text: Text
    html: Html = ""

    def command(self) -> CreateMailTemplateCommand:
        texts = TemplateTexts(subject=self.subject, text=self.text, html=self.html)
        return CreateMailTemplateCommand(kind=self.kind, language=self.language, texts=texts)


class ChangeMailTemplateRequest(Struct, frozen=True, forbid_unknown_fields=True):
    subject: Subject | UnsetType = UNSET
    text: Text | UnsetType = UNSET
    html: Html | UnsetType = UNSET

    def changes(self) -> TemplateChanges:
        given: dict[str, Any] = {
            name: getattr(self, name) for name in self.__struct_fields__ if getattr(self, name) is not UNSET
        }
        return cast("TemplateChanges", given)


class PreviewRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """With sample values, or with those of a quote's current revision."""

    quote_id: UUID | None = None
    note: Annotated[str, Meta(max_length=2000)] = ""


class PreviewDraftRequest(Struct, frozen=True, forbid_unknown_fields=True):
    kind: TemplateKind
    language: Language
    subject: Subject
    text: Text
    html: Html = ""
    quote_id: UUID | None = None
    note: Annotated[str, Meta(max_length=2000)] = ""

    def texts(self) -> TemplateTexts:
        return TemplateTexts(subject=self.subject, text=self.text, html=self.html)


class PreviewResponse(Struct, frozen=True):
    """The mail as it would go out; *html* is a whole document, to be shown in a frame without scripts."""

    subject: str
    text: str
    html: str

    @classmethod
    def of(cls, composed: ComposedText) -> Self:
        return cls(subject=composed.subject, text=composed.text, html=composed.html)


class MailTemplateResponse(Struct, frozen=True):
    """*fault*: why this version could not be used for a mail, which went out with our own words; empty where it could."""

    id: UUID
    kind: str
    language: str
    subject: str
    text: str
    html: str
    fault: str
    created_at: datetime
    version: int

    @classmethod
    def of(cls, template: MailTemplate) -> Self:
        return cls(
            id=template.id,
            kind=template.kind.value,
            language=template.language,
            subject=template.texts.subject,
            text=template.texts.text,
            html=template.texts.html,
            fault=template.fault,
            created_at=template.created_at,
            version=template.version,
        )


class BuiltInTemplateResponse(Struct, frozen=True):
    """Our own words as a template, and the *values* that a template of this kind may name, each with what it is."""

    kind: str
    language: str
    subject: str
    text: str
    html: str
    values: dict[str, str]

    @classmethod
    def of(cls, template: BuiltInTemplate) -> Self:
        return cls(
            kind=template.kind.value,
            language=template.language,
            subject=template.texts.subject,
            text=template.texts.text,
            html=template.texts.html,
            values=dict(TEMPLATE_VALUES[template.kind]),
        )
