"""Writes that happen once, and updates that overwrite nothing unseen."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
from dishka import AsyncContainer
from httpx import ASGITransport, AsyncClient
from litestar import Litestar
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from src.entrypoints.http.api import create_api
from src.entrypoints.http.app import HttpSettings
from src.entrypoints.http.customers.schemas import CustomerResponse
from tests.e2e.conftest import Caller, Team
from tests.e2e.offers import a_draft

pytestmark = pytest.mark.asyncio

API = "/api/v1"
CUSTOMERS = f"{API}/customers"


async def _count(team: Team) -> int:
    return int((await team.owner.get(CUSTOMERS)).json()["total"])


async def test_a_write_that_is_sent_again_is_done_once(team: Team) -> None:
    key = uuid4().hex
    first = await team.sales.post(CUSTOMERS, {"name": "Brandt", "currency": "EUR"}, idempotency_key=key)
    again = await team.sales.post(CUSTOMERS, {"currency": "EUR", "name": "Brandt"}, idempotency_key=f'"{key}"')

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["content-type"] == first.headers["content-type"]
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert await _count(team) == 1
    created = (await team.owner.get(f"{API}/audit/entries", action="customer.created")).json()
    assert created["total"] == 1


@pytest.mark.parametrize("other", [{"name": "Other"}, {"name": "Brandt", "currency": "USD"}])
async def test_a_key_is_for_one_request(other: dict[str, str], team: Team) -> None:
    key = uuid4().hex
    await team.sales.post(CUSTOMERS, {"name": "Brandt"}, idempotency_key=key)

    answer = await team.sales.post(CUSTOMERS, other, idempotency_key=key)
    elsewhere = await team.sales.post(f"{API}/quotes", {"name": "Brandt"}, idempotency_key=key)

    assert (answer.status_code, answer.json()["error_code"]) == (422, "idempotency_mismatch")
    assert elsewhere.status_code == 422
    assert await _count(team) == 1


async def test_a_refused_request_leaves_its_key_free(team: Team) -> None:
    key = uuid4().hex
    draft = await a_draft(team.sales)
    path = f"{API}/quotes/{draft['id']}/send"

    refused = [await team.sales.post(path, {}, idempotency_key=key) for _ in range(2)]
    invalid = await team.sales.post(CUSTOMERS, {"name": ""}, idempotency_key=key)
    repaired = await team.sales.post(CUSTOMERS, {"name": "Brandt"}, idempotency_key=key)

    assert [answer.status_code for answer in refused] == [409, 409]
    assert "idempotency-replayed" not in refused[1].headers
    assert (invalid.status_code, repaired.status_code) == (422, 201)


async def test_what_fails_after_its_commit_is_undone(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer is a part of it: without one nothing lasts, and the key is free."""
    key = uuid4().hex

    def broken(_: object) -> None:
        raise RuntimeError("no answer can be made")

    with monkeypatch.context() as patched:
        patched.setattr(CustomerResponse, "of", broken)
        failed = await team.sales.post(CUSTOMERS, {"name": "Brandt"}, idempotency_key=key)
    repaired = await team.sales.post(CUSTOMERS, {"name": "Brandt"}, idempotency_key=key)

    assert (failed.status_code, repaired.status_code) == (500, 201)
    assert "idempotency-replayed" not in repaired.headers
    assert await _count(team) == 1


@pytest.mark.parametrize("sqlstate", ["40P01", "40001", "55P03"])
async def test_a_write_that_met_another_is_sent_again_under_its_key(
    sqlstate: str, team: Team, admin_engine: AsyncEngine
) -> None:
    """Which the database undoes by itself, so that nothing of the first is there."""
    key, body = uuid4().hex, {"name": f"Brandt {sqlstate}"}

    async with _refused_by_the_database(admin_engine, body["name"], sqlstate):
        refused = await team.sales.post(CUSTOMERS, body, idempotency_key=key)
    repeated = await team.sales.post(CUSTOMERS, body, idempotency_key=key)

    assert (refused.status_code, refused.json()["error_code"]) == (503, "database_busy")
    assert "send it again" in refused.json()["message"]
    assert int(refused.headers["retry-after"]) >= 1
    assert (repeated.status_code, "idempotency-replayed" in repeated.headers) == (201, False)
    assert await _count(team) == 1


@asynccontextmanager
async def _refused_by_the_database(admin: AsyncEngine, name: str, sqlstate: str) -> AsyncIterator[None]:
    """Meanwhile no customer of this name is stored: the database says *sqlstate*."""
    async with admin.begin() as connection:
        await connection.exec_driver_sql(
            "CREATE FUNCTION proffer.trouble() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE SQLSTATE '{sqlstate}'; END $$"
        )
        await connection.exec_driver_sql(
            "CREATE TRIGGER trouble BEFORE INSERT ON proffer.customers FOR EACH ROW "
            f"WHEN (NEW.name = '{name}') EXECUTE FUNCTION proffer.trouble()"
        )
    try:
        yield
    finally:
        async with admin.begin() as connection:
            await connection.exec_driver_sql("DROP FUNCTION proffer.trouble() CASCADE")


async def test_a_key_never_crosses_persons_or_organisations(team: Team, strangers: Team) -> None:
    key, body = uuid4().hex, {"name": "Brandt"}

    answers = [
        await caller.post(CUSTOMERS, body, idempotency_key=key) for caller in (team.sales, team.admin, strangers.sales)
    ]

    assert [answer.status_code for answer in answers] == [201, 201, 201]
    assert len({answer.json()["id"] for answer in answers}) == 3
    assert await _count(strangers) == 1


async def test_rivals_with_one_key_have_one_effect(team: Team) -> None:
    """Twenty keys, nine sends each, all at once: one effect for each key, and the rest replays or waits."""
    keys = [uuid4().hex for _ in range(20)]

    async def send(key: str) -> Any:
        return await team.sales.post(CUSTOMERS, {"name": f"C {key}"}, idempotency_key=key)

    answers = await asyncio.gather(*(send(key) for key in keys for _ in range(9)))

    assert {answer.status_code for answer in answers} <= {201, 409, 503}
    for answer in answers:
        if answer.status_code == 409:
            assert answer.json()["error_code"] == "in_progress"
            assert answer.headers["retry-after"] == "1"
    settled = [await send(key) for key in keys]
    assert {answer.status_code for answer in settled} == {201}
    assert await _count(team) == 20


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "a b"])
async def test_a_key_is_visible_ascii(key: str, team: Team) -> None:
    answer = await team.sales.post(CUSTOMERS, {"name": "Brandt"}, idempotency_key=key)

    assert answer.status_code == 422
    assert answer.json()["details"][0]["field"] == "Idempotency-Key"


async def test_a_secret_that_is_shown_once_is_not_kept_in_the_clear(team: Team, app_engine: AsyncEngine) -> None:
    key = uuid4().hex
    body = {"name": "Shop", "scopes": ["quotes.view"]}
    first = await team.admin.post(f"{API}/api-keys", body, idempotency_key=key)
    again = await team.admin.post(f"{API}/api-keys", body, idempotency_key=key)

    async with app_engine.connect() as connection:
        tenant = str(team.organization.organization.id)
        await connection.execute(text("SELECT set_config('app.tenant_id', :t, true)"), {"t": tenant})
        kept = (await connection.execute(text("SELECT body FROM proffer.idempotency_keys"))).scalars().all()

    assert again.json() == first.json()
    assert kept
    assert all(first.json()["secret"].encode() not in bytes(one) for one in kept)


async def test_an_update_says_which_version_it_was_made_from(app: Litestar, team: Team) -> None:
    """Of each address that shows an ETag and takes an update: 428 without, 412 for an old one, never a weak one or *."""
    tried = 0
    for path, address in (await _addresses(team)).items():
        item = app.openapi_schema.to_schema()["paths"][path]
        shown = await team.owner.get(address)
        assert shown.headers.get("etag"), path
        for method in {"patch", "put", "delete"} & set(item):
            for tag, status in ((None, 428), ('"99999"', 412), ("*", 422), (f"W/{shown.headers['etag']}", 422)):
                headers = {"authorization": f"Bearer {team.owner.token}"} | ({"if-match": tag} if tag else {})
                body = {} if method == "delete" else {"json": _CHANGES.get(path, {"name": "Another name"})}
                answer = await team.owner.client.request(method.upper(), address, headers=headers, **body)  # type: ignore[arg-type]  # JSON.
                assert answer.status_code == status, (method, path, tag, answer.text)
            tried += 1
    assert tried >= 9


async def test_rival_editors_of_one_version_have_one_winner(team: Team) -> None:
    draft = await a_draft(team.sales)
    path = f"{API}/quotes/{draft['id']}"
    tag = await team.sales.tag_of(path)

    answers = await asyncio.gather(
        *(team.sales.patch(path, {"title": f"T{number}"}, if_match=tag) for number in range(20))
    )

    statuses = [answer.status_code for answer in answers]
    assert statuses.count(200) == 1
    assert set(statuses) <= {200, 412, 503}


_CHANGES: dict[str, dict[str, Any]] = {
    f"{API}/quotes/{{quote_id}}": {"title": "x"},
    f"{API}/coupons/{{coupon_id}}": {"active": False},
    f"{API}/organization": {"locale": "de"},
    f"{API}/custom-fields/{{field_id}}": {"label": "Another"},
    f"{API}/mail-templates/{{template_id}}": {"subject": "Another"},
}


async def _addresses(team: Team) -> dict[str, str]:
    """Every address that takes an update of something with an ETag, with something there."""
    made = {
        "users/{user_id}": ("users", {"email": "x@example.com", "name": "X", "role": "sales"}),
        "products/{product_id}": ("products", {"sku": "S", "name": "x", "list_price": "1", "tax_rate_percent": None}),
        "categories/{category_id}": ("categories", {"name": "x"}),
        "tax-rates/{tax_rate_id}": (
            "tax-rates",
            {"code": "V", "name": "VAT", "category": "VAT", "periods": [{"rate_percent": "19"}]},
        ),
        "customer-groups/{group_id}": ("customer-groups", {"name": "x"}),
        "price-lists/{price_list_id}": ("price-lists", {"name": "x"}),
        "custom-fields/{field_id}": (
            "custom-fields",
            {"subject": "product", "key": "colour", "label": "Colour", "kind": "text"},
        ),
        "mail-templates/{template_id}": (
            "mail-templates",
            {"kind": "offer", "language": "fr", "subject": "x", "text": "x"},
        ),
        "coupons/{coupon_id}": ("coupons", {"code": "SPRING", "percent": "5"}),
        "approval-policies/{policy_id}": (
            "approval-policies",
            {"name": "P", "steps": [{"name": "S", "roles": ["approver"]}]},
        ),
    }
    found = {f"{API}/organization": f"{API}/organization"}
    for path, (where, body) in made.items():
        answer = await team.owner.post(f"{API}/{where}", body)
        assert answer.status_code == 201, answer.text
        identity = answer.json()["id"]
        found[f"{API}/{path}"] = f"{API}/{where}/{identity}"
    draft = await a_draft(team.sales)
    contact = (await team.owner.get(f"{API}/contacts")).json()["items"][0]
    found[f"{API}/quotes/{{quote_id}}"] = f"{API}/quotes/{draft['id']}"
    found[f"{API}/customers/{{customer_id}}"] = f"{API}/customers/{draft['customer_id']}"
    found[f"{API}/contacts/{{contact_id}}"] = f"{API}/contacts/{contact['id']}"
    return found


async def test_no_update_is_left_out(app: Litestar, team: Team) -> None:
    """A new PATCH fails here until it is tried above."""
    tried = set(await _addresses(team))
    patched = {path for path, item in app.openapi_schema.to_schema()["paths"].items() if "patch" in item}

    assert patched == tried


async def test_a_key_can_be_demanded(container: AsyncContainer, team: Team) -> None:
    strict = await create_api(container, HttpSettings(require_idempotency_keys=True))
    transport = ASGITransport(app=strict, raise_app_exceptions=False)  # type: ignore[arg-type]  # Two spellings of ASGI.
    async with AsyncClient(transport=transport, base_url="http://proffer.test") as client:
        headers = {"authorization": f"Bearer {team.sales.token}"}
        without = await client.post(CUSTOMERS, json={"name": "Brandt"}, headers=headers)
        with_key = await Caller(client, team.sales.token).post(CUSTOMERS, {"name": "Brandt"})

    assert (without.status_code, without.json()["error_code"]) == (400, "idempotency_key_required")
    assert with_key.status_code == 201
