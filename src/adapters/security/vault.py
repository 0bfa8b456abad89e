"""Sealing secrets that must be read again, and making keys that only need recognising."""

import secrets
import string
import zlib
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from src.adapters.security.keys import KeyRing
from src.application.ports.security import Vault

_ALPHABET: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM: Final = 32  # Of 62 characters: 190 bits.
_CHECKSUM: Final = 6
_SHOWN: Final = 6
# Without what looks alike: people copy these from paper.
_RECOVERY: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_RECOVERY_GROUPS: Final = (5, 5)


class SystemVault(Vault):
    """Fernet (AES-128-CBC with HMAC-SHA256) under a key of its own; keys in the form that secret scanners know."""

    def __init__(self, ring: KeyRing) -> None:
        self._fernet = MultiFernet([Fernet(key.for_fernet) for key in ring.keys("sealed secrets")])

    def seal(self, secret: str) -> str:
        return self.seal_bytes(secret.encode()).decode()

    def unseal(self, sealed: str) -> str:
        return self.unseal_bytes(sealed.encode()).decode()

    def seal_bytes(self, content: bytes) -> bytes:
        return self._fernet.encrypt(content)

    def unseal_bytes(self, sealed: bytes) -> bytes:
        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken:
            message = "This was not sealed with a known secret key."
            raise ValueError(message) from None

    def new_key(self, kind: str) -> tuple[str, str]:
        body = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM))
        start = f"{kind}_{body}"
        return start + _checksum(start), start[: len(kind) + 1 + _SHOWN]

    def is_key(self, text: str, kind: str) -> bool:
        start, checksum = text[:-_CHECKSUM], text[-_CHECKSUM:]
        return (
            start.startswith(f"{kind}_")
            and len(start) == len(kind) + 1 + _RANDOM
            and text.isascii()
            and _checksum(start) == checksum
        )

    def new_recovery_codes(self, count: int) -> tuple[str, ...]:
        return tuple(
            "-".join("".join(secrets.choice(_RECOVERY) for _ in range(size)) for size in _RECOVERY_GROUPS)
            for _ in range(count)
        )


def _checksum(text: str) -> str:
    """CRC-32 in base 62, as GitHub's tokens have it: finds typing errors and chance matches, proves nothing."""
    number, digits = zlib.crc32(text.encode()), ""
    for _ in range(_CHECKSUM):
        number, rest = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[rest] + digits
    return digits
