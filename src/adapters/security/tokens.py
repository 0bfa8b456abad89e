"""Access tokens are JWTs with one algorithm, chosen by us and never by a header (RFC 8725). Refresh tokens are opaque."""

import base64
import binascii
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from src.adapters.security.keys import DerivedKey, KeyRing
from src.application.ports.clock import IdFactory
from src.application.ports.security import Claims, RefreshClaims, TokenIssuer, TokenRefused
from src.domain.identity.actor import Role
from src.domain.shared.ids import OrganizationId, SessionId, UserId

ISSUER: Final = "proffer"
AUDIENCE: Final = "proffer-api"
TYPE: Final = "at+jwt"  # RFC 9068: no other kind of token is an access token.
REFRESH_PREFIX: Final = "prt_"
_ALGORITHM: Final = "HS256"
_LEEWAY: Final = 5  # Seconds by which clocks of our own machines may differ.
_LONGEST: Final = 4096
_HEADER_KEYS: Final = {"alg", "typ", "kid"}
_REFRESH_SIZE: Final = 8 + 16 + 16 + 4 + 32
_REMEMBERED: Final = 4096  # Tokens whose signature was found good, some 2 KiB each.


@dataclass(frozen=True, slots=True)
class _Signed:
    """What a token of ours says, whatever the time."""

    claims: Claims
    issued: int
    expires: int


class JwtIssuer(TokenIssuer):
    def __init__(self, ring: KeyRing, ids: IdFactory) -> None:
        keys = ring.keys("access tokens")
        self._newest = keys[0].id
        self._keys = {key.id: OctKey.import_key(key.material) for key in keys}
        self._refresh_keys = {bytes.fromhex(key.id): key for key in reversed(ring.keys("refresh tokens"))}
        self._ids = ids
        # A signature that was good stays good, and checking it costs more than the request's look-up of the session.
        self._signed = lru_cache(_REMEMBERED)(self._verify)

    def issue(self, claims: Claims, *, at: datetime) -> str:
        header = {"alg": _ALGORITHM, "typ": TYPE, "kid": self._newest}
        payload = {
            "sub": str(claims.user_id),
            "email": claims.email,
            "name": claims.name,
            "organization_id": str(claims.organization_id),
            "role": claims.role.value,
            "sid": str(claims.session_id),
            "exp": int(claims.expires_at.timestamp()),
            "iat": int(at.timestamp()),
            "jti": str(self._ids.new()),
            "iss": ISSUER,
            "aud": AUDIENCE,
        }
        return jwt.encode(header, payload, self._keys[self._newest], algorithms=[_ALGORITHM])

    def read(self, token: str, *, at: datetime) -> Claims:
        signed, now = self._signed(token), at.timestamp()
        if now > signed.expires + _LEEWAY or signed.issued > now + _LEEWAY:
            raise _refused()
        return signed.claims

    def _verify(self, token: str) -> _Signed:
        if len(token) > _LONGEST:
            raise _refused()
        try:
            decoded = jwt.decode(token, self._key_for(token), algorithms=[_ALGORITHM])
        except (JoseError, ValueError, TypeError, KeyError, UnicodeError, RecursionError):
            raise _refused() from None
        self._check_header(decoded.header)
        return _signed(decoded.claims)

    def issue_refresh(self, claims: RefreshClaims) -> str:
        key = list(self._refresh_keys.values())[-1]
        told = _refresh_body(key, claims)
        return REFRESH_PREFIX + base64.urlsafe_b64encode(told + key.mac(told)).decode().rstrip("=")

    def read_refresh(self, token: str) -> RefreshClaims:
        encoded = token.removeprefix(REFRESH_PREFIX)
        if encoded == token or len(token) > _LONGEST:
            raise _refused()
        try:
            raw = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise _refused() from None
        key = self._refresh_keys.get(raw[:8])
        if len(raw) != _REFRESH_SIZE or key is None or not hmac.compare_digest(key.mac(raw[:-32]), raw[-32:]):
            raise _refused()
        return RefreshClaims(
            organization_id=OrganizationId(UUID(bytes=raw[8:24])),
            session_id=SessionId(UUID(bytes=raw[24:40])),
            generation=int.from_bytes(raw[40:44]),
        )

    def _key_for(self, token: str) -> OctKey:
        """The header's ``kid`` is a word to look up among our own keys, and nothing else. Raises KeyError, ValueError."""
        header = jwt_header(token)
        return self._keys[str(header["kid"])]

    def _check_header(self, header: dict[str, Any]) -> None:
        # ``crit``, ``jwk``, ``jku`` and whatever else a stranger may put there is not ours.
        if set(header) != _HEADER_KEYS or header["typ"] != TYPE:
            raise _refused()


def jwt_header(token: str) -> dict[str, Any]:
    """The header, before anything about it is known to be true. Raises ValueError."""
    part = token.partition(".")[0]
    header = json.loads(base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True))
    if not isinstance(header, dict):
        raise ValueError(part)  # noqa: TRY004 — what it is not is no type that a caller gave.
    return header


def _refresh_body(key: DerivedKey, claims: RefreshClaims) -> bytes:
    return (
        bytes.fromhex(key.id) + claims.organization_id.bytes + claims.session_id.bytes + claims.generation.to_bytes(4)
    )


def _signed(told: dict[str, Any]) -> _Signed:
    """Every claim must be there, and of its type."""
    try:
        expires, issued = told["exp"], told["iat"]
        texts = [told[name] for name in ("email", "name", "jti")]
        # A bool is an int in Python; a text with digits is none.
        if type(expires) is not int or type(issued) is not int or not all(isinstance(text, str) for text in texts):
            raise _refused()
        if told["iss"] != ISSUER or told["aud"] != AUDIENCE:
            raise _refused()
        claims = Claims(
            user_id=UserId(UUID(told["sub"])),
            email=told["email"],
            name=told["name"],
            organization_id=OrganizationId(UUID(told["organization_id"])),
            role=Role(told["role"]),
            session_id=SessionId(UUID(told["sid"])),
            expires_at=datetime.fromtimestamp(expires, UTC),
        )
    except (KeyError, ValueError, TypeError, AttributeError, OverflowError, OSError):
        raise _refused() from None
    return _Signed(claims, issued, expires)


def _refused() -> TokenRefused:
    return TokenRefused("This token is not valid, or has expired: log in again.")
