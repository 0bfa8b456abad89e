"""Exports over HTTP: small ones at once, large ones by a job and a signed link."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from dishka import AsyncContainer
from dishka.integrations.litestar import LitestarProvider
from httpx import ASGITransport, AsyncClient
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from src.adapters.postgres.addresses import DatabaseUrls
from src.application.ports.storage import ObjectStorage
from src.domain.documents.export import FORMATS, ExportKind
from src.domain.identity.actor import Role
from src.entrypoints.container import make_container
from src.entrypoints.http.api import create_api
from src.entrypoints.http.app import HttpSettings
from src.entrypoints.http.authentication import HttpActors
from src.entrypoints.settings import Settings
from src.entrypoints.worker.sweep import sweep_storage_until
from tests.e2e.conftest import Caller, Team, eventually
from tests.e2e.offers import a_customer, a_draft

pytestmark = pytest.mark.asyncio
API = "/api/v1"


async def _asked(caller: Caller, **body: Any) -> dict[str, Any]:
    answer = await caller.post(f"{API}/exports", body)
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


async def _ended(caller: Caller, export: dict[str, Any]) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        found = (await caller.get(f"{API}/exports/{export['id']}")).json()
        return dict(found) if found["state"] != "preparing" else None

    return await eventually(look)


async def _file(caller: Caller, export: dict[str, Any]) -> Any:
    """Fetched by its link, by somebody without a login."""
    link = (await caller.post(f"{API}/exports/{export['id']}/link")).json()
    return await Caller(caller.client).get(urlsplit(link["url"]).path)


@pytest.mark.usefixtures("worker")
async def test_an_export_is_made_by_a_job_and_fetched_by_a_link(team: Team) -> None:
    draft = await a_draft(team.sales, title="=1+1")

    asked = await _asked(team.sales, kind="quotes", format="xlsx", filters={"status": ["draft"]})
    early = await team.sales.post(f"{API}/exports/{asked['id']}/link")
    ready = await _ended(team.sales, asked)

    async def counted() -> dict[str, Any] | None:
        job = (await team.sales.get(f"{API}/jobs/{asked['job_id']}")).json()
        return dict(job) if job["state"] == "succeeded" else None

    job = await eventually(counted)
    file = await _file(team.sales, ready)
    listed = (await team.sales.get(f"{API}/exports")).json()
    downloads = (await team.owner.get(f"{API}/audit/entries", resource_id=asked["id"])).json()["items"]

    assert early.status_code in {200, 409}  # The worker may have been quicker.
    assert (ready["state"], ready["rows"], ready["filters"]) == ("ready", 1, {"status": ["draft"]})
    assert (job["done"], job["total"]) == (1, 1)
    assert file.headers["content-disposition"].startswith(f'attachment; filename="{ready["file_name"]}"')
    assert len(file.content) == ready["size"] == int(file.headers["content-length"])
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(file.content)).get_sheet_by_index(0).to_python()
    assert (sheet[1][0], sheet[1][4]) == (draft["number"], "=1+1")
    assert [one["id"] for one in listed["items"]] == [asked["id"]]
    actions = {entry["action"] for entry in downloads}
    assert actions == {"export.requested", "export.ready", "export.link_made", "file.downloaded"}


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("quotes", "quotes"),
        ("quote-lines", "quotes/lines"),
        ("customers", "customers"),
        ("products", "products"),
        ("audit", "audit"),
    ],
)
async def test_a_format_that_a_route_has_not_is_answered_with_those_that_it_has(
    kind: str, path: str, team: Team
) -> None:
    refused = [await team.owner.get(f"{API}/{path}/export", format=form) for form in ("xml", "pdf")]

    for answer in refused:
        [told] = answer.json()["details"]
        named = told["message"].removeprefix("One of these is needed: ").removesuffix(".").split(", ")
        assert (answer.status_code, told["field"]) == (422, "format")
        assert set(named) == {one.value for one in FORMATS[ExportKind(kind)]}


@pytest.mark.usefixtures("worker")
async def test_every_kind_in_every_format(team: Team) -> None:
    await a_draft(team.admin)
    product = {"sku": "P-1", "name": "Desk", "list_price": "9.50", "tax_rate_percent": "19"}
    assert (await team.admin.post(f"{API}/products", product)).status_code == 201
    wanted = [
        (kind, form)
        for kind in ("quotes", "quote-lines", "customers", "products", "audit")
        for form in ("xlsx", "csv", "jsonl")
    ]

    # One after the other: so many may not be asked for at once.
    ended = [await _ended(team.admin, await _asked(team.admin, kind=kind, format=form)) for kind, form in wanted]

    for (kind, form), export in zip(wanted, ended, strict=True):
        assert export["state"] == "ready", export
        assert export["file_name"].startswith(f"{kind}-")
        content = (await _file(team.admin, export)).content
        if form == "csv":
            rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
            assert len(rows) == export["rows"] + 1
        elif form == "jsonl":
            assert content.count(b"\n") == export["rows"]
        else:
            assert CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).height > export["rows"]


@pytest.mark.usefixtures("worker")
async def test_a_summary_is_a_report_of_the_same_quotes(team: Team) -> None:
    draft = await a_draft(team.sales)
    filters = {"owner_id": str(team.organization.users[Role.SALES].id)}

    at_once = await team.sales.get(f"{API}/quotes/summary/export", **filters)
    ready = await _ended(team.sales, await _asked(team.sales, kind="summary", filters=filters))
    by_job = await _file(team.sales, ready)
    nothing = await team.sales.get(f"{API}/quotes/summary/export", end_date="2020-01-01")
    no_sheet = await team.sales.post(f"{API}/exports", {"kind": "summary", "format": "xlsx"})

    for file in (at_once, by_job):
        assert file.headers["content-type"] == "application/pdf"
        text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(file.content)).pages)
        assert "Draft" in text
        assert draft["currency"] in text
    assert ready["file_name"].endswith(".pdf")
    assert (nothing.status_code, no_sheet.status_code) == (404, 422)


@pytest.mark.usefixtures("worker")
async def test_nothing_is_told_as_nothing(team: Team) -> None:
    empty = await _ended(team.sales, await _asked(team.sales, kind="quotes", filters={"end_date": "2020-01-01"}))
    link = await team.sales.post(f"{API}/exports/{empty['id']}/link")

    assert (empty["state"], empty["file_name"]) == ("empty", "")
    assert "No data for export" in empty["message"]
    assert (link.status_code, link.json()["error_code"]) == (409, "export_state_conflict")


async def test_what_cannot_be_made_is_refused_with_the_field(team: Team) -> None:
    for body, field in (
        ({"kind": "quotes", "filters": {"archived": True}}, "filters.archived"),
        ({"kind": "quotes", "filters": {"status": ["lost"]}}, "filters.status"),
        ({"kind": "quotes", "filters": {"start_date": "2026-02-02", "end_date": "2026-02-01"}}, "filters.end_date"),
        ({"kind": "quotes", "format": "doc"}, "format"),
        ({"kind": "audit", "filters": {"since": "2026-01-01T00:00:00"}}, "filters.since"),
    ):
        answer = await team.admin.post(f"{API}/exports", body)
        assert answer.status_code == 422, answer.text
        assert [one["field"] for one in answer.json()["details"]] == [field], answer.text
    at_once = await team.admin.get(f"{API}/quotes/export", start_date="2026-02-02", end_date="2026-02-01")
    assert [one["field"] for one in at_once.json()["details"]] == ["end_date"]
    assert (await team.sales.post(f"{API}/exports", {"kind": "audit"})).status_code == 403
    assert (await team.viewer.post(f"{API}/exports", {"kind": "quotes"})).status_code == 403


async def test_an_export_can_be_given_up(team: Team) -> None:
    asked = await _asked(team.sales, kind="customers")

    answer = await team.sales.post(f"{API}/exports/{asked['id']}/cancel")
    again = await team.sales.post(f"{API}/exports/{asked['id']}/cancel")
    job = (await team.sales.get(f"{API}/jobs/{asked['job_id']}")).json()

    if answer.status_code == 200:  # Else the worker of another test was quicker.
        assert (answer.json()["state"], job["state"]) == ("cancelled", "cancelled")
    assert again.status_code == 409
    assert (await team.admin.post(f"{API}/exports/{asked['id']}/cancel")).status_code == 404


@pytest.mark.usefixtures("worker")
async def test_a_link_is_nothing_once_it_was_changed(team: Team) -> None:
    await a_customer(team.sales)
    ready = await _ended(team.sales, await _asked(team.sales, kind="customers"))
    url = urlsplit((await team.sales.post(f"{API}/exports/{ready['id']}/link")).json()["url"]).path

    changed = url[:-5] + ("A" if url[-5] != "A" else "B") + url[-4:]
    assert (await Caller(team.sales.client).get(changed)).status_code == 404
    assert (await Caller(team.sales.client).get(url)).status_code == 200


@pytest_asyncio.fixture
async def small(api_settings: Settings, database: DatabaseUrls) -> AsyncIterator[AsyncClient]:
    """The API of an installation that exports one row at once."""
    settings = replace(api_settings, export_rows_at_once=1)
    container = make_container(settings, database, HttpActors(), LitestarProvider())
    app = await create_api(container, HttpSettings())
    transport = ASGITransport(app=app)  # type: ignore[arg-type]  # Two spellings of ASGI.
    async with AsyncClient(transport=transport, base_url="http://proffer.test") as client:
        yield client
    await container.close()


async def test_a_large_export_is_not_made_at_once(team: Team, small: AsyncClient) -> None:
    caller = replace(team.admin, client=small)
    await a_customer(team.sales)
    alone = await caller.get(f"{API}/customers/export", format="csv")
    await a_customer(team.sales)

    refused = [await caller.get(f"{API}/{path}/export", format="csv") for path in ("customers", "audit")]

    assert alone.status_code == 200
    for answer in refused:
        assert (answer.status_code, answer.json()["error_code"]) == (422, "export_too_large")
        assert "POST /api/v1/exports" in answer.json()["message"]


@pytest.mark.usefixtures("worker")
async def test_files_lie_below_their_organisation(team: Team, container: Any) -> None:
    await a_customer(team.sales)
    ready = await _ended(team.sales, await _asked(team.sales, kind="customers"))
    storage = await container.get(ObjectStorage)

    found = [one async for one in storage.objects(f"{team.organization.organization.id}/exports/{ready['id']}")]

    assert [one.size for one in found] == [ready["size"]]


async def test_temporary_files_go_when_they_are_sent_and_those_of_the_dead_when_a_worker_starts(
    team: Team, container: AsyncContainer, api_settings: Settings
) -> None:
    await a_customer(team.sales)
    scratch, stop = api_settings.home / "scratch", asyncio.Event()
    sent = await team.sales.get(f"{API}/customers/export", format="csv")
    refused = await team.sales.get(f"{API}/products/export", format="csv")
    after = list(scratch.iterdir())
    left = scratch / "left"
    left.mkdir()
    (left / "file").write_bytes(sent.content)

    async def gone() -> bool | None:
        return True if not left.exists() else None

    working = asyncio.create_task(sweep_storage_until(container, stop))
    assert await eventually(gone)
    stop.set()
    await working

    assert (sent.status_code, refused.status_code, after) == (200, 404, [])
