"""An Email as a message of RFC 5322."""

from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from src.application.ports.mail import Email, MailRefused, refuse_unsafe


def message_of(email: Email, sender_address: str) -> EmailMessage:
    """Text and HTML as alternatives, attachments beside them; ASCII on the wire. Raises MailRefused."""
    refuse_unsafe(email)
    try:
        return _compose(email, sender_address)
    except (ValueError, LookupError) as error:  # The standard library's own checks: a second pair of eyes.
        raise MailRefused(f"The message cannot be put together: {error}") from error


def _compose(email: Email, sender_address: str) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["Message-ID"] = email.message_id
    message["Date"] = format_datetime(datetime.now(UTC))
    message["From"] = Address(email.sender_name, addr_spec=sender_address)
    message["To"] = Address(email.recipient_name, addr_spec=email.recipient)
    if email.reply_to:
        message["Reply-To"] = Address(addr_spec=email.reply_to)
    message["Subject"] = email.subject
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: holiday notices stay away.
    # Not 8bit: not every server on the way takes it.
    message.set_content(email.text, cte="quoted-printable")
    message.add_alternative(email.html, subtype="html", cte="quoted-printable")
    for attachment in email.attachments:
        main, _, sub = attachment.content_type.partition("/")
        message.add_attachment(attachment.content, maintype=main, subtype=sub, filename=attachment.file_name)
    return message
