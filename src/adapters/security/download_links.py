"""Signed links to files: what they open stands in them, so that nothing is stored for them."""

from datetime import UTC, datetime
from struct import Struct
from typing import Final
from uuid import UUID

from src.adapters.security.keys import KeyRing
from src.adapters.security.signed import SignedTokens
from src.application.ports.security import DownloadGrant, DownloadLinks
from src.domain.shared.errors import NotFound
from src.domain.shared.ids import ApiKeyId, OrganizationId

# Organisation, file, user, API key or nothing, and the second at which it expires; the kind follows.
_HEAD: Final = Struct(">16s16s16s16sQ")
_NO_KEY: Final = UUID(int=0)


class SignedDownloadLinks(DownloadLinks):
    def __init__(self, ring: KeyRing) -> None:
        self._tokens = SignedTokens(ring.keys("download links"))

    def token(self, grant: DownloadGrant) -> str:
        key = grant.api_key_id or _NO_KEY
        ids = grant.organization_id.bytes, grant.file_id.bytes, grant.issued_to.bytes, key.bytes
        return self._tokens.sign(_HEAD.pack(*ids, int(grant.expires_at.timestamp())) + grant.kind.encode())

    def read(self, token: str, now: datetime) -> DownloadGrant:
        try:
            told = self._tokens.read(token)
        except ValueError:
            raise _refused() from None
        organization_id, file_id, issued_to, api_key_id, expires_at = _HEAD.unpack_from(told)
        grant = DownloadGrant(
            organization_id=OrganizationId(UUID(bytes=organization_id)),
            kind=told[_HEAD.size :].decode(),
            file_id=UUID(bytes=file_id),
            issued_to=UUID(bytes=issued_to),
            expires_at=datetime.fromtimestamp(expires_at, UTC),
            api_key_id=None if api_key_id == _NO_KEY.bytes else ApiKeyId(UUID(bytes=api_key_id)),
        )
        if now >= grant.expires_at:
            raise _refused()
        return grant


def _refused() -> NotFound:
    return NotFound("This link is wrong or has expired: ask for a new one.")
