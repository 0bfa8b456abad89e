"""``Idempotency-Key``: a write that is sent again is answered as it was the first time, and done no second time.

The answer is stored in the transaction of the effect: the unit of work leaves its last step to this layer, which knows
the answer only after the handler. Only what has been done is stored; a refused request leaves its key free.
"""

import hashlib
import re
from typing import Final

import msgspec
from litestar.types import (
    ASGIApp,
    HTTPReceiveMessage,
    HTTPScope,
    Message,
    Receive,
    Scope,
    Send,
    WebSocketReceiveMessage,
)

from src.application.ports.security import Vault
from src.domain.shared.errors import Invalid, invalid_field
from src.domain.shared.once import IdempotencyKeyRequired, Replayed, StoredAnswer, WriteOnce
from src.entrypoints.http.bodies import is_streamed
from src.entrypoints.http.problems import problem_of
from src.entrypoints.http.requests import answer, is_http

STATE: Final = "write_once"
_KEY: Final = re.compile(rb'"?([\x21\x23-\x7e]{1,255})"?')  # Bare, or quoted as the IETF draft has it.
_KEPT: Final = frozenset({"content-type", "location", "etag", "content-disposition"})


class IdempotencyGuard:
    """Inside of the guard of bodies, which has read the body whole. *required*: no POST without a key."""

    def __init__(self, app: ASGIApp, vault: Vault, *, required: bool) -> None:
        self._app, self._vault, self._required = app, vault, required

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not is_http(scope) or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        try:
            key = self._key(dict(scope["headers"]))
        except Invalid as error:
            await answer(problem_of(error), scope["state"]["trace_id"], send)
            return
        if key is None:
            await self._app(scope, receive, send)
            return
        if is_streamed(scope):  # The use case covers the file itself, once it knows it.
            once = WriteOnce(key=key, fingerprint=_fingerprint(scope, b""))
        else:
            request = await receive()
            body = request["body"] if request["type"] == "http.request" else b""
            once = WriteOnce(key=key, fingerprint=_fingerprint(scope, body))
            receive = _again(request, receive)
        scope["state"][STATE] = once
        taken = _Taken()
        try:
            await self._app(scope, receive, taken.send)
            if once.held is not None and taken.status < 400:
                held, once.held = once.held, None
                await held.finish(self._stored(taken))
        finally:
            if once.held is not None:
                await once.held.abandon()
        for message in taken.messages:
            await send(message)

    def _key(self, headers: dict[bytes, bytes]) -> str | None:
        """Raises IdempotencyKeyRequired, Invalid."""
        told = headers.get(b"idempotency-key")
        if told is None:
            if self._required:
                raise IdempotencyKeyRequired("Send an Idempotency-Key with each POST: any text that is new.")
            return None
        match = _KEY.fullmatch(told.strip())
        if match is None:
            raise invalid_field("Idempotency-Key", "A key has 1 to 255 visible ASCII characters.")
        return match[1].decode()

    def _stored(self, taken: "_Taken") -> StoredAnswer:
        headers = tuple(
            (name.decode("latin-1").lower(), value.decode("latin-1"))
            for name, value in taken.headers
            if name.decode("latin-1").lower() in _KEPT
        )
        return StoredAnswer(status=taken.status, headers=headers, body=self._vault.seal_bytes(taken.content))


def replayed(error: Replayed, vault: Vault) -> tuple[int, dict[str, str], bytes]:
    """The status, headers and body that were answered the first time."""
    headers = dict(error.answer.headers) | {"Idempotency-Replayed": "true"}
    return error.answer.status, headers, vault.unseal_bytes(error.answer.body)


class _Taken:
    """An answer that waits for the commit."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.status = 500
        self.headers: list[tuple[bytes, bytes]] = []
        self.content = b""

    async def send(self, message: Message) -> None:
        self.messages.append(message)
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        elif message["type"] == "http.response.body":
            self.content += message["body"]


def _again(first: HTTPReceiveMessage | WebSocketReceiveMessage, receive: Receive) -> Receive:
    """What *receive* gives, from *first* on."""
    waiting = [first]

    async def replay() -> HTTPReceiveMessage | WebSocketReceiveMessage:
        return waiting.pop() if waiting else await receive()

    return replay


def _fingerprint(scope: HTTPScope, body: bytes) -> str:
    """Method, address, query, version asked for, and the JSON whatever its spaces and the order of its keys."""
    headers = dict(scope["headers"])
    try:
        canonical = msgspec.json.encode(msgspec.json.decode(body), order="deterministic") if body else b""
    except msgspec.MsgspecError:
        canonical = body  # A file.
    parts = (
        str(scope["method"]).encode(),
        str(scope["path"]).encode(),
        scope["query_string"],
        headers.get(b"if-match", b""),
        headers.get(b"content-type", b""),
        canonical,
    )
    return hashlib.sha256(b"".join(len(part).to_bytes(8) + part for part in parts)).hexdigest()
