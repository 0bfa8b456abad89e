"""HEAD: what GET would answer, without its body (RFC 9110 §9.3.2)."""

from typing import Any, Final, cast

from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from src.entrypoints.http.requests import is_http

_LEARNED: Final = ("path", "path_template")  # Which the layers outside tell of the request.


class HeadGuard:
    """In front of what routes, which sees GET only: so every address that takes GET takes HEAD, with the same rights and records.

    The answer ends with its headers: then the server tells whoever streams a file that nobody listens any more.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not is_http(scope) or scope["method"] == "GET":
            await self._app(scope, receive, send)
        elif scope["method"] == "HEAD":
            await self._without_body(scope, receive, send)
        else:
            await self._app(scope, receive, _offering_head(send))

    async def _without_body(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        async def send_head(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        # A copy: the server goes by the method, too, and must not wait for a body.
        asked: dict[str, Any] = {**scope, "method": "GET"}
        try:
            await self._app(cast("Scope", asked), receive, send_head)
        finally:
            scope.update({name: asked[name] for name in _LEARNED if name in asked})  # type: ignore[typeddict-item]  # Of names, not of literals.


def _offering_head(send: Send) -> Send:
    """With HEAD wherever ``Allow`` names GET."""

    async def offer(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [
                (name, _with_head(value)) if name.lower() == b"allow" else (name, value)
                for name, value in message["headers"]
            ]
        await send(message)

    return offer


def _with_head(allowed: bytes) -> bytes:
    methods = allowed.split(b", ")
    return b", ".join([*methods, b"HEAD"] if b"GET" in methods else methods)
