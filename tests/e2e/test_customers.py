"""Customers and contacts from registration to erasure."""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from src.adapters.postgres.tables import metadata
from src.domain.identity.actor import Role
from tests.e2e.conftest import Caller, Team, eventually
from tests.e2e.offers import LINE, a_contact, a_customer, a_draft

pytestmark = pytest.mark.asyncio

API = "/api/v1"


async def _pending(sales: Caller, **more: Any) -> dict[str, Any]:
    answer = await sales.post(f"{API}/customers", {"name": "Neu GmbH", **more})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def _refusal(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json().get("error_code", "")


async def test_a_registration_is_decided_by_somebody_else(team: Team) -> None:
    path = f"{API}/customers/{(made := await _pending(team.admin))['id']}"

    own = await team.admin.post(f"{path}/approve")
    by_sales = await team.sales.post(f"{path}/approve")
    rejected = await team.approver.post(f"{path}/reject", {"reason": "No such company."})
    twice = await team.approver.post(f"{path}/reject", {"reason": "No such company."})
    again = await team.sales.post(f"{path}/register")
    approved = await team.admin.post(f"{path}/approve")  # Sales has registered it this time.

    assert made["status"] == "pending"
    assert await _refusal(own) == (403, "own_registration")
    assert await _refusal(by_sales) == (403, "permission_missing")
    assert (rejected.json()["status"], rejected.json()["status_reason"]) == ("rejected", "No such company.")
    assert await _refusal(twice) == (409, "customer_state")
    assert again.json()["status"] == "pending"
    assert (approved.json()["status"], approved.json()["status_reason"]) == ("approved", "")


async def test_who_is_alone_may_decide_alone(team: Team) -> None:
    users = team.organization.users
    for role in (Role.ADMIN, Role.APPROVER):
        await team.owner.post(f"{API}/users/{users[role].id}/deactivate")
    made = await _pending(team.owner)

    assert (await team.owner.post(f"{API}/customers/{made['id']}/approve")).json()["status"] == "approved"


async def test_nothing_is_sent_to_who_is_not_approved(team: Team) -> None:
    customer = await _pending(team.sales)
    contact = await a_contact(team.sales, customer["id"])
    body = {"customer_id": customer["id"], "contact_id": contact["id"], "lines": [LINE]}
    quote = (await team.sales.post(f"{API}/quotes", body)).json()
    path = f"{API}/quotes/{quote['id']}"
    await team.sales.post(f"{path}/submit")

    pending = await team.sales.post(f"{path}/send", {})
    await team.approver.post(f"{API}/customers/{customer['id']}/approve")
    await team.approver.post(f"{API}/customers/{customer['id']}/suspend", {"reason": "Unpaid"})
    suspended = await team.sales.post(f"{path}/send", {})
    await team.approver.post(f"{API}/customers/{customer['id']}/reinstate")
    sent = await team.sales.post(f"{path}/send", {})

    assert await _refusal(pending) == await _refusal(suspended) == (409, "customer_not_approved")
    assert pending.json()["details"] == {"status": "pending"}
    assert sent.json()["status"] == "sent"


@pytest.mark.parametrize(
    ("country", "field", "typed", "kept"),
    [
        ("DE", "vat_number", "de 136 695 976", "DE136695976"),
        ("KR", "registration_number", "1248100998", "124-81-00998"),
        ("GR", "vat_number", "EL094259216", "EL094259216"),
        ("US", "registration_number", "any 12-3456789", "any 12-3456789"),
        ("DE", "vat_number", "DE136695977", None),
        ("KR", "registration_number", "124-81-00999", None),
        ("FR", "registration_number", "732829321", None),
        ("PL", "vat_number", "PL123", None),
    ],
)
async def test_numbers_are_those_of_their_country(
    country: str, field: str, typed: str, kept: str | None, team: Team
) -> None:
    body = {"name": "X", "address": {"country": country}, field: typed}
    answer = await team.sales.post(f"{API}/customers", body)

    if kept is None:
        assert answer.status_code == 422
        assert answer.json()["details"][0]["field"] == field
    else:
        assert answer.json()[field] == kept


async def test_particulars_are_kept_and_changed(team: Team) -> None:
    more = {
        "reference": "C-100",
        "addresses": [{"label": "delivery", "address": {"city": "Kiel", "country": "DE"}}],
        "payment_days": 30,
        "payment_terms": "2 % within 10 days.",
        "credit_limit": "50000",
        "tags": ["Key Account", "export", "export"],
        "notes": "Calls on Mondays.",
    }
    made = await _pending(team.sales, **more)
    path = f"{API}/customers/{made['id']}"

    changed = await team.sales.patch(path, {"credit_limit": None, "tags": ["export"], "payment_days": 14})
    taken = await team.sales.post(f"{API}/customers", {"name": "Y", "reference": "C-100"})
    nameless = await team.sales.patch(path, {"vat_number": "DE136695976"})
    fine = await team.sales.patch(path, {"credit_limit": "1.005"})
    tagged = (await team.sales.get(f"{API}/customers", tag="Export")).json()
    found = (await team.sales.get(f"{API}/customers", search="c-100", status="pending")).json()

    assert made["tags"] == ["export", "key account"]
    assert {name: made[name] for name in ("reference", "payment_days", "payment_terms", "credit_limit")} == {
        "reference": "C-100",
        "payment_days": 30,
        "payment_terms": "2 % within 10 days.",
        "credit_limit": "50000.00",
    }
    assert made["addresses"][0]["address"]["city"] == "Kiel"
    assert (changed.json()["credit_limit"], changed.json()["tags"], changed.json()["payment_days"]) == (
        None,
        ["export"],
        14,
    )
    assert changed.json()["notes"] == "Calls on Mondays."
    assert await _refusal(taken) == (409, "customer_reference_taken")
    assert nameless.json()["details"][0]["field"] == "name"
    assert fine.json()["details"][0]["field"] == "credit_limit"
    assert (tagged["total"], found["total"]) == (1, 1)


async def test_what_is_deleted_is_out_of_sight_and_comes_back(team: Team) -> None:
    draft = await a_draft(team.sales)
    path = f"{API}/customers/{draft['customer_id']}"

    deleted = await team.sales.delete(path)
    listed = (await team.sales.get(f"{API}/customers")).json()["total"]
    all_of_them = (await team.sales.get(f"{API}/customers", include_deleted=True)).json()["total"]
    offer = await team.sales.post(f"{API}/quotes", {"customer_id": draft["customer_id"], "lines": [LINE]})
    twice = await team.sales.delete(path)
    old_offer = await team.sales.get(f"{API}/quotes/{draft['id']}")
    restored = await team.sales.post(f"{path}/restore")

    assert deleted.json()["deleted_at"] is not None
    assert (listed, all_of_them) == (0, 1)
    assert await _refusal(offer) == await _refusal(twice) == (409, "customer_deleted")
    assert old_offer.status_code == 200
    assert restored.json()["deleted_at"] is None


async def test_a_merge_loses_nothing(team: Team) -> None:
    duplicate_offer = await a_draft(team.sales)
    duplicate = duplicate_offer["customer_id"]
    survivor = await a_customer(team.sales, tags=["old"])
    list_body = {"name": "Contract", "scope": "customer", "scope_id": duplicate}
    price_list = (await team.admin.post(f"{API}/price-lists", list_body)).json()
    path = f"{API}/customers/{survivor['id']}"

    by_sales = await team.sales.post(f"{path}/merge", {"duplicate_id": duplicate})
    itself = await team.admin.post(f"{path}/merge", {"duplicate_id": survivor["id"]})
    merged = await team.admin.post(f"{path}/merge", {"duplicate_id": duplicate})
    again = await team.admin.post(f"{path}/merge", {"duplicate_id": duplicate})

    gone = (await team.sales.get(f"{API}/customers/{duplicate}")).json()
    assert (by_sales.status_code, itself.status_code, merged.status_code) == (403, 409, 200)
    assert await _refusal(again) == (409, "customer_deleted")
    assert again.json()["details"] == {"merged_into_id": survivor["id"]}
    assert (gone["merged_into_id"], gone["deleted_at"] is not None) == (survivor["id"], True)
    quotes = (await team.sales.get(f"{API}/quotes", customer_id=survivor["id"])).json()
    assert [quote["id"] for quote in quotes["items"]] == [duplicate_offer["id"]]
    assert (await team.sales.get(f"{path}/contacts")).json()["total"] == 1
    assert (await team.admin.get(f"{API}/price-lists/{price_list['id']}")).json()["scope_id"] == survivor["id"]
    assert (await team.sales.post(f"{API}/customers/{duplicate}/restore")).status_code == 409
    actions = [
        entry["action"]
        for entry in (await team.owner.get(f"{API}/audit/entries", resource_type="customer")).json()["items"]
    ]
    assert {"customer.merged", "customer.took_over"} <= set(actions)
    assert (await team.sales.get(f"{API}/quotes/{duplicate_offer['id']}")).status_code == 200


async def test_a_merge_that_leaves_two_prices_undecided_is_refused(team: Team) -> None:
    product = (
        await team.admin.post(
            f"{API}/products", {"sku": "S", "name": "Desk", "list_price": "100", "tax_rate_percent": "19"}
        )
    ).json()
    customers = [await a_customer(team.sales), await a_customer(team.sales)]
    for number, customer in enumerate(customers):
        body = {"name": f"L{number}", "scope": "customer", "scope_id": customer["id"]}
        made = (await team.admin.post(f"{API}/price-lists", body)).json()
        price = {"product_id": product["id"], "tiers": [{"unit_price": str(90 + number)}]}
        assert (await team.admin.put(f"{API}/price-lists/{made['id']}/prices", price)).status_code == 200

    path = f"{API}/customers/{customers[0]['id']}/merge"
    refused = await team.admin.post(path, {"duplicate_id": customers[1]["id"]})

    assert await _refusal(refused) == (409, "ambiguous_price")
    assert (await team.sales.get(f"{API}/customers/{customers[1]['id']}")).json()["merged_into_id"] is None


async def test_contacts_have_days_that_come_up(team: Team) -> None:
    customer = await a_customer(team.sales)
    today = datetime.now(ZoneInfo("Europe/Berlin")).date()
    soon, later = today + timedelta(days=3), today + timedelta(days=200)
    body = {
        "name": "Ann",
        "email": "ann@example.com",
        "birthday": soon.replace(year=1988).isoformat() if (soon.month, soon.day) != (2, 29) else "1988-02-29",
        "key_dates": [{"label": "contract since", "day": later.replace(year=2015).isoformat()}],
        "language": "de",
        "tags": ["Buyer"],
    }
    made = (await team.sales.post(f"{API}/customers/{customer['id']}/contacts", body)).json()

    near = (await team.sales.get(f"{API}/contacts/reminders", days=30)).json()["items"]
    far = (await team.sales.get(f"{API}/contacts/reminders", days=366)).json()["items"]

    assert (made["language"], made["tags"]) == ("de", ["buyer"])
    assert [(one["label"], one["day"]) for one in near] == [("birthday", soon.isoformat())]
    assert near[0]["years"] == soon.year - 1988
    assert [one["label"] for one in far] == ["birthday", "contract since"]
    assert (await team.sales.get(f"{API}/contacts/reminders", days=367)).status_code == 422


async def test_contacts_are_merged_and_deleted(team: Team) -> None:
    customer, other = await a_customer(team.sales), await a_customer(team.sales)
    first = await a_contact(team.sales, customer["id"])
    second = (
        await team.sales.post(
            f"{API}/customers/{customer['id']}/contacts",
            {"name": "K. Brandt", "email": "k@brandt.example", "phone": "+49 40 1", "birthday": "1990-05-01"},
        )
    ).json()
    foreign = await a_contact(team.sales, other["id"])
    path = f"{API}/contacts/{first['id']}"

    across = await team.admin.post(f"{path}/merge", {"duplicate_id": foreign["id"]})
    merged = (await team.admin.post(f"{path}/merge", {"duplicate_id": second["id"]})).json()
    offer = await team.sales.post(
        f"{API}/quotes", {"customer_id": customer["id"], "contact_id": second["id"], "lines": [LINE]}
    )

    assert await _refusal(across) == (409, "contact_state")
    assert (merged["email"], merged["phone"], merged["birthday"]) == ("katrin@brandt.example", "+49 40 1", "1990-05-01")
    assert (await team.sales.get(f"{API}/contacts/{second['id']}")).json()["merged_into_id"] == first["id"]
    assert await _refusal(offer) == (409, "contact_deleted")
    assert (await team.sales.get(f"{API}/contacts", search="k@brandt")).json()["total"] == 0


@pytest.mark.usefixtures("worker")
async def test_a_person_is_told_what_is_kept_and_erased_from_all_but_issued_offers(
    team: Team,
) -> None:
    draft = await a_draft(team.sales)
    issued = await a_draft(team.sales)
    contact = (await team.sales.get(f"{API}/quotes/{issued['id']}")).json()["contact_id"]
    await team.sales.post(f"{API}/quotes/{issued['id']}/submit")
    await team.sales.post(f"{API}/quotes/{issued['id']}/send", {})
    path = f"{API}/contacts/{contact}"

    async def mailed() -> dict[str, Any] | None:
        told: dict[str, Any] = (await team.admin.get(f"{path}/personal-data")).json()
        return told if told["correspondence"] and told["correspondence"][0]["status"] != "queued" else None

    told = await eventually(mailed)
    await team.sales.patch(path, {"phone": "+49 171 2345678", "birthday": "1980-02-29"})
    by_sales = await team.sales.get(f"{path}/personal-data")
    erased = await team.admin.post(f"{path}/erase")
    own_draft = (await team.sales.get(f"{API}/quotes/{draft['id']}")).json()["contact_id"]
    await team.admin.post(f"{API}/contacts/{own_draft}/erase")

    assert by_sales.status_code == 403
    assert (told["contact"]["email"], told["correspondence"][0]["quote_id"]) == ("katrin@brandt.example", issued["id"])
    assert (erased.json()["name"], erased.json()["phone"], erased.json()["birthday"]) == ("Erased person", "", None)
    assert await _refusal(await team.admin.post(f"{path}/erase")) == (409, "contact_state")
    assert (await team.admin.post(f"{path}/restore")).status_code == 409
    assert (await team.sales.get(f"{API}/quotes/{draft['id']}")).json()["contact_id"] is None
    kept = (await team.sales.get(f"{API}/quotes/{issued['id']}")).json()
    assert kept["contact_name"] == "Katrin Brandt"  # An issued offer is a business record.
    messages = (await team.sales.get(f"{API}/quotes/{issued['id']}/timeline")).json()["messages"]
    assert "brandt" not in json.dumps(messages)
    audit = await _whole_audit(team)
    assert audit.count('"action": "contact.erased"') == 2
    for personal in ("Katrin", "katrin@brandt.example", "+49 171", "1980-02-29"):
        assert personal not in audit, audit[max(0, audit.find(personal) - 200) : audit.find(personal) + 50]
    assert (await team.owner.get(f"{API}/audit/verification")).json()["intact"]


async def _a_canary(sales: Caller, customer_id: str, word: str) -> str:
    """A contact with *word* in everything that tells who it is."""
    body = {
        "name": word,
        "email": f"{word}@{word}.example",
        "phone": word,
        "job_title": word,
        "language": "de",
        "birthday": "1980-02-29",
        "key_dates": [{"label": word, "day": "2020-01-01"}],
        "tags": ["buyer"],
    }
    made = await sales.post(f"{API}/customers/{customer_id}/contacts", body)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


@pytest.mark.parametrize("asked_for", ["who goes on", "who was merged first"])
async def test_nothing_is_left_of_a_person_in_any_row_whoever_they_were_merged_into(
    asked_for: str, team: Team, app_engine: AsyncEngine
) -> None:
    words = [f"canary{uuid4().hex}" for _ in range(3)]
    customer = (await a_customer(team.sales))["id"]
    first, second, third = [await _a_canary(team.sales, customer, word) for word in words]
    drafts = []
    for recipient, copied in ((first, second), (second, third), (third, first)):
        draft = {"customer_id": customer, "contact_id": recipient, "lines": [LINE]}
        draft["participants"] = [{"contact_id": copied, "role": "copy"}]
        drafts.append((await team.sales.post(f"{API}/quotes", draft)).json()["id"])
    before = {word for word in words if await _rows_with(word, team, app_engine)}
    for duplicate, survivor in ((first, second), (second, third)):
        merged = await team.admin.post(f"{API}/contacts/{survivor}/merge", {"duplicate_id": duplicate})
        assert merged.status_code == 200, merged.text
    asked = first if asked_for == "who was merged first" else third
    told = (await team.admin.get(f"{API}/contacts/{asked}/personal-data")).json()

    erased = await team.admin.post(f"{API}/contacts/{asked}/erase")

    assert before == set(words)  # The search finds what is there.
    assert {one["name"] for one in (told["contact"], *told["same_person"])} == set(words)
    assert (erased.json()["id"], erased.json()["name"]) == (asked, "Erased person")
    for word in words:
        assert await _rows_with(word, team, app_engine) == []
    for draft_id in drafts:
        draft = (await team.sales.get(f"{API}/quotes/{draft_id}")).json()
        assert (draft["contact_id"], draft["participants"]) == (None, [])
    for contact in (first, second, third):
        assert await _refusal(await team.admin.post(f"{API}/contacts/{contact}/erase")) == (409, "contact_state")


async def _rows_with(word: str, team: Team, app_engine: AsyncEngine) -> list[str]:
    """The tables in which the team's organisation has a row with *word*, whole rows as text."""
    async with app_engine.connect() as connection:
        tenant = str(team.organization.organization.id)
        await connection.execute(text("SELECT set_config('app.tenant_id', :t, true)"), {"t": tenant})
        found = []
        for table in metadata.sorted_tables:
            whole = text(f"SELECT count(*) FROM {table.fullname} t WHERE strpos(lower(t::text), :word) > 0")
            if (await connection.execute(whole, {"word": word})).scalar_one():
                found.append(table.name)
    return found


async def _whole_audit(team: Team) -> str:
    pages, cursor = [], None
    while True:
        page = (
            await team.owner.get(f"{API}/audit/entries", limit=100, **({"cursor": cursor} if cursor else {}))
        ).json()
        pages.append(json.dumps(page["items"], ensure_ascii=False))
        cursor = page["next_cursor"]
        if cursor is None:
            return "".join(pages)
