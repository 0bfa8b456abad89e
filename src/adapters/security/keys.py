"""The keys of an installation: each derived from its secret key for one purpose alone, so that one cannot stand for another."""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class DerivedKey:
    """*id* names it in public, and says nothing about *material* (32 bytes)."""

    id: str
    material: bytes

    def mac(self, *parts: bytes) -> bytes:
        """HMAC-SHA256 over *parts*, each with its length before it, so that none runs into the next."""
        told = b"".join(len(part).to_bytes(4) + part for part in parts)
        return hmac.new(self.material, told, sha256).digest()

    @property
    def for_fernet(self) -> bytes:
        return urlsafe_b64encode(self.material)


class KeyRing:
    """Derives from every known secret key, the newest first: new things are made with it, older ones are still read."""

    def __init__(self, secrets: Sequence[str]) -> None:
        if not secrets:
            raise ValueError("A key ring needs a secret key.")
        self._secrets = [secret.encode() for secret in secrets]

    def keys(self, purpose: str) -> list[DerivedKey]:
        made = [hmac.new(secret, purpose.encode(), sha256).digest() for secret in self._secrets]
        return [DerivedKey(sha256(material).hexdigest()[:16], material) for material in made]
