"""The API at 1, 16 and 64 connections, beside bare asyncpg loops that send the database the same statements.

``python -m benchmarks.http_api [REQUESTS]``. The statements are recorded while the use cases run once, and replayed with
fresh ids. Server, loops and PostgreSQL share the machine, so ratios say more than rates.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from statistics import median
from tempfile import mkdtemp
from time import perf_counter
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from sqlalchemy.engine import make_url

from src.adapters.postgres.connection import watched
from src.application.ports.paging import Paging
from src.application.ports.quoting import QuoteFilter
from src.application.prices.lines import LineInput
from src.application.quoting.create_quote import CreateQuote, CreateQuoteCommand
from src.application.quoting.drafting import DraftInput
from src.application.quoting.read_quotes import GetQuote, ListQuotes
from src.domain.identity.actor import Role
from src.entrypoints.cli.session import session_of
from src.entrypoints.container import AppEngine
from src.entrypoints.database import Database
from src.entrypoints.demo import EMAILS, PASSWORD
from src.entrypoints.settings import read_settings

PORT, RUNS, CONNECTIONS = 8911, 3, (1, 16, 64)
SALES = EMAILS[Role.SALES]
LINES = 20
POOL = 16  # Connections of the API to the database, and of the loops at most.


@dataclass(frozen=True)
class Recorded:
    """One statement as it went to the driver, with its rows of parameters."""

    sql: str
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class Scene:
    """What both sides work on; ids in *kept* are the same in every replay."""

    customer: UUID
    quote: UUID
    kept: frozenset[UUID]
    statements: dict[str, list[Recorded]]


async def record() -> Scene:
    """Run each use case once, and keep what it says to the database from BEGIN on; the end is the loop's own."""
    seen: list[Recorded] = []

    def keep(sql: str, rows: Sequence[Sequence[Any]]) -> None:
        seen.append(Recorded(sql, tuple(map(tuple, rows))))

    async with session_of(SALES, None) as session:
        container, actor = session.container, session.actor
        page = await (await container.get(ListQuotes))(actor, QuoteFilter(), Paging())
        customer = page.items[0].customer_id
        engine = await container.get(AppEngine)
        line = LineInput(quantity=Decimal(10), description="Desk", unit_price=Decimal("30.75"))
        command = CreateQuoteCommand(customer_id=customer, draft=DraftInput(lines=(line,) * LINES))
        with watched(engine, keep):
            quote = await (await container.get(CreateQuote))(actor, command)
            statements = {"create": seen.copy()}
            seen.clear()
            await (await container.get(GetQuote))(actor, quote.id)
            statements["get"] = seen.copy()
            seen.clear()
            await (await container.get(ListQuotes))(actor, QuoteFilter(), Paging())
            statements["list"] = seen.copy()
    kept = frozenset({actor.organization_id, actor.person, customer})
    return Scene(customer, quote.id, kept, statements)


class BareLoop:
    """The floor: the same statements by asyncpg alone, in one transaction each time."""

    def __init__(self, scene: Scene, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._scene, self._pool = scene, pool

    async def run(self, name: str) -> None:
        fresh: dict[Any, Any] = {}
        head: Any = None
        own_hash = uuid4().hex * 2
        async with self._pool.acquire() as connection:
            begin, *others = self._scene.statements[name]
            await connection.execute(begin.sql)
            for one in others:
                rows = [self._renew(row, fresh) for row in one.rows] if name == "create" else list(one.rows)
                if "INSERT INTO proffer.audit_entries" in one.sql:  # One entry; its place follows from the head.
                    rows = [(*row[:1], head["sequence"] + 1, *row[2:9], head["hash"], own_hash) for row in rows]
                elif "UPDATE proffer.audit_heads" in one.sql:
                    rows = [(head["sequence"] + 1, own_hash, *row[2:]) for row in rows]
                if one.sql.startswith(("INSERT", "UPDATE")):
                    await connection.executemany(one.sql, rows)
                    continue
                answer = await connection.fetch(one.sql, *rows[0])
                head = answer[0] if "audit_heads" in one.sql else head
            await connection.execute("COMMIT" if name == "create" else "ROLLBACK")

    def _renew(self, row: tuple[Any, ...], fresh: dict[Any, Any]) -> tuple[Any, ...]:
        """New ids and a new number, so that nothing collides."""
        return tuple(fresh.setdefault(value, self._other(value)) if self._collides(value) else value for value in row)

    def _collides(self, value: Any) -> bool:
        if isinstance(value, str):
            return value.startswith("Q-") and len(value) == 13
        return isinstance(value, UUID) and value not in self._scene.kept

    def _other(self, value: Any) -> Any:
        return uuid4() if isinstance(value, UUID) else f"B-{uuid4().hex}"


class HttpClient:
    """One kept-alive connection that speaks just enough HTTP/1.1: a heavier client would take the server's core."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", PORT)

    async def call(self, method: str, path: str, body: bytes = b"") -> bytes:
        head = (
            f"{method} {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {self._token}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + body)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        status = int(answer.split(b" ", 2)[1])
        length = int(answer.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        content = await self._reader.readexactly(length)
        assert status < 300, content
        return content

    def close(self) -> None:
        self._writer.close()


@dataclass(frozen=True)
class Run:
    """Acts a second, and milliseconds of processor time for each, in the process that talks to the database."""

    rate: float
    cpu: float


async def run(connections: int, requests: int, process: int, act: Callable[[int], Awaitable[object]]) -> Run:
    """With *connections* at work at once."""

    async def work(number: int) -> None:
        for _ in range(requests // connections):
            await act(number)

    begin, busy, count = perf_counter(), _cpu(process), requests // connections * connections
    await asyncio.gather(*(work(number) for number in range(connections)))
    return Run(count / (perf_counter() - begin), (_cpu(process) - busy) * 1000 / count)


def _cpu(process: int) -> float:
    """Seconds, user's and system's."""
    told = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(") ")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


async def compare(scene: Scene, url: str, token: str, requests: int, server: int) -> None:
    body = json.dumps(draft_body(scene.customer)).encode()
    calls = {
        "get": ("GET", f"/api/v1/quotes/{scene.quote}", b""),
        "list": ("GET", "/api/v1/quotes", b""),
        "create": ("POST", "/api/v1/quotes", body),
    }
    print(f"{LINES} lines a quote, {requests} requests, medians of {RUNS}: rates per second, and CPU ms for each")
    print(f"{'':8}{'conn.':>6}{'API':>9}{'bare loop':>11}{'ratio':>7}{'CPU API':>9}{'bare':>7}")
    for name, call in calls.items():
        for connections in CONNECTIONS:
            api, bare = await _both(scene, url, token, name, call, connections, requests, server)
            print(
                f"{name:8}{connections:>6}{api.rate:>9.0f}{bare.rate:>11.0f}{api.rate / bare.rate:>7.2f}"
                f"{api.cpu:>9.2f}{bare.cpu:>7.2f}",
                flush=True,
            )


async def _both(
    scene: Scene,
    url: str,
    token: str,
    name: str,
    call: tuple[str, str, bytes],
    connections: int,
    requests: int,
    server: int,
) -> tuple[Run, Run]:
    clients = [HttpClient(token) for _ in range(connections)]
    for client in clients:
        await client.open()
    async with asyncpg.create_pool(url, min_size=min(connections, POOL), max_size=min(connections, POOL)) as pool:
        loop = BareLoop(scene, pool)
        api, bare = [], []
        for _ in range(RUNS):  # By turns, so that what disturbs the machine disturbs both.
            api.append(await run(connections, requests, server, lambda number: clients[number].call(*call)))
            bare.append(await run(connections, requests, os.getpid(), lambda _: loop.run(name)))
    for client in clients:
        client.close()
    return _median(api), _median(bare)


def _median(runs: Sequence[Run]) -> Run:
    return Run(median(run.rate for run in runs), median(run.cpu for run in runs))


def draft_body(customer: UUID) -> dict[str, Any]:
    line = {"description": "Desk", "quantity": "10", "unit_price": "30.75"}
    return {"customer_id": str(customer), "lines": [line] * LINES}


async def main(requests: int) -> None:
    environment = {**os.environ, "PROFFER_LOG_LEVEL": "warning"}
    command = [sys.executable, "-m", "src.entrypoints.cli", "serve", "--no-worker"]
    with Database(read_settings()) as database:
        await database.prepare()
        await asyncio.to_thread(
            subprocess.run, [*command[:3], "demo"], env=environment, check=True, stdout=subprocess.DEVNULL
        )
        scene = await record()
        server = await asyncio.create_subprocess_exec(*command, env=environment, stdout=subprocess.DEVNULL)
        try:
            token = await _log_in()
            url = make_url(database.urls.app).set(drivername="postgresql").render_as_string(hide_password=False)
            await compare(scene, url, token, requests, server.pid)
        finally:
            server.terminate()
            await server.wait()


async def _log_in() -> str:
    """The token, as soon as the server answers."""
    body = json.dumps({"email": SALES, "password": PASSWORD}).encode()
    async with asyncio.timeout(60):
        while True:
            client = HttpClient("")
            try:
                await client.open()
                answer = await client.call("POST", "/api/v1/login", body)
            except OSError:
                await asyncio.sleep(0.1)
                continue
            client.close()
            return str(json.loads(answer)["access_token"])


if __name__ == "__main__":
    home = Path(mkdtemp(prefix="proffer-bench-"))
    home.chmod(0o755)
    os.environ |= {
        "PROFFER_HOME": str(home),
        "PROFFER_PORT": str(PORT),
        "PROFFER_POOL_SIZE": str(POOL),
        "PROFFER_REQUESTS_PER_MINUTE": "address=0 user=0 key=0 organization=0",
    }
    try:
        asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 640))
    finally:
        shutil.rmtree(home, ignore_errors=True)
