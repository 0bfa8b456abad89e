"""The matrix of roles and permissions is what happens: every route is asked by everybody."""

import re
from typing import Any, Final
from uuid import uuid4

import pytest
from litestar import Litestar

from scripts.write_permissions import FILE, application, permissions_document
from src.domain.identity.actor import PERMISSIONS, Permission, Role
from src.entrypoints.http.access import Access, Door, accesses_of
from tests.e2e.conftest import Caller, Team
from tests.e2e.offers import a_draft

pytestmark = pytest.mark.asyncio

# A body that is taken as such, so that nothing but the right decides; for what else is sent as nothing or {}.
_LINE: Final = {"quantity": "1", "description": "x", "unit_price": "1"}
BODIES: Final[dict[str, dict[str, Any]]] = {
    "POST /api/v1/api-keys": {"name": "K", "scopes": ["quotes.view"]},
    "POST /api/v1/approval-policies": {
        "name": "P",
        "order": 1,
        "conditions": [],
        "steps": [{"name": "S", "roles": ["approver"]}],
    },
    "PATCH /api/v1/approval-policies/{policy_id}": {"name": "x"},
    "POST /api/v1/approval-policies/{policy_id}/simulate": {"from": "2026-01-01", "to": "2026-01-02"},
    "POST /api/v1/approvals/{approval_id}/approve": {"content_digest": "0" * 64},
    "POST /api/v1/approvals/{approval_id}/reject": {"content_digest": "0" * 64, "reason": "No."},
    "POST /api/v1/approvals/{approval_id}/comments": {"text": "x"},
    "POST /api/v1/delegations": {
        "to_user_id": str(uuid4()),
        "starts_on": "2090-01-01",
        "ends_on": "2090-01-02",
    },
    "POST /api/v1/categories": {"name": "x"},
    "PATCH /api/v1/categories/{category_id}": {"name": "x"},
    "POST /api/v1/coupons": {"code": "SPRING", "percent": "5"},
    "PATCH /api/v1/coupons/{coupon_id}": {"active": False},
    "POST /api/v1/customer-groups": {"name": "x"},
    "PATCH /api/v1/customer-groups/{group_id}": {"name": "x"},
    "POST /api/v1/customers": {"name": "x"},
    "POST /api/v1/custom-fields": {"subject": "quote", "key": "k", "label": "K", "kind": "text"},
    "PATCH /api/v1/custom-fields/{field_id}": {"label": "x"},
    "PATCH /api/v1/customers/{customer_id}": {"notes": "x"},
    "POST /api/v1/customers/{customer_id}/merge": {"duplicate_id": str(uuid4())},
    "POST /api/v1/customers/{customer_id}/reject": {"reason": "x"},
    "POST /api/v1/customers/{customer_id}/suspend": {"reason": "x"},
    "PATCH /api/v1/contacts/{contact_id}": {"name": "x"},
    "POST /api/v1/contacts/{contact_id}/merge": {"duplicate_id": str(uuid4())},
    "PUT /api/v1/customers/{customer_id}/group": {"group_id": None},
    "POST /api/v1/customers/{customer_id}/contacts": {"name": "Ann", "email": "ann@example.com"},
    "POST /api/v1/exchange-rates": {
        "rates": [{"base": "USD", "target": "EUR", "rate": "0.9", "source": "ECB", "as_of": "2026-01-02"}]
    },
    "POST /api/v1/mail-templates": {"kind": "offer", "language": "fr", "subject": "x", "text": "x"},
    "POST /api/v1/mail-templates/preview": {"kind": "offer", "language": "fr", "subject": "x", "text": "x"},
    "PATCH /api/v1/mail-templates/{template_id}": {"subject": "x"},
    "POST /api/v1/exports": {"kind": "quotes"},
    "POST /api/v1/me/password": {"current_password": "wrong one", "new_password": "another battery"},
    "POST /api/v1/me/second-factor/confirm": {"code": "1"},
    "POST /api/v1/me/second-factor/remove": {"code": "1"},
    "PATCH /api/v1/organization": {"locale": "en"},
    "PUT /api/v1/organization/identity-provider": {
        "issuer": "https://login.example.com",
        "client_id": "x",
        "client_secret": "x",
    },
    "POST /api/v1/price-lists": {"name": "x"},
    "PATCH /api/v1/price-lists/{price_list_id}": {"name": "x"},
    "PUT /api/v1/price-lists/{price_list_id}/prices": {
        "product_id": str(uuid4()),
        "tiers": [{"discount_percent": "5"}],
    },
    "POST /api/v1/prices": {"customer_id": str(uuid4()), "items": [{"product_id": str(uuid4())}]},
    "POST /api/v1/products": {"sku": "S", "name": "x", "list_price": "1", "tax_rate_percent": None},
    "PATCH /api/v1/products/{product_id}": {"name": "x"},
    "POST /api/v1/quotes": {"customer_id": str(uuid4()), "lines": [_LINE]},
    "POST /api/v1/quotes/calculate": {"lines": [_LINE]},
    "PATCH /api/v1/quotes/{quote_id}": {"title": "x"},
    "POST /api/v1/quotes/{quote_id}/approve": {"content_digest": "0" * 64},
    "POST /api/v1/quotes/{quote_id}/reject": {"content_digest": "0" * 64, "reason": "No."},
    "POST /api/v1/quotes/{quote_id}/cancel": {"reason": "mistake"},
    "POST /api/v1/tax-rates": {
        "code": "V",
        "name": "VAT",
        "category": "VAT",
        "periods": [{"rate_percent": "19"}],
    },
    "PATCH /api/v1/tax-rates/{tax_rate_id}": {"name": "x"},
    "POST /api/v1/users": {"email": "somebody@example.com", "name": "X", "role": "viewer"},
    "PATCH /api/v1/users/{user_id}": {"name": "x"},
    "POST /platform/v1/organizations": {
        "slug": "x",
        "party": {"name": "x"},
        "default_currency": "EUR",
        "time_zone": "Europe/Berlin",
        "owner_email": "x@example.com",
        "owner_name": "x",
        "owner_password": "correct horse",
    },
    "POST /platform/v1/organizations/{organization}/suspend": {"reason": "x"},
    "PUT /platform/v1/organizations/{organization}/domains": {"domains": []},
}
QUERIES: Final = {
    "GET /api/v1/reports/revenue": "?by=customer",
    "POST /api/v1/imports": "?kind=products&dry_run=true",
    "DELETE /api/v1/price-lists/{price_list_id}/prices": f"?product_id={uuid4()}",
}
# These end the session that asks, or begin what only one can have.
_LAST: Final = "/logout"


async def test_the_document_is_what_the_code_says() -> None:
    """Write it anew with: python -m scripts.write_permissions."""
    assert FILE.read_text(encoding="utf-8") == permissions_document(accesses_of(application()))


@pytest.mark.parametrize("role", list(Role))
async def test_each_role_may_what_the_matrix_says_and_nothing_else(role: Role, app: Litestar, team: Team) -> None:
    """A route that is refused for want of a right, and only then, is one that the role's permissions lack."""
    caller: Caller = getattr(team, role.value)
    asked = sorted(
        (one for one in accesses_of(app) if one.door is Door.USERS), key=lambda one: one.path.endswith(_LAST)
    )
    for access in asked:
        answer = await _ask(caller, access)
        error = answer.json().get("error_code") if answer.status_code >= 400 else None
        lacking = error == "permission_missing" and answer.json()["details"]["permission"] == access.permission
        place = (access.method, access.path, answer.status_code, error)
        assert lacking is (access.permission not in PERMISSIONS[role]), place
        assert answer.status_code < 500, place
        if not lacking and error is not None:  # Refused for another reason, and not as malformed.
            assert answer.status_code in {401, 403, 404, 409, 412, 422}, place


async def test_the_doors_are_closed_to_those_without_a_key(app: Litestar, team: Team, nobody: Caller) -> None:
    for access in accesses_of(app):
        if access.door is Door.EVERYBODY:
            continue
        callers = [nobody, Caller(nobody.client, "x.y.z")]
        if access.door is Door.OPERATORS:
            callers.append(team.owner)
        for caller in callers:
            answer = await _ask(caller, access)
            assert answer.status_code == 401, (access.method, access.path, answer.text)


async def test_a_key_may_what_its_scopes_say_and_nothing_else(app: Litestar, team: Team, nobody: Caller) -> None:
    scopes = {Permission.VIEW_QUOTES, Permission.VIEW_CUSTOMERS}
    made = await team.owner.post("/api/v1/api-keys", {"name": "K", "scopes": sorted(scopes)})
    key = Caller(nobody.client, made.json()["secret"])
    for access in accesses_of(app):
        if access.door is Door.USERS and access.path != "/api/v1/me":
            answer = await _ask(key, access)
            lacking = answer.status_code == 403 and answer.json()["error_code"] == "permission_missing"
            assert lacking is (access.permission not in scopes), (access.method, access.path, answer.text)


async def test_costs_are_in_no_answer_to_those_without_the_right(app: Litestar, team: Team) -> None:
    """Of every GET, and of what a salesperson writes: neither cost nor margin, not even as null."""
    product = {"sku": "S", "name": "Desk", "list_price": "100", "cost": "61.37", "tax_rate_percent": "19"}
    made = (await team.admin.post("/api/v1/products", product)).json()
    line = {"product_id": made["id"], "quantity": "2"}
    draft = await a_draft(team.sales, lines=[line])
    quote = f"/api/v1/quotes/{draft['id']}"
    ids = {"quote_id": draft["id"], "product_id": made["id"], "customer_id": draft["customer_id"], "number": "1"}

    seen = [await team.sales.post("/api/v1/quotes/calculate?explain=true", {"lines": [line]})]
    seen.append(await team.sales.patch(quote, {"title": "x"}))
    seen.append(await team.sales.post(f"{quote}/reprice", {"dry_run": True}))
    seen.append(await team.sales.post(f"{quote}/submit"))
    for access in accesses_of(app):
        names = re.findall(r"{(\w+)}", access.path)
        if access.method == "GET" and access.door is Door.USERS and set(names) <= set(ids):
            seen += [await caller.get(access.path.format(**ids)) for caller in (team.sales, team.viewer)]
    told = [answer.text for answer in seen if answer.status_code == 200]
    owner = (await team.owner.get(quote)).json()

    assert len(told) > 25
    for text in told:
        assert not re.search(r'"(unit_cost|cost|cost_total|margin|margin_percent)"|61\.37|122\.74|"kind":"cost"', text)
    assert owner["calculation"]["cost_total"] == "122.74"
    assert owner["lines"][0]["unit_cost"] == "61.37"
    typed = await team.sales.post("/api/v1/quotes/calculate", {"lines": [line | {"unit_cost": "1"}]})
    assert (typed.status_code, typed.json()["details"]) == (403, {"permission": "costs.view"})


async def _ask(caller: Caller, access: Access) -> Any:
    """The route with ids of nothing, and a body that is well-formed."""
    path = re.sub(r"{(\w+)}", lambda name: "1" if name[1] == "number" else str(uuid4()), access.path)
    place = f"{access.method} {access.path}"
    headers = {"authorization": f"Bearer {caller.token}"} if caller.token else {}
    if access.method in {"PATCH", "PUT", "DELETE"}:
        headers["if-match"] = '"1"'
    url = path + QUERIES.get(place, "")
    if place == "POST /api/v1/imports":
        content = b"sku,name,list_price\n1,a,2\n"
        return await caller.client.post(url, content=content, headers=headers | {"content-type": "text/csv"})
    if access.method == "POST" and access.path.endswith("/attachments"):
        sent = headers | {"content-type": "text/plain"}
        return await caller.client.post(f"{url}?file_name=a.txt", content=b"x", headers=sent)
    if place == "PUT /api/v1/organization/logo":
        content = b"\x89PNG\r\n\x1a\n"
        return await caller.client.put(url, content=content, headers=headers | {"content-type": "image/png"})
    body = BODIES.get(place, {} if access.method in {"POST", "PUT", "PATCH"} else None)
    return await caller.client.request(access.method, url, json=body, headers=headers)
