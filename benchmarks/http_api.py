"""The API at 1, 16 and 64 connections, beside bare asyncpg loops that send the database the same statements.

``python -m benchmarks.http_api [REQUESTS]``. The statements are recorded while the use cases run once, and replayed with
fresh ids. Server, loops and PostgreSQL share the machine, so ratios say more than rates.
"""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from benchmarks.server import POOL, HttpClient, a_home, log_in, prepare, serving
from benchmarks.statements import Recorded, recorded
from src.adapters.postgres.connection import COMMIT_WITH
from src.adapters.postgres.tables import line_items, quote_revisions, quotes
from src.application.identity.authenticate import Authenticate
from src.application.ports.clock import Clock
from src.application.ports.paging import Paging
from src.application.ports.quoting import QuoteFilter
from src.application.ports.security import TokenIssuer
from src.application.prices.lines import LineInput
from src.application.quoting.create_quote import CreateQuote, CreateQuoteCommand
from src.application.quoting.drafting import DraftInput
from src.application.quoting.read_quotes import GetQuote, ListQuotes
from src.application.quoting.reprice_quote import CheckQuotePrices
from src.application.quoting.submit_quote import SubmitQuote, SubmitQuoteCommand
from src.domain.identity.actor import Actor, Role
from src.domain.shared.ids import QuoteId
from src.entrypoints.cli.session import session_of
from src.entrypoints.container import AppEngine
from src.entrypoints.database import Database
from src.entrypoints.demo import EMAILS
from src.entrypoints.settings import read_settings

RUNS, CONNECTIONS, CHECKS = 3, (1, 16, 64), 1000
SALES = EMAILS[Role.SALES]
LINES, WRITES = 20, {"create", "submit"}


@dataclass(frozen=True)
class Scene:
    """What both sides work on; ids in *kept* are the same in every replay."""

    customer: UUID
    contact: UUID
    quote: UUID
    submitted: UUID
    kept: frozenset[UUID]
    statements: dict[str, list[Recorded]]


async def record(token: str) -> Scene:
    """Ask once for each as its route does, and keep what is said to the database: who asks, then from BEGIN on; the end is
    the loop's own.
    """
    statements: dict[str, list[Recorded]] = {}
    async with session_of(SALES, None) as session:
        container, actor = session.container, session.actor
        engine, authenticate = await container.get(AppEngine), await container.get(Authenticate)
        get, create, submit = (
            await container.get(GetQuote),
            await container.get(CreateQuote),
            await container.get(SubmitQuote),
        )
        check, pages = await container.get(CheckQuotePrices), await container.get(ListQuotes)
        known = await get(actor, (await pages(actor, QuoteFilter(), Paging())).items[0].id)
        recipient = known.current.content.recipient
        assert recipient is not None
        line = LineInput(quantity=Decimal(10), description="Desk", unit_price=Decimal("30.75"))
        draft = DraftInput(lines=(line,) * LINES, contact_id=recipient.contact_id)
        command = CreateQuoteCommand(customer_id=known.customer_id, draft=draft)
        quote, submitted = await create(actor, command), await create(actor, command)
        asked: dict[str, Callable[[Actor], Awaitable[object]]] = {
            "create": lambda caller: create(caller, command),
            "get": lambda caller: check(caller, quote.id),
            "list": lambda caller: pages(caller, QuoteFilter(), Paging()),
            "submit": lambda caller: submit(caller, SubmitQuoteCommand(quote_id=submitted.id)),
        }
        for name, ask in asked.items():
            with recorded(engine) as statements[name]:
                await ask(await authenticate(token, actor.origin))
    session_id = statements["get"][0].rows[0]
    kept = frozenset({actor.organization_id, actor.person, known.customer_id, recipient.contact_id, *session_id})
    return Scene(known.customer_id, recipient.contact_id, quote.id, submitted.id, kept, statements)


class BareLoop:
    """The floor: the same statements by asyncpg alone, who asks and then one transaction each time."""

    def __init__(self, scene: Scene, pool: "asyncpg.Pool[asyncpg.Record]", drafts: Iterator[UUID]) -> None:
        self._scene, self._pool, self._drafts = scene, pool, drafts

    async def run(self, name: str) -> None:
        fresh: dict[Any, Any] = {self._scene.submitted: next(self._drafts)} if name == "submit" else {}
        *statements, last = self._scene.statements[name]
        end = COMMIT_WITH.format(last=last.sql)  # A write ends as a unit of work does.
        if name not in WRITES:
            statements, end = [*statements, last], "ROLLBACK"
        async with self._pool.acquire() as connection:
            for one in statements:
                rows = [self._renew(row, fresh) for row in one.rows] if name in WRITES else list(one.rows)
                await one.run(connection, rows)
            await connection.execute(end)

    def _renew(self, row: tuple[Any, ...], fresh: dict[Any, Any]) -> tuple[Any, ...]:
        """New ids and a new number, so that nothing collides."""
        return tuple(fresh.setdefault(value, self._other(value)) if self._collides(value) else value for value in row)

    def _collides(self, value: Any) -> bool:
        if isinstance(value, str):
            return value.startswith("Q-") and len(value) == 13
        return isinstance(value, UUID) and value not in self._scene.kept

    def _other(self, value: Any) -> Any:
        return uuid4() if isinstance(value, UUID) else f"B-{uuid4().hex}"


async def make_drafts(admin_url: str, scene: Scene, count: int) -> list[UUID]:
    """*count* copies of a draft, for what can be done to each only once."""
    key = "md5({}::text || n)::uuid"
    engine = create_async_engine(admin_url)
    async with engine.begin() as connection:
        for table, column in ((quotes, "id"), (quote_revisions, "quote_id"), (line_items, "quote_id")):
            values = {one.name: f'm."{one.name}"' for one in table.columns} | {column: key.format(f"m.{column}")}
            if table is quotes:
                values["number"] = "'D-' || n"
            elif table is line_items:
                values["id"] = key.format("m.id")
            columns = ", ".join(f'"{name}"' for name in values)
            await connection.execute(
                text(
                    f"INSERT INTO {table.fullname} ({columns}) SELECT {', '.join(values.values())} "
                    f"FROM {table.fullname} m, generate_series(1, :count) n WHERE m.{column} = :draft"
                ),
                {"count": count, "draft": scene.quote},
            )
        made = await connection.execute(text("SELECT id FROM proffer.quotes WHERE number LIKE 'D-%'"))
        ids = list(made.scalars())
        await connection.execute(text("ANALYZE"))
    await engine.dispose()
    return ids


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


async def compare(scene: Scene, urls: tuple[str, str], token: str, requests: int, server: int) -> None:
    drafts = iter(await make_drafts(urls[1], scene, 2 * RUNS * len(CONNECTIONS) * requests))
    body = json.dumps(draft_body(scene)).encode()
    calls: dict[str, Callable[[], tuple[str, str, bytes]]] = {
        "get": lambda: ("GET", f"/api/v1/quotes/{scene.quote}", b""),
        "list": lambda: ("GET", "/api/v1/quotes", b""),
        "create": lambda: ("POST", "/api/v1/quotes", body),
        "submit": lambda: ("POST", f"/api/v1/quotes/{next(drafts)}/submit", b""),
    }
    print(f"{LINES} lines a quote, {requests} requests, medians of {RUNS}: rates per second, and CPU ms for each")
    print(f"{'':8}{'conn.':>6}{'API':>9}{'bare loop':>11}{'ratio':>7}{'CPU API':>9}{'bare':>7}")
    for name, call in calls.items():
        for connections in CONNECTIONS:
            clients = [HttpClient(token) for _ in range(connections)]
            for client in clients:
                await client.open()
            size = min(connections, POOL)
            async with asyncpg.create_pool(urls[0], min_size=size, max_size=size) as pool:
                loop = BareLoop(scene, pool, drafts)
                api, bare = await _both(clients, loop, name, call, requests, server)
            for client in clients:
                client.close()
            print(
                f"{name:8}{connections:>6}{api.rate:>9.0f}{bare.rate:>11.0f}{api.rate / bare.rate:>7.2f}"
                f"{api.cpu:>9.2f}{bare.cpu:>7.2f}",
                flush=True,
            )


async def _both(
    clients: list[HttpClient],
    loop: BareLoop,
    name: str,
    call: Callable[[], tuple[str, str, bytes]],
    requests: int,
    server: int,
) -> tuple[Run, Run]:
    api, bare = [], []
    for _ in range(RUNS):  # By turns, so that what disturbs the machine disturbs both.
        api.append(await run(len(clients), requests, server, lambda number: clients[number].call(*call())))
        bare.append(await run(len(clients), requests, os.getpid(), lambda _: loop.run(name)))
    return _median(api), _median(bare)


def _median(runs: Sequence[Run]) -> Run:
    return Run(median(run.rate for run in runs), median(run.cpu for run in runs))


async def check_sessions(token: str, quote: UUID) -> None:
    """What a request pays to learn that its session lives: the one round trip that authentication adds."""
    async with session_of(SALES, None) as session:
        container = session.container
        authenticate, get = await container.get(Authenticate), await container.get(GetQuote)
        tokens, clock = await container.get(TokenIssuer), await container.get(Clock)

        async def read() -> object:
            return tokens.read(token, at=clock.now())

        acts: dict[str, Callable[[], Awaitable[object]]] = {
            "read the token": read,
            "read it and ask for its session": lambda: authenticate(token, session.actor.origin),
            "get a quote by its use case": lambda: get(session.actor, QuoteId(quote)),
        }
        times: dict[str, list[float]] = {name: [] for name in acts}
        for _ in range(CHECKS):
            for name, act in acts.items():
                begin = perf_counter()
                await act()
                times[name].append(perf_counter() - begin)
    print(f"one after another in one process, medians of {CHECKS}, milliseconds")
    for name, spent in times.items():
        print(f"{name:34}{1000 * median(spent):>7.3f}")


def draft_body(scene: Scene) -> dict[str, Any]:
    line = {"description": "Desk", "quantity": "10", "unit_price": "30.75"}
    return {"customer_id": str(scene.customer), "contact_id": str(scene.contact), "lines": [line] * LINES}


async def main(requests: int) -> None:
    with Database(read_settings()) as database:
        await prepare(database)
        async with serving() as server:
            token = await log_in(SALES)
            scene = await record(token)
            url = make_url(database.urls.app).set(drivername="postgresql").render_as_string(hide_password=False)
            await compare(scene, (url, database.admin_url), token, requests, server)
            await check_sessions(token, scene.quote)


if __name__ == "__main__":
    with a_home():
        asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 640))
