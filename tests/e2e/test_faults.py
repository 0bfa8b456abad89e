"""A write that is retried happens once, though its connections are cut in all places."""

import asyncio
import json
from collections import Counter
from uuid import uuid4

import pytest
from litestar import Litestar
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.e2e.conftest import Team
from tests.e2e.fault_proxy import Fault, FaultProxy, read_message, served

pytestmark = pytest.mark.asyncio

KEYS, SENDS, AT_ONCE = 1000, 9, 4
PATIENCE = 600  # Seconds, on the busiest of machines; usually it takes some forty.
WEIGHTS = {
    Fault.NONE: 50,
    Fault.CUT_IN_REQUEST: 5,
    Fault.CUT_AFTER_REQUEST: 20,
    Fault.LOSE_ANSWER: 20,
    Fault.CUT_IN_ANSWER: 5,
}


class Client:
    """Sends each write nine times at once with one key, and again until it hears of it."""

    def __init__(self, port: int, token: str) -> None:
        self._port, self._token = port, token
        self.statuses: Counter[int] = Counter()
        self.lost = 0
        self.bodies: dict[str, set[bytes]] = {}

    async def write(self, key: str) -> None:
        self.bodies[key] = set()
        await asyncio.gather(*(self._send(key) for _ in range(SENDS)))
        while not self.bodies[key]:
            await self._send(key)

    async def _send(self, key: str) -> None:
        body = json.dumps({"name": f"C {key}"}).encode()
        head = (
            "POST /api/v1/customers HTTP/1.1\r\nhost: proffer.test\r\nconnection: close\r\n"
            f"authorization: Bearer {self._token}\r\nidempotency-key: {key}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            try:
                writer.write(head.encode() + body)
                answer = await read_message(reader)
            finally:
                writer.close()
        except (ConnectionError, asyncio.IncompleteReadError):
            self.lost += 1
            return
        status = int(answer.split(b" ", 2)[1])
        self.statuses[status] += 1
        if status == 201:
            self.bodies[key].add(answer.partition(b"\r\n\r\n")[2])


async def test_what_is_sent_nine_times_over_a_bad_line_is_done_once(
    app: Litestar, team: Team, app_engine: AsyncEngine
) -> None:
    keys = [uuid4().hex for _ in range(KEYS)]
    waiting = iter(keys)

    async with asyncio.timeout(PATIENCE), served(app) as port:
        proxy = FaultProxy(port, WEIGHTS, seed=7)
        async with proxy.listening() as bad_line:
            client = Client(bad_line, team.sales.token)

            async def work() -> None:
                for key in waiting:
                    await client.write(key)

            await asyncio.gather(*(work() for _ in range(AT_ONCE)))

    assert set(client.statuses) <= {201, 409, 503}
    assert client.lost > KEYS * SENDS * 0.4
    assert min(proxy.seen[fault] for fault in Fault) > KEYS * SENDS * 0.03
    assert {len(bodies) for bodies in client.bodies.values()} == {1}  # All that was heard of a key is the same.
    assert await _rows(app_engine, team, "customers") == KEYS
    assert await _rows(app_engine, team, "audit_entries WHERE action = 'customer.created'") == KEYS
    assert await _rows(app_engine, team, "idempotency_keys") == KEYS


async def _rows(engine: AsyncEngine, team: Team, what: str) -> int:
    async with engine.connect() as connection:
        tenant = str(team.organization.organization.id)
        await connection.execute(text("SELECT set_config('app.tenant_id', :t, true)"), {"t": tenant})
        return int((await connection.execute(text(f"SELECT count(*) FROM proffer.{what}"))).scalar_one())
