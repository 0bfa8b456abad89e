"""Accounts from end to end: codes, second factors, invitations, resets, sessions and keys."""

import asyncio
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyotp
import pytest
from httpx import AsyncClient

from src.domain.identity.actor import Role
from tests.e2e.conftest import Caller, Team
from tests.e2e.mailbox import code_of, mail_to, token_of
from tests.e2e.offers import a_draft
from tests.organizations import PASSWORD

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("worker")]

API = "/api/v1"
NEW_PASSWORD = "a quite different battery"


async def _log_in(nobody: Caller, email: str, password: str = PASSWORD) -> dict[str, Any]:
    answer = await nobody.post(f"{API}/login", {"email": email, "password": password})
    assert answer.status_code in {200, 202}, answer.text
    told: dict[str, Any] = answer.json()
    return told


def _as(nobody: Caller, told: dict[str, Any]) -> Caller:
    return Caller(nobody.client, told["access_token"])


async def _status(caller: Caller) -> int:
    return (await caller.get(f"{API}/me")).status_code


async def test_a_mailed_code_logs_in_once(team: Team, nobody: Caller, mail_folder: Path) -> None:
    email = team.organization.users[Role.SALES].email
    asked = await nobody.post(f"{API}/login", {"email": email})
    attempt = asked.json()["attempt"]
    code = code_of(await mail_to(mail_folder, email))

    wrong = await nobody.post(f"{API}/login/verify", {"attempt": attempt, "code": "000000"})
    right = await nobody.post(f"{API}/login/verify", {"attempt": attempt, "code": f" {code[:3]} {code[3:]} "})
    again = await nobody.post(f"{API}/login/verify", {"attempt": attempt, "code": code})
    elsewhere = await nobody.post(f"{API}/login/verify", {"attempt": str(uuid4()), "code": code})

    assert asked.status_code == 202
    assert asked.json()["outcome"] == "code_needed"
    assert (wrong.status_code, again.status_code, elsewhere.status_code) == (401, 401, 401)
    assert wrong.json()["error_code"] == again.json()["error_code"] == "challenge_failed"
    assert right.status_code == 200
    assert (await _as(nobody, right.json()).get(f"{API}/me")).json()["role"] == "sales"


async def test_a_new_code_voids_the_one_before(team: Team, nobody: Caller, mail_folder: Path) -> None:
    email = team.organization.users[Role.VIEWER].email
    first = (await nobody.post(f"{API}/login", {"email": email})).json()["attempt"]
    first_code = code_of(await mail_to(mail_folder, email))
    second = (await nobody.post(f"{API}/login", {"email": email})).json()["attempt"]
    second_code = code_of(await mail_to(mail_folder, email, number=2))

    old = await nobody.post(f"{API}/login/verify", {"attempt": first, "code": first_code})
    new = await nobody.post(f"{API}/login/verify", {"attempt": second, "code": second_code})

    assert (old.status_code, new.status_code) == (401, 200)


async def test_five_answers_and_no_more(team: Team, nobody: Caller, mail_folder: Path) -> None:
    email = team.organization.users[Role.ADMIN].email
    attempt = (await nobody.post(f"{API}/login", {"email": email})).json()["attempt"]
    code = code_of(await mail_to(mail_folder, email))
    wrong = [str(number).zfill(6) for number in range(1, 7) if str(number).zfill(6) != code][:5]

    answers = [await nobody.post(f"{API}/login/verify", {"attempt": attempt, "code": one}) for one in wrong]
    right = await nobody.post(f"{API}/login/verify", {"attempt": attempt, "code": code})

    assert [answer.status_code for answer in answers] == [401] * 5
    assert right.status_code == 429
    assert int(right.headers["retry-after"]) > 0


async def test_one_code_opens_one_session_however_often_it_comes(team: Team, nobody: Caller, mail_folder: Path) -> None:
    email = team.organization.users[Role.OWNER].email
    attempt = (await nobody.post(f"{API}/login", {"email": email})).json()["attempt"]
    code = code_of(await mail_to(mail_folder, email))

    answers = await asyncio.gather(
        *(nobody.post(f"{API}/login/verify", {"attempt": attempt, "code": code}) for _ in range(5))
    )

    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401, 401]


async def test_an_address_that_nobody_has_is_answered_alike(team: Team, nobody: Caller) -> None:
    known, unknown = team.organization.users[Role.SALES].email, f"{uuid4().hex}@example.com"
    for path in (f"{API}/login", f"{API}/password-resets"):
        answers = [await nobody.post(path, {"email": email}) for email in (known, unknown)]

        assert answers[0].status_code == answers[1].status_code == 202
        assert len(answers[0].content) == len(answers[1].content)
        assert set(answers[0].headers) == set(answers[1].headers)
    attempts = [(await nobody.post(f"{API}/login", {"email": email})).json()["attempt"] for email in (known, unknown)]
    wrong = [await nobody.post(f"{API}/login/verify", {"attempt": one, "code": "12"}) for one in attempts]
    assert wrong[0].status_code == wrong[1].status_code == 401
    assert wrong[0].json()["message"] == wrong[1].json()["message"]


async def test_an_invitation_becomes_a_user(team: Team, nobody: Caller, mail_folder: Path) -> None:
    email = f"{uuid4().hex}@example.com"
    invited = await team.admin.post(f"{API}/users", {"email": email, "name": "Annelie Lee", "role": "sales"})
    token = token_of(await mail_to(mail_folder, email, containing="invited"))

    too_early = await nobody.post(f"{API}/login", {"email": email, "password": NEW_PASSWORD})
    weak = await nobody.post(f"{API}/invitations/accept", {"token": token, "password": "password"})
    own_name = await nobody.post(f"{API}/invitations/accept", {"token": token, "password": "Annelie1"})
    accepted = await nobody.post(f"{API}/invitations/accept", {"token": token, "password": NEW_PASSWORD})
    twice = await nobody.post(f"{API}/invitations/accept", {"token": token, "password": NEW_PASSWORD})
    forged = await nobody.post(f"{API}/invitations/accept", {"token": token[:-3] + "AAA", "password": NEW_PASSWORD})

    assert invited.json()["status"] == "invited"
    assert too_early.status_code == 401
    assert (weak.status_code, own_name.status_code) == (422, 422)
    assert weak.json()["details"][0]["field"] == "password"
    assert accepted.status_code == 204
    assert (twice.status_code, forged.status_code) == (401, 401)
    assert (await _as(nobody, await _log_in(nobody, email, NEW_PASSWORD)).get(f"{API}/me")).json()["role"] == "sales"


async def test_a_second_invitation_voids_the_first(team: Team, nobody: Caller, mail_folder: Path) -> None:
    email = f"{uuid4().hex}@example.com"
    user = (await team.admin.post(f"{API}/users", {"email": email, "name": "Ann Lee", "role": "viewer"})).json()
    first = token_of(await mail_to(mail_folder, email))
    await team.admin.post(f"{API}/users/{user['id']}/invite")
    second = token_of(await mail_to(mail_folder, email, number=2))

    old = await nobody.post(f"{API}/invitations/accept", {"token": first, "password": NEW_PASSWORD})
    new = await nobody.post(f"{API}/invitations/accept", {"token": second, "password": NEW_PASSWORD})
    again = await team.admin.post(f"{API}/users/{user['id']}/invite")

    assert (old.status_code, new.status_code) == (401, 204)
    assert (again.status_code, again.json()["error_code"]) == (409, "user_state")


async def test_a_password_is_reset_by_mail_and_every_session_ends(
    team: Team, nobody: Caller, mail_folder: Path
) -> None:
    email = team.organization.users[Role.SALES].email
    await nobody.post(f"{API}/password-resets", {"email": email})
    token = token_of(await mail_to(mail_folder, email, containing="password"))

    done = await nobody.post(f"{API}/password-resets/complete", {"token": token, "password": NEW_PASSWORD})
    twice = await nobody.post(f"{API}/password-resets/complete", {"token": token, "password": NEW_PASSWORD})
    as_invitation = await nobody.post(f"{API}/invitations/accept", {"token": token, "password": NEW_PASSWORD})

    assert (done.status_code, twice.status_code, as_invitation.status_code) == (204, 401, 401)
    assert await _status(team.sales) == 401
    assert (await nobody.post(f"{API}/login", {"email": email, "password": PASSWORD})).status_code == 401
    assert "access_token" in await _log_in(nobody, email, NEW_PASSWORD)


async def test_a_changed_password_ends_the_other_sessions(team: Team, nobody: Caller) -> None:
    email = team.organization.users[Role.SALES].email
    here = _as(nobody, await _log_in(nobody, email))

    wrong = await here.post(f"{API}/me/password", {"current_password": "wrong one", "new_password": NEW_PASSWORD})
    changed = await here.post(f"{API}/me/password", {"current_password": PASSWORD, "new_password": NEW_PASSWORD})

    assert (wrong.status_code, changed.status_code) == (401, 204)
    assert await _status(here) == 200
    assert await _status(team.sales) == 401


async def test_refresh_tokens_count_once_and_a_copy_ends_the_session(
    team: Team, nobody: Caller, client: AsyncClient
) -> None:
    told = await _log_in(nobody, team.organization.users[Role.SALES].email)
    first = told["refresh_token"]

    second = (await nobody.post(f"{API}/session/refresh", {"refresh_token": first})).json()
    forgiven = (await nobody.post(f"{API}/session/refresh", {"refresh_token": first})).json()
    third = (await nobody.post(f"{API}/session/refresh", {"refresh_token": second["refresh_token"]})).json()
    thief = await client.post(
        f"{API}/session/refresh", json={"refresh_token": first}, headers={"user-agent": "a thief's"}
    )
    after = await nobody.post(f"{API}/session/refresh", {"refresh_token": third["refresh_token"]})

    assert forgiven["refresh_token"] == second["refresh_token"] != first
    assert third["refresh_token"] not in {first, second["refresh_token"]}
    assert (thief.status_code, after.status_code) == (401, 401)
    assert await _status(_as(nobody, third)) == 401
    reasons = (await team.owner.get(f"{API}/audit/entries", action="session.ended")).json()["items"]
    assert reasons[0]["details"]["reason"] == "token_reused"


async def test_twenty_refreshes_at_once_leave_one_branch(team: Team, nobody: Caller) -> None:
    told = await _log_in(nobody, team.organization.users[Role.VIEWER].email)
    body = {"refresh_token": told["refresh_token"]}

    answers = await asyncio.gather(*(nobody.post(f"{API}/session/refresh", body) for _ in range(20)))

    successors = {answer.json()["refresh_token"] for answer in answers if answer.status_code == 200}
    assert len(successors) == 1
    assert {answer.status_code for answer in answers} <= {200, 401}


@pytest.mark.parametrize("token", ["", "prt_", "prt_AAAA", "prt_" + "A" * 102, "x" * 5000])
async def test_forged_refresh_tokens_are_refused(token: str, nobody: Caller) -> None:
    answer = await nobody.post(f"{API}/session/refresh", {"refresh_token": token})

    assert answer.status_code in {401, 422}


async def test_an_access_token_is_no_refresh_token_and_the_other_way_round(team: Team, nobody: Caller) -> None:
    told = await _log_in(nobody, team.organization.users[Role.SALES].email)

    swapped = await nobody.post(f"{API}/session/refresh", {"refresh_token": told["access_token"]})

    assert swapped.status_code == 401
    assert await _status(Caller(nobody.client, told["refresh_token"])) == 401


async def test_what_ends_a_session_ends_each_of_its_tokens(team: Team, nobody: Caller) -> None:
    """Logout, logout everywhere, deactivation, another role: the access token and the refresh token, at once."""
    sales = team.organization.users[Role.SALES]

    async def end_here(caller: Caller) -> None:
        assert (await caller.post(f"{API}/logout")).status_code == 204

    async def end_everywhere(_: Caller) -> None:
        other = _as(nobody, await _log_in(nobody, sales.email))
        assert (await other.post(f"{API}/logout", {"everywhere": True})).status_code == 204

    async def end_one(caller: Caller) -> None:
        other = _as(nobody, await _log_in(nobody, sales.email))
        listed = (await caller.get(f"{API}/me/sessions")).json()["items"]
        own = next(one["id"] for one in listed if one["current"])
        assert (
            await other.client.delete(f"{API}/me/sessions/{own}", headers={"authorization": f"Bearer {other.token}"})
        ).status_code == 204

    async def another_role(_: Caller) -> None:
        assert (await team.owner.patch(f"{API}/users/{sales.id}", {"role": "viewer"})).status_code == 200

    async def deactivated(_: Caller) -> None:
        assert (await team.owner.post(f"{API}/users/{sales.id}/deactivate")).status_code == 200

    for end in (end_here, end_everywhere, end_one, another_role, deactivated):
        told = await _log_in(nobody, sales.email)
        caller = _as(nobody, told)
        assert await _status(caller) == 200
        await end(caller)

        refreshed = await nobody.post(f"{API}/session/refresh", {"refresh_token": told["refresh_token"]})
        assert (await _status(caller), refreshed.status_code) == (401, 401), end.__name__
    gone = await nobody.post(f"{API}/login", {"email": sales.email, "password": PASSWORD})
    back = await team.owner.post(f"{API}/users/{sales.id}/reactivate")
    assert (gone.status_code, back.json()["status"]) == (401, "active")
    assert "access_token" in await _log_in(nobody, sales.email)


async def test_nobody_lifts_themselves_and_an_owner_stays(team: Team) -> None:
    users = {role: str(user.id) for role, user in team.organization.users.items()}

    async def refusal(caller: Caller, method: str, path: str, body: Any = None) -> str:
        answer = await getattr(caller, method)(f"{API}/users/{path}", *([body] if method == "patch" else []))
        return f"{answer.status_code} {answer.json().get('error_code')}"

    admin = team.admin
    assert await refusal(admin, "patch", users[Role.ADMIN], {"role": "owner"}) == "403 role_not_yours"
    assert await refusal(admin, "patch", users[Role.SALES], {"role": "owner"}) == "403 role_not_yours"
    assert await refusal(admin, "patch", users[Role.OWNER], {"role": "viewer"}) == "403 role_not_yours"
    assert await refusal(admin, "post", f"{users[Role.OWNER]}/deactivate") == "403 role_not_yours"
    assert await refusal(team.owner, "patch", users[Role.OWNER], {"role": "viewer"}) == "403 role_not_yours"
    assert await refusal(team.owner, "post", f"{users[Role.OWNER]}/deactivate") == "403 role_not_yours"
    assert await refusal(team.sales, "patch", users[Role.VIEWER], {"role": "sales"}) == "403 permission_missing"
    invited = await admin.post(f"{API}/users", {"email": "x@example.com", "name": "X", "role": "owner"})
    assert (invited.status_code, invited.json()["error_code"]) == (403, "role_not_yours")


async def test_the_second_factor_is_asked_for_and_each_code_counts_once(team: Team, nobody: Caller) -> None:
    email = team.organization.users[Role.SALES].email
    begun = (await team.sales.post(f"{API}/me/second-factor")).json()
    app = pyotp.TOTP(begun["secret"])

    wrong = await team.sales.post(f"{API}/me/second-factor/confirm", {"code": "000000"})
    first = app.at(int(time.time()))
    confirmed = await team.sales.post(f"{API}/me/second-factor/confirm", {"code": first})
    recovery = confirmed.json()["recovery_codes"]
    told = await _log_in(nobody, email)
    used = await nobody.post(f"{API}/login/verify", {"attempt": told["attempt"], "code": first})
    by_recovery = await nobody.post(f"{API}/login/verify", {"attempt": told["attempt"], "code": recovery[0].lower()})
    told = await _log_in(nobody, email)
    again = await nobody.post(f"{API}/login/verify", {"attempt": told["attempt"], "code": recovery[0]})

    assert begun["otpauth_url"].startswith("otpauth://totp/")
    assert wrong.status_code == 401
    assert len(set(recovery)) == 10
    assert told["outcome"] == "code_needed"
    assert told["second_factor"]
    assert (used.status_code, by_recovery.status_code, again.status_code) == (401, 200, 401)
    assert await _status(team.sales) == 200  # The session that confirmed goes on.
    removed = await team.sales.post(f"{API}/me/second-factor/remove", {"code": recovery[1]})
    assert removed.status_code == 204
    assert "access_token" in await _log_in(nobody, email)


async def test_an_organisation_can_demand_a_second_factor(team: Team, nobody: Caller) -> None:
    email = team.organization.users[Role.SALES].email
    by_admin = await team.admin.patch(f"{API}/organization", {"require_second_factor": True})
    by_owner = await team.owner.patch(f"{API}/organization", {"require_second_factor": True})
    told = await _log_in(nobody, email)
    caller = _as(nobody, told)

    locked = await caller.get(f"{API}/quotes")
    begun = (await caller.post(f"{API}/me/second-factor")).json()
    code = pyotp.TOTP(begun["secret"]).at(int(time.time()))
    recovery = (await caller.post(f"{API}/me/second-factor/confirm", {"code": code})).json()["recovery_codes"]

    assert (by_admin.status_code, by_owner.status_code) == (403, 200)
    assert told["restricted"]
    assert (locked.status_code, locked.json()["error_code"]) == (403, "permission_missing")
    assert (await caller.get(f"{API}/quotes")).status_code == 200
    kept = await caller.post(f"{API}/me/second-factor/remove", {"code": recovery[0]})
    assert (kept.status_code, kept.json()["error_code"]) == (409, "second_factor_state")


async def test_a_lost_second_factor_is_reset_by_somebody_else(team: Team, nobody: Caller) -> None:
    sales = team.organization.users[Role.SALES]
    begun = (await team.sales.post(f"{API}/me/second-factor")).json()
    code = pyotp.TOTP(begun["secret"]).at(int(time.time()))
    await team.sales.post(f"{API}/me/second-factor/confirm", {"code": code})

    own = await team.owner.post(f"{API}/users/{team.organization.users[Role.OWNER].id}/second-factor/reset")
    reset = await team.admin.post(f"{API}/users/{sales.id}/second-factor/reset")

    assert (own.status_code, reset.status_code) == (403, 204)
    assert await _status(team.sales) == 401
    assert "access_token" in await _log_in(nobody, sales.email)


async def test_an_api_key_does_what_its_scopes_say_and_ends_at_once(team: Team, nobody: Caller) -> None:
    body = {"name": "Shop", "scopes": ["quotes.view", "customers.edit"]}
    made = (await team.admin.post(f"{API}/api-keys", body)).json()
    key = Caller(nobody.client, made["secret"])

    read = await key.get(f"{API}/quotes")
    wrote = await key.post(f"{API}/customers", {"name": "Brandt"})
    beyond = await key.get(f"{API}/audit/entries")
    listed = (await team.admin.get(f"{API}/api-keys")).json()["items"]
    revoked = await team.admin.post(f"{API}/api-keys/{made['api_key']['id']}/revoke")
    after = await key.get(f"{API}/quotes")

    assert made["secret"].startswith(made["api_key"]["prefix"])
    assert (read.status_code, wrote.status_code, beyond.status_code) == (200, 201, 403)
    assert made["secret"] not in str(listed)
    assert listed[0]["last_used_at"] is not None
    assert (revoked.status_code, after.status_code) == (200, 401)
    created = (await team.owner.get(f"{API}/audit/entries", action="customer.created")).json()["items"][0]
    assert created["actor_kind"] == "api_key"


async def test_an_api_key_is_worth_no_more_than_its_maker(team: Team, nobody: Caller) -> None:
    for scopes in (["approvals.decide"], ["users.manage"], ["security.manage"], ["owners.manage"]):
        refused = await team.admin.post(f"{API}/api-keys", {"name": "K", "scopes": scopes})
        assert (refused.status_code, refused.json()["error_code"]) == (403, "scope_not_yours"), scopes
    elsewhere = await team.admin.post(
        f"{API}/api-keys", {"name": "K", "scopes": ["quotes.view"], "networks": ["203.0.113.0/24"]}
    )
    nonsense = await team.admin.post(
        f"{API}/api-keys", {"name": "K", "scopes": ["quotes.view"], "networks": ["everywhere"]}
    )
    made = (await team.admin.post(f"{API}/api-keys", {"name": "K", "scopes": ["quotes.view"]})).json()
    key = Caller(nobody.client, made["secret"])
    altered = Caller(nobody.client, made["secret"][:-1] + ("0" if made["secret"][-1] != "0" else "1"))

    assert (await Caller(nobody.client, elsewhere.json()["secret"]).get(f"{API}/quotes")).status_code == 401
    assert nonsense.json()["details"][0]["field"] == "networks[0]"
    assert (await altered.get(f"{API}/quotes")).status_code == 401
    assert (await key.get(f"{API}/quotes")).status_code == 200
    await team.owner.post(f"{API}/users/{team.organization.users[Role.ADMIN].id}/deactivate")
    assert (await key.get(f"{API}/quotes")).status_code == 401


async def test_wrong_passwords_are_throttled_for_known_and_unknown_alike(team: Team, nobody: Caller) -> None:
    for email in (team.organization.users[Role.VIEWER].email, f"{uuid4().hex}@example.com"):
        body = {"email": email, "password": "wrong password"}
        answers = [await nobody.post(f"{API}/login", body) for _ in range(11)]

        assert [answer.status_code for answer in answers] == [401] * 10 + [429], email
        assert 0 < int(answers[-1].headers["retry-after"]) <= 31


async def test_what_succeeds_costs_no_turn(team: Team, nobody: Caller) -> None:
    email = team.organization.users[Role.APPROVER].email
    for _ in range(12):
        assert "access_token" in await _log_in(nobody, email)


async def test_the_logo_is_a_picture_whatever_it_is_called(team: Team) -> None:
    png = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
    path, tag = f"{API}/organization/logo", await team.owner.tag_of(f"{API}/organization")
    headers = {"authorization": f"Bearer {team.owner.token}", "if-match": tag}
    client = team.owner.client

    script = await client.put(path, content=b"<svg onload=x>", headers=headers | {"content-type": "image/png"})
    large = await client.put(path, content=png + b"x" * 1024**2, headers=headers | {"content-type": "image/png"})
    taken = await client.put(path, content=png, headers=headers | {"content-type": "image/jpeg"})
    shown = await team.viewer.get(path)
    stale = await client.delete(path, headers=headers)
    removed = await client.delete(path, headers=headers | {"if-match": taken.headers["etag"]})

    assert (script.status_code, large.status_code, taken.status_code) == (422, 413, 200)
    assert shown.content == png
    assert (shown.headers["content-type"], shown.headers["content-disposition"]) == ("image/png", "attachment")
    assert (stale.status_code, removed.status_code) == (412, 200)
    assert (await team.viewer.get(path)).json()["error_code"] == "logo_missing"


async def test_the_currency_changes_before_the_first_offer_only(team: Team) -> None:
    path = f"{API}/organization"
    before = await team.owner.patch(path, {"default_currency": "CHF", "time_zone": "Europe/Zurich"})
    nonsense = await team.owner.patch(path, {"time_zone": "Europe/Nowhere"})
    await a_draft(team.sales)
    after = await team.owner.patch(path, {"default_currency": "EUR"})

    assert (before.json()["default_currency"], before.json()["time_zone"]) == ("CHF", "Europe/Zurich")
    assert nonsense.json()["details"][0]["field"] == "time_zone"
    assert (after.status_code, after.json()["error_code"]) == (409, "currency_in_use")
