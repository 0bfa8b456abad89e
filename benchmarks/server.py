"""The API in a process of its own, with the demonstration's data, for benchmarks that ask it over HTTP."""

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
from bisect import bisect_left, bisect_right
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from http import HTTPStatus
from pathlib import Path
from tempfile import mkdtemp

from src.entrypoints.database import Database
from src.entrypoints.demo import PASSWORD

POOL = 16  # Connections of the API to the database.
_PROFFER = (sys.executable, "-m", "src.entrypoints.cli")


class HttpClient:
    """One kept-alive connection that speaks just enough HTTP/1.1: a heavier client would take the server's core."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", int(os.environ["PROFFER_PORT"]))

    async def call(self, method: str, path: str, body: bytes = b"") -> bytes:
        """What the answer holds; it must be a success. Asked again when the server is too busy, as its answer says."""
        status, content = await self._ask(method, path, body)
        while status == HTTPStatus.SERVICE_UNAVAILABLE:
            await asyncio.sleep(0.1)
            status, content = await self._ask(method, path, body)
        assert status < 300, content
        return content

    async def status(self, method: str, path: str, body: bytes) -> int:
        """The answer's status, whatever it is."""
        return (await self._ask(method, path, body))[0]

    async def _ask(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        head = (
            f"{method} {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {self._token}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + body)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        status = int(answer.split(b" ", 2)[1])
        length = int(answer.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        return status, await self._reader.readexactly(length)

    def close(self) -> None:
        self._writer.close()


@contextmanager
def a_home() -> Iterator[Path]:
    """A folder for everything that the benchmark keeps, and settings that let it ask as often as it likes."""
    home = Path(mkdtemp(prefix="proffer-bench-"))
    home.chmod(0o755)
    os.environ |= {
        "PROFFER_HOME": str(home),
        "PROFFER_PORT": str(_free_port()),
        "PROFFER_POOL_SIZE": str(POOL),
        "PROFFER_LOG_LEVEL": "warning",
        "PROFFER_LOGINS_PER_ADDRESS": "100000",
        "PROFFER_REQUESTS_PER_MINUTE": "address=0 user=0 key=0 organization=0",
    }
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def prepare(database: Database) -> None:
    """The schema, and the demonstration's data."""
    await database.prepare()
    await asyncio.to_thread(subprocess.run, [*_PROFFER, "demo"], check=True, stdout=subprocess.DEVNULL)


@asynccontextmanager
async def serving() -> AsyncIterator[int]:
    """The process that serves, by its id."""
    server = await asyncio.create_subprocess_exec(*_PROFFER, "serve", "--no-worker", stdout=subprocess.DEVNULL)
    try:
        yield server.pid
    finally:
        if server.returncode is None:
            server.terminate()
        await server.wait()


async def log_in(email: str) -> str:
    """The token, as soon as the server answers."""
    body = json.dumps({"email": email, "password": PASSWORD}).encode()
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


def chance(these: list[float], those: list[float]) -> float:
    """That one of *these*, picked at random, is larger than one of *those*; ties count half."""
    ordered = sorted(those)
    larger = sum(bisect_left(ordered, one) + bisect_right(ordered, one) for one in these)
    return larger / 2 / len(these) / len(those)
