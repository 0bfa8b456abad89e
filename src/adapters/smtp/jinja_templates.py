"""The texts of our messages, from templates."""

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from src.adapters.smtp.markup import cleaned, refusals
from src.adapters.smtp.offer_values import offer_sample, offer_values, sparse_offer_sample
from src.adapters.smtp.restricted import Refusal, check, render, without_blocks
from src.adapters.smtp.words import ACCOUNT_WORDS, APPROVAL_WORDS, NOTICE_WORDS, REMINDER_WORDS, WORDS, Words
from src.application.ports.documents import QuoteDocument
from src.application.ports.mail import (
    AccountMail,
    ApprovalMail,
    ComposedText,
    MailTemplates,
    NoticeMail,
    ReminderMail,
    TemplateFailed,
)
from src.domain.documents import notation_for
from src.domain.identity.challenge import Purpose
from src.domain.messaging.template import TEMPLATE_VALUES, TemplateKind, TemplateTexts, language_of
from src.domain.shared.errors import FieldError

LONGEST_SUBJECT = 200


class JinjaMailTemplates(MailTemplates):
    """Values are data: escaped in HTML, never templates themselves."""

    def __init__(self, account_page: str, approvals_page: str) -> None:
        """*account_page*: the address of the page where invitations and password resets are answered.

        *approvals_page*: the address below which an approval request is shown, by its id.
        """
        self._account_page, self._approvals_page = account_page, approvals_page
        self._templates = Environment(
            loader=FileSystemLoader(Path(str(files("src.adapters.smtp"))) / "templates"),
            autoescape=select_autoescape(("html.j2",)),
            undefined=StrictUndefined,
            trim_blocks=True,
            keep_trailing_newline=True,
        )

    def account(self, mail: AccountMail) -> ComposedText:
        notation = notation_for(mail.locale)
        words = ACCOUNT_WORDS[notation.language, mail.purpose]
        time = f"{notation.day(mail.expires_at.date())} {mail.expires_at:%H:%M} ({mail.expires_at.tzname()})"
        is_code = mail.purpose is Purpose.LOGIN_CODE
        values = {
            "language": notation.language,
            "greeting": WORDS[notation.language].greeting,
            "closing": WORDS[notation.language].closing,
            "subject": _one_line(words.subject.format(organization=mail.organization)),
            "opening": words.opening.format(organization=mail.organization),
            "until": words.until.format(time=time),
            "unasked": words.unasked,
            "organization": mail.organization,
            "name": mail.name,
            "code": mail.secret if is_code else "",
            # After the #, which browsers tell no server.
            "link": "" if is_code else f"{self._account_page}#{mail.purpose.value}={mail.secret}",
        }
        return ComposedText(
            subject=str(values["subject"]),
            text=self._templates.get_template("account.txt.j2").render(values),
            html=self._templates.get_template("account.html.j2").render(values),
        )

    def approval(self, mail: ApprovalMail) -> ComposedText:
        language = notation_for(mail.locale).language
        words = APPROVAL_WORDS[language, mail.kind]
        given = {"title": mail.title, "step": mail.step, "organization": mail.organization}
        values = {
            "language": language,
            "greeting": WORDS[language].greeting,
            "closing": WORDS[language].closing,
            "subject": _one_line(words.subject.format(**given)),
            "opening": words.opening.format(**given),
            "reason": mail.reason.strip(),
            "organization": mail.organization,
            "name": mail.name,
            "link": f"{self._approvals_page}/{mail.request_id}",
        }
        return ComposedText(
            subject=str(values["subject"]),
            text=self._templates.get_template("approval.txt.j2").render(values),
            html=self._templates.get_template("approval.html.j2").render(values),
        )

    def reminder(self, mail: ReminderMail) -> ComposedText:
        notation = notation_for(mail.locale)
        words = REMINDER_WORDS[notation.language]
        day = notation.day(mail.valid_until)
        values = {
            "language": notation.language,
            "greeting": WORDS[notation.language].greeting,
            "closing": WORDS[notation.language].closing,
            "subject": _one_line(words.subject.format(number=mail.number, day=day)),
            "opening": words.opening.format(number=mail.number, customer=mail.customer, day=day),
            "advice": words.advice,
            "title": mail.title,
            "organization": mail.organization,
            "name": mail.name,
        }
        return ComposedText(
            subject=str(values["subject"]),
            text=self._templates.get_template("reminder.txt.j2").render(values),
            html=self._templates.get_template("reminder.html.j2").render(values),
        )

    def notice(self, mail: NoticeMail) -> ComposedText:
        language = notation_for(mail.locale).language
        words = NOTICE_WORDS[language, mail.kind]
        values = {
            "language": language,
            "greeting": WORDS[language].greeting,
            "closing": WORDS[language].closing,
            "subject": _one_line(words.subject.format(subject=mail.subject)),
            "opening": words.opening.format(subject=mail.subject),
            "details": [" ".join(detail.split()) for detail in mail.details],
            "advice": words.advice,
            "organization": mail.organization,
            "name": mail.name,
        }
        return ComposedText(
            subject=str(values["subject"]),
            text=self._templates.get_template("notice.txt.j2").render(values),
            html=self._templates.get_template("notice.html.j2").render(values),
        )

    def quote_sent(self, document: QuoteDocument, note: str, texts: TemplateTexts | None = None) -> ComposedText:
        values = offer_values(document, note)
        if texts is not None:
            return self._custom(TemplateKind.OFFER, language_of(document.locale), texts, values)
        language = notation_for(document.locale).language
        words = WORDS[language]
        values |= {
            "language": language,
            "words": words,
            "subject": _one_line(words.subject.format(number=document.number, seller=document.seller.name)),
        }
        return ComposedText(
            subject=str(values["subject"]),
            text=self._templates.get_template("quote_sent.txt.j2").render(values),
            html=self._templates.get_template("quote_sent.html.j2").render(values),
        )

    def sample(self, kind: TemplateKind, language: str, texts: TemplateTexts) -> ComposedText:
        return self._custom(kind, language, texts, offer_sample(language))

    def faults(self, kind: TemplateKind, texts: TemplateTexts) -> Sequence[FieldError]:
        return list(self._faults(kind, texts))

    def built_in(self, kind: TemplateKind, language: str) -> TemplateTexts:
        known = notation_for(language).language
        sources = [self._source("quote_sent.txt.j2"), self._source("quote_sent.html.j2")]
        text, html = (_with_words(source, WORDS[known]) for source in sources)
        body = html.partition("{% block body %}\n")[2].partition("{% endblock %}")[0]
        return TemplateTexts(subject=_as_template(WORDS[known].subject), text=text, html=body)

    def languages(self) -> Sequence[str]:
        return sorted(WORDS)

    def _source(self, name: str) -> str:
        assert self._templates.loader is not None
        return self._templates.loader.get_source(self._templates, name)[0]

    def _custom(
        self, kind: TemplateKind, language: str, texts: TemplateTexts, values: Mapping[str, object]
    ) -> ComposedText:
        known = TEMPLATE_VALUES[kind]
        subject = _one_line(render(texts.subject, values, known, html=False))
        text = render(texts.text, values, known, html=False)
        if not subject or not text.strip():
            raise TemplateFailed("Nothing would be left of its subject or its text.")
        body = Markup(cleaned(render(texts.html, values, known, html=True))) if texts.html.strip() else ""  # noqa: S704 — it has just been cleaned.
        frame = {"language": language, "subject": subject, "body": body, "text": text}
        return ComposedText(
            subject=subject, text=text, html=self._templates.get_template("custom.html.j2").render(frame)
        )

    def _faults(self, kind: TemplateKind, texts: TemplateTexts) -> Iterator[FieldError]:
        found = False
        for field in ("subject", "text", "html"):
            source: str = getattr(texts, field)
            try:
                check(source, TEMPLATE_VALUES[kind])
            except Refusal as refused:
                found = True
                yield FieldError(field, str(refused))
            else:
                for line, reason in refusals(without_blocks(source)) if field == "html" else ():
                    found = True
                    yield FieldError(field, f"Line {line}: {reason}")
        if found:
            return
        for values in (offer_sample("en"), sparse_offer_sample("en")):
            try:
                self._custom(kind, "en", texts, values)
            except TemplateFailed as failed:
                yield FieldError("text", str(failed))
                return


def _as_template(sentence: str) -> str:
    """A sentence of ours, whose values are written ``{number}``."""
    return re.sub(r"{(\w+)}", r"{{ \1 }}", sentence)


def _with_words(source: str, words: Words) -> str:
    """A template of ours with *words* in their places."""
    return re.sub(
        r"{{ words\.(\w+)(?:\.format\([^)]*\))? }}", lambda name: _as_template(getattr(words, name[1])), source
    )


def _one_line(text: str) -> str:
    """Without line breaks and control characters, and not longer than a list of messages shows."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())[:LONGEST_SUBJECT]
