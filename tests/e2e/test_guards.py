"""What keeps one caller from eating the service, and what tells how it does."""

import asyncio
import json
from collections.abc import AsyncIterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Event, Thread
from typing import Any

import pytest
import sentry_sdk
from httpx import ASGITransport, AsyncClient
from litestar import Litestar, get
from litestar.params import FromPath
from litestar.response import Stream
from sentry_sdk.transport import Transport

from src.adapters.security import KeyRing, SystemVault
from src.domain.identity.actor import Actor, Role
from src.domain.shared.errors import TooMany
from src.entrypoints import telemetry
from src.entrypoints.http import requests as http_requests
from src.entrypoints.http.app import HttpSettings, create_app
from src.entrypoints.http.request_limits import RequestLimiter, RequestRates
from src.entrypoints.settings import SettingsError, read_settings
from tests.e2e.conftest import Team

pytestmark = pytest.mark.asyncio


@get("/things/{number:int}", open_to_all=True)
async def _thing(number: FromPath[int]) -> dict[str, int]:
    return {"number": number}


@get("/slow", open_to_all=True)
async def _slow() -> None:
    await asyncio.sleep(60)


@get("/broken", open_to_all=True)
async def _broken() -> None:
    raise RuntimeError("canary-77 in the message of an error")


def _app(**settings: Any) -> Litestar:
    given = HttpSettings(**settings)
    return create_app(
        route_handlers=[_thing, _slow, _stream, _broken], settings=given, vault=SystemVault(KeyRing(["k" * 32]))
    )


def _client(app: Litestar, address: str = "192.0.2.1") -> AsyncClient:
    transport = ASGITransport(app=app, raise_app_exceptions=False, client=(address, 1))  # type: ignore[arg-type]  # Two spellings of ASGI.
    return AsyncClient(transport=transport, base_url="http://proffer.test")


async def test_an_address_has_so_many_requests_a_minute() -> None:
    app = _app(rates=RequestRates(address=3))
    async with _client(app) as client, _client(app, "192.0.2.2") as neighbour:
        answers = [await client.get("/things/1") for _ in range(4)]

        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert answers[3].json()["error_code"] == "too_many_requests"
        assert 1 <= int(answers[3].headers["retry-after"]) <= 61
        assert (await client.get("/health/live")).status_code == 200
        assert (await neighbour.get("/things/1")).status_code == 200


async def test_a_forged_forwarding_header_opens_no_new_bucket() -> None:
    async with _client(_app(rates=RequestRates(address=3))) as client:
        answers = [await client.get("/things/1", headers={"x-forwarded-for": f"198.51.100.{n}"}) for n in range(4)]

    assert answers[3].status_code == 429


async def test_users_keys_and_organisations_have_theirs(team: Team) -> None:
    limiter = RequestLimiter(RequestRates(user=2, organization=3))
    sales, admin = team.organization.actor(Role.SALES), team.organization.actor(Role.ADMIN)

    def takes(actor: Actor) -> bool:
        try:
            limiter.take_actor(actor)
        except TooMany:
            return False
        return True

    assert [takes(sales) for _ in range(3)] == [True, True, False]
    assert [takes(admin) for _ in range(2)] == [True, False]  # The organisation's three are gone.


async def test_a_request_has_a_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_requests, "LONGEST_REQUEST", 0.05)
    async with _client(_app()) as client:
        answer = await client.get("/slow")

    assert (answer.status_code, answer.json()["error_code"]) == (503, "took_too_long")
    assert answer.headers["retry-after"] == "5"


async def _pieces() -> AsyncIterator[bytes]:
    yield b"first"
    await asyncio.get_running_loop().run_in_executor(None, _LET_GO.wait)
    yield b"last"


_LET_GO = Event()


@get("/stream", open_to_all=True)
async def _stream() -> Stream:
    return Stream(_pieces())


@pytest.mark.parametrize(("whole", "piece", "arrives"), [(0.05, 3600.0, True), (3600.0, 0.05, False)])
async def test_a_streamed_answer_has_a_deadline_for_each_piece_and_none_for_all(
    monkeypatch: pytest.MonkeyPatch, whole: float, piece: float, arrives: bool
) -> None:
    monkeypatch.setattr(http_requests, "LONGEST_REQUEST", whole)
    monkeypatch.setattr(http_requests, "LONGEST_PIECE", piece)
    _LET_GO.clear()
    # Once either deadline has passed.
    asyncio.get_running_loop().call_later(0.2, _LET_GO.set)
    async with _client(_app()) as client:
        try:
            content = (await client.get("/stream")).content
        except AssertionError:  # So the transport tells an answer that breaks off.
            content = b""

    assert content == (b"firstlast" if arrives else b"")


async def test_metrics_count_by_the_routes_templates() -> None:
    async with _client(_app()) as client:
        for number in range(3):
            await client.get(f"/things/{number}")
        await client.get("/nowhere")
        told = (await client.get("/metrics")).text

    assert 'proffer_requests_total{method="GET",route="/things/{number}",status="200"} 3.0' in told
    assert 'route="unknown",status="404"' in told
    assert 'proffer_request_seconds_bucket{le="0.005",method="GET",route="/things/{number}"}' in told
    assert "/nowhere" not in told


async def test_metrics_can_have_a_token() -> None:
    async with _client(_app(metrics_token="t" * 20)) as client:
        without = await client.get("/metrics")
        with_token = await client.get("/metrics", headers={"authorization": f"Bearer {'t' * 20}"})

    assert (without.status_code, with_token.status_code) == (401, 200)


async def test_an_unexpected_error_is_reported_without_request_and_people() -> None:
    sent: list[dict[str, Any]] = []

    class _Kept(Transport):
        def capture_envelope(self, envelope: Any) -> None:
            sent.extend(item.payload.json for item in envelope.items if item.type == "event")

    telemetry.report_errors("https://key@sentry.invalid/1")
    sentry_sdk.get_client().transport = _Kept({})
    try:
        async with _client(_app()) as client:
            await client.get("/broken", headers={"authorization": "Bearer canary-78"})
    finally:
        sentry_sdk.init(default_integrations=False, auto_enabling_integrations=False)  # As it is without an address.
        telemetry._told.clear()

    assert len(sent) == 1
    assert sent[0]["exception"]["values"][-1]["type"] == "RuntimeError"
    assert not {"request", "user"} & set(sent[0])
    assert "canary-78" not in json.dumps(sent)


@pytest.fixture
def collector() -> Any:
    """Takes spans as OpenTelemetry's collector does."""
    taken: list[bytes] = []

    class _Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), _Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1/traces", taken
    server.shutdown()
    server.server_close()
    thread.join()


async def test_requests_become_spans(collector: tuple[str, list[bytes]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    endpoint, taken = collector
    async with _client(_app(traces_endpoint=endpoint)) as client:
        assert (await client.get("/things/1")).status_code == 200
        assert (await client.get("/api/v1/downloads/canary-79")).status_code == 404
    async with asyncio.timeout(20):
        while b"downloads" not in b"".join(taken):  # noqa: ASYNC110 — another thread fills it.
            await asyncio.sleep(0.02)

    assert b"proffer" in b"".join(taken)
    assert b"/things/1" in b"".join(taken)
    assert b"canary-79" not in b"".join(taken)


async def test_what_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(telemetry, "import_module", missing)
    with pytest.raises(telemetry.TelemetryMissing, match=r"pip install 'proffer\[sentry\]'"):
        telemetry.report_errors("https://key@sentry.invalid/1")


@pytest.mark.parametrize("told", ["address", "user=", "planet=3", "address=-1", "address=1,user=2"])
async def test_rates_that_make_no_sense_are_refused(told: str, tmp_path: Any) -> None:
    with pytest.raises(SettingsError, match="PROFFER_REQUESTS_PER_MINUTE"):
        read_settings({"PROFFER_HOME": str(tmp_path), "PROFFER_REQUESTS_PER_MINUTE": told})
