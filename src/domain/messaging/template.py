"""An organisation's own words for mails that go to its customers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Self

from src.domain.shared.change import Change
from src.domain.shared.errors import Conflict, NotFound
from src.domain.shared.events import DomainEvent
from src.domain.shared.ids import MailTemplateId
from src.domain.shared.text import TextChecks

LONGEST_SUBJECT_TEMPLATE: Final = 300
LONGEST_TEXT_TEMPLATE: Final = 20_000
LONGEST_HTML_TEMPLATE: Final = 50_000
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}", re.ASCII)


class MailTemplateNotFound(NotFound):
    code = "mail_template_not_found"


class MailTemplateTaken(Conflict):
    """The organisation has a template of this kind and language; it can be changed."""

    code = "mail_template_taken"


class TemplateKind(StrEnum):
    """Mails to customers. What our own people get, codes and invitations above all, is the same for everybody."""

    OFFER = "offer"


# What a template may name, and what it is. A name with a full stop is of each item of a list.
TEMPLATE_VALUES: Final[Mapping[TemplateKind, Mapping[str, str]]] = MappingProxyType(
    {
        TemplateKind.OFFER: MappingProxyType(
            {
                "number": "the number of the offer",
                "revision": "its revision, from 1",
                "title": "its title, or nothing",
                "seller": "the organisation's name",
                "salesperson": "who made the offer, or nothing",
                "customer": "the customer's name",
                "contact": "the recipient's name, or nothing",
                "note": "the sentence that the sender typed, or nothing",
                "total_without_tax": "the total before tax, with its currency",
                "tax_total": "the tax, with its currency",
                "payable": "the amount payable, with its currency",
                "issued_on": "the day of sending",
                "valid_until": "the last day",
                "lines": "the first 100 lines, to go through with `for`",
                "lines.position": "the line's number, from 1",
                "lines.sku": "the product's number, or nothing",
                "lines.description": "what it is",
                "lines.quantity": "how many",
                "lines.amount": "the line's net amount, with its currency",
                "more_lines": "how many lines there are beyond the first 100",
            }
        )
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailTemplateEvent(DomainEvent):
    resource_type: str = "mail_template"
    kind: TemplateKind
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MailTemplateCreated(MailTemplateEvent):
    action = "mail_template.created"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailTemplateChanged(MailTemplateEvent):
    action = "mail_template.changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailTemplateDeleted(MailTemplateEvent):
    """From now on the built-in words are used again."""

    action = "mail_template.deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailTemplateFailed(MailTemplateEvent):
    """It could not be used for a mail, which went out with the built-in words; *reason* says why."""

    action = "mail_template.failed"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateTexts:
    """The three templates of one mail. Without *html* the mail's HTML is made of its text."""

    subject: str
    text: str
    html: str = ""

    def check(self) -> None:
        """The form alone; whether they are templates is for whoever renders them. Raises Invalid."""
        checks = TextChecks()
        checks.line("subject", self.subject, required=True, longest=LONGEST_SUBJECT_TEMPLATE)
        if not self.text.strip():
            checks.refuse("text", "This must not be empty.")
        checks.paragraphs("text", self.text, longest=LONGEST_TEXT_TEMPLATE)
        checks.paragraphs("html", self.html, longest=LONGEST_HTML_TEMPLATE)
        checks.done()


@dataclass(frozen=True, slots=True, kw_only=True)
class MailTemplate:
    """*language* is the first part of a BCP 47 tag. *fault* says why this version could not be used, where it could not."""

    id: MailTemplateId
    kind: TemplateKind
    language: str
    texts: TemplateTexts
    created_at: datetime
    fault: str = ""
    version: int = 0

    def create(self) -> Change[Self]:
        """Raises Invalid. What is kept is not checked when it is read: nothing may stand in the way of a mail."""
        checks = TextChecks()
        if not _LANGUAGE.fullmatch(self.language):
            checks.refuse("language", "The first part of a language tag, such as en or de.")
        checks.done()
        self.texts.check()
        event = MailTemplateCreated(resource_id=self.id, at=self.created_at, kind=self.kind, language=self.language)
        return Change(None, self, (event,))

    def become(self, texts: TemplateTexts, at: datetime) -> Change[Self]:
        """With other words; kind and language stay. Raises Invalid."""
        texts.check()
        event = MailTemplateChanged(resource_id=self.id, at=at, kind=self.kind, language=self.language)
        return Change(self, replace(self, texts=texts, fault=""), (event,))

    def delete(self, at: datetime) -> Change[Self]:
        event = MailTemplateDeleted(resource_id=self.id, at=at, kind=self.kind, language=self.language)
        return Change(self, self, (event,))

    def failed(self, reason: str, at: datetime) -> MailTemplateFailed:
        return MailTemplateFailed(resource_id=self.id, at=at, kind=self.kind, language=self.language, reason=reason)


def language_of(locale: str) -> str:
    """The language of a BCP 47 tag: ``de-CH`` is ``de``."""
    return locale.replace("_", "-").partition("-")[0].lower()
