"""Every address of the API, taken from the OpenAPI document: what belongs to others looks like what does not exist."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import pytest
from litestar import Litestar

from src.domain.identity.actor import Role
from tests.e2e.conftest import Caller, Team
from tests.e2e.offers import a_contact, a_customer, a_draft, a_pending_quote, a_policy

pytestmark = pytest.mark.asyncio


async def _quote(team: Team) -> str:
    return str((await a_draft(team.sales))["id"])


async def _customer(team: Team) -> str:
    return str((await a_customer(team.sales))["id"])


async def _contact(team: Team) -> str:
    return str((await a_contact(team.sales, await _customer(team)))["id"])


async def _product(team: Team) -> str:
    body = {"sku": uuid4().hex, "name": "Desk", "list_price": "1", "tax_rate_percent": None}
    return str((await team.admin.post("/api/v1/products", body)).json()["id"])


async def _made(team: Team, path: str, body: dict[str, Any]) -> str:
    return str((await team.admin.post(f"/api/v1/{path}", body)).json()["id"])


async def _category(team: Team) -> str:
    return await _made(team, "categories", {"name": uuid4().hex})


async def _tax_rate(team: Team) -> str:
    body = {"code": uuid4().hex, "name": "VAT", "category": "VAT", "periods": [{"rate_percent": "19"}]}
    return await _made(team, "tax-rates", body)


async def _group(team: Team) -> str:
    return await _made(team, "customer-groups", {"name": uuid4().hex})


async def _price_list(team: Team) -> str:
    return await _made(team, "price-lists", {"name": uuid4().hex})


async def _coupon(team: Team) -> str:
    return await _made(team, "coupons", {"code": uuid4().hex, "percent": "5"})


async def _import(team: Team) -> str:
    path = "/api/v1/imports?kind=products&dry_run=true"
    answer = await team.admin.send("POST", path, b"sku,name,list_price\n1,a,2\n", "text/csv")
    return str(answer.json()["id"])


async def _user(team: Team) -> str:
    body = {"email": f"{uuid4().hex}@example.com", "name": "Ann", "role": "sales"}
    return str((await team.owner.post("/api/v1/users", body)).json()["id"])


async def _session(team: Team) -> str:
    return str((await team.sales.get("/api/v1/me/sessions")).json()["items"][0]["id"])


async def _api_key(team: Team) -> str:
    made = await team.admin.post("/api/v1/api-keys", {"name": "Shop", "scopes": ["quotes.view"]})
    return str(made.json()["api_key"]["id"])


async def _custom_field(team: Team) -> str:
    body = {"subject": "quote", "key": f"k{uuid4().hex[:20]}", "label": "K", "kind": "text"}
    return await _made(team, "custom-fields", body)


async def _policy(team: Team) -> str:
    return await _made(team, "approval-policies", {"name": "P", "steps": [{"name": "S", "roles": ["owner"]}]})


async def _approval(team: Team) -> str:
    await a_pending_quote(team)
    return str((await team.admin.get("/api/v1/approvals")).json()["items"][0]["id"])


async def _delegation(team: Team) -> str:
    day = datetime.now(UTC).date() + timedelta(days=2)
    to = team.organization.users[Role.APPROVER].id
    return await _made(
        team, "delegations", {"to_user_id": str(to), "starts_on": day.isoformat(), "ends_on": day.isoformat()}
    )


async def _simulation(team: Team) -> str:
    path = f"approval-policies/{await _policy(team)}/simulate"
    return await _made(team, path, {"from": "2026-01-01", "to": "2026-01-02"})


async def _job(team: Team) -> str:
    await _import(team)
    return str((await team.admin.get("/api/v1/jobs")).json()["items"][0]["id"])


async def _one(_: Team) -> str:
    return "1"


# An id of another organisation for each parameter; a route with a parameter that is missing here fails.
FACTORIES: Final[dict[str, Callable[[Team], Awaitable[str]]]] = {
    "quote_id": _quote,
    "customer_id": _customer,
    "contact_id": _contact,
    "product_id": _product,
    "category_id": _category,
    "tax_rate_id": _tax_rate,
    "group_id": _group,
    "price_list_id": _price_list,
    "coupon_id": _coupon,
    "import_id": _import,
    "user_id": _user,
    "session_id": _session,
    "api_key_id": _api_key,
    "field_id": _custom_field,
    "policy_id": _policy,
    "approval_id": _approval,
    "delegation_id": _delegation,
    "simulation_id": _simulation,
    "job_id": _job,
    "number": _one,
}
# Bodies that would be taken, so that nothing but the id decides.
BODIES: Final[dict[str, dict[str, Any]]] = {
    "/approve": {"content_digest": "0" * 64},
    "/reject": {"content_digest": "0" * 64, "reason": "No."},
    "/send": {},
    "/cancel": {"reason": "mistake"},
    "/contacts": {"name": "Ann", "email": "ann@example.com"},
    "/reprice": {},
    "/group": {"group_id": None},
    "/prices": {"tiers": [{"discount_percent": "5"}]},
    "/{user_id}": {"name": "x"},
    "/{field_id}": {"label": "x"},
    "/{policy_id}": {"name": "x"},
    "/simulate": {"from": "2026-01-01", "to": "2026-01-02"},
    "/comments": {"text": "x"},
    "/{customer_id}": {"notes": "x"},
    "/{contact_id}": {"name": "x"},
    "/merge": {"duplicate_id": str(uuid4())},
    "/customers/{customer_id}/reject": {"reason": "x"},
    "/suspend": {"reason": "x"},
    "/{product_id}": {"name": "x"},
    "/{category_id}": {"name": "x"},
    "/{tax_rate_id}": {"name": "x"},
    "/{group_id}": {"name": "x"},
    "/{price_list_id}": {"name": "x"},
    "/{coupon_id}": {"active": False},
}


async def test_foreign_ids_in_addresses_are_answered_like_unknown_ones(
    app: Litestar, team: Team, strangers: Team
) -> None:
    walked = 0
    for path, item in app.openapi_schema.to_schema()["paths"].items():
        names = re.findall(r"{(\w+)}", path)
        if not names or path.startswith("/platform/"):  # Operators name organisations, and see all of them.
            continue
        foreign = {name: await FACTORIES[name](strangers) for name in names}
        unknown = {name: "1" if name == "number" else str(uuid4()) for name in names}
        for method in item:
            answers = [await _call(team.admin, method, path.format(**ids), path) for ids in (foreign, unknown)]
            assert answers[0] == answers[1], (method, path)
            assert answers[0][0] == 404, (method, path, answers)
            walked += 1
    assert walked >= 15


async def test_foreign_ids_in_bodies_and_queries_are_answered_like_unknown_ones(team: Team, strangers: Team) -> None:
    customer = await _customer(team)
    line = {"quantity": "1"}
    for foreign, unknown in (
        ({"customer_id": await _customer(strangers)}, {"customer_id": str(uuid4())}),
        ({"contact_id": await _contact(strangers)}, {"contact_id": str(uuid4())}),
        (
            {"lines": [line | {"product_id": await _product(strangers)}]},
            {"lines": [line | {"product_id": str(uuid4())}]},
        ),
    ):
        bodies = [{"customer_id": customer} | changes for changes in (foreign, unknown)]
        answers = [_told(await team.sales.post("/api/v1/quotes", body)) for body in bodies]
        assert answers[0][0] == answers[1][0] == 404
        assert answers[0][1]["error_code"] == answers[1][1]["error_code"]


async def test_lists_show_own_things_only(team: Team, strangers: Team) -> None:
    foreign = await a_draft(strangers.sales)
    await a_policy(strangers.admin)

    for make in (_product, _category, _tax_rate, _group, _price_list, _coupon, _job):
        await make(strangers)
    for path in (
        *("quotes", "customers", "contacts", "products", "approvals", "approval-policies"),
        *("categories", "tax-rates", "customer-groups", "price-lists", "coupons", "exchange-rates", "jobs"),
    ):
        assert (await team.owner.get(f"/api/v1/{path}")).json()["total"] == 0, path
    by_customer = await team.owner.get("/api/v1/quotes", customer_id=foreign["customer_id"])
    by_search = await team.owner.get("/api/v1/quotes", search=foreign["number"])

    assert by_customer.json()["total"] == by_search.json()["total"] == 0


async def _call(caller: Caller, method: str, path: str, template: str) -> tuple[int, dict[str, Any]]:
    content = b""
    if method in {"post", "patch", "put"}:
        fitting = [ending for ending in BODIES if template.endswith(ending)]
        body = BODIES[max(fitting, key=len)] if fitting else {"title": "x"} if method == "patch" else None
        return _told(await getattr(caller, method)(path, body))
    if method == "delete":
        return _told(await caller.delete(path))
    return _told(await caller.send(method.upper(), path, content))


def _told(answer: Any) -> tuple[int, dict[str, Any]]:
    told = dict(answer.json())
    told.pop("trace_id", None)
    told["details"] = {}  # An id that was asked for may be repeated.
    return answer.status_code, told
