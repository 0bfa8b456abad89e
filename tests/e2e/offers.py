"""What the end-to-end tests make before they begin: customers, contacts, policies and drafts."""

from typing import Any

from tests.e2e.conftest import Caller, Team

VAT_19 = {"category": "VAT", "rate_percent": "19"}
LINE = {"description": "Desk", "quantity": "10", "unit_price": "30.75", "taxes": [VAT_19]}


async def a_customer(sales: Caller, **more: Any) -> dict[str, Any]:
    answer = await sales.post("/api/v1/customers", {"name": "Atelier Brandt KG", **more})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    if sales.colleague is not None:
        approved = await sales.colleague.post(f"/api/v1/customers/{made['id']}/approve")
        assert approved.status_code == 200, approved.text
        made = approved.json()
    return made


async def a_contact(sales: Caller, customer_id: str) -> dict[str, Any]:
    body = {"name": "Katrin Brandt", "email": "katrin@brandt.example"}
    answer = await sales.post(f"/api/v1/customers/{customer_id}/contacts", body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def a_draft(sales: Caller, **more: Any) -> dict[str, Any]:
    """A draft for a new customer, ready to be submitted."""
    customer = await a_customer(sales)
    contact = await a_contact(sales, customer["id"])
    body = {"customer_id": customer["id"], "contact_id": contact["id"], "title": "Fit-out", "lines": [LINE], **more}
    answer = await sales.post("/api/v1/quotes", body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def a_policy(admin: Caller) -> None:
    """Every offer needs one approver."""
    body = {"name": "Everything", "steps": [{"name": "Management", "roles": ["approver", "admin"]}]}
    answer = await admin.post("/api/v1/approval-policies", body)
    assert answer.status_code == 201, answer.text


async def a_pending_quote(team: Team) -> dict[str, Any]:
    await a_policy(team.admin)
    draft = await a_draft(team.sales)
    answer = await team.sales.post(f"/api/v1/quotes/{draft['id']}/submit")
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    assert made["status"] == "pending_approval"
    return made


async def an_approved_quote(team: Team) -> dict[str, Any]:
    pending = await a_pending_quote(team)
    body = {"content_digest": pending["content_digest"]}
    answer = await team.approver.post(f"/api/v1/quotes/{pending['id']}/approve", body)
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made
