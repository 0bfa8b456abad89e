"""A proxy on loopback that cuts connections where networks do; seeded, so that a run can be repeated."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum, auto

from litestar import Litestar

from src.entrypoints.http.serve import serve_until
from tests.e2e.processes import free_port

_HOST = "127.0.0.1"


class Fault(Enum):
    NONE = auto()
    CUT_IN_REQUEST = auto()  # The server never has the whole of it.
    CUT_AFTER_REQUEST = auto()  # The server has it, and its client is gone while it works.
    LOSE_ANSWER = auto()  # The server has done it and said so; nobody hears.
    CUT_IN_ANSWER = auto()


class FaultProxy:
    """One request for each connection. *weights* say how often each fault comes, out of their sum."""

    def __init__(self, upstream: int, weights: dict[Fault, int], seed: int) -> None:
        self._upstream, self._weights, self._chance = upstream, weights, random.Random(seed)
        self.seen: Counter[Fault] = Counter()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        """The port, while it listens."""
        server = await asyncio.start_server(self._pass_on, _HOST, 0, backlog=1024)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            await server.wait_closed()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fault = self._chance.choices(list(self._weights), list(self._weights.values()))[0]
        self.seen[fault] += 1
        try:
            request = await read_message(reader)
            answer = await self._ask(request, fault)
            if fault is Fault.CUT_IN_ANSWER:
                answer = answer[: self._chance.randrange(1, len(answer))]
            if fault in {Fault.NONE, Fault.CUT_IN_ANSWER}:
                writer.write(answer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # As it may be: whoever asked hears nothing.
        finally:
            writer.close()

    async def _ask(self, request: bytes, fault: Fault) -> bytes:
        reader, writer = await asyncio.open_connection(_HOST, self._upstream)
        try:
            if fault is Fault.CUT_IN_REQUEST:
                writer.write(request[: self._chance.randrange(1, len(request))])
                await writer.drain()
                return b""
            writer.write(request)
            await writer.drain()
            if fault is Fault.CUT_AFTER_REQUEST:
                await asyncio.sleep(self._chance.random() * 0.05)  # Somewhere in the midst of its work.
                writer.transport.abort()
                return b""
            return await read_message(reader)
        finally:
            writer.close()


async def read_message(reader: asyncio.StreamReader) -> bytes:
    """A whole request or answer. Raises IncompleteReadError when it is cut off."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0] or 0)
    return head + await reader.readexactly(length)


@asynccontextmanager
async def served(app: Litestar) -> AsyncIterator[int]:
    """The port that *app* is served on, in this event loop."""
    port, stop, ready = free_port(), asyncio.Event(), asyncio.Event()
    serving = asyncio.create_task(serve_until(app, _HOST, port, stop, ready.set))
    await asyncio.wait_for(ready.wait(), 30)
    try:
        yield port
    finally:
        stop.set()
        await serving
