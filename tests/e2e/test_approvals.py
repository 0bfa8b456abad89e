"""Approvals over HTTP: policies, previews, inboxes, delegates, deputies, registrations, and what happens when people leave."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from src.domain.identity.actor import Role
from tests.e2e.conftest import Caller, Team
from tests.e2e.mailbox import mail_to
from tests.e2e.offers import LINE, a_draft, a_pending_quote

pytestmark = pytest.mark.asyncio
POLICIES, APPROVALS = "/api/v1/approval-policies", "/api/v1/approvals"


async def a_policy(team: Team, **more: Any) -> dict[str, Any]:
    body = {"name": "Generous", "steps": [{"name": "Management", "roles": ["approver"]}]} | more
    answer = await team.admin.post(POLICIES, body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def above(fact: str, value: str) -> dict[str, Any]:
    return {"fact": fact, "operator": ">", "values": [value]}


def a_line(discount: str, **more: Any) -> dict[str, Any]:
    return {**LINE, "discounts": [{"percent": discount}], **more}


async def submitted(team: Team, *lines: dict[str, Any]) -> dict[str, Any]:
    draft = await a_draft(team.sales, **({"lines": list(lines)} if lines else {}))
    return await submit(team, draft["id"])


async def submit(team: Team, quote_id: str) -> dict[str, Any]:
    answer = await team.sales.post(f"/api/v1/quotes/{quote_id}/submit")
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def request_of(caller: Caller, subject_id: str) -> dict[str, Any]:
    """The newest about it."""
    items = (await caller.get(APPROVALS, limit=100)).json()["items"]
    return next(item for item in items if item["subject_id"] == subject_id)


async def inbox(caller: Caller) -> list[str]:
    answer = (await caller.get(APPROVALS, waiting_for="me")).json()
    assert answer["total"] == len(answer["items"])
    assert (await caller.get(f"{APPROVALS}/counts")).json()["waiting_for_me"] == answer["total"]
    return [item["subject_id"] for item in answer["items"]]


async def test_a_policy_is_changed_for_what_comes_and_not_for_what_runs(team: Team) -> None:
    policy = await a_policy(team)
    running = await submitted(team)
    path = f"{POLICIES}/{policy['id']}"

    stale = await team.admin.patch(path, {"name": "New"}, if_match='"99"')
    changed = await team.admin.patch(
        path, {"steps": [{"name": "Board", "roles": ["admin"]}], "conditions": [above("total", "1000000")]}
    )

    assert stale.status_code == 412
    assert (changed.status_code, changed.json()["version"]) == (200, policy["version"] + 1)
    (step,) = (await request_of(team.approver, running["id"]))["steps"]
    assert (step["name"], step["policy_version"]) == ("Management", policy["version"])
    assert (await submitted(team))["status"] == "approved"
    body = {"content_digest": running["content_digest"]}
    assert (await team.approver.post(f"/api/v1/quotes/{running['id']}/approve", body)).json()["status"] == "approved"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"conditions": [above("colour", "1")]}, "conditions[0].fact"),
        ({"conditions": [above("total", "much")]}, "conditions[0].values[0]"),
        ({"conditions": [{"fact": "currency", "operator": "contains", "values": ["E"]}]}, "conditions[0].operator"),
        ({"subject": "holiday"}, "subject"),
        ({"steps": [{"name": "S", "roles": ["owner"], "escalate_after_hours": 3}]}, "steps[0].escalate_after_hours"),
    ],
)
async def test_a_policy_that_makes_no_sense_is_refused(team: Team, body: dict[str, Any], field: str) -> None:
    answer = await team.admin.post(POLICIES, {"name": "P", "steps": [{"name": "S", "roles": ["owner"]}]} | body)

    assert answer.status_code == 422
    assert field in answer.text


async def test_a_preview_says_who_would_be_asked_and_why_and_is_what_happens(team: Team) -> None:
    policy = await a_policy(team, conditions=[above("discount_percent", "5")])
    draft = await a_draft(team.sales, lines=[a_line("10")])
    path = f"/api/v1/quotes/{draft['id']}"

    preview = (await team.sales.post(f"{path}/approval-preview")).json()

    assert preview["needs_approval"] is True
    (told,) = preview["policies"]
    assert told["id"] == policy["id"]
    assert told["conditions"] == [
        {"fact": "discount_percent", "operator": ">", "values": ["5"], "actual": "10", "holds": True}
    ]
    approver = team.organization.users[Role.APPROVER]
    assert told["steps"][0]["persons"] == [{"id": str(approver.id), "name": approver.name}]
    assert (await team.sales.get(path)).json()["status"] == "draft"
    assert (await team.sales.get(APPROVALS, subject="quote")).json()["total"] == 0
    assert (await submit(team, draft["id"]))["status"] == "pending_approval"
    assert (await request_of(team.sales, draft["id"]))["facts"] == preview["facts"]


async def test_margins_decide_and_are_for_those_who_may_see_costs(team: Team) -> None:
    await a_policy(team, conditions=[{"fact": "margin_percent", "operator": "<", "values": ["20"]}])
    costly = {**LINE, "unit_cost": "27"}
    answer = await team.admin.post(
        "/api/v1/quotes", {"customer_id": (await a_draft(team.sales))["customer_id"], "lines": [costly]}
    )
    path = f"/api/v1/quotes/{answer.json()['id']}/approval-preview"

    seen, hidden = (await team.admin.post(path)).json(), (await team.sales.post(path)).json()

    assert seen["facts"]["margin_percent"] == "12.1951"
    assert seen["policies"][0]["conditions"][0]["actual"] == "12.1951"
    assert hidden["needs_approval"] is True  # As submitting would tell.
    assert "margin_percent" not in hidden["facts"]


async def test_what_did_not_get_worse_is_approved_at_once_the_second_time(team: Team) -> None:
    await a_policy(team, conditions=[above("discount_percent", "5")])
    first = await submitted(team, a_line("10"))
    path = f"/api/v1/quotes/{first['id']}"
    await team.approver.post(f"{path}/approve", {"content_digest": first["content_digest"]})
    await team.sales.post(f"{path}/revise")
    await team.sales.patch(path, {"lines": [a_line("9")]})
    preview = (await team.sales.post(f"{path}/approval-preview")).json()

    second = await submit(team, first["id"])

    assert preview["needs_approval"] is False
    assert second["status"] == "approved"
    (step,) = (await request_of(team.sales, first["id"]))["steps"]
    assert step["carried_over_from"]["decided_by"] == [str(team.organization.users[Role.APPROVER].id)]
    await team.sales.post(f"{path}/revise")
    await team.sales.patch(path, {"lines": [a_line("11")]})
    assert (await submit(team, first["id"]))["status"] == "pending_approval"


async def test_the_inbox_holds_what_one_could_decide(team: Team) -> None:
    pending = await a_pending_quote(team)

    assert await inbox(team.approver) == [pending["id"]]
    assert await inbox(team.admin) == [pending["id"]]
    assert await inbox(team.sales) == []
    request = await request_of(team.approver, pending["id"])
    details = (await team.sales.get(f"{APPROVALS}/{request['id']}")).json()
    waiting = {person["id"] for person in details["waiting_for"][0]["persons"]}
    assert waiting == {str(team.organization.users[role].id) for role in (Role.APPROVER, Role.ADMIN)}

    body = {"content_digest": request["content_digest"], "step": request["steps"][0]["step"]}
    approved = await team.approver.post(f"{APPROVALS}/{request['id']}/approve", body)

    assert approved.json()["status"] == "approved"
    assert (await team.sales.get(f"/api/v1/quotes/{pending['id']}")).json()["status"] == "approved"
    assert await inbox(team.admin) == []
    late = await team.admin.post(f"{APPROVALS}/{request['id']}/reject", {**body, "reason": "No."})
    assert (late.status_code, late.json()["error_code"]) == (409, "already_decided")


async def test_people_talk_about_a_request(team: Team) -> None:
    pending = await a_pending_quote(team)
    path = f"{APPROVALS}/{(await request_of(team.sales, pending['id']))['id']}"

    asked = await team.approver.post(f"{path}/comments", {"text": "Why so cheap?"})
    told = await team.sales.post(f"{path}/comments", {"text": "A new customer."})
    mute = await team.viewer.post(f"{path}/comments", {"text": "Hm."})

    assert (asked.status_code, told.status_code, mute.status_code) == (201, 201, 403)
    assert [one["text"] for one in (await team.viewer.get(path)).json()["comments"]] == [
        "Why so cheap?",
        "A new customer.",
    ]


async def test_a_delegate_decides_in_the_name_of_who_is_away(team: Team) -> None:
    await a_policy(team, steps=[{"name": "Ann", "users": [str(team.organization.users[Role.APPROVER].id)]}])
    pending = await submitted(team)
    assert await inbox(team.admin) == []
    today = datetime.now(UTC).date()
    body = {
        "to_user_id": str(team.organization.users[Role.ADMIN].id),
        "starts_on": (today - timedelta(days=1)).isoformat(),
        "ends_on": (today + timedelta(days=1)).isoformat(),
        "reason": "Holiday",
    }

    made = await team.approver.post("/api/v1/delegations", body)
    assert made.status_code == 201, made.text
    assert await inbox(team.admin) == [pending["id"]]
    decided = await team.admin.post(
        f"/api/v1/quotes/{pending['id']}/approve", {"content_digest": pending["content_digest"]}
    )

    assert decided.json()["status"] == "approved"
    (given,) = (await request_of(team.sales, pending["id"]))["steps"][0]["decisions"]
    assert given["user_id"] == body["to_user_id"]
    assert given["on_behalf_of"] == [str(team.organization.users[Role.APPROVER].id)]
    path = f"/api/v1/delegations/{made.json()['id']}"
    ended = await team.approver.delete(path)
    assert ended.json()["ended_at"] is not None
    assert (await team.approver.delete(path)).json()["error_code"] == "delegation_ended"


@pytest.mark.parametrize("door", ["quotes", "approvals"])
async def test_the_answer_to_a_decision_says_whether_it_counted_and_what_waits_still(team: Team, door: str) -> None:
    """The same yes again is for no other step, unless it is named."""
    steps = [{"name": name, "roles": ["approver", "admin"]} for name in ("Team", "Board")]
    await a_policy(team, steps=steps)
    pending = await submitted(team)
    request = await request_of(team.approver, pending["id"])
    path = f"/api/v1/quotes/{pending['id']}" if door == "quotes" else f"{APPROVALS}/{request['id']}"
    body, board = {"content_digest": pending["content_digest"]}, request["steps"][1]["step"]

    first = await team.approver.post(f"{path}/approve", body)
    again = await team.approver.post(f"{path}/approve", body)
    named = await team.approver.post(f"{path}/approve", body | {"step": board})
    late = await team.approver.post(f"{path}/approve", body)

    assert [answer.status_code for answer in (first, again, named, late)] == [200] * 4
    assert [answer.json()["decision"] for answer in (first, again, named, late)] == [
        {"counted": True, "waiting_for_you": [board]},
        {"counted": False, "waiting_for_you": [board]},
        {"counted": True, "waiting_for_you": []},
        {"counted": False, "waiting_for_you": []},
    ]
    assert named.json()["status"] == "approved"
    if door == "quotes":
        assert again.headers["etag"] == first.headers["etag"]


async def test_a_day_is_delegated_to_one_deputy_once(team: Team) -> None:
    today = datetime.now(UTC).date()
    users = {role: str(user.id) for role, user in team.organization.users.items()}

    def days(first: int, last: int, deputy: Role = Role.ADMIN) -> dict[str, str]:
        starts, ends = today + timedelta(days=first), today + timedelta(days=last)
        return {"to_user_id": users[deputy], "starts_on": starts.isoformat(), "ends_on": ends.isoformat()}

    path = "/api/v1/delegations"
    made = await team.approver.post(path, days(1, 5))
    overlapping = [await team.approver.post(path, days(*some)) for some in ((1, 5), (0, 1), (5, 9), (2, 3), (0, 9))]
    beside = [await team.approver.post(path, body) for body in (days(0, 0), days(6, 6), days(1, 5, Role.OWNER))]
    await team.approver.delete(f"{path}/{made.json()['id']}")
    again = await team.approver.post(path, days(1, 5))

    assert {(answer.status_code, answer.json()["error_code"]) for answer in overlapping} == {
        (409, "delegation_overlaps")
    }
    assert {answer.json()["details"]["delegation_id"] for answer in overlapping} == {made.json()["id"]}
    assert [answer.status_code for answer in (*beside, again)] == [201] * 4


async def test_nobody_delegates_what_is_not_theirs_nor_to_who_may_not(team: Team) -> None:
    day = datetime.now(UTC).date().isoformat()
    users = {role: str(user.id) for role, user in team.organization.users.items()}
    days = {"starts_on": day, "ends_on": day}

    others = await team.approver.post(
        "/api/v1/delegations",
        {**days, "from_user_id": users[Role.ADMIN], "to_user_id": users[Role.APPROVER]},
    )
    to_sales = await team.approver.post("/api/v1/delegations", {**days, "to_user_id": users[Role.SALES]})
    to_self = await team.approver.post("/api/v1/delegations", {**days, "to_user_id": users[Role.APPROVER]})
    of_sales = await team.admin.post(
        "/api/v1/delegations", {**days, "from_user_id": users[Role.SALES], "to_user_id": users[Role.APPROVER]}
    )
    by_admin = await team.admin.post(
        "/api/v1/delegations", {**days, "from_user_id": users[Role.APPROVER], "to_user_id": users[Role.OWNER]}
    )

    answers = (others, to_sales, to_self, of_sales, by_admin)
    assert [answer.status_code for answer in answers] == [403, 422, 422, 422, 201]


@pytest.mark.usefixtures("worker")
async def test_a_request_that_nobody_can_decide_is_blocked_and_the_owner_of_the_policy_is_told(
    team: Team, mail_folder: Path
) -> None:
    approver = team.organization.users[Role.APPROVER]
    await a_policy(team, steps=[{"name": "Ann", "users": [str(approver.id)]}])
    pending = await submitted(team)

    await team.admin.post(f"/api/v1/users/{approver.id}/deactivate")

    assert (await request_of(team.sales, pending["id"]))["status"] == "blocked"
    assert pending["number"] in await mail_to(
        mail_folder, team.organization.users[Role.ADMIN].email, containing="nobody is left"
    )
    await team.admin.post(f"/api/v1/users/{approver.id}/reactivate")
    assert (await request_of(team.sales, pending["id"]))["status"] == "open"
    recalled = await team.sales.post(f"/api/v1/quotes/{pending['id']}/recall")
    assert recalled.json()["status"] == "draft"


@pytest.mark.usefixtures("worker")
async def test_approvers_are_mailed_and_the_submitter_hears_the_end(
    team: Team, nobody: Caller, mail_folder: Path
) -> None:
    pending = await a_pending_quote(team)
    request = await request_of(team.sales, pending["id"])

    asked = await mail_to(mail_folder, team.organization.users[Role.APPROVER].email, containing=pending["number"])
    assert f"http://127.0.0.1:8000/approvals/{request['id']}" in asked
    page = await nobody.get(f"/approvals/{request['id']}")
    assert "Log in to see what waits for you." in page.text
    assert pending["number"] not in page.text
    body = {"content_digest": pending["content_digest"], "reason": "Far too cheap."}
    await team.approver.post(f"/api/v1/quotes/{pending['id']}/reject", body)

    told = await mail_to(mail_folder, team.organization.users[Role.SALES].email, containing=pending["number"])
    assert "Far too cheap." in told
    details = (await team.approver.get(f"/api/v1/approvals/{request['id']}")).json()
    users = [team.organization.users[role] for role in (Role.APPROVER, Role.SALES)]
    assert sorted((one["id"], one["name"]) for one in details["people"]) == sorted(
        (str(one.id), one.name) for one in users
    )


@pytest.mark.usefixtures("worker")
async def test_reminders_are_mailed_in_their_time(team: Team, mail_folder: Path, admin_engine: AsyncEngine) -> None:
    await a_policy(team, steps=[{"name": "Slow", "roles": ["approver"], "remind_after_hours": 2}])
    pending = await submitted(team)

    async with admin_engine.begin() as connection:  # Two working hours later, as it were.
        await connection.execute(
            text("UPDATE jobs.pgqueuer SET execute_after = now() WHERE entrypoint = 'remind_approvers'")
        )

    reminded = await mail_to(mail_folder, team.organization.users[Role.APPROVER].email, containing="still needs")
    assert pending["number"] in reminded
    assert (await request_of(team.sales, pending["id"]))["steps"][0]["reminders"] == 1


async def test_a_registration_runs_through_the_same_engine(team: Team) -> None:
    await a_policy(
        team,
        name="Large credits",
        subject="customer_registration",
        conditions=[above("credit_limit", "10000")],
        steps=[{"name": "Team", "roles": ["approver"]}, {"name": "Board", "roles": ["owner"]}],
    )
    answer = await team.sales.post("/api/v1/customers", {"name": "Atelier", "credit_limit": "50000"})
    customer = answer.json()
    path = f"/api/v1/customers/{customer['id']}"
    request = await request_of(team.sales, customer["id"])
    assert (request["subject"], [step["name"] for step in request["steps"]]) == (
        "customer_registration",
        ["Team", "Board"],
    )

    own = await team.sales.post(f"{path}/approve")
    first = await team.approver.post(f"{path}/approve")
    assert (own.status_code, first.json()["status"]) == (403, "pending")
    changed = await team.sales.patch(path, {"credit_limit": "60000"})
    assert changed.json()["status"] == "pending"
    again = await request_of(team.sales, customer["id"])
    assert again["id"] != request["id"]
    assert [step["status"] for step in again["steps"]] == ["open", "waiting"]

    await team.approver.post(f"{path}/approve")
    settled = await team.owner.post(f"{APPROVALS}/{again['id']}/approve", {"content_digest": again["content_digest"]})
    assert settled.json()["status"] == "approved"
    assert (await team.sales.get(path)).json()["status"] == "approved"


async def test_a_simulation_says_what_a_changed_policy_would_have_asked_for(team: Team) -> None:
    policy = await a_policy(team, conditions=[above("discount_percent", "20")])
    small, large = await submitted(team, a_line("10")), await submitted(team, a_line("30"))
    today = datetime.now(UTC).date()
    days = {"from": (today - timedelta(days=1)).isoformat(), "to": (today + timedelta(days=1)).isoformat()}
    path = f"{POLICIES}/{policy['id']}/simulate"

    stricter = (await team.admin.post(path, {**days, "conditions": [above("discount_percent", "5")]})).json()
    laxer = (await team.admin.post(path, {**days, "conditions": [above("discount_percent", "50")]})).json()

    assert (stricter["status"], stricter["records"]) == ("done", 2)
    assert (stricter["asked_before"], stricter["asked_after"], stricter["newly_asked"]) == (1, 2, 1)
    assert [one["subject_id"] for one in stricter["examples"]] == [small["id"]]
    approver = str(team.organization.users[Role.APPROVER].id)
    assert {"user_id": approver, "before": 1, "after": 2} in stricter["load"]
    assert (laxer["no_longer_asked"], laxer["examples"][0]["subject_id"]) == (1, large["id"])
    assert (await team.admin.get(f"{POLICIES}/{policy['id']}")).json()["version"] == policy["version"]
    kept = await team.admin.get(f"/api/v1/approval-simulations/{stricter['id']}")
    assert kept.json() == stricter


async def a_registration(team: Team, **more: Any) -> str:
    answer = await team.sales.post("/api/v1/customers", {"name": "Atelier", **more})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_whoever_changed_a_registration_last_does_not_approve_it_whatever_happens_in_between(team: Team) -> None:
    customer = await a_registration(team)
    path = f"/api/v1/customers/{customer}"
    await team.admin.patch(path, {"credit_limit": "1000000"})
    assert (await team.admin.post(f"{path}/approve")).status_code == 403

    await team.admin.delete(path)
    restored = await team.admin.post(f"{path}/restore")

    assert restored.json()["status"] == "pending"
    assert (await team.admin.post(f"{path}/approve")).status_code == 403
    assert customer in await inbox(team.approver)
    rejected = await team.approver.post(f"{path}/reject", {"reason": "No."})
    assert rejected.json()["status"] == "rejected"
    await team.admin.patch(path, {"credit_limit": "5"})
    assert (await team.sales.post(f"{path}/register")).json()["status"] == "pending"
    assert (await team.admin.post(f"{path}/approve")).status_code == 403
    assert (await team.owner.post(f"{path}/approve")).json()["status"] == "approved"


async def test_tags_that_policies_read_ask_anew_and_an_old_look_is_refused(team: Team) -> None:
    body = {
        "name": "Risky",
        "subject": "customer_registration",
        "conditions": [{"fact": "tags", "operator": "contains", "values": ["risk"]}],
        "steps": [{"name": "Board", "roles": ["owner"]}],
    }
    await a_policy(team, **body)
    customer = await a_registration(team)
    path = f"/api/v1/customers/{customer}"
    seen = await team.approver.tag_of(path)

    await team.sales.patch(path, {"tags": ["risk"]})

    stale = await team.approver.post(f"{path}/approve", if_match=seen)
    assert stale.status_code == 412
    assert [step["name"] for step in (await request_of(team.sales, customer))["steps"]] == ["Board"]
    assert (await team.approver.post(f"{path}/approve")).json()["error_code"] == "not_an_approver"


async def test_nobody_takes_the_decisions_of_who_may_more(team: Team) -> None:
    day = datetime.now(UTC).date().isoformat()
    users = {role: str(user.id) for role, user in team.organization.users.items()}
    body = {"from_user_id": users[Role.OWNER], "starts_on": day, "ends_on": day}

    of_the_owner = await team.admin.post("/api/v1/delegations", {**body, "to_user_id": users[Role.APPROVER]})
    to_oneself = await team.admin.post(
        "/api/v1/delegations", {**body, "from_user_id": users[Role.APPROVER], "to_user_id": users[Role.ADMIN]}
    )

    assert (of_the_owner.status_code, of_the_owner.json()["error_code"]) == (403, "role_not_yours")
    assert to_oneself.status_code == 422


@pytest.mark.usefixtures("worker")
async def test_who_can_decide_again_is_told(team: Team, mail_folder: Path) -> None:
    approver, viewer = team.organization.users[Role.APPROVER], team.organization.users[Role.VIEWER]
    await a_policy(team)
    pending = await submitted(team)
    await team.admin.post(f"/api/v1/users/{approver.id}/deactivate")
    assert (await request_of(team.sales, pending["id"]))["status"] == "blocked"

    await team.owner.patch(f"/api/v1/users/{viewer.id}", {"role": "approver"})

    assert (await request_of(team.sales, pending["id"]))["status"] == "open"
    assert pending["number"] in await mail_to(mail_folder, viewer.email, containing="needs your decision")


async def test_a_registration_that_nobody_else_can_decide_is_the_owners(team: Team) -> None:
    customer = (await team.owner.post("/api/v1/customers", {"name": "Atelier"})).json()["id"]
    path = f"/api/v1/customers/{customer}"
    assert (await team.owner.post(f"{path}/approve")).json()["error_code"] == "own_registration"

    for role in (Role.ADMIN, Role.APPROVER):
        await team.owner.post(f"/api/v1/users/{team.organization.users[role].id}/deactivate")

    assert (await request_of(team.owner, customer))["status"] == "blocked"
    assert (await team.owner.post(f"{path}/approve")).json()["status"] == "approved"
    assert (await request_of(team.owner, customer))["status"] == "withdrawn"


async def test_a_preview_knows_what_an_unchanged_offer_carries_over(team: Team) -> None:
    await a_policy(team, steps=[{"name": "Team", "roles": ["approver"]}, {"name": "Board", "roles": ["owner"]}])
    pending = await submitted(team)
    path = f"/api/v1/quotes/{pending['id']}"
    await team.approver.post(f"{path}/approve", {"content_digest": pending["content_digest"]})
    await team.sales.post(f"{path}/recall")

    (policy,) = (await team.sales.post(f"{path}/approval-preview")).json()["policies"]
    again = await submit(team, pending["id"])

    told = [step["carried_over_from"] is not None for step in policy["steps"]]
    steps = (await request_of(team.sales, pending["id"]))["steps"]
    assert told == [step["carried_over_from"] is not None for step in steps] == [True, False]
    assert again["status"] == "pending_approval"


async def test_a_simulation_of_registrations_knows_that_somebody_is_always_asked(team: Team) -> None:
    policy = await a_policy(team, subject="customer_registration", steps=[{"name": "Board", "roles": ["owner"]}])
    await a_registration(team)
    today = datetime.now(UTC).date()
    days = {"from": (today - timedelta(days=1)).isoformat(), "to": (today + timedelta(days=1)).isoformat()}

    told = (await team.admin.post(f"{POLICIES}/{policy['id']}/simulate", {**days, "active": False})).json()

    assert (told["records"], told["asked_before"], told["asked_after"]) == (1, 1, 1)
    assert (told["newly_asked"], told["no_longer_asked"]) == (1, 1)


async def test_thresholds_of_margins_are_for_those_who_may_see_costs(team: Team) -> None:
    await a_policy(team, conditions=[{"fact": "margin_percent", "operator": "<", "values": ["20"]}])
    key = await team.admin.post("/api/v1/api-keys", {"name": "K", "scopes": ["approval_policies.manage"]})
    machine = Caller(team.admin.client, key.json()["secret"])
    draft = await a_draft(team.sales)

    costly = await team.admin.post(
        "/api/v1/quotes",
        {
            "customer_id": draft["customer_id"],
            "contact_id": (await team.admin.get("/api/v1/contacts")).json()["items"][0]["id"],
            "lines": [{**LINE, "unit_cost": "27"}],
        },
    )
    path = f"/api/v1/quotes/{costly.json()['id']}"
    assert (await team.admin.post(f"{path}/submit")).json()["status"] == "pending_approval"
    assert "margin_percent" in (await team.admin.get(f"{path}/timeline")).text
    assert "12.1951" not in (await team.viewer.get(f"{path}/timeline")).text

    (seen,) = (await team.admin.get(POLICIES)).json()["items"]
    (hidden,) = (await team.viewer.get(POLICIES)).json()["items"]
    (asked,) = (await team.sales.post(f"/api/v1/quotes/{draft['id']}/approval-preview")).json()["policies"]
    body = {"name": "P", "steps": [{"name": "S", "roles": ["owner"]}], "conditions": seen["conditions"]}
    refused = await machine.post(POLICIES, body)

    assert (seen["conditions"][0]["values"], hidden["conditions"][0]["values"]) == (["20"], [])
    (condition,) = asked["conditions"]
    assert (condition["values"], condition["actual"], condition["holds"]) == ([], None, None)
    assert (refused.status_code, refused.json()["details"]["permission"]) == (403, "costs.view")


async def test_an_inbox_is_not_narrowed_by_what_it_does_not_know(team: Team) -> None:
    assert (await team.admin.get(APPROVALS, waiting_for="me", status="rejected")).status_code == 422
