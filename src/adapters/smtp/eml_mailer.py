"""E-mail written into a folder: for a machine without a mail server."""

import asyncio
import os
import re
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile

import structlog

from src.adapters.smtp.message import message_of
from src.application.ports.mail import Email, MailDeferred, Mailer

_LOG = structlog.get_logger(__name__)


class EmlMailer(Mailer):
    """One ``.eml`` file for each message id, which any mail program opens; a doubled handover leaves one file."""

    def __init__(self, folder: Path, sender_address: str) -> None:
        self._folder = folder
        self._sender_address = sender_address

    async def send(self, email: Email) -> str:
        content = message_of(email, self._sender_address).as_bytes()
        path = self._folder / _file_name(email.message_id)
        try:
            await asyncio.to_thread(_write_whole, path, content)
        except OSError as error:
            raise MailDeferred(f"The message cannot be written: {error}") from error
        _LOG.info("mail_written", path=str(path), message_id=email.message_id)
        return f"written to {path}"


def _file_name(message_id: str) -> str:
    """Readable, and never the same for two ids."""
    readable = re.sub(r"[^A-Za-z0-9._-]", "_", message_id.strip("<>"))[:100]
    return f"{readable}-{sha256(message_id.encode()).hexdigest()[:8]}.eml"


def _write_whole(path: Path, content: bytes) -> None:
    """All or nothing, also when the machine stops in between."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).replace(path)
        except OSError:
            Path(file.name).unlink(missing_ok=True)
            raise
