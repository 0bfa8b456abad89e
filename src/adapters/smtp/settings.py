"""How to reach the mail server."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self
from urllib.parse import parse_qs, unquote, urlsplit


class Security(StrEnum):
    STARTTLS = "starttls"  # Plain first, then encrypted or nothing: never falls back. Port 587.
    TLS = "tls"  # Encrypted from the first byte. Port 465.
    NONE = "none"  # Only for a server on the same machine or network.


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpSettings:
    """*username* empty: no login. *timeout_seconds* is for the whole handover of one message.

    *return_path* is where reports go that other servers are asked for; empty: none are asked for, and mails that come back
    go to *sender_address*.
    """

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    security: Security
    sender_address: str
    return_path: str = ""
    timeout_seconds: float = 30.0

    @classmethod
    def parse(cls, url: str, *, sender_address: str, return_path: str = "") -> Self:
        """From ``smtp://user:password@host:587?security=starttls``; ``smtps://`` stands for TLS from the first byte.

        Raises ValueError, without repeating the password.
        """
        parts = urlsplit(url)
        if parts.scheme not in _USUAL or not parts.hostname:
            raise ValueError("A mail server is smtp://user:password@host:port or smtps://….")
        usual, port = _USUAL[parts.scheme]
        given = parse_qs(parts.query).get("security", [usual.value])[-1]
        if given not in set(Security):
            raise ValueError(f"security={given} is none of {', '.join(Security)}.")
        return cls(
            host=parts.hostname,
            port=parts.port or port,
            username=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            security=Security(given),
            sender_address=sender_address,
            return_path=return_path,
        )


_USUAL = {"smtp": (Security.STARTTLS, 587), "smtps": (Security.TLS, 465)}
