"""An id of each kind that addresses name, made by an organisation over HTTP."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from src.domain.identity.actor import Role
from tests.e2e.conftest import Team
from tests.e2e.offers import a_contact, a_customer, a_draft, a_pending_quote


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


async def _export(team: Team) -> str:
    return await _made(team, "exports", {"kind": "quotes"})


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


async def _mail_template(team: Team) -> str:
    body = {"kind": "offer", "language": "fr", "subject": "Offre {{ number }}", "text": "Bonjour {{ contact }},"}
    made = (await team.admin.post("/api/v1/mail-templates", body)).json()
    known = (await team.admin.get("/api/v1/mail-templates")).json()["items"]
    return str(made["id"] if "id" in made else known[0]["id"])


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


async def _line(team: Team) -> str:
    return str((await a_draft(team.sales))["lines"][0]["id"])


async def _attachment(team: Team) -> str:
    path = f"/api/v1/quotes/{await _quote(team)}/attachments"
    return str((await team.sales.send("POST", f"{path}?file_name=a.txt", b"x", "text/plain")).json()["id"])


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
    "export_id": _export,
    "user_id": _user,
    "session_id": _session,
    "api_key_id": _api_key,
    "field_id": _custom_field,
    "template_id": _mail_template,
    "policy_id": _policy,
    "approval_id": _approval,
    "delegation_id": _delegation,
    "simulation_id": _simulation,
    "job_id": _job,
    "attachment_id": _attachment,
    "number": _one,
    "line": _line,
}
