"""Request bodies: bounded, JSON, and only such JSON as every parser reads alike."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from litestar.types import ASGIApp, HTTPReceiveMessage, HTTPRequestEvent, Receive, Scope, Send, WebSocketReceiveMessage

from src.application.identity.change_organization import LARGEST_LOGO
from src.application.ports.tabular import LARGEST_FILE
from src.domain.messaging.report import LARGEST_REPORT
from src.domain.shared.errors import Invalid
from src.entrypoints.http.expected import body_may_be_absent
from src.entrypoints.http.problems import NOT_JSON, Problem, body_too_large, problem_of
from src.entrypoints.http.requests import answer, is_http
from src.entrypoints.strict_json import check_json

LARGEST_BODY: Final = 8 * 1024 * 1024
_TABLES: Final = frozenset(
    {b"text/csv", b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", b"application/octet-stream"}
)
# The addresses that take files, of which types, and how large; their own readers look into them.
FILES: Final = MappingProxyType(
    {
        "/api/v1/imports": (_TABLES, LARGEST_FILE),
        "/platform/v1/mail-reports": (frozenset({b"message/rfc822", b"application/octet-stream"}), LARGEST_REPORT),
        "/api/v1/organization/logo": (frozenset({b"image/png", b"image/jpeg"}), LARGEST_LOGO),
    }
)


# The addresses that take a file piece by piece; their use case counts and checks it on the way.
_STREAMED: Final = re.compile(r"/api/v1/(quotes|customers|approvals)/[^/]+/attachments")
_SILENCE: Final = 20.0  # Seconds that a sender may take for the next piece.


def is_streamed(scope: Scope) -> bool:
    """Whether the body of this request is handed on as it comes."""
    return is_http(scope) and scope["method"] == "POST" and takes_stream(scope["path"])


def takes_stream(path: str) -> bool:
    """Whether what is posted to *path*, or to the addresses of this form, is handed on as it comes."""
    return _STREAMED.fullmatch(path) is not None


async def streamed(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """*pieces* as they come. Raises TimeoutError when the next one does not."""
    while True:
        async with asyncio.timeout(_SILENCE):
            piece = await anext(pieces, None)
        if piece is None:
            return
        yield piece


class BodyGuard:
    """Reads a body to its end, checks it, and hands it on in one piece; files that are streamed it leaves alone.

    Inside of the guard of routes, which knows whether a body that is absent means an empty one.
    """

    def __init__(self, app: ASGIApp, *, largest: int = LARGEST_BODY) -> None:
        self._app, self._largest = app, largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not is_http(scope) or scope["method"] not in {"POST", "PUT", "PATCH", "DELETE"} or is_streamed(scope):
            await self._app(scope, receive, send)
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        types, largest = FILES.get(scope["path"], (frozenset(), 0))
        is_file = _media_type(headers) in types
        limit = largest if is_file else self._largest
        body = await self._read(headers, receive, limit)
        if body is None:
            await answer(body_too_large(limit), scope["state"]["trace_id"], send)
            return
        problem = None if is_file else _check(headers, body, types)
        if problem is not None:
            await answer(problem, scope["state"]["trace_id"], send)
            return
        if not body and body_may_be_absent(scope["route_handler"]):
            body = b"{}"
        delivered = False

        async def replay() -> HTTPReceiveMessage | WebSocketReceiveMessage:
            nonlocal delivered
            if delivered:
                return await receive()
            delivered = True
            return HTTPRequestEvent(type="http.request", body=body, more_body=False)

        await self._app(scope, replay, send)

    async def _read(self, headers: dict[bytes, bytes], receive: Receive, largest: int) -> bytes | None:
        """The body, or None when it is larger than allowed."""
        announced = headers.get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > largest:
            return None
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return bytes(body)
            body += message["body"]
            if len(body) > largest:
                return None
            if not message["more_body"]:
                return bytes(body)


def _media_type(headers: dict[bytes, bytes]) -> bytes:
    return headers.get(b"content-type", b"").split(b";", 1)[0].strip().lower()


def _check(headers: dict[bytes, bytes], body: bytes, files: frozenset[bytes]) -> Problem | None:
    if not body:
        return None
    if _media_type(headers) != b"application/json":
        return _wrong_type(files) if files else NOT_JSON
    try:
        check_json(body)
    except Invalid as error:
        return problem_of(error)
    return None


def _wrong_type(files: frozenset[bytes]) -> Problem:
    return replace(NOT_JSON, message=f"Send the file itself, as one of {b', '.join(sorted(files)).decode()}.")
