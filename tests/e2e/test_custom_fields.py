"""Custom fields on customers, products and quotes: given, shown, found, and covered by the digest."""

import csv
import io
from datetime import date
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from tests.e2e.conftest import Caller, Team
from tests.e2e.offers import a_customer, a_draft

pytestmark = pytest.mark.asyncio

API = "/api/v1"


async def _field(admin: Caller, subject: str, key: str, **more: Any) -> dict[str, Any]:
    body = {"subject": subject, "key": key, "label": key.title(), "kind": "text", **more}
    answer = await admin.post(f"{API}/custom-fields", body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_fields_are_listed_in_their_order(team: Team) -> None:
    await _field(team.admin, "quote", "second", order=2)
    await _field(team.admin, "quote", "first", order=1)
    await _field(team.admin, "customer", "branch", kind="choice", options=["A", "B"])
    taken = await team.admin.post(
        f"{API}/custom-fields", {"subject": "quote", "key": "first", "label": "x", "kind": "date"}
    )

    everything = (await team.viewer.get(f"{API}/custom-fields")).json()["items"]
    quotes = (await team.viewer.get(f"{API}/custom-fields", subject="quote")).json()["items"]

    assert [one["key"] for one in everything] == ["branch", "first", "second"]
    assert [one["key"] for one in quotes] == ["first", "second"]
    assert (taken.status_code, taken.json()["error_code"]) == (409, "custom_field_key_taken")


async def test_customers_and_products_have_values_and_are_found_by_them(team: Team) -> None:
    for subject in ("customer", "product"):
        await _field(team.admin, subject, "revenue", kind="number")
    customer = await a_customer(team.sales, custom={"revenue": "1000.50"})
    product = (
        await team.admin.post(
            f"{API}/products",
            {"sku": "S", "name": "Desk", "list_price": "1", "tax_rate_percent": None, "custom": {"revenue": "7"}},
        )
    ).json()
    wrong = await team.sales.post(f"{API}/customers", {"name": "X", "custom": {"revenue": "much", "nowhere": "1"}})

    changed = await team.sales.patch(f"{API}/customers/{customer['id']}", {"notes": "x"})
    found = (await team.sales.get(f"{API}/customers", custom="revenue:1000.5")).json()
    not_found = (await team.sales.get(f"{API}/customers", custom="revenue:1000")).json()
    products = (await team.sales.get(f"{API}/products", custom="revenue:7", search="desk")).json()
    taken_away = await team.sales.patch(f"{API}/customers/{customer['id']}", {"custom": {"revenue": None}})
    nonsense = await team.sales.get(f"{API}/customers", custom="revenue")
    put = await team.admin.patch(f"{API}/products/{product['id']}", {"custom": {"revenue": "8.0"}})

    assert customer["custom"] == changed.json()["custom"] == {"revenue": "1000.5"}
    assert (found["total"], not_found["total"], products["total"]) == (1, 0, 1)
    assert taken_away.json()["custom"] == {}
    assert [one["field"] for one in wrong.json()["details"]] == ["custom.revenue", "custom.nowhere"]
    assert nonsense.status_code == 422
    assert put.json()["custom"] == {"revenue": "8"}


async def test_a_required_field_is_asked_for_in_everything_new(team: Team) -> None:
    field = await _field(team.admin, "quote", "project", required=True)
    customer = await a_customer(team.sales)
    line = {"description": "Desk", "quantity": "1", "unit_price": "1"}
    body = {"customer_id": customer["id"], "lines": [line]}

    without = await team.sales.post(f"{API}/quotes", body)
    with_it = await team.sales.post(f"{API}/quotes", body | {"custom": {"project": "North"}})
    switched_off = await team.admin.patch(f"{API}/custom-fields/{field['id']}", {"active": False})
    later = await team.sales.post(f"{API}/quotes", body)

    assert without.json()["details"] == [{"field": "custom.project", "message": "Project is required."}]
    assert with_it.json()["custom"] == {"project": "North"}
    assert (switched_off.json()["active"], later.status_code) == (False, 201)
    found = (await team.sales.get(f"{API}/quotes", custom="project:North")).json()
    assert [one["id"] for one in found["items"]] == [with_it.json()["id"]]


async def test_the_digest_covers_them(team: Team) -> None:
    await _field(team.admin, "quote", "project")
    digests = []
    for custom in ({}, {"project": "North"}):
        draft = await a_draft(team.sales, custom=custom)
        digests.append((await team.sales.post(f"{API}/quotes/{draft['id']}/submit")).json())
    first = digests[1]
    recalled = await team.sales.post(f"{API}/quotes/{first['id']}/revise")
    path = f"{API}/quotes/{first['id']}"
    await team.sales.patch(path, {"custom": {"project": "South"}})
    again = (await team.sales.post(f"{path}/submit")).json()

    assert recalled.status_code == 200
    assert first["custom"] == {"project": "North"}
    assert again["custom"] == {"project": "South"}
    assert again["content_digest"] != first["content_digest"]


async def test_they_are_columns_of_the_export(team: Team) -> None:
    await _field(team.admin, "quote", "project", order=2)
    await _field(team.admin, "quote", "share", order=1, kind="number")
    await _field(team.admin, "quote", "start", order=3, kind="date")
    gone = await _field(team.admin, "quote", "former", order=4, kind="choice", options=["A"])
    await _field(team.admin, "customer", "branch")
    custom = {"project": "=1+1", "share": "12.50", "start": "2026-12-01", "former": "A"}
    await a_draft(team.sales, custom=custom)
    await a_draft(team.sales)
    await team.admin.patch(f"{API}/custom-fields/{gone['id']}", {"active": False})

    xlsx = await team.sales.get(f"{API}/quotes/export", format="xlsx")
    text = await team.sales.get(f"{API}/quotes/export", format="csv")

    sheet = CalamineWorkbook.from_filelike(io.BytesIO(xlsx.content)).get_sheet_by_index(0).to_python()
    # A field that is no longer asked for keeps its column, because its values are kept.
    assert sheet[0][-4:] == ["Share", "Project", "Start", "Former"]
    assert sheet[1][-4:] == [12.5, "=1+1", date(2026, 12, 1), "A"]
    assert sheet[2][-4:] == ["", "", "", ""]
    rows = list(csv.reader(io.StringIO(text.content.decode("utf-8-sig"))))
    assert rows[1][-4:] == ["12.5", "'=1+1", "2026-12-01", "A"]
    assert rows[2][-4:] == [""] * 4
