"""Around every request: a trace id, one line in the log, headers that protect, and an error shape for all that fails."""

import asyncio
import re
import time
from collections.abc import Iterable
from secrets import token_hex
from typing import Any, Final, TypeGuard

import structlog
from litestar import Request
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from src.domain.identity.actor import Origin
from src.entrypoints.http.metrics import Metrics
from src.entrypoints.http.problems import Problem, problem_of
from src.entrypoints.telemetry import tell_unexpected, without_secrets

_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)
LONGEST_REQUEST: Final = 30.0  # Seconds from its first byte to its answer.
LONGEST_TRANSFER: Final = 600.0  # The same for one that sends a file.
LONGEST_PIECE: Final = 60.0  # Seconds from one piece of a streamed answer to the next, however many there are.
_TRANSFERS: Final = re.compile(r"/+api/+v1/.+/attachments/*")  # As it is sent: nothing has tidied it up yet.
_USER_AGENT_LENGTH: Final = 400
_PROTECTION: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"strict-transport-security", b"max-age=31536000; includeSubDomains"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_CLOSED: Final = b"default-src 'none'; frame-ancestors 'none'"
_logger = structlog.stdlib.get_logger("proffer.http")


class Exchange:
    """The outermost layer of the application; nothing answers without passing through it."""

    def __init__(self, app: ASGIApp, *, trusted_proxies: int, metrics: Metrics) -> None:
        self._app, self._trusted_proxies, self._metrics = app, trusted_proxies, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not is_http(scope):
            await self._app(scope, receive, send)
            return
        scope["path"], scope["root_path"] = _path_here(scope), ""
        headers: dict[bytes, bytes] = dict(scope["headers"])
        trace_id = _trace_id(headers)
        state: dict[str, Any] = scope["state"]
        state["trace_id"] = trace_id
        state["ip_address"] = _client_address(scope, headers, self._trusted_proxies)
        outcome = _Outcome()

        limit = asyncio.timeout(LONGEST_TRANSFER if _TRANSFERS.fullmatch(scope["path"]) else LONGEST_REQUEST)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                outcome.status = message["status"]
                message["headers"] = [*_completed(message["headers"]), (b"x-trace-id", trace_id.encode())]
            elif message.get("more_body") and not limit.expired():
                limit.reschedule(asyncio.get_running_loop().time() + LONGEST_PIECE)
            await send(message)

        begun = time.perf_counter()
        self._metrics.under_way.inc()
        try:
            async with limit:
                await self._app(scope, receive, send_with_headers)
        except Exception as error:  # noqa: BLE001 — the last place where an error can still become an answer.
            problem = problem_of(error)
            report(problem, error, trace_id)
            if outcome.status is None:
                await answer(problem, trace_id, send_with_headers)
        finally:
            seconds = time.perf_counter() - begun
            self._metrics.under_way.dec()
            self._metrics.answered(
                scope["method"], str(scope.get("path_template", "unknown")), outcome.status or 0, seconds
            )
            _logger.info(
                "request",
                method=scope["method"],
                path=without_secrets(scope["path"]),
                status=outcome.status,
                duration_ms=round(seconds * 1000, 1),
                trace_id=trace_id,
                organization_id=state.get("organization_id"),
                user_id=state.get("user_id"),
            )


def is_http(scope: Scope) -> TypeGuard[HTTPScope]:
    return scope["type"] == "http"  # type: ignore[comparison-overlap]  # An enumeration of texts.


class _Outcome:
    status: int | None = None


async def answer(problem: Problem, trace_id: str, send: Send) -> None:
    """Send *problem* as the whole response."""
    body = problem.body(trace_id)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    headers += [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def report(problem: Problem, error: BaseException, trace_id: str) -> None:
    """Log what should not have happened, with its stack; what clients do wrong is told by the request's own line."""
    if problem.unexpected:
        _logger.error("unexpected_error", trace_id=trace_id, error=type(error).__name__, exc_info=error)
        tell_unexpected(error)


def trace_id_of(request: Request[Any, Any, Any]) -> str:
    return str(request.scope["state"].get("trace_id", ""))


def origin_of(request: Request[Any, Any, Any]) -> Origin:
    """Where the request came from, for the audit."""
    agent = request.headers.get("user-agent", "")[:_USER_AGENT_LENGTH]
    return Origin(
        trace_id=trace_id_of(request),
        ip_address=str(request.scope["state"].get("ip_address", "")),
        user_agent="".join(character if character.isprintable() else "?" for character in agent),
        once=request.scope["state"].get("write_once"),
    )


def _path_here(scope: HTTPScope) -> str:
    """The path below what the application is mounted at; all layers inside, and Litestar, go by it, and look for no mount."""
    path, mount = scope["path"], scope.get("root_path", "").rstrip("/")
    return (path.removeprefix(mount) or "/") if path == mount or path.startswith(f"{mount}/") else path


def _trace_id(headers: dict[bytes, bytes]) -> str:
    """The caller's trace, where it sends a well-formed W3C ``traceparent``; else a new one."""
    match = _TRACEPARENT.fullmatch(headers.get(b"traceparent", b"").decode("latin-1"))
    return match[1] if match else token_hex(16)


def _client_address(scope: Scope, headers: dict[bytes, bytes], trusted_proxies: int) -> str:
    """The address that the *trusted_proxies*-th hop from us saw; what the client itself claims does not count."""
    client = scope.get("client")
    address = client[0] if client else ""
    if trusted_proxies:
        hops = [hop.strip() for hop in headers.get(b"x-forwarded-for", b"").decode("latin-1").split(",") if hop.strip()]
        if len(hops) >= trusted_proxies:
            address = hops[-trusted_proxies]
    return address[:64]


def _completed(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    kept = [(name, value) for name, value in headers if name.lower() != b"server"]
    present = {name.lower() for name, _ in kept}
    kept += [pair for pair in _PROTECTION if pair[0] not in present]
    if b"content-security-policy" not in present:
        kept.append((b"content-security-policy", _CLOSED))
    if b"cache-control" not in present:
        kept.append((b"cache-control", b"no-store"))
    return kept
