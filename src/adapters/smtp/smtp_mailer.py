"""E-mail handed over to a server."""

import asyncio
import ssl
from typing import Final, NamedTuple

import aiosmtplib

from src.adapters.smtp.message import message_of
from src.adapters.smtp.settings import Security, SmtpSettings
from src.application.ports.mail import NO_ANSWER, Email, MailDeferred, Mailer, MailRefused, RecipientRefused
from src.domain.shared.text import storable


class SmtpMailer(Mailer):
    """A connection for each message: some 10 ms, and nothing to keep alive or to clean up.

    *tls_context* is for servers with a certificate of their own authority; by default the system's authorities count.
    """

    def __init__(self, settings: SmtpSettings, tls_context: ssl.SSLContext | None = None) -> None:
        self._settings = settings
        self._tls_context = tls_context

    async def send(self, email: Email) -> str:
        """As promised by the port. A login or certificate that fails is deferred: the message is not to blame."""
        settings = self._settings
        message = message_of(email, settings.sender_address)
        sending, answer = False, None
        try:
            async with asyncio.timeout(settings.timeout_seconds):
                async with self._client() as client:
                    if client.is_ehlo_or_helo_needed:
                        await client.ehlo()
                    reports = self._reports(email) if client.supports_extension("dsn") else _NO_REPORTS
                    sending = True
                    _, answer = await client.send_message(
                        message,
                        sender=settings.return_path or settings.sender_address,
                        recipients=[email.recipient],
                        mail_options=reports.mail_options,
                        rcpt_options=reports.rcpt_options,
                    )
        except aiosmtplib.SMTPRecipientsRefused as error:
            refusal = error.recipients[0]
            raise (RecipientRefused if _is_final(refusal) else MailDeferred)(_answer(refusal)) from error
        except (aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPDataError) as error:
            raise (MailRefused if _is_final(error) else MailDeferred)(_answer(error)) from error
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            if answer is None:  # Otherwise the message was taken, and only the farewell went wrong.
                told = f"{type(error).__name__}: {error}"
                lost = sending and isinstance(error, OSError)
                raise MailDeferred(storable(f"{NO_ANSWER}: {told}." if lost else told)) from error
        return storable(answer)

    def _client(self) -> aiosmtplib.SMTP:
        settings = self._settings
        return aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            username=settings.username or None,
            password=settings.password or None,
            use_tls=settings.security is Security.TLS,
            start_tls=settings.security is Security.STARTTLS,
            tls_context=self._tls_context,
            timeout=settings.timeout_seconds,
        )

    def _reports(self, email: Email) -> "_ReportOptions":
        """None without an envelope id, or where nobody would read them: they would fill the sender's mailbox."""
        if not (email.envelope_id and self._settings.return_path):
            return _NO_REPORTS
        return _ReportOptions(
            mail_options=["RET=HDRS", f"ENVID={email.envelope_id}"],
            rcpt_options=["NOTIFY=SUCCESS,FAILURE,DELAY", f"ORCPT=rfc822;{_xtext(email.recipient)}"],
        )


class _ReportOptions(NamedTuple):
    """Of MAIL and RCPT (RFC 3461)."""

    mail_options: list[str]
    rcpt_options: list[str]


_NO_REPORTS: Final = _ReportOptions([], [])


def _xtext(text: str) -> str:
    """RFC 3461, 4: visible ASCII characters, but for ``+`` and ``=``, which are written as codes."""
    return "".join(one if "!" <= one <= "~" and one not in "+=" else f"+{ord(one):02X}" for one in text)


def _is_final(refusal: aiosmtplib.SMTPResponseException) -> bool:
    """5xx is for ever; the library raises the same error for 4xx."""
    return 500 <= refusal.code <= 599


def _answer(refusal: aiosmtplib.SMTPResponseException) -> str:
    return storable(f"{refusal.code} {refusal.message}")
