"""Access tokens: JWTs with one algorithm, chosen by us and never by a header (RFC 8725)."""

import hmac
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from src.application.ports.clock import IdFactory
from src.application.ports.security import Claims, TokenIssuer, TokenRefused
from src.domain.identity.actor import Role
from src.domain.shared.ids import OrganizationId, SessionId, UserId

ISSUER: Final = "proffer"
AUDIENCE: Final = "proffer-api"
TYPE: Final = "at+jwt"  # RFC 9068: no other kind of token is an access token.
_ALGORITHM: Final = "HS256"
_LEEWAY: Final = 5  # Seconds by which clocks of our own machines may differ.
_LONGEST: Final = 4096
_HEADER_KEYS: Final = {"alg", "typ", "kid"}


class JwtIssuer(TokenIssuer):
    """*secret* is the installation's secret key; the signing key is derived from it, for this purpose alone."""

    def __init__(self, secret: bytes, ids: IdFactory) -> None:
        material = hmac.new(secret, b"access tokens", sha256).digest()
        self._key = OctKey.import_key(material)
        self._key_id = sha256(material).hexdigest()[:16]
        self._ids = ids

    def issue(self, claims: Claims, *, at: datetime) -> str:
        header = {"alg": _ALGORITHM, "typ": TYPE, "kid": self._key_id}
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
        return jwt.encode(header, payload, self._key, algorithms=[_ALGORITHM])

    def read(self, token: str, *, at: datetime) -> Claims:
        if len(token) > _LONGEST:
            raise _refused()
        try:
            decoded = jwt.decode(token, self._key, algorithms=[_ALGORITHM])
        except (JoseError, ValueError, TypeError, KeyError, UnicodeError, RecursionError):
            raise _refused() from None
        self._check_header(decoded.header)
        return _claims(decoded.claims, at)

    def _check_header(self, header: dict[str, Any]) -> None:
        # ``crit``, ``jwk``, ``jku`` and whatever else a stranger may put there is not ours.
        if set(header) != _HEADER_KEYS or header["typ"] != TYPE or header["kid"] != self._key_id:
            raise _refused()


def _claims(told: dict[str, Any], at: datetime) -> Claims:
    """Every claim must be there, of its type, and true at this instant."""
    try:
        expires, issued = told["exp"], told["iat"]
        texts = [told[name] for name in ("email", "name", "jti")]
        # A bool is an int in Python; a text with digits is none.
        if type(expires) is not int or type(issued) is not int or not all(isinstance(text, str) for text in texts):
            raise _refused()
        now = at.timestamp()
        if told["iss"] != ISSUER or told["aud"] != AUDIENCE or now > expires + _LEEWAY or issued > now + _LEEWAY:
            raise _refused()
        return Claims(
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


def _refused() -> TokenRefused:
    return TokenRefused("The access token is not valid, or has expired: log in again.")
