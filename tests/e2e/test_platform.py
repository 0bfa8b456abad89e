"""Platform operators: their own door, and a suspension that bites at once."""

from uuid import uuid4

import pytest
import pytest_asyncio
from dishka import AsyncContainer

from src.application.identity.platform import CreateOperatorKey, RevokeOperatorKeys
from src.domain.identity.actor import Role
from tests.e2e.conftest import Caller, Team
from tests.organizations import PASSWORD

pytestmark = pytest.mark.asyncio

ORGANIZATIONS = "/platform/v1/organizations"


@pytest_asyncio.fixture
async def operator(container: AsyncContainer, nobody: Caller) -> Caller:
    create = await container.get(CreateOperatorKey)
    return Caller(nobody.client, (await create(f"olga-{uuid4().hex[:8]}")).secret)


async def test_a_suspended_organisation_gets_in_nowhere_at_once(
    operator: Caller, team: Team, strangers: Team, nobody: Caller
) -> None:
    slug = team.organization.organization.slug
    sales = team.organization.users[Role.SALES]
    told = (await nobody.post("/api/v1/login", {"email": sales.email, "password": PASSWORD})).json()
    made = (await team.admin.post("/api/v1/api-keys", {"name": "K", "scopes": ["quotes.view"]})).json()
    key = Caller(nobody.client, made["secret"])
    assert (await key.get("/api/v1/quotes")).status_code == 200

    suspended = await operator.post(f"{ORGANIZATIONS}/{slug}/suspend", {"reason": "Unpaid"})
    twice = await operator.post(f"{ORGANIZATIONS}/{slug}/suspend", {"reason": "Unpaid"})

    assert (suspended.status_code, suspended.json()["status"]) == (200, "suspended")
    assert (twice.status_code, twice.json()["error_code"]) == (409, "organization_state")
    for answer in (
        await team.owner.get("/api/v1/me"),
        await key.get("/api/v1/quotes"),
        await nobody.post("/api/v1/session/refresh", {"refresh_token": told["refresh_token"]}),
        await nobody.post("/api/v1/login", {"email": sales.email, "password": PASSWORD}),
    ):
        assert answer.status_code == 401
    assert (await strangers.owner.get("/api/v1/me")).status_code == 200

    restored = await operator.post(f"{ORGANIZATIONS}/{team.organization.organization.id}/restore")
    entries = (await team.owner.get("/api/v1/audit/entries", resource_type="organization")).json()["items"]

    assert restored.json()["status"] == "active"
    assert [entry["action"] for entry in entries[:2]] == ["organization.restored", "organization.suspended"]
    assert {entry["actor_kind"] for entry in entries[:2]} == {"operator"}
    assert entries[1]["details"] == {"reason": "Unpaid"}


async def test_an_operator_makes_and_lists_organisations(operator: Caller, nobody: Caller) -> None:
    slug = f"org-{uuid4().hex[:12]}"
    body = {
        "slug": slug,
        "party": {"name": "Neu GmbH", "address": {"country": "DE"}},
        "default_currency": "EUR",
        "time_zone": "Europe/Berlin",
        "owner_email": f"{slug}@example.com",
        "owner_name": "Olga",
        "owner_password": "correct horse battery",
    }
    made = await operator.post(ORGANIZATIONS, body)
    taken = await operator.post(ORGANIZATIONS, body)
    listed = (await operator.get(ORGANIZATIONS, search=slug)).json()
    assert "total" in listed, listed
    domains = await nobody.client.put(
        f"{ORGANIZATIONS}/{slug}/domains",
        json={"domains": ["Example.com"]},
        headers={"authorization": f"Bearer {operator.token}"},
    )
    login = await nobody.post("/api/v1/login", {"email": f"{slug}@example.com", "password": "correct horse battery"})
    owner = Caller(nobody.client, login.json()["access_token"])

    assert (made.status_code, taken.json()["error_code"]) == (201, "slug_taken")
    assert (listed["total"], listed["items"][0]["country"]) == (1, "DE")
    assert domains.status_code == 200
    assert (await owner.get("/api/v1/organization")).json()["verified_domains"] == ["example.com"]
    unknown = await operator.post(f"{ORGANIZATIONS}/nowhere/restore")
    assert (unknown.status_code, unknown.json()["error_code"]) == (404, "organization_unknown")


async def test_a_revoked_operator_is_out(container: AsyncContainer, operator: Caller) -> None:
    assert (await operator.get(ORGANIZATIONS)).status_code == 200
    create, revoke = await container.get(CreateOperatorKey), await container.get(RevokeOperatorKeys)
    made = await create("leaver")
    leaver = Caller(operator.client, made.secret)
    assert (await leaver.get(ORGANIZATIONS)).status_code == 200

    assert await revoke("leaver") == 1
    assert (await leaver.get(ORGANIZATIONS)).status_code == 401
    assert (await operator.get("/api/v1/me")).status_code == 401


async def test_the_application_cannot_suspend_or_vouch(team: Team) -> None:
    """Not even its owner: the fields are not the organisation's to name."""
    for field in ("status", "verified_domains", "slug", "id"):
        answer = await team.owner.patch("/api/v1/organization", {field: "suspended"})
        assert (answer.status_code, answer.json()["details"][0]["field"]) == (422, field)
