"""Jobs over HTTP: seen, counted, given up."""

import pytest

from tests.e2e.conftest import Team, eventually

pytestmark = pytest.mark.asyncio
FILE = b"sku,name,list_price,tax_rate_percent\n" + b"".join(b"S%d,Desk,10,19\n" % number for number in range(1200))


async def _start_import(team: Team) -> str:
    answer = await team.admin.send("POST", "/api/v1/imports?kind=products", FILE, "text/csv")
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


@pytest.mark.usefixtures("worker")
async def test_an_import_is_followed_by_its_job(team: Team) -> None:
    import_id = await _start_import(team)

    async def ended() -> dict[str, object] | None:
        [job] = (await team.sales.get("/api/v1/jobs", subject_id=import_id)).json()["items"]
        return dict(job) if job["state"] == "succeeded" else None

    job = await eventually(ended)
    one = await team.sales.get(f"/api/v1/jobs/{job['id']}")

    assert one.json() == job
    assert (job["name"], job["attempt"], job["done"], job["error"]) == ("import_catalog", 1, 1200, "")
    assert (await team.admin.post(f"/api/v1/jobs/{job['id']}/retry")).json()["error_code"] == "job_state_conflict"
    assert (await team.admin.post(f"/api/v1/jobs/{job['id']}/cancel")).status_code == 409


async def test_jobs_are_asked_for_by_state(team: Team) -> None:
    assert (await team.sales.get("/api/v1/jobs", state="failed")).json()["total"] == 0
    assert (await team.sales.get("/api/v1/jobs", state="dead")).status_code == 422
    assert (await team.viewer.get("/api/v1/jobs")).status_code == 403
