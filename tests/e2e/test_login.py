"""Logging in, and tokens that are not ours."""

import base64
import json
import time
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from tests.e2e.conftest import Caller, Team, eventually
from tests.organizations import PASSWORD

pytestmark = pytest.mark.asyncio

LOGIN = "/api/v1/login"


async def test_a_token_tells_who_carries_it(team: Team) -> None:
    claims = _payload(team.sales.token)
    me = (await team.sales.get("/api/v1/me")).json()

    assert {"sub", "email", "organization_id", "role", "sid", "exp", "iat", "jti", "iss", "aud"} <= set(claims)
    assert claims["role"] == "sales"
    assert claims["exp"] - claims["iat"] == 15 * 60
    assert me["user_id"] == claims["sub"]
    assert "quotes.edit" in me["permissions"]


@pytest.mark.parametrize("field", ["email", "password"])
async def test_whatever_is_wrong_the_answer_is_the_same(field: str, team: Team, nobody: Caller) -> None:
    email = next(iter(team.organization.users.values())).email
    body = {"email": email, "password": PASSWORD} | {field: f"wrong-{email}"}

    answer = await nobody.post(LOGIN, body)

    assert answer.status_code == 401
    assert answer.json()["error_code"] == "login_failed"
    assert answer.json()["message"] == "E-mail or password is wrong."


@pytest.mark.usefixtures("worker")
async def test_a_failed_login_is_audited(team: Team, nobody: Caller) -> None:
    email = next(iter(team.organization.users.values())).email
    await nobody.post(LOGIN, {"email": email, "password": "wrong password"})

    async def entries_there() -> dict[str, Any] | None:
        found: dict[str, Any] = (await team.owner.get("/api/v1/audit/entries", action="user.login_failed")).json()
        return found if found["total"] else None

    entries = await eventually(entries_there)

    assert entries["total"] == 1
    assert entries["items"][0]["ip_address"] == "127.0.0.1"
    assert "wrong password" not in json.dumps(entries)


@pytest.mark.parametrize("path", ["/api/v1/me", "/api/v1/quotes", "/api/v1/customers", "/api/v1/audit/entries"])
async def test_without_a_token_everything_is_closed(path: str, nobody: Caller) -> None:
    answer = await nobody.get(path)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "forge",
    [
        lambda token: token[:-4] + "AAAA",
        lambda token: token.rpartition(".")[0] + ".",
        lambda token: ".".join([_part({"alg": "none", "typ": "at+jwt"}), token.split(".")[1], ""]),
        lambda token: ".".join([_part({"alg": "None"}), token.split(".")[1], token.split(".")[2]]),
        lambda token: ".".join([token.split(".")[0], _part(_payload(token) | {"role": "owner"}), token.split(".")[2]]),
        lambda token: _signed(_payload(token)),
        lambda token: _signed(_payload(token) | {"exp": int(time.time()) - 1000}),
        lambda _: "x",
        lambda _: "a.b.c",
        lambda _: "." * 5000,
    ],
    ids=["signature", "unsigned", "alg none", "alg None", "payload", "another key", "expired", "word", "words", "dots"],
)
async def test_forged_tokens_are_refused(forge: Any, team: Team) -> None:
    answer = await Caller(team.sales.client, forge(team.sales.token)).get("/api/v1/me")

    assert answer.status_code == 401
    assert answer.json()["error_code"] == "token_refused"


async def test_who_may_not_is_told_which_permission_is_missing(team: Team) -> None:
    answer = await team.viewer.post("/api/v1/customers", {"name": "Brandt"})

    assert answer.status_code == 403
    assert answer.json()["details"] == {"permission": "customers.edit"}


def _payload(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    decoded: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return decoded


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _signed(claims: dict[str, Any]) -> str:
    """By somebody who knows everything but the key."""
    return jwt.encode({"alg": "HS256", "typ": "at+jwt", "kid": "0" * 16}, claims, OctKey.import_key(b"k" * 32))
