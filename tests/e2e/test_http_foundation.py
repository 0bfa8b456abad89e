"""What surrounds every route: one error shape, trace ids, protecting headers, documentation, health, logs."""

import asyncio
import json
import logging
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from io import StringIO
from pathlib import Path
from typing import Any, TextIO
from uuid import uuid4

import pytest
import pytest_asyncio
import structlog
from httpx import ASGITransport, AsyncClient, Response
from litestar import Litestar, Request, get, post
from litestar.openapi.spec import Operation, PathItem
from litestar.params import FromPath, JSONBody
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from src.adapters.security import KeyRing, SystemVault
from src.application.ports.storage import StorageUnavailable
from src.domain.documents.file_types import FILE_TYPES
from src.domain.shared.errors import Conflict, Forbidden, Invalid, NotFound, Stale, Unauthenticated
from src.entrypoints.http.app import HttpSettings, create_app
from src.entrypoints.http.health import ReadinessCheck
from src.entrypoints.http.request_limits import RequestRates
from src.entrypoints.http.requests import origin_of
from src.entrypoints.logging import configure_logging
from tests.e2e.conftest import Caller, Team

pytestmark = pytest.mark.asyncio

SECRET = "canary-5f3a"


class _Refused(Exception):
    """As asyncpg's errors: with an SQLSTATE."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__(f"{SECRET} in the database's own words")
        self.sqlstate = sqlstate


def _database(sqlstate: str) -> DBAPIError:
    return DBAPIError("SELECT 1", {}, _Refused(sqlstate))


_OPEN = {
    "/api/v1/login",
    "/api/v1/login/verify",
    "/api/v1/login/provider",
    "/api/v1/login/provider/callback",
    "/api/v1/session/refresh",
    "/api/v1/password-resets",
    "/api/v1/password-resets/complete",
    "/api/v1/invitations/accept",
    "/api/v1/downloads/{token}",
}
ERRORS: dict[str, tuple[Exception, int, str]] = {
    "not found": (NotFound("There is no such thing."), 404, "not_found"),
    "unauthenticated": (Unauthenticated("Who are you?"), 401, "unauthenticated"),
    "forbidden": (Forbidden("You may not."), 403, "forbidden"),
    "conflict": (Conflict("Not now.", state="draft"), 409, "conflict"),
    "stale": (Stale("Too late."), 412, "stale_version"),
    "invalid": (Invalid("No sense."), 422, "validation_failed"),
    "unexpected": (RuntimeError(f"{SECRET}"), 500, "internal_error"),
    "recursion": (RecursionError(SECRET), 500, "internal_error"),
    "a bad value": (_database("22P05"), 422, "validation_failed"),
    "a broken constraint": (_database("23505"), 422, "validation_failed"),
    "too complex": (_database("54001"), 422, "validation_failed"),
    "no right": (_database("42501"), 500, "internal_error"),
    "out of connections": (_database("53300"), 503, "database_unavailable"),
    "shutting down": (_database("57P01"), 503, "database_unavailable"),
    "no serial order": (_database("40001"), 503, "database_busy"),
    "deadlock": (_database("40P01"), 503, "database_busy"),
    "lock timeout": (_database("55P03"), 503, "database_busy"),
    "connection refused": (ConnectionRefusedError(SECRET), 503, "database_unavailable"),
    "connection lost": (InterfaceError("SELECT", {}, Exception("closed"), connection_invalidated=True), 503, "database_unavailable"),
    "pool exhausted": (PoolTimeout(), 503, "database_unavailable"),
}  # fmt: skip


@get("/fail/{name:str}", sync_to_thread=False)
def _fail(name: FromPath[str]) -> None:
    raise ERRORS[name.replace("-", " ")][0]


@post("/echo", sync_to_thread=False)
def _echo(data: JSONBody[dict[str, Any]]) -> dict[str, Any]:
    return data


class _Check(ReadinessCheck):
    def __init__(self, name: str, error: Exception | None = None, pause: float = 0) -> None:
        self.name, self._error, self._pause = name, error, pause

    async def check(self) -> None:
        await asyncio.sleep(self._pause)
        if self._error is not None:
            raise self._error


def _client(app: Litestar) -> AsyncClient:
    transport = ASGITransport(app=app, raise_app_exceptions=False, client=("203.0.113.7", 1))  # type: ignore[arg-type]  # Two spellings of ASGI.
    return AsyncClient(transport=transport, base_url="http://proffer.test")


@pytest_asyncio.fixture
async def probe() -> AsyncIterator[AsyncClient]:
    """An application with nothing but handlers that fail."""
    async with _client(_an_app(route_handlers=[], settings=HttpSettings(largest_body=1000))) as client:
        yield client


@pytest_asyncio.fixture
async def failing() -> AsyncIterator[AsyncClient]:
    app = _an_app(route_handlers=[_fail, _echo], settings=HttpSettings(largest_body=1000))
    async with _client(app) as client:
        yield client


@pytest.mark.parametrize("name", ERRORS)
async def test_every_error_has_the_one_shape_and_tells_no_secret(name: str, failing: AsyncClient) -> None:
    _, status, code = ERRORS[name]

    answer = await failing.get(f"/fail/{name.replace(' ', '-')}")

    told = answer.json()
    assert (answer.status_code, told["error_code"]) == (status, code)
    assert set(told) == {"error_code", "message", "details", "trace_id"}
    assert told["trace_id"] == answer.headers["x-trace-id"]
    assert SECRET not in answer.text
    assert ("retry-after" in answer.headers) == (status == 503)
    assert ("www-authenticate" in answer.headers) == (status == 401)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/api/v1/quotes/not-an-id", 404, "not_found"),
        ("DELETE", "/api/v1/quotes", 405, "method_not_allowed"),
        ("PUT", "/api/v1/login", 405, "method_not_allowed"),
        ("TRACE", "/api/v1/login", 405, "method_not_allowed"),
        ("GET", "/docs/../etc/passwd", 404, "not_found"),
        ("GET", "/docs/app.py", 404, "not_found"),
    ],
)
async def test_addresses_that_are_not_there(method: str, path: str, status: int, code: str, nobody: Caller) -> None:
    answer = await nobody.send(method, path, b"")

    assert (answer.status_code, answer.json()["error_code"]) == (status, code)
    if status == 405:
        assert answer.headers["allow"]


async def test_every_address_tells_which_methods_it_takes_whatever_is_sent_to_it(nobody: Caller) -> None:
    """A file to a wrong method is no question of its type, and neither is a query that nobody knows."""
    document = (await nobody.get("/openapi.json")).json()

    for path, item in document["paths"].items():
        address = re.sub(r"\{[^}]*\}", str(uuid4()), path)
        wrong = {"GET", "POST", "PUT", "PATCH", "DELETE"} - {method.upper() for method in item}
        for method in sorted(wrong - _taken_beside(document, path)):
            for content, content_type in (
                (b"%PDF-", "application/pdf"),
                (b"{", "application/json"),
                (b"", "text/plain"),
            ):
                answer = await nobody.send(method, f"{address}?%ff", content, content_type)

                assert (answer.status_code, answer.json()["error_code"]) == (405, "method_not_allowed"), (method, path)
                assert {method.upper() for method in item} <= set(answer.headers["allow"].split(", ")), (method, path)


def _taken_beside(document: dict[str, Any], path: str) -> set[str]:
    """What another address of the same form takes: one that has an id where *path* has another."""
    form = re.sub(r"\{[^}]*\}", "{}", path)
    same = [item for other, item in document["paths"].items() if re.sub(r"\{[^}]*\}", "{}", other) == form]
    return {method.upper() for item in same for method in item}


@pytest.mark.parametrize("content_type", ["application/pdf", "application/json", "text/plain"])
async def test_an_unknown_address_is_unknown_whatever_is_sent_to_it(content_type: str, nobody: Caller) -> None:
    answers = [
        await nobody.send("POST", address, b"%PDF-", content_type)
        for address in ("/nowhere", "/api/v1/quotes/x/attachments?%ff")
    ]

    assert [answer.status_code for answer in answers] == [404, 404]


@pytest.mark.parametrize("mount", ["", "/", "/proffer", "/api", "/proffer/"])
async def test_the_api_may_be_mounted_below_another_application(mount: str, app: Litestar) -> None:
    """Also below an address that begins as its own do."""
    transport = ASGITransport(app=app, raise_app_exceptions=False, root_path=mount)  # type: ignore[arg-type]  # Two spellings of ASGI.
    async with AsyncClient(transport=transport, base_url="http://proffer.test") as client:
        prefix = mount.rstrip("/")
        found = [
            await client.get(f"{prefix}{path}") for path in ("/health/live", "/", "/api/v1/quotes", "/docs/docs.js")
        ]
        sent = await client.post(f"{prefix}/api/v1/imports", content=b"a,b", headers={"content-type": "text/csv"})
        nowhere = await client.get(f"{prefix}/nowhere")

    assert [answer.status_code for answer in found] == [200, 200, 401, 200]
    assert (sent.status_code, nowhere.status_code) == (422, 404)


_OF_EACH_TIME = {"x-trace-id", "date"}


@pytest.mark.parametrize(
    "path",
    ["/health/live", "/health/ready", "/docs", "/docs/docs.js", "/openapi.json", "/account", "/nowhere",
     "/api/v1/quotes", "/api/v1/me"],
)  # fmt: skip
async def test_head_is_get_without_its_body(path: str, nobody: Caller) -> None:
    got, headed = await nobody.send("GET", path, b""), await nobody.send("HEAD", path, b"")

    assert (headed.status_code, headed.content) == (got.status_code, b"")
    assert _lasting(headed) == _lasting(got)
    assert int(headed.headers["content-length"]) == len(got.content)


async def test_head_of_what_only_takes_post_tells_what_it_takes(nobody: Caller) -> None:
    answer = await nobody.send("HEAD", "/api/v1/login", b"")

    assert (answer.status_code, answer.content) == (405, b"")
    assert set(answer.headers["allow"].split(", ")) == {"POST", "OPTIONS"}


@pytest.mark.parametrize("method", ["DELETE", "OPTIONS"])
async def test_head_is_offered_where_get_is(method: str, nobody: Caller) -> None:
    offered = {
        path: (await nobody.send(method, path, b"")).headers["allow"].split(", ")
        for path in ("/health/live", "/api/v1/login")
    }

    assert set(offered["/health/live"]) == {"GET", "HEAD", "OPTIONS"}
    assert set(offered["/api/v1/login"]) == {"POST", "OPTIONS"}


async def test_the_log_tells_heads_from_gets(nobody: Caller, log_file: Path) -> None:
    begin = len(_read(log_file))
    answer = await nobody.send("HEAD", "/health/live", b"")

    logged = [json.loads(line) for line in _read(log_file)[begin:].splitlines()]
    (line,) = [one for one in logged if one.get("trace_id") == answer.headers["x-trace-id"]]
    assert (line["method"], line["path"], line["status"]) == ("HEAD", "/health/live", 200)


def _lasting(answer: Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in _OF_EACH_TIME}


def _an_app(**given: Any) -> Litestar:
    return create_app(vault=SystemVault(KeyRing(["k" * 32])), **given)


async def test_a_chunked_body_is_bounded_too(failing: AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b'{"a": "'
        for _ in range(100):
            yield b"x" * 100
        yield b'"}'

    headers = {"content-type": "application/json"}
    answer = await failing.post("/echo", content=chunks(), headers=headers)
    small = await failing.post("/echo", content=b'{"a": 1}', headers=headers)

    assert (answer.status_code, answer.json()["error_code"]) == (413, "body_too_large")
    assert answer.json()["details"]["limit"] == 1000
    assert small.json() == {"a": 1}


@pytest.mark.parametrize("path", ["/nowhere", "/fail/unexpected", "/fail/conflict", "/health/live", "/openapi.json"])
async def test_protecting_headers_are_on_every_answer(path: str, failing: AsyncClient) -> None:
    headers = (await failing.get(path)).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert "max-age=31536000" in headers["strict-transport-security"]
    assert len(headers["x-trace-id"]) == 32


@pytest.mark.parametrize(
    ("sent", "taken"),
    [
        ("00-" + "a" * 32 + "-" + "b" * 16 + "-01", True),
        ("00-" + "0" * 32 + "-" + "b" * 16 + "-01", False),
        ("00-" + "A" * 32 + "-" + "b" * 16 + "-01", False),
        ("x", False),
        ("00-" + "a" * 32 + "-" + "b" * 16 + "-01\r\nx: y", False),
    ],
)
async def test_a_well_formed_trace_is_taken_over(sent: str, taken: bool, probe: AsyncClient) -> None:
    answer = await probe.get("/health/live", headers={"traceparent": sent.replace("\r\n", " ")})

    assert (answer.headers["x-trace-id"] == "a" * 32) is taken


async def test_the_documentation_needs_no_other_host(nobody: Caller) -> None:
    page = await nobody.get("/docs")
    script = await nobody.get("/docs/swagger-ui-bundle.js")
    document = (await nobody.get("/openapi.json")).json()

    assert "http://" not in page.text
    assert "https://" not in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert len(script.content) > 1_000_000
    assert document["openapi"].startswith("3.1")


async def test_the_document_declares_errors_and_who_must_log_in(nobody: Caller) -> None:
    document = (await nobody.get("/openapi.json")).json()

    for path, item in document["paths"].items():
        for method, operation in item.items():
            if path.startswith("/api/"):
                assert {"422", "500"} <= set(operation["responses"]), (method, path)
            closed = "401" in operation["responses"] and path not in _OPEN
            assert bool(operation.get("security", document["security"])) is closed, path
            assert ("401" in operation["responses"]) is path.startswith(("/api/", "/platform/"))
            assert operation["description"]


async def test_the_document_says_what_file_each_upload_takes(nobody: Caller) -> None:
    """Whatever takes something else than JSON: the rest refuses it before it asks who sends it."""
    document = (await nobody.get("/openapi.json")).json()
    uploads = set()
    for path, item in document["paths"].items():
        for method in {"post", "put", "patch"} & item.keys():
            answer = await nobody.send(method, re.sub(r"\{[^}]*\}", str(uuid4()), path), b"%PDF-", "application/pdf")
            if "Send JSON" not in answer.text:
                uploads.add((path, method))

    bodies = {(path, method): document["paths"][path][method].get("requestBody", {}) for path, method in uploads}

    assert len(bodies) == 6
    for route, body in bodies.items():
        assert body["required"], route
        assert "bytes" in body["description"], route
        assert {one["schema"]["format"] for one in body["content"].values()} == {"binary"}, route


async def test_an_attachment_is_documented_with_every_type_that_is_taken(nobody: Caller) -> None:
    document = (await nobody.get("/openapi.json")).json()

    body = document["paths"]["/api/v1/quotes/{quote_id}/attachments"]["post"]["requestBody"]

    assert body["content"].keys() == {one.media_type for one in FILE_TYPES} | {"application/octet-stream"}
    assert "26,214,400" in body["description"]


async def test_every_operation_is_called_something_of_its_own(app: Litestar, nobody: Caller) -> None:
    """In words: what Litestar makes of the handlers' names is said nowhere."""
    document = (await nobody.get("/openapi.json")).json()

    called = [one["summary"] for item in document["paths"].values() for one in item.values()]
    names = {one.summary for item in (app.openapi_schema.paths or {}).values() for one in _operations(item)}

    assert [summary for summary, times in Counter(called).items() if times > 1] == []
    assert len(called) > 100
    assert not set(called) & names
    for summary in called:
        assert 5 < len(summary) <= 120, summary
        assert summary[0].isupper(), summary
        assert not summary.endswith((".", ";", ":", "`active")), summary


def _operations(item: PathItem) -> Iterator[Operation]:
    return (one for one in (item.get, item.post, item.put, item.patch, item.delete) if one is not None)


async def test_the_bare_address_says_where_everything_is(nobody: Caller) -> None:
    answer = await nobody.get("/")

    told = answer.json()
    assert answer.status_code == 200
    assert told.pop("name") == "Proffer"
    assert told.pop("api") == "/api/v1"
    assert {(await nobody.get(address)).status_code for address in told.values()} == {200}
    assert (await nobody.send("HEAD", "/", b"")).status_code == 200


async def test_health_says_what_does_not_work() -> None:
    checks = (_Check("good"), _Check("bad", StorageUnavailable(SECRET)), _Check("slow", pause=60))
    async with _client(_an_app(route_handlers=[], settings=HttpSettings(), checks=checks)) as client:
        ready, live = await client.get("/health/ready"), await client.get("/health/live")

    assert live.status_code == 200
    assert ready.status_code == 503
    assert ready.json() == {"status": "failed", "checks": {"good": "ok", "bad": "failed", "slow": "failed"}}


async def test_the_real_api_is_ready(nobody: Caller) -> None:
    answer = await nobody.get("/health/ready")

    assert answer.json() == {"status": "ok", "checks": {"database": "ok", "storage": "ok"}}


@pytest.mark.parametrize(
    ("hops", "address"), [(0, "203.0.113.7"), (1, "10.0.0.9"), (2, "198.51.100.1"), (9, "203.0.113.7")]
)
async def test_the_client_is_believed_only_as_far_as_proxies_are_trusted(hops: int, address: str) -> None:
    seen: list[str] = []

    @get("/where", sync_to_thread=False)
    def where(request: Request[Any, Any, Any]) -> None:
        seen.append(origin_of(request).ip_address)

    app = _an_app(route_handlers=[where], settings=HttpSettings(trusted_proxies=hops))
    async with _client(app) as client:
        await client.get("/where", headers={"x-forwarded-for": "6.6.6.6, 198.51.100.1, 10.0.0.9"})

    assert seen == [address]


async def test_cross_origin_requests_are_closed_unless_an_origin_is_named() -> None:
    evil, good = "https://app.example.attacker.test", "https://app.example"
    settings = HttpSettings(cors_origins=(good,))
    async with _client(_an_app(route_handlers=[], settings=settings)) as client:
        allowed = await client.get("/health/live", headers={"origin": good})
        refused = await client.get("/health/live", headers={"origin": evil})

    assert allowed.headers["access-control-allow-origin"] == good
    assert "ETag" in allowed.headers["access-control-expose-headers"]
    assert "access-control-allow-origin" not in refused.headers


@pytest.mark.parametrize("path", ["/echo", "/nowhere"])
async def test_browsers_may_ask_before_they_send(path: str) -> None:
    good = "https://app.example"
    wanted = {"access-control-request-method": "PATCH", "access-control-request-headers": "authorization, if-match"}
    settings = HttpSettings(cors_origins=(good,))
    async with _client(_an_app(route_handlers=[_echo], settings=settings)) as client:
        allowed = await client.options(path, headers={"origin": good} | wanted)
        refused = await client.options(path, headers={"origin": "https://evil.example"} | wanted)
        itself = await client.options("/echo")

    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (204, good)
    assert "PATCH" in allowed.headers["access-control-allow-methods"]
    assert {"authorization", "if-match"} <= set(allowed.headers["access-control-allow-headers"].split(", "))
    assert (refused.status_code, "access-control-allow-origin" in refused.headers) == (400, False)
    assert (itself.status_code, set(itself.headers["allow"].split(", "))) == (204, {"POST", "OPTIONS"})


async def test_other_origins_can_read_why_they_were_refused() -> None:
    good = "https://app.example"
    settings = HttpSettings(cors_origins=(good,), largest_body=1000, rates=RequestRates(address=5))
    async with _client(_an_app(route_handlers=[_echo], settings=settings)) as client:
        json_header = {"origin": good, "content-type": "application/json"}
        answers = [
            await client.get("/nowhere", headers={"origin": good}),
            await client.get("/echo", headers={"origin": good}),
            await client.post("/echo", content=b"{", headers=json_header),
            await client.post("/echo", content=b"x" * 1001, headers=json_header),
            await client.post("/echo?%ff", headers=json_header),
            await client.get("/nowhere", headers={"origin": good}),
        ]

    assert [answer.status_code for answer in answers] == [404, 405, 400, 413, 422, 429]
    assert [answer.headers.get("access-control-allow-origin") for answer in answers] == [good] * 6


async def test_every_request_is_one_line_of_the_log(team: Team, log_file: Path) -> None:
    begin = len(_read(log_file))
    answer = await team.sales.send("GET", "/api/v1/quotes?search=line%0abreak%20secret", b"")

    logged = [json.loads(line) for line in _read(log_file)[begin:].splitlines()]
    (line,) = [one for one in logged if one.get("trace_id") == answer.headers["x-trace-id"]]
    assert (line["method"], line["path"], line["status"]) == ("GET", "/api/v1/quotes", 200)
    assert line["organization_id"] == str(team.organization.organization.id)
    assert line["duration_ms"] >= 0


@pytest.mark.parametrize(
    ("event", "hidden"),
    [
        ({"password": SECRET}, True),
        ({"access_token": SECRET}, True),
        ({"Authorization": f"Bearer {SECRET}"}, True),
        ({"headers": {"Cookie": SECRET, "x-api-key": SECRET}}, True),
        ({"note": f"Bearer {SECRET}abcdef"}, True),
        ({"url": f"postgresql://user:{SECRET}@host/db"}, True),
        ({"note": f"password={SECRET}"}, True),
        ({"note": f'{{"password": "{SECRET}"}}'}, True),
        ({"error": f"eyJhbGciOiJIUzI1NiJ9.{SECRET}.c2ln"}, True),
        ({"path": f"/customers/{SECRET}"}, False),
    ],
)
@pytest.mark.usefixtures("restored_logging")
async def test_secrets_are_not_logged(event: dict[str, Any], hidden: bool) -> None:
    stream = StringIO()
    configure_logging("json", "info", stream)

    structlog.stdlib.get_logger("probe").info("something", **event)
    logging.getLogger("stdlib").info("something %s", event)

    lines = stream.getvalue().splitlines()
    assert len(lines) == 2
    assert (SECRET not in lines[0]) is hidden


@pytest.mark.usefixtures("restored_logging")
async def test_a_line_stays_one_line() -> None:
    stream = StringIO()
    configure_logging("console", "info", stream)

    structlog.stdlib.get_logger("probe").info("something", path="/a\r\n2026 [info] forged", agent="\x1b[31mred\x00")

    assert len(stream.getvalue().splitlines()) == 1
    assert "\x1b" not in stream.getvalue()


@pytest.fixture
def restored_logging(log_stream: TextIO) -> Iterator[None]:
    """Whatever a test makes of the logs, the run's own file is written on."""
    yield
    configure_logging("json", "info", log_stream)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("path", "files"),
    [
        ("/account", "/account/account"),
        ("/approvals", "/approvals/page/approvals"),
        ("/approvals/01a1fd39-1c1f-77f9-a1a7-e202bf4fda5b", "/approvals/page/approvals"),
    ],
)
async def test_a_page_for_people_needs_no_other_host_and_runs_nothing_inline(
    path: str, files: str, nobody: Caller
) -> None:
    page = await nobody.get(path)

    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    assert "<script>" not in page.text
    assert "http" not in page.text.replace("http-equiv", "")
    for end in (".js", ".css"):
        assert f"{files}{end}" in page.text
        assert (await nobody.get(f"{files}{end}")).status_code == 200
    assert (await nobody.get(f"{files.rpartition('/')[0]}/docs.js")).status_code == 404
