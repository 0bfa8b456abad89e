"""Files over HTTP: streamed up and down, checked on the way, by links for a while."""

import asyncio
import os
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from dishka import AsyncContainer
from httpx import AsyncClient, Response
from litestar import Litestar

from src.application.ports.storage import ObjectStorage, StorageUnavailable
from src.entrypoints.http import bodies
from src.entrypoints.http import requests as http_requests
from src.entrypoints.settings import Settings
from src.entrypoints.worker.sweep import sweep_storage
from tests.builders.files import PDF, PNG, in_pieces
from tests.e2e.conftest import Caller, Team, eventually
from tests.e2e.fault_proxy import served
from tests.e2e.offers import a_draft, a_pending_quote

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("worker")]
API = "/api/v1"


async def _add(caller: Caller, quote_id: str, name: str = "offer.pdf", content: Any = PDF, **headers: str) -> Response:
    return await caller.client.post(
        f"{API}/quotes/{quote_id}/attachments",
        params={"file_name": name},
        content=content,
        headers={"authorization": f"Bearer {caller.token}"}
        | {key.replace("_", "-"): one for key, one in headers.items()},
    )


def _files(settings: Settings, team: Team) -> list[Path]:
    """What lies in the organisation's part of the storage, unfinished files included."""
    folder = Path(settings.storage_url) / str(team.organization.organization.id) / "attachments"
    return sorted(folder.iterdir()) if folder.is_dir() else []


async def _nothing_left(settings: Settings, team: Team) -> None:
    """A worker sees to it."""

    async def nothing() -> bool | None:
        return not _files(settings, team) or None

    assert await eventually(nothing)


async def test_a_file_goes_up_and_comes_down_unchanged(team: Team) -> None:
    draft = await a_draft(team.sales)

    added = await _add(team.sales, draft["id"], "Größe «1».pdf", content_type="application/pdf")
    one = f"{API}/attachments/{added.json()['id']}"
    listed = await team.viewer.get(f"{API}/quotes/{draft['id']}/attachments")
    down = await team.viewer.get(f"{one}/content")

    assert added.status_code == 201, added.text
    told = added.json()
    assert (told["file_name"], told["content_type"]) == ("Größe «1».pdf", "application/pdf")
    assert (told["size"], told["sha256"]) == (len(PDF), sha256(PDF).hexdigest())
    assert (told["subject"], told["subject_id"]) == ("quote", draft["id"])
    assert listed.json()["items"] == [told] == [(await team.viewer.get(one)).json()]
    assert down.content == PDF
    assert down.headers["content-type"] == "application/pdf"
    assert down.headers["content-length"] == str(len(PDF))
    assert down.headers["etag"] == f'"{told["sha256"]}"'
    assert down.headers["x-content-type-options"] == "nosniff"
    assert down.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    disposition = down.headers["content-disposition"]
    assert disposition == "attachment; filename=\"Gr__e _1_.pdf\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20%C2%AB1%C2%BB.pdf"


async def test_customers_and_requests_have_files_too(team: Team) -> None:
    quote = await a_pending_quote(team)
    request = (await team.admin.get(f"{API}/approvals")).json()["items"][0]["id"]
    for path, caller in ((f"customers/{quote['customer_id']}", team.sales), (f"approvals/{request}", team.approver)):
        where = f"{API}/{path}/attachments"
        added = await caller.send("POST", f"{where}?file_name=a.png", PNG, "image/png")
        listed = await team.viewer.get(where)

        assert added.status_code == 201, added.text
        assert [one["id"] for one in listed.json()["items"]] == [added.json()["id"]]
        deleted = await caller.delete(f"{API}/attachments/{added.json()['id']}")
        assert deleted.status_code == 204


async def test_a_large_file_streams_both_ways(team: Team, api_settings: Settings) -> None:
    """More than a JSON body may have, in pieces and without saying how much it will be."""
    draft = await a_draft(team.sales)
    piece = bytes(range(256)) * 4096

    async def pieces() -> AsyncIterator[bytes]:
        yield PDF
        for _ in range(20):
            yield piece

    added = await _add(team.sales, draft["id"], content=pieces())
    down = await team.sales.get(f"{API}/attachments/{added.json()['id']}/content")

    assert added.status_code == 201, added.text
    assert down.content == PDF + piece * 20
    assert [path.stat().st_size for path in _files(api_settings, team)] == [len(PDF) + 20 * 1024 * 1024]


@pytest.mark.parametrize(
    ("name", "content", "headers", "status", "code"),
    [
        ("a.exe", b"MZ", {}, 415, "file_type_refused"),
        ("a.html", b"<html>", {}, 415, "file_type_refused"),
        ("a.svg", b"<svg/>", {}, 415, "file_type_refused"),
        ("a.pdf", PNG, {}, 415, "file_type_refused"),
        ("a.pdf", PDF, {"content_type": "text/html"}, 415, "file_type_refused"),
        ("a.txt", b"", {}, 422, "validation_failed"),
        ("..", b"x", {}, 422, "validation_failed"),
        ("", b"x", {}, 422, "validation_failed"),
    ],
)
async def test_what_is_refused_leaves_nothing(
    name: str,
    content: bytes,
    headers: dict[str, str],
    status: int,
    code: str,
    team: Team,
    api_settings: Settings,
) -> None:
    draft = await a_draft(team.sales)

    answer = await _add(team.sales, draft["id"], name, content, **headers)

    assert (answer.status_code, answer.json()["error_code"]) == (status, code), answer.text
    assert (await team.sales.get(f"{API}/quotes/{draft['id']}/attachments")).json()["total"] == 0
    await _nothing_left(api_settings, team)


async def test_too_large_is_413_with_the_limit(team: Team, api_settings: Settings) -> None:
    draft = await a_draft(team.sales)
    limit = 25 * 1024 * 1024
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield PDF
        while True:
            sent += 1 << 20
            yield bytes(1 << 20)

    announced = await _add(team.sales, draft["id"], content=b"", content_length=str(limit + 1))
    found_out = await _add(team.sales, draft["id"], content=endless())

    for answer in (announced, found_out):
        assert (answer.status_code, answer.json()["error_code"]) == (413, "file_too_large"), answer.text
        assert answer.json()["details"] == {"limit": limit}
    assert sent <= limit + (2 << 20)
    await _nothing_left(api_settings, team)


async def test_nobody_uploads_without_a_token(team: Team, nobody: Caller) -> None:
    draft = await a_draft(team.sales)
    asked = False

    async def never() -> AsyncIterator[bytes]:
        nonlocal asked
        asked = True
        yield PDF

    answer = await nobody.client.post(f"{API}/quotes/{draft['id']}/attachments?file_name=a.pdf", content=never())

    assert answer.status_code == 401
    assert not asked


async def test_an_upload_that_is_sent_again_is_kept_once(team: Team, api_settings: Settings) -> None:
    draft, key = await a_draft(team.sales), uuid4().hex

    first = await _add(team.sales, draft["id"], idempotency_key=key)
    again = await _add(team.sales, draft["id"], idempotency_key=key)
    other = await _add(team.sales, draft["id"], content=PDF + b"\n", idempotency_key=key)
    rivals = [_add(team.sales, draft["id"], "b.pdf", idempotency_key="rivals" + key) for _ in range(5)]
    answers = await asyncio.gather(*rivals)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["idempotency-replayed"] == "true"
    assert (other.status_code, other.json()["error_code"]) == (422, "idempotency_mismatch")
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert (await team.sales.get(f"{API}/quotes/{draft['id']}/attachments")).json()["total"] == 2

    async def only_two() -> bool | None:
        return len(_files(api_settings, team)) == 2 or None

    assert await eventually(only_two)


async def test_a_link_opens_the_file_for_whoever_has_it(team: Team, nobody: Caller, api_settings: Settings) -> None:
    draft = await a_draft(team.sales)
    added = (await _add(team.sales, draft["id"])).json()
    one = f"{API}/attachments/{added['id']}"

    given = await team.viewer.post(f"{one}/link", {"expires_in": 60})
    path = urlsplit(given.json()["url"]).path
    down = await nobody.get(path)
    bent = await nobody.get(path[:-2] + ("AA" if path[-2:] != "AA" else "BB"))
    too_long = await team.viewer.post(f"{one}/link", {"expires_in": 86_401})

    assert given.status_code == 200
    assert given.json()["url"].startswith(api_settings.public_url)
    assert (down.status_code, down.content) == (200, PDF)
    assert down.headers["content-disposition"].startswith("attachment;")
    assert (bent.status_code, too_long.status_code) == (404, 422)
    told = (await team.owner.get(f"{API}/audit/entries", action="file.downloaded")).json()["items"]
    assert [entry["actor_kind"] for entry in told] == ["anonymous"]


async def test_a_deleted_file_is_gone_with_its_bytes(team: Team, api_settings: Settings) -> None:
    draft = await a_draft(team.sales)
    added = (await _add(team.sales, draft["id"])).json()
    one = f"{API}/attachments/{added['id']}"
    link = urlsplit((await team.sales.post(f"{one}/link", {})).json()["url"]).path

    deleted = await team.sales.delete(one)

    assert deleted.status_code == 204
    for path in (one, f"{one}/content", link):
        assert (await team.sales.get(path)).status_code == 404
    assert (await team.sales.delete(one)).status_code == 404
    await _nothing_left(api_settings, team)


async def test_evidence_stays(team: Team) -> None:
    draft = await a_draft(team.sales)
    added = (await _add(team.sales, draft["id"])).json()
    await team.sales.post(f"{API}/quotes/{draft['id']}/submit")

    answer = await team.owner.delete(f"{API}/attachments/{added['id']}")
    more = await _add(team.sales, draft["id"], "later.pdf")
    taken_back = await team.sales.delete(f"{API}/attachments/{more.json()['id']}")

    assert (answer.status_code, answer.json()["error_code"]) == (409, "attachment_is_evidence")
    assert (more.status_code, taken_back.status_code) == (201, 204)


async def test_a_sender_that_falls_silent_is_let_go(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    draft = await a_draft(team.sales)
    monkeypatch.setattr(bodies, "_SILENCE", 0.05)

    async def silent() -> AsyncIterator[bytes]:
        yield PDF
        await asyncio.Event().wait()

    answer = await _add(team.sales, draft["id"], content=silent())

    assert (answer.status_code, answer.json()["error_code"]) == (503, "took_too_long")


async def test_a_storage_that_is_away_is_said_to_be(
    team: Team, container: AsyncContainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = await a_draft(team.sales)
    added = (await _add(team.sales, draft["id"])).json()
    storage = await container.get(ObjectStorage)

    async def away(*_: object, **__: object) -> int:
        raise StorageUnavailable("No space left on /secret/device")

    async def away_in_pieces(key: str) -> AsyncIterator[bytes]:
        if key:
            raise StorageUnavailable("No route to secret host")
        yield b""

    monkeypatch.setattr(storage, "put_stream", away)
    monkeypatch.setattr(storage, "stream", away_in_pieces)
    up = await _add(team.sales, draft["id"])
    down = await team.sales.get(f"{API}/attachments/{added['id']}/content")

    for answer in (up, down):
        assert (answer.status_code, answer.json()["error_code"]) == (503, "storage_unavailable")
        assert answer.headers["retry-after"] == "5"
        assert "secret" not in answer.text
    assert (await team.sales.get(f"{API}/quotes/{draft['id']}/attachments")).json()["total"] == 1


async def test_a_worker_takes_away_what_belongs_to_nothing(
    team: Team, container: AsyncContainer, api_settings: Settings
) -> None:
    draft = await a_draft(team.sales)
    added = (await _add(team.sales, draft["id"])).json()
    [kept] = _files(api_settings, team)
    left = [kept.with_name(name) for name in (str(uuid4()), f"{uuid4()}#1", str(uuid4()))]
    for path in left:
        path.write_bytes(b"left")
    export = kept.parent.parent / "exports" / str(uuid4()) / f"{uuid4()}#1"
    export.parent.mkdir(parents=True)
    export.write_bytes(b"left by a killed worker")
    for path in (kept, *left[:2], export):
        os.utime(path, (0, 0))

    await sweep_storage(container)

    assert not export.exists()

    assert _files(api_settings, team) == sorted([kept, left[2]])  # The last one is young.
    assert (await team.sales.get(f"{API}/attachments/{added['id']}/content")).content == PDF


async def test_a_file_that_the_storage_has_lost_is_not_found_and_told_to_the_operator(
    team: Team, api_settings: Settings, log_file: Path
) -> None:
    draft = await a_draft(team.sales)
    added = (await _add(team.sales, draft["id"])).json()
    link = (await team.sales.post(f"{API}/attachments/{added['id']}/link", {})).json()["url"].rpartition("/")[2]
    [lost] = _files(api_settings, team)
    lost.unlink()

    down = await team.sales.get(f"{API}/attachments/{added['id']}/content")
    followed, wrong = await team.sales.get(f"{API}/downloads/{link}"), await team.sales.get(f"{API}/downloads/wrong")

    assert (down.status_code, down.json()["error_code"]) == (404, "file_missing")
    assert followed.status_code == wrong.status_code == 404
    assert [followed.json()[part] for part in ("error_code", "message", "details")] == [
        wrong.json()[part] for part in ("error_code", "message", "details")
    ]
    logged = await asyncio.to_thread(log_file.read_text, encoding="utf-8")
    for answer in (down, followed):
        trace = answer.json()["trace_id"]
        assert any("unexpected_error" in line and trace in line for line in logged.splitlines())


async def test_a_transfer_may_take_longer_than_other_requests(
    team: Team, api_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = await a_draft(team.sales)

    monkeypatch.setattr(http_requests, "LONGEST_REQUEST", 0.0)
    added = await _add(team.sales, draft["id"])
    slashes = f"{API}//quotes/{draft['id']}//attachments//?file_name=b.pdf"
    untidy = await team.sales.send("POST", slashes, PDF, "application/pdf")
    plain = await team.sales.get(f"{API}/attachments/{added.json()['id']}")
    monkeypatch.undo()
    monkeypatch.setattr(http_requests, "LONGEST_TRANSFER", 0.0)
    over = await _add(team.sales, draft["id"])

    assert (added.status_code, untidy.status_code, plain.status_code, over.status_code) == (201, 201, 503, 503)
    assert len(_files(api_settings, team)) == 2


async def test_a_file_streams_over_a_real_connection(team: Team, app: Litestar) -> None:
    """Both with and without saying beforehand how large it is."""
    draft, large = await a_draft(team.sales), PDF + bytes(range(256)) * 12_000
    bearer = {"authorization": f"Bearer {team.sales.token}"}

    async with served(app) as port, AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=bearer) as client:
        for content in (large, in_pieces(large, 50_000)):
            path = f"{API}/quotes/{draft['id']}/attachments?file_name=up.pdf"
            added = await client.post(path, content=content)
            down = await client.get(f"{API}/attachments/{added.json()['id']}/content")

            assert added.status_code == 201, added.text
            assert down.content == large
            assert down.headers["content-length"] == str(len(large))


async def test_a_connection_that_breaks_in_the_middle_leaves_nothing(
    team: Team, app: Litestar, api_settings: Settings
) -> None:
    draft = await a_draft(team.sales)
    head = (
        f"POST {API}/quotes/{draft['id']}/attachments?file_name=a.pdf HTTP/1.1\r\nhost: proffer.test\r\n"
        f"authorization: Bearer {team.sales.token}\r\ncontent-length: 9000000\r\n\r\n"
    )

    async with served(app) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head.encode() + PDF + bytes(1_000_000))
        await writer.drain()
        assert await eventually(lambda: _audited(team, "attachment.upload_begun"))
        writer.transport.abort()
        assert await eventually(lambda: _audited(team, "attachment.erased"))

    assert _files(api_settings, team) == []


async def test_an_upload_is_one_entry_of_the_timeline_whether_it_is_taken_or_refused(team: Team) -> None:
    draft = await a_draft(team.sales)
    address = f"{API}/quotes/{draft['id']}/attachments?file_name=a.pdf"
    before = await _timeline(team, draft)

    refused = await team.sales.send("POST", address, b"<html>", "application/pdf")
    assert await eventually(lambda: _audited(team, "attachment.erased"))
    taken = await team.sales.send("POST", address, PDF, "application/pdf")

    assert (refused.status_code, taken.status_code) == (415, 201)
    assert (await _timeline(team, draft))[len(before) :] == ["attachment.upload_discarded", "attachment.added"]


async def _timeline(team: Team, draft: dict[str, Any]) -> list[str]:
    told = await team.sales.get(f"{API}/quotes/{draft['id']}/timeline")
    return [entry["action"] for entry in told.json()["entries"]]


async def _audited(team: Team, action: str) -> bool | None:
    return (await team.owner.get(f"{API}/audit/entries", action=action)).json()["total"] > 0 or None


async def test_the_head_of_a_file_tells_its_size_without_reading_it_to_its_end(
    app: Litestar, team: Team, container: AsyncContainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a real server, which counts what it was promised."""
    draft, content = await a_draft(team.sales), b"text" * (2 << 20)
    added = (await _add(team.sales, draft["id"], "long.txt", content)).json()
    storage, read = await container.get(ObjectStorage), 0
    stream = storage.stream

    async def counted(key: str) -> AsyncIterator[bytes]:
        nonlocal read
        async for piece in stream(key):
            read += len(piece)
            yield piece

    monkeypatch.setattr(storage, "stream", counted)
    headers = {"authorization": f"Bearer {team.sales.token}"}
    async with served(app) as port, AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers) as client:
        headed = await client.head(f"{API}/attachments/{added['id']}/content")
        read_for_head = read
        got = await client.get(f"{API}/attachments/{added['id']}/content")

    assert (headed.status_code, headed.content, got.content) == (200, b"", content)
    assert headed.headers["content-length"] == str(len(content))
    for name in ("etag", "content-type", "content-disposition"):
        assert headed.headers[name] == got.headers[name]
    assert read_for_head < len(content)
