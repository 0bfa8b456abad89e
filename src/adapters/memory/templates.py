"""The covering letter without a template, for tests of use cases."""

from collections.abc import Sequence
from html import escape

from src.application.ports.documents import QuoteDocument
from src.application.ports.mail import (
    AccountMail,
    ApprovalMail,
    ComposedText,
    MailTemplates,
    NoticeMail,
    ReminderMail,
)
from src.domain.messaging.template import TemplateKind, TemplateTexts
from src.domain.shared.errors import FieldError


class PlainMailTemplates(MailTemplates):
    def account(self, mail: AccountMail) -> ComposedText:
        text = f"{mail.purpose.value} for {mail.name}: {mail.secret}"
        return ComposedText(subject=mail.purpose.value, text=text, html=f"<p>{escape(text)}</p>")

    def approval(self, mail: ApprovalMail) -> ComposedText:
        subject = f"{mail.kind.value} {mail.title}"
        text = f"{subject} for {mail.name}: {mail.step} {mail.reason} {mail.request_id}"
        return ComposedText(subject=subject, text=text, html=f"<p>{escape(text)}</p>")

    def reminder(self, mail: ReminderMail) -> ComposedText:
        text = f"{mail.number} for {mail.customer} ends on {mail.valid_until.isoformat()}"
        return ComposedText(subject=mail.number, text=text, html=f"<p>{escape(text)}</p>")

    def notice(self, mail: NoticeMail) -> ComposedText:
        text = f"{mail.kind.value} {mail.subject} for {mail.name}: {' '.join(mail.details)}"
        return ComposedText(subject=f"{mail.kind.value} {mail.subject}", text=text, html=f"<p>{escape(text)}</p>")

    def quote_sent(self, document: QuoteDocument, note: str, texts: TemplateTexts | None = None) -> ComposedText:
        if texts is not None:
            return self.sample(TemplateKind.OFFER, document.locale, texts)
        text = f"{document.number} {document.title}\n{note}"
        return ComposedText(subject=f"{document.number} {document.title}", text=text, html=f"<p>{escape(text)}</p>")

    def faults(self, kind: TemplateKind, texts: TemplateTexts) -> Sequence[FieldError]:
        return ()

    def built_in(self, kind: TemplateKind, language: str) -> TemplateTexts:
        return TemplateTexts(subject=kind.value, text=language)

    def languages(self) -> Sequence[str]:
        return ("en",)

    def sample(self, kind: TemplateKind, language: str, texts: TemplateTexts) -> ComposedText:
        return ComposedText(subject=texts.subject, text=texts.text, html=f"<p>{escape(texts.text)}</p>")
