"""The mails that were written to files, read as their recipients would."""

import asyncio
import email
import email.policy
import re
from email.message import EmailMessage
from pathlib import Path

from tests.e2e.conftest import eventually


async def mail_to(folder: Path, address: str, *, containing: str = "", number: int = 1) -> str:
    """The text of the *number*-th mail to *address* (with *containing* in it), once it is there."""

    async def look() -> str | None:
        found = await asyncio.to_thread(_mails, folder, address)
        texts = [text for text in found if containing in text]
        return texts[number - 1] if len(texts) >= number else None

    return await eventually(look)


def code_of(text: str) -> str:
    """The six digits of a login code's mail."""
    match = re.search(r"^ +(\d{6})\s*$", text, re.MULTILINE)
    assert match is not None, text
    return match[1]


def token_of(text: str) -> str:
    """What stands behind the # of a mailed link."""
    match = re.search(r"#\w+=(\S+)", text)
    assert match is not None, text
    return match[1]


def _mails(folder: Path, address: str) -> list[str]:
    parsed = [
        email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        for path in sorted(folder.glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
    ]
    return [_text(mail) for mail in parsed if address in str(mail["To"])]


def _text(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())
