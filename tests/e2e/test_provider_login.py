"""Logging in at an organisation's own provider: a real one, and one that lies."""

import asyncio
import json
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from dishka import AsyncContainer
from httpx import Response

from src.application.identity.platform import Operator, VerifyDomains
from src.domain.identity.actor import Origin, Role
from tests.e2e import provider as lies
from tests.e2e.conftest import Caller, Team, eventually
from tests.e2e.processes import free_port
from tests.e2e.provider import CLIENT_ID, CLIENT_SECRET, Provider

pytestmark = pytest.mark.asyncio

LOGIN, CALLBACK = "/api/v1/login/provider", "/api/v1/login/provider/callback"
COOKIE = "proffer-login"


@pytest.fixture
def provider() -> Iterator[Provider]:
    with lies.provider() as made:
        yield made


@pytest_asyncio.fixture
async def domain(team: Team, container: AsyncContainer) -> str:
    """An e-mail domain that is the organisation's."""
    made = f"{uuid4().hex[:10]}.example"
    verify = await container.get(VerifyDomains)
    operator = Operator(name="olga", origin=Origin(trace_id="0" * 32))
    await verify(operator, team.organization.organization.slug, (made,))
    return made


async def _configure(team: Team, issuer: str, **more: Any) -> Response:
    body = {"issuer": issuer, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "auto_provision": True} | more
    return await team.owner.put("/api/v1/organization/identity-provider", body)


async def _begin(team: Team, nobody: Caller) -> tuple[str, str]:
    """The address to go to, and the browser's cookie."""
    answer = await nobody.post(LOGIN, {"organization": team.organization.organization.slug})
    assert answer.status_code == 200, answer.text
    cookie = re.search(rf"{COOKIE}=([^;]+)", answer.headers["set-cookie"])
    assert cookie is not None
    for mark in ("HttpOnly", "SameSite=lax", "Path=/"):
        assert mark in answer.headers["set-cookie"]
    nobody.client.cookies.clear()
    return answer.json()["authorization_url"], cookie[1]


async def _come_back(nobody: Caller, query: dict[str, str], cookie: str) -> Response:
    answer = await nobody.client.get(CALLBACK, params=query, headers={"cookie": f"{COOKIE}={cookie}"})
    nobody.client.cookies.clear()
    return answer


async def _log_in(team: Team, nobody: Caller, provider: Provider) -> Response:
    url, cookie = await _begin(team, nobody)
    return await _come_back(nobody, provider.log_in(url), cookie)


async def test_whoever_comes_from_a_verified_domain_becomes_a_user_once(
    team: Team, nobody: Caller, provider: Provider, domain: str
) -> None:
    provider.person = {"sub": "ann-1", "email": f"Ann@{domain}", "email_verified": True, "name": "Ann Lee"}
    configured = await _configure(team, provider.url, default_role="sales")

    first = await _log_in(team, nobody, provider)
    provider.person |= {"email": "changed@elsewhere.example", "email_verified": False}
    second = await _log_in(team, nobody, provider)

    assert configured.json()["redirect_uri"].endswith(CALLBACK)
    assert "secret" not in configured.text
    assert first.json()["role"] == "sales"
    assert second.json()["user_id"] == first.json()["user_id"]  # The subject, not the e-mail.
    me = await Caller(nobody.client, second.json()["access_token"]).get("/api/v1/me")
    assert me.json()["name"] == "Ann Lee"
    users = (await team.owner.get("/api/v1/users")).json()["items"]
    assert [user["email"] for user in users if user["name"] == "Ann Lee"] == [f"ann@{domain}"]


async def test_a_verified_address_links_the_account_that_is_there(
    team: Team, nobody: Caller, provider: Provider, container: AsyncContainer
) -> None:
    sales = team.organization.users[Role.SALES]
    verify = await container.get(VerifyDomains)
    operator = Operator(name="olga", origin=Origin(trace_id="0" * 32))
    await verify(operator, team.organization.organization.slug, (sales.email.partition("@")[2],))
    provider.person = {"sub": "s", "email": sales.email, "email_verified": True}
    await _configure(team, provider.url, auto_provision=False)

    answer = await _log_in(team, nobody, provider)
    await team.owner.post(f"/api/v1/users/{sales.id}/deactivate")
    locked_out = await _log_in(team, nobody, provider)

    assert answer.json()["user_id"] == str(sales.id)
    assert locked_out.status_code == 401


def _without(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda told: {key: value for key, value in told.items() if key != name}


LIES: dict[str, dict[str, Any]] = {
    "another issuer": {"claims": lambda told: told | {"iss": "https://evil.example"}},
    "another audience": {"claims": lambda told: told | {"aud": "another client"}},
    "audiences without azp": {"claims": lambda told: told | {"aud": [CLIENT_ID, "another"]}},
    "another azp": {"claims": lambda told: told | {"azp": "another"}},
    "another nonce": {"claims": lambda told: told | {"nonce": "n" * 64}},
    "no nonce": {"claims": _without("nonce")},
    "expired": {"claims": lambda told: told | {"exp": told["iat"] - 3600}},
    "never expires": {"claims": _without("exp")},
    "expiry as a text": {"claims": lambda told: told | {"exp": str(told["exp"])}},
    "issued tomorrow": {"claims": lambda told: told | {"iat": told["iat"] + 86400}},
    "no subject": {"claims": _without("sub")},
    "an empty subject": {"claims": lambda told: told | {"sub": ""}},
    "a subject that is a number": {"claims": lambda told: told | {"sub": 7}},
    "not signed": {"sign": lies.unsigned},
    "signed with the shared secret": {"sign": lies.signed_with_a_shared_secret},
    "signed by another": {"sign": lies.signed_by_another},
    "no token": {"sign": lambda _: "x.y.z"},
    "an address that is not verified": {"claims": lambda told: told | {"email_verified": False}},
    "verified as a text": {"claims": lambda told: told | {"email_verified": "true"}},
    "an address of another domain": {"claims": lambda told: told | {"email": "ann@evil.example"}},
    "a subdomain": {"claims": lambda told: told | {"email": "ann@sub." + told["email"].partition("@")[2]}},
    "no address": {"claims": _without("email")},
}


@pytest.mark.parametrize("lie", LIES)
async def test_a_provider_that_lies_opens_nothing(
    lie: str, team: Team, nobody: Caller, provider: Provider, domain: str
) -> None:
    provider.person = {"sub": "ann", "email": f"ann@{domain}", "email_verified": True}
    await _configure(team, provider.url)
    for name, value in LIES[lie].items():
        setattr(provider, name, value)

    answer = await _log_in(team, nobody, provider)

    assert (answer.status_code, answer.json()["error_code"]) == (401, "provider_login_failed"), answer.text


@pytest.mark.parametrize(
    "broken",
    [
        {"discovery": lambda told: told | {"issuer": "https://evil.example"}},
        {"discovery": lambda told: told | {"token_endpoint": "http://169.254.169.254/token"}},
        {"discovery": lambda told: told | {"token_endpoint": "file:///etc/passwd"}},
        {"discovery": _without("jwks_uri")},
        {"keys": b"no json"},
        {"keys": b"[" * 100_000},
        {"keys": b" " * (2 * 1024 * 1024)},
        {"redirect_keys": "http://127.0.0.1:1/keys"},
    ],
    ids=["issuer", "metadata service", "file", "no keys", "no json", "deep", "large", "redirect"],
)
async def test_a_provider_that_is_broken_is_said_to_be(
    broken: dict[str, Any], team: Team, nobody: Caller, provider: Provider, domain: str
) -> None:
    provider.person = {"sub": "ann", "email": f"ann@{domain}", "email_verified": True}
    await _configure(team, provider.url)
    url, cookie = await _begin(team, nobody)
    for name, value in broken.items():
        setattr(provider, name, value)

    answer = await _come_back(nobody, provider.log_in(url), cookie)

    assert (answer.status_code, answer.json()["error_code"]) == (409, "identity_provider_unreachable"), answer.text


async def test_an_answer_counts_once_for_one_browser(
    team: Team, nobody: Caller, provider: Provider, domain: str
) -> None:
    provider.person = {"sub": "ann", "email": f"ann@{domain}", "email_verified": True}
    await _configure(team, provider.url)
    url, cookie = await _begin(team, nobody)
    query = provider.log_in(url)
    right = await _come_back(nobody, query, cookie)
    replayed = await _come_back(nobody, query, cookie)
    refused = []
    for change in (
        {"state": "x"},
        {"state": query["state"]},
        {"iss": "https://evil.example"},
        {"code": "another code"},
    ):
        url, own = await _begin(team, nobody)
        refused.append(await _come_back(nobody, provider.log_in(url) | change, own))
    url, _ = await _begin(team, nobody)
    refused.append(await _come_back(nobody, provider.log_in(url), "another browser's"))
    url, own = await _begin(team, nobody)
    without_issuer = provider.log_in(url)
    del without_issuer["iss"]  # It promises to send one (RFC 9207).
    refused.append(await _come_back(nobody, without_issuer, own))

    assert right.status_code == 200
    assert replayed.status_code == 401
    assert [answer.status_code for answer in refused] == [401] * 6


async def test_one_organisations_answer_is_not_anothers(
    team: Team, strangers: Team, nobody: Caller, provider: Provider, domain: str
) -> None:
    provider.person = {"sub": "ann", "email": f"ann@{domain}", "email_verified": True}
    await _configure(team, provider.url)
    await _configure(strangers, provider.url)

    theirs = await _log_in(strangers, nobody, provider)  # The domain is not verified as theirs.
    ours = await _log_in(team, nobody, provider)

    assert (theirs.status_code, ours.status_code) == (401, 200)


async def test_no_organisation_and_none_with_a_provider_are_answered_alike(team: Team, nobody: Caller) -> None:
    answers = [
        await nobody.post(LOGIN, {"organization": slug}) for slug in (team.organization.organization.slug, "nowhere")
    ]

    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].json()["message"] == answers[1].json()["message"]


@pytest.mark.parametrize(
    "issuer", ["ftp://x.example", "https://a@b.example", "https://x.example/?a=1", "x", "https://x.example#y"]
)
async def test_an_issuer_is_an_address(issuer: str, team: Team) -> None:
    answer = await _configure(team, issuer)

    assert (answer.status_code, answer.json()["details"][0]["field"]) == (422, "issuer")


async def test_a_provider_inside_is_not_reached(team: Team, nobody: Caller) -> None:
    await _configure(team, "https://10.255.255.1")

    answer = await nobody.post(LOGIN, {"organization": team.organization.organization.slug})

    assert (answer.status_code, answer.json()["error_code"]) == (409, "identity_provider_unreachable")


async def test_a_real_provider_of_somebody_elses_making(team: Team, nobody: Caller, domain: str) -> None:
    person = {"sub": "ann", "email": f"ann@{domain}", "email_verified": True, "name": "Ann Lee"}
    port = free_port()
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port), "--user-claims", json.dumps(person)]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        issuer = f"http://127.0.0.1:{port}"
        await eventually(lambda: _is_up(issuer))
        assert (await _configure(team, issuer, client_id="shop", client_secret="s3cret")).status_code == 200
        url, cookie = await _begin(team, nobody)
        async with httpx.AsyncClient() as browser:
            back = await browser.post(url, data={"sub": "ann"})
        query = {name: values[0] for name, values in parse_qs(urlsplit(back.headers["location"]).query).items()}
        logged_in = await _come_back(nobody, query, cookie)
    finally:
        process.terminate()
        await process.wait()

    assert logged_in.status_code == 200, logged_in.text
    assert logged_in.json()["name"] == "Ann Lee"


async def _is_up(issuer: str) -> bool | None:
    async with httpx.AsyncClient() as client:
        try:
            return (await client.get(f"{issuer}/.well-known/openid-configuration")).status_code == 200 or None
        except httpx.TransportError:
            return None
