"""The secrets of challenges: keyed hashes of their ids, so that a copy of the database opens nothing."""

import hmac
from typing import Final
from uuid import UUID

from src.adapters.security.keys import DerivedKey, KeyRing
from src.adapters.security.signed import SignedTokens
from src.application.ports.security import ChallengeSecrets
from src.domain.identity.challenge import challenge_failed
from src.domain.shared.ids import ChallengeId, OrganizationId

_DIGITS: Final = 6


class DerivedChallengeSecrets(ChallengeSecrets):
    def __init__(self, ring: KeyRing) -> None:
        # Of codes the newest key alone: each more that counted would make guessing that much easier.
        self._code_key, self._links = ring.keys("challenge codes")[0], SignedTokens(ring.keys("challenge links"))

    def code(self, challenge_id: ChallengeId, organization_id: OrganizationId) -> str:
        return _code(self._code_key, challenge_id, organization_id)

    def is_code(self, code: str, challenge_id: ChallengeId, organization_id: OrganizationId) -> bool:
        told = "".join(code.split()).encode()
        return hmac.compare_digest(told, self.code(challenge_id, organization_id).encode())

    def link_token(self, challenge_id: ChallengeId, organization_id: OrganizationId) -> str:
        return self._links.sign(challenge_id.bytes + organization_id.bytes)

    def read_link_token(self, token: str) -> tuple[ChallengeId, OrganizationId]:
        try:
            told = self._links.read(token)
        except ValueError:
            raise challenge_failed() from None
        return ChallengeId(UUID(bytes=told[:16])), OrganizationId(UUID(bytes=told[16:]))


def _code(key: DerivedKey, challenge_id: ChallengeId, organization_id: OrganizationId) -> str:
    # 256 bits over a million: what the remainder prefers is less than one in 2^230.
    number = int.from_bytes(key.mac(challenge_id.bytes, organization_id.bytes)) % 10**_DIGITS
    return f"{number:0{_DIGITS}}"
