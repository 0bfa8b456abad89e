"""E-mail handed over to a server."""

import asyncio
import ssl

import aiosmtplib

from src.adapters.smtp.message import message_of
from src.adapters.smtp.settings import Security, SmtpSettings
from src.application.ports.mail import Email, MailDeferred, Mailer, MailRefused
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
        try:
            async with asyncio.timeout(settings.timeout_seconds):
                _, answer = await aiosmtplib.send(
                    message,
                    sender=settings.sender_address,
                    recipients=[email.recipient],
                    hostname=settings.host,
                    port=settings.port,
                    username=settings.username or None,
                    password=settings.password or None,
                    use_tls=settings.security is Security.TLS,
                    start_tls=settings.security is Security.STARTTLS,
                    tls_context=self._tls_context,
                    timeout=settings.timeout_seconds,
                )
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _by_code(error.recipients[0]) from error
        except (aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPDataError) as error:
            raise _by_code(error) from error
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise MailDeferred(storable(f"{type(error).__name__}: {error}")) from error
        return storable(answer)


def _by_code(refusal: aiosmtplib.SMTPResponseException) -> MailRefused | MailDeferred:
    """5xx is for ever; the library raises the same error for 4xx."""
    answer = storable(f"{refusal.code} {refusal.message}")
    return MailRefused(answer) if 500 <= refusal.code <= 599 else MailDeferred(answer)
