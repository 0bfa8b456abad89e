"""Short texts that only this installation can make: bytes and their MAC, safe in URLs."""

import base64
import binascii
import hmac
from collections.abc import Sequence
from typing import Final

from src.adapters.security.keys import DerivedKey

_MAC: Final = 32  # Bytes.
_LONGEST: Final = 300  # Characters.


class SignedTokens:
    """Signs with the first of *keys*, reads with any."""

    def __init__(self, keys: Sequence[DerivedKey]) -> None:
        self._keys = keys

    def sign(self, told: bytes) -> str:
        return base64.urlsafe_b64encode(told + self._keys[0].mac(told)).decode().rstrip("=")

    def read(self, token: str) -> bytes:
        """What was signed. Raises ValueError for anything that was not."""
        if len(token) > _LONGEST:
            raise ValueError("This token is too long.")
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except binascii.Error as error:
            raise ValueError("This token is not base64.") from error
        if base64.urlsafe_b64encode(raw).decode().rstrip("=") != token:
            raise ValueError("This token is written in another way than it was made.")
        told, mac = raw[:-_MAC], raw[-_MAC:]
        known = [hmac.compare_digest(key.mac(told), mac) for key in self._keys]
        if not any(known):
            raise ValueError("This token was not signed here.")
        return told
