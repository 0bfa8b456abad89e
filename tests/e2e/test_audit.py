"""The audit over HTTP."""

import pytest

from tests.e2e.conftest import Team

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
