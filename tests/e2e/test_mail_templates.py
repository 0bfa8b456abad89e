"""The organisation's own words for mails, over HTTP."""

from typing import Any

import pytest

from tests.e2e.conftest import Caller, Team
from tests.e2e.offers import a_draft

pytestmark = pytest.mark.asyncio

PATH = "/api/v1/mail-templates"
WORDS = {"subject": "Our offer {{ number }}", "text": "Dear {{ contact }},\nplease find it attached."}


async def _made(admin: Caller, language: str = "en", **changes: str) -> dict[str, Any]:
    answer = await admin.post(PATH, {"kind": "offer", "language": language, **WORDS, **changes})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    assert answer.headers["etag"] == '"1"'
    return made


async def test_words_are_made_changed_by_version_and_reset(team: Team) -> None:
    made = await _made(team.admin)
    path = f"{PATH}/{made['id']}"

    taken = await team.admin.post(PATH, {"kind": "offer", "language": "en", **WORDS})
    unseen = await team.admin.client.patch(
        path, json={"subject": "x"}, headers={"authorization": f"Bearer {team.admin.token}"}
    )
    changed = await team.admin.patch(path, {"subject": "Offer of ours {{ number }}"})
    stale = await team.admin.patch(path, {"subject": "x"}, if_match='"1"')
    listed = (await team.viewer.get(PATH)).json()
    removed = await team.admin.delete(path)
    gone = await team.admin.get(path)

    assert (taken.status_code, taken.json()["error_code"]) == (409, "mail_template_taken")
    assert (unseen.status_code, stale.status_code) == (428, 412)
    assert (changed.json()["subject"], changed.headers["etag"]) == ("Offer of ours {{ number }}", '"2"')
    assert changed.json()["text"] == WORDS["text"]
    assert [(one["kind"], one["language"], one["version"], one["fault"]) for one in listed["items"]] == [
        ("offer", "en", 2, "")
    ]
    assert removed.status_code == 204
    assert (gone.status_code, gone.json()["error_code"]) == (404, "mail_template_not_found")


async def test_a_fault_names_its_field_its_line_and_its_reason(team: Team) -> None:
    body = {"kind": "offer", "language": "en", "subject": "{{ range(9) }}", "text": "a\n{{ gone }}"}

    answer = await team.admin.post(PATH, body | {"html": "<p>\n<script>alert(1)</script></p>"})
    shown = await team.admin.post(f"{PATH}/preview", body)

    assert (answer.status_code, answer.json()["error_code"]) == (422, "validation_failed")
    assert answer.json()["details"] == [
        {"field": "subject", "message": "Line 1: Calls are not known here."},
        {"field": "text", "message": "Line 2: «gone» is not known here."},
        {"field": "html", "message": "Line 2: <script> is not allowed here."},
    ]
    assert shown.json()["details"] == answer.json()["details"][:2]
    assert (await team.admin.get(PATH)).json()["total"] == 0


async def test_a_preview_stores_nothing_and_can_have_the_values_of_a_quote(team: Team, strangers: Team) -> None:
    draft, made = await a_draft(team.sales, title="Fit-out <b>"), await _made(team.admin)
    foreign = await a_draft(strangers.sales)
    html = {"html": "<p>{{ title }}</p>"}
    before = (await team.owner.get("/api/v1/audit/entries")).json()["total"]

    sample = await team.admin.post(f"{PATH}/preview", {"kind": "offer", "language": "de", **WORDS})
    of_quote = await team.admin.post(
        f"{PATH}/preview", {"kind": "offer", "language": "de", **WORDS, **html, "quote_id": draft["id"]}
    )
    saved = await team.admin.post(f"{PATH}/{made['id']}/preview", {"quote_id": draft["id"]})
    not_ours = await team.admin.post(f"{PATH}/{made['id']}/preview", {"quote_id": foreign["id"]})
    forbidden = await team.sales.post(f"{PATH}/{made['id']}/preview", {})

    assert sample.json()["subject"] == "Our offer Q-2026-000123"
    assert of_quote.json()["subject"] == saved.json()["subject"] == f"Our offer {draft['number']}"
    assert "<p>Fit-out &lt;b&gt;</p>" in of_quote.json()["html"]
    assert (not_ours.status_code, not_ours.json()["error_code"]) == (404, "quote_not_found")
    assert (forbidden.status_code, forbidden.json()["error_code"]) == (403, "permission_missing")
    after = (await team.owner.get("/api/v1/audit/entries")).json()["total"]
    assert after == before + 1  # That somebody was denied.


async def test_our_own_words_are_there_to_begin_with(team: Team) -> None:
    found = (await team.viewer.get(f"{PATH}/built-in")).json()["items"]

    assert [one["language"] for one in found] == ["de", "en", "ko"]
    assert "{{ number }}" in found[1]["subject"]
    assert found[1]["values"]["payable"] == "the amount payable, with its currency"
    begun = await team.admin.post(
        PATH, {name: found[0][name] for name in ("kind", "language", "subject", "text", "html")}
    )
    assert begun.status_code == 201
