"""The texts of our messages, from templates."""

from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from src.adapters.smtp.words import ACCOUNT_WORDS, APPROVAL_WORDS, NOTICE_WORDS, REMINDER_WORDS, WORDS
from src.application.ports.documents import QuoteDocument
from src.application.ports.mail import (
    AccountMail,
    ApprovalMail,
    ComposedText,
    MailTemplates,
    NoticeMail,
    ReminderMail,
)
from src.domain.documents import notation_for
from src.domain.identity.challenge import Purpose

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

    def quote_sent(self, document: QuoteDocument, message: str) -> ComposedText:
        notation, sums = notation_for(document.locale), document.calculation
        words = WORDS[notation.language]
        subject = _one_line(words.subject.format(number=document.number, seller=document.seller.name))
        values = {
            "language": notation.language,
            "words": words,
            "subject": subject,
            "number": document.number,
            "revision": document.revision,
            "title": document.title,
            "seller": document.seller.name,
            "salesperson": document.salesperson,
            "contact": document.contact_name,
            "message": message.strip(),
            "payable": notation.money(sums.payable, sums.currency.code, sums.minor_digits),
            "valid_until": notation.day(document.valid_until),
        }
        return ComposedText(
            subject=subject,
            text=self._templates.get_template("quote_sent.txt.j2").render(values),
            html=self._templates.get_template("quote_sent.html.j2").render(values),
        )


def _one_line(text: str) -> str:
    """Without line breaks and control characters, and not longer than a list of messages shows."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())[:LONGEST_SUBJECT]
