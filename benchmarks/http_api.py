"""The API at 1, 16 and 64 connections, beside bare asyncpg loops that send the database the same statements.

``python -m benchmarks.http_api [REQUESTS]``. The statements are recorded while the use cases run once, and replayed with
fresh ids. Server, loops and PostgreSQL share the machine, so ratios say more than rates.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from statistics import median
from time import perf_counter
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from sqlalchemy import event
from sqlalchemy.engine import make_url

from benchmarks.server import POOL, HttpClient, a_home, log_in, prepare, serving
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
from src.entrypoints.demo import EMAILS
from src.entrypoints.settings import read_settings

RUNS, CONNECTIONS = 3, (1, 16, 64)
SALES = EMAILS[Role.SALES]
LINES = 20


@dataclass(frozen=True)
class Recorded:
    """One statement as it went to the driver, with its rows of parameters."""

    sql: str
    rows: tuple[tuple[Any, ...], ...]
    many: bool


@dataclass(frozen=True)
class Scene:
    """What both sides work on; ids in *kept* are the same in every replay."""

    customer: UUID
    quote: UUID
    kept: frozenset[UUID]
    statements: dict[str, list[Recorded]]


async def record() -> Scene:
    """Run each use case once, and keep what it says to the database between BEGIN and COMMIT."""
    seen: list[Recorded] = []

    def keep(_c: Any, _cursor: Any, sql: str, parameters: Any, _context: Any, many: bool) -> None:
        seen.append(Recorded(sql, tuple(map(tuple, parameters)) if many else (tuple(parameters),), many))

    async with session_of(SALES, None) as session:
        container, actor = session.container, session.actor
        page = await (await container.get(ListQuotes))(actor, QuoteFilter(), Paging())
        customer = page.items[0].customer_id
        engine = await container.get(AppEngine)
        event.listen(engine.sync_engine, "before_cursor_execute", keep)
        line = LineInput(quantity=Decimal(10), description="Desk", unit_price=Decimal("30.75"))
        command = CreateQuoteCommand(customer_id=customer, draft=DraftInput(lines=(line,) * LINES))
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
        async with self._pool.acquire() as connection, connection.transaction():
            for one in self._scene.statements[name]:
                rows = [self._renew(row, fresh) for row in one.rows] if name == "create" else list(one.rows)
                if "INSERT INTO proffer.audit_entries" in one.sql:  # One entry; its place follows from the head.
                    rows = [(*row[:1], head["sequence"] + 1, *row[2:9], head["hash"], own_hash) for row in rows]
                elif "UPDATE proffer.audit_heads" in one.sql:
                    rows = [(head["sequence"] + 1, own_hash, *row[2:]) for row in rows]
                if one.many or one.sql.startswith(("INSERT", "UPDATE")):
                    await connection.executemany(one.sql, rows)
                    continue
                answer = await connection.fetch(one.sql, *rows[0])
                head = answer[0] if "audit_heads" in one.sql else head

    def _renew(self, row: tuple[Any, ...], fresh: dict[Any, Any]) -> tuple[Any, ...]:
        """New ids and a new number, so that nothing collides."""
        return tuple(fresh.setdefault(value, self._other(value)) if self._collides(value) else value for value in row)

    def _collides(self, value: Any) -> bool:
        if isinstance(value, str):
            return value.startswith("Q-") and len(value) == 13
        return isinstance(value, UUID) and value not in self._scene.kept

    def _other(self, value: Any) -> Any:
        return uuid4() if isinstance(value, UUID) else f"B-{uuid4().hex}"


async def rate(connections: int, requests: int, act: Callable[[int], Awaitable[object]]) -> float:
    """Acts a second, with *connections* at work at once."""

    async def work(number: int) -> None:
        for _ in range(requests // connections):
            await act(number)

    begin = perf_counter()
    await asyncio.gather(*(work(number) for number in range(connections)))
    return requests // connections * connections / (perf_counter() - begin)


async def compare(scene: Scene, url: str, token: str, requests: int) -> None:
    body = json.dumps(draft_body(scene.customer)).encode()
    calls = {
        "get": ("GET", f"/api/v1/quotes/{scene.quote}", b""),
        "list": ("GET", "/api/v1/quotes", b""),
        "create": ("POST", "/api/v1/quotes", body),
    }
    print(f"{LINES} lines a quote, {requests} requests, medians of {RUNS}; rates per second")
    print(f"{'':8}{'conn.':>6}{'API':>9}{'bare loop':>11}{'ratio':>7}")
    for name, call in calls.items():
        for connections in CONNECTIONS:
            api, bare = await _both(scene, url, token, name, call, connections, requests)
            print(f"{name:8}{connections:>6}{api:>9.0f}{bare:>11.0f}{api / bare:>7.2f}", flush=True)


async def _both(
    scene: Scene, url: str, token: str, name: str, call: tuple[str, str, bytes], connections: int, requests: int
) -> tuple[float, float]:
    clients = [HttpClient(token) for _ in range(connections)]
    for client in clients:
        await client.open()
    async with asyncpg.create_pool(url, min_size=min(connections, POOL), max_size=min(connections, POOL)) as pool:
        loop = BareLoop(scene, pool)
        api, bare = [], []
        for _ in range(RUNS):  # By turns, so that what disturbs the machine disturbs both.
            api.append(await rate(connections, requests, lambda number: clients[number].call(*call)))
            bare.append(await rate(connections, requests, lambda _: loop.run(name)))
    for client in clients:
        client.close()
    return median(api), median(bare)


def draft_body(customer: UUID) -> dict[str, Any]:
    line = {"description": "Desk", "quantity": "10", "unit_price": "30.75"}
    return {"customer_id": str(customer), "lines": [line] * LINES}


async def main(requests: int) -> None:
    with Database(read_settings()) as database:
        await prepare(database)
        scene = await record()
        async with serving():
            token = await log_in(SALES)
            url = make_url(database.urls.app).set(drivername="postgresql").render_as_string(hide_password=False)
            await compare(scene, url, token, requests)


if __name__ == "__main__":
    with a_home():
        asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 640))
