"""An isolation tester: two sessions whose messages to PostgreSQL are let through one at a time, in a chosen order.

A turn is whatever a client sends before it waits for an answer: a statement, mostly. A session that waits for a lock of the
other one is found by its turn not coming to an end; then the other one goes on.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.engine import make_url

_HOST = "127.0.0.1"
_BLOCKED = 0.03  # Seconds without an end of the turn: it waits for a lock, or takes long, which is no harm either.


@dataclass(slots=True)
class Gate:
    """Holds back what a client sends, until it is let through. Open, it lets everything through."""

    open: bool = True
    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    _go: asyncio.Event = field(default_factory=asyncio.Event)

    async def pass_through(self) -> None:
        if self.open:
            return
        self._go.clear()
        self.waiting.set()
        await self._go.wait()

    def let_one(self) -> None:
        self.waiting.clear()
        self._go.set()

    def let_all(self) -> None:
        self.open = True
        self.let_one()


@asynccontextmanager
async def gated(url: str, gate: Gate) -> AsyncIterator[str]:
    """The address of a proxy before the server of *url*, with *gate* in it."""
    address, tasks = make_url(url), set()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection(address.host, address.port)
        back = asyncio.create_task(_copy(server_reader, writer))
        tasks.add(back)
        try:
            while sent := await reader.read(65536):
                await gate.pass_through()
                server_writer.write(sent)
                await server_writer.drain()
        except ConnectionError:
            pass  # The engine is disposed of.
        finally:
            server_writer.close()

    server = await asyncio.start_server(pass_on, _HOST, 0)
    try:
        port = server.sockets[0].getsockname()[1]
        yield address.set(host=_HOST, port=port).render_as_string(hide_password=False)
    finally:
        gate.let_all()
        server.close()
        for task in tasks:
            task.cancel()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while received := await reader.read(65536):
            writer.write(received)
            await writer.drain()
        writer.close()


async def interleaved(
    acts: tuple[Awaitable[Any], Awaitable[Any]], gates: tuple[Gate, Gate], turns: Sequence[tuple[int, int | None]]
) -> list[Any]:
    """What came of both, results or exceptions. *turns*: which one, and how many turns of it (None: to its end)."""
    for gate in gates:
        gate.open = False
    tasks = [asyncio.ensure_future(act) for act in acts]
    for task, gate in zip(tasks, gates, strict=True):
        await _settled(task, gate)
    for who, count in turns:
        taken = 0
        while not tasks[who].done() and (count is None or taken < count):
            if not gates[who].waiting.is_set():
                break  # It waits for a lock.
            gates[who].let_one()
            await _settled(tasks[who], gates[who])
            taken += 1
    for gate in gates:
        gate.let_all()
    return await asyncio.gather(*tasks, return_exceptions=True)


async def _settled(task: "asyncio.Future[Any]", gate: Gate) -> None:
    """Until the turn is over: the next message waits, the act is done, or it seems to wait for a lock."""
    waiting = asyncio.ensure_future(gate.waiting.wait())
    await asyncio.wait({task, waiting}, timeout=_BLOCKED, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
