"""Access tokens: ours are taken, and nothing else is."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from src.adapters.security import JwtIssuer, KeyRing
from src.adapters.system import Uuid7Ids
from src.application.ports.security import Claims, TokenRefused
from src.domain.identity.actor import Role
from src.domain.shared.ids import OrganizationId, SessionId, UserId

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ISSUER = JwtIssuer(KeyRing(["the installation's secret key, long enough"]), Uuid7Ids())
CLAIMS = Claims(
    user_id=UserId(uuid4()),
    email="ann@example.com",
    name="Ann",
    organization_id=OrganizationId(uuid4()),
    role=Role.SALES,
    session_id=SessionId(uuid4()),
    expires_at=NOW + timedelta(minutes=15),
)
TOKEN = ISSUER.issue(CLAIMS, at=NOW)


def _part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _read(part: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


HEADER, PAYLOAD, SIGNATURE = TOKEN.split(".")


def _with(claims: Callable[[dict[str, Any]], dict[str, Any]], **header: Any) -> str:
    """Signed with our own key: what only a bug of ours, or a thief of the key, could make."""
    return jwt.encode(
        _read(HEADER) | header, claims(_read(PAYLOAD)), ISSUER._keys[ISSUER._newest], algorithms=["HS256", "HS512"]
    )


def _without(name: str) -> str:
    return _with(lambda claims: {key: value for key, value in claims.items() if key != name})


def _saying(**changes: Any) -> str:
    return _with(lambda claims: claims | changes)


FORGED = {
    "empty": "",
    "a word": "token",
    "two parts": f"{HEADER}.{PAYLOAD}",
    "four parts": f"{TOKEN}.x",
    "dots": "..",
    "no base64": "*.*.*",
    "huge": "a" * 100_000,
    "a long one": f"{TOKEN}{'a' * 5000}",
    "no signature": f"{HEADER}.{PAYLOAD}.",
    "another signature": f"{HEADER}.{PAYLOAD}.{SIGNATURE[:-2]}xx",
    "another payload": f"{HEADER}.{_part(_read(PAYLOAD) | {'role': 'owner'})}.{SIGNATURE}",
    "alg none": f"{_part({'alg': 'none', 'typ': 'at+jwt'})}.{PAYLOAD}.",
    "alg NONE": f"{_part({'alg': 'NONE', 'typ': 'at+jwt'})}.{PAYLOAD}.{SIGNATURE}",
    "alg missing": f"{_part({'typ': 'at+jwt'})}.{PAYLOAD}.{SIGNATURE}",
    "another algorithm": _with(lambda claims: claims, alg="HS512"),
    "another key": jwt.encode(_read(HEADER), _read(PAYLOAD), OctKey.import_key(b"k" * 32)),
    "another type": _with(lambda claims: claims, typ="JWT"),
    "another key id": _with(lambda claims: claims, kid="../../dev/null"),
    "a key of its own": _with(lambda claims: claims, jwk={"kty": "oct", "k": "AAAA"}),
    "an address of a key": _with(lambda claims: claims, jku="https://example.com/keys"),
    "another issuer": _saying(iss="somebody"),
    "another audience": _saying(aud="another-api"),
    "several audiences": _saying(aud=["proffer-api", "x"]),
    "expired": _saying(exp=int((NOW - timedelta(minutes=1)).timestamp())),
    "expiry as a text": _saying(exp=str(int(NOW.timestamp()) + 900)),
    "expiry as a fraction": _saying(exp=NOW.timestamp() + 900.5),
    "expiry as a truth": _saying(exp=True),
    "expiry beyond time": _saying(exp=10**30),
    "issued tomorrow": _saying(iat=int((NOW + timedelta(days=1)).timestamp())),
    "a role that is none": _saying(role="root"),
    "a subject that is no id": _saying(sub="1"),
    "a session that is no id": _saying(sid=None),
    "an organisation that is a list": _saying(organization_id=[]),
    **{f"no {name}": _without(name) for name in _read(PAYLOAD)},
}


def test_our_own_token_is_taken() -> None:
    assert ISSUER.read(TOKEN, at=NOW + timedelta(minutes=14)) == CLAIMS


@pytest.mark.parametrize("forgery", FORGED)
def test_a_forged_token_is_refused_in_the_same_words(forgery: str) -> None:
    with pytest.raises(TokenRefused, match=r"^This token is not valid, or has expired: log in again\.$"):
        ISSUER.read(FORGED[forgery], at=NOW)


def test_tokens_of_another_installation_are_refused() -> None:
    with pytest.raises(TokenRefused):
        JwtIssuer(KeyRing(["another installation's secret key, also long"]), Uuid7Ids()).read(TOKEN, at=NOW)


def test_a_token_ends() -> None:
    with pytest.raises(TokenRefused):
        ISSUER.read(TOKEN, at=NOW + timedelta(minutes=16))


def test_a_token_that_was_good_before_ends_all_the_same() -> None:
    issuer = JwtIssuer(KeyRing(["one secret key of an installation, long"]), Uuid7Ids())
    token = issuer.issue(CLAIMS, at=NOW)

    assert issuer.read(token, at=NOW) == CLAIMS
    for at in (NOW + timedelta(minutes=16), NOW - timedelta(minutes=1)):  # Over, and not yet issued.
        with pytest.raises(TokenRefused):
            issuer.read(token, at=at)


def test_there_are_enough_forgeries() -> None:
    assert len(FORGED) >= 40
