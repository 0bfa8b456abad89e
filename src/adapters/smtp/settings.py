"""How to reach the mail server."""

from dataclasses import dataclass, field
from enum import StrEnum


class Security(StrEnum):
    STARTTLS = "starttls"  # Plain first, then encrypted or nothing: never falls back. Port 587.
    TLS = "tls"  # Encrypted from the first byte. Port 465.
    NONE = "none"  # Only for a server on the same machine or network.


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpSettings:
    """*username* empty: no login. *timeout_seconds* is for the whole handover of one message."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    security: Security
    sender_address: str
    timeout_seconds: float = 30.0
