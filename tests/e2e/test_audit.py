"""The audit over HTTP."""

import json

import pytest

from tests.e2e.conftest import Team
from tests.e2e.offers import an_approved_quote

pytestmark = pytest.mark.asyncio


async def test_a_chain_is_proven_in_pieces_and_through_its_heads(team: Team) -> None:
    path = "/api/v1/audit/verification"
    head = (await team.owner.post("/api/v1/audit/heads", {})).json()
    listed = (await team.owner.get("/api/v1/audit/heads")).json()
    part = (await team.owner.post(path, {"limit": 2})).json()
    after = {"sequence": part["head_sequence"], "hash": part["head_hash"]}
    rest = (await team.owner.post(path, {"after": after, "heads": [head]})).json()
    wrong = await team.owner.post(path, {"heads": [{**head, "sequence": head["sequence"] + 1}]})
    elsewhere = (await team.owner.post(path, {"after": {**after, "hash": "0" * 64}})).json()

    assert listed["heads"] == [head]
    assert head["key_id"] in listed["public_keys"]
    assert (part["intact"], part["complete"], part["entries"]) == (True, False, 2)
    assert (rest["intact"], rest["complete"], rest["kept_heads"]) == (True, True, 1)
    assert rest["entries"] == rest["total"] - 2
    assert wrong.status_code == 422
    assert wrong.json()["error_code"] == "audit_head_refused"
    assert (elsewhere["intact"], elsewhere["tampering"]) == (False, "rewritten")
    assert (await team.sales.post("/api/v1/audit/heads", {})).status_code == 403


async def test_a_quotes_life_is_told_with_who_and_what_changed(team: Team) -> None:
    quote = await an_approved_quote(team)
    path = f"/api/v1/quotes/{quote['id']}"
    revised = await team.sales.post(f"{path}/revise", {"content_digest": quote["content_digest"]})
    timeline = (await team.sales.get(f"{path}/timeline")).json()["entries"]
    same = await team.sales.get(f"{path}/revisions/1/differences", to=1)
    unknown = await team.sales.get(f"{path}/revisions/1/differences", to=99)

    assert timeline[0]["action"] == "quote.created"
    assert timeline[0]["who"] == "Nick sales"
    assert {change["field"] for change in timeline[0]["changes"]} >= {"number"}
    assert not any(change["field"].endswith("unit_cost") for entry in timeline for change in entry["changes"])
    assert "approval.decided" in [entry["action"] for entry in timeline]
    assert (same.status_code, same.json()["changes"]) == (200, [])
    assert unknown.status_code == 404
    assert revised.status_code in {200, 201, 409}


async def test_entries_are_searched_and_exported(team: Team) -> None:
    await an_approved_quote(team)
    denied = await team.sales.get("/api/v1/audit/entries")
    trace = denied.headers["x-trace-id"]
    found = (await team.owner.get("/api/v1/audit/entries", trace_id=trace)).json()
    users = (await team.owner.get("/api/v1/audit/entries", actor_kind="user")).json()
    exports = {
        name: await team.owner.get("/api/v1/audit/export", format=name, action="access.denied")
        for name in ("jsonl", "csv", "xlsx")
    }

    assert [(one["action"], one["ip_address"] != "", one["details"]) for one in found["items"]] == [
        ("access.denied", True, {"permission": "audit.view", "reason": "permission_missing"})
    ]
    assert users["total"] > 1
    assert {answer.status_code for answer in exports.values()} == {200}
    assert json.loads(exports["jsonl"].text.splitlines()[0])["trace_id"] == trace
    assert trace in exports["csv"].text
    assert exports["xlsx"].content.startswith(b"PK")
    assert (await team.sales.get("/api/v1/audit/export")).status_code == 403
    assert (await team.owner.get("/api/v1/audit/entries", trace_id="x")).status_code == 422
