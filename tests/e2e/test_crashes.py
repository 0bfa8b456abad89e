"""The API's process and PostgreSQL are killed in the middle of requests: what was acknowledged is there, once, and whole."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPException
from json import loads
from pathlib import Path
from tempfile import mkdtemp
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from uuid import uuid4

import pytest

from src.adapters.embedded_postgres import EmbeddedPostgres
from src.adapters.embedded_postgres.process import running_server
from tests.e2e.processes import Installation, free_port

pytestmark = pytest.mark.xdist_group("installations")
WRITERS, PATIENCE = 4, 60.0  # Threads; seconds.


class Writer(threading.Thread):
    """Makes customers, each under a key of its own, and asks again with the same key until there is an answer."""

    def __init__(self, installation: Installation, token: str, stop: threading.Event) -> None:
        super().__init__()
        self._installation, self._token, self._stopped = installation, token, stop
        self.acknowledged: dict[str, str] = {}
        self.refused: list[tuple[int, str]] = []
        self.repeated = 0

    def run(self) -> None:
        while not self._stopped.is_set():
            name = f"Crash {uuid4().hex}"
            deadline = time.monotonic() + PATIENCE
            while name not in self.acknowledged and time.monotonic() < deadline:
                if (made := self._ask(name)) is not None:
                    self.acknowledged[name] = made
                else:
                    self.repeated += 1
                    time.sleep(0.1)

    def _ask(self, name: str) -> str | None:
        headers = {
            "content-type": "application/json",
            "authorization": f"Bearer {self._token}",
            "idempotency-key": name.replace(" ", "-"),
        }
        body = f'{{"name": "{name}"}}'.encode()
        request = Request(f"{self._installation.url}/api/v1/customers", body, headers, method="POST")
        try:
            with urlopen(request, timeout=20) as answer:
                return str(loads(answer.read())["id"])
        except HTTPError as error:
            if error.code not in {409, 503}:  # Its first attempt is under way, or the database is away.
                self.refused.append((error.code, error.read().decode()[:200]))
            return None
        except (OSError, HTTPException):
            return None


@pytest.fixture
def installation() -> Iterator[Installation]:
    folder = Path(mkdtemp(prefix="proffer-crash-"))
    folder.chmod(0o755)
    made = Installation(folder / "var", free_port())
    server = EmbeddedPostgres(made.home / "postgres")
    server.start()  # By the test, so that it outlives the processes that use it.
    result = made.run("demo")
    assert result.returncode == 0, result.stderr.decode()
    yield made
    server.stop()


def test_what_was_acknowledged_is_there_once_whatever_is_killed(installation: Installation) -> None:
    stop = threading.Event()
    with installation.up() as process:
        token = installation.log_in("sales")
        writers = [Writer(installation, token, stop) for _ in range(WRITERS)]
        for writer in writers:
            writer.start()
        time.sleep(1)
        _kill_the_database(installation)
        time.sleep(2)
        process.send_signal(signal.SIGKILL)
        process.wait()
    with installation.up():
        time.sleep(1)
        _kill_the_database(installation)
        back = time.monotonic()
        while not installation.is_ready():
            time.sleep(0.05)
        back = time.monotonic() - back
        time.sleep(1)
        stop.set()
        for writer in writers:
            writer.join(PATIENCE)
        owner = installation.log_in("owner")
        stored = _all_customers(installation, owner)
        chain = installation.get("/api/v1/audit/verification", owner)

    assert [answer for writer in writers for answer in writer.refused] == []
    acknowledged = {name: made for writer in writers for name, made in writer.acknowledged.items()}
    found = [(name, made) for name, made in stored if name.startswith("Crash ")]
    assert len(acknowledged) > 20
    assert sum(writer.repeated for writer in writers) > 0  # The kills hit somebody.
    assert sorted(found) == sorted(acknowledged.items())  # None lost, none doubled, none half.
    assert chain["intact"]
    assert back <= PATIENCE  # A figure is for a machine that does nothing else.


def _all_customers(installation: Installation, token: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    cursor = ""
    while True:
        page = installation.get(f"/api/v1/customers?limit=100{cursor}", token)
        found += [(one["name"], one["id"]) for one in page["items"]]
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


def _kill_the_database(installation: Installation) -> None:
    """All of it, at once, and start it again."""
    data = installation.home / "postgres" / "data"
    running = running_server(data)
    assert running is not None
    children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
    for number in (running.pid, *map(int, children)):
        with suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
    while running_server(data) is not None:
        time.sleep(0.01)
    EmbeddedPostgres(installation.home / "postgres").start()
