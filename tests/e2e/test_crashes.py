"""The API's process and PostgreSQL are killed in the middle of requests: what was acknowledged is there, once, and whole.

PROFFER_CRASHES=full kills 36 servers one after another; by default it is 8.
"""

import os
import random
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from http.client import HTTPException
from json import dumps, loads
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen
from uuid import uuid4

import pytest

from src.adapters.embedded_postgres import EmbeddedPostgres
from tests.e2e.processes import Installation, free_port
from tests.hard_kills import kill_postgres

WRITERS, PATIENCE = 4, 60.0  # Threads; seconds.
KILLS = 36 if os.environ.get("PROFFER_CRASHES") == "full" else 8
BETWEEN_KILLS = 8  # At least so many writes are acknowledged before the next.


class Writer(threading.Thread):
    """Makes customers, each under a key of its own, and asks again with the same key until there is an answer."""

    path = "/api/v1/customers"

    def __init__(self, installation: Installation, token: str, stop: threading.Event) -> None:
        super().__init__()
        self._installation, self._token, self._stopped = installation, token, stop
        self.acknowledged: dict[str, str] = {}
        self.refused: list[tuple[int, str]] = []
        self.repeated = self.cut = 0
        self.asking = threading.Event()

    def body(self, name: str) -> dict[str, str]:
        return {"name": name}

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

    def ask(self, name: str) -> tuple[str, bool]:
        """The id of what was made, and whether the answer was kept from before. Raises OSError, HTTPException."""
        headers = {
            "content-type": "application/json",
            "authorization": f"Bearer {self._token}",
            "idempotency-key": name.replace(" ", "-"),
        }
        body = dumps(self.body(name)).encode()
        request = Request(f"{self._installation.url}{self.path}", body, headers, method="POST")
        with urlopen(request, timeout=20) as answer:
            return str(loads(answer.read())["id"]), answer.headers["idempotency-replayed"] == "true"

    def _ask(self, name: str) -> str | None:
        self.asking.set()
        try:
            return self.ask(name)[0]
        except HTTPError as error:
            told = error.read().decode()
            if error.code != 503 and '"in_progress"' not in told:  # The database is away, or the first one under way.
                self.refused.append((error.code, told[:200]))
        except URLError:
            pass  # Nobody was there to hear it.
        except (OSError, HTTPException):
            self.cut += 1
        finally:
            self.asking.clear()
        return None


class Inviter(Writer):
    """Invites people: each is a row, a challenge and a job."""

    path = "/api/v1/users"

    def body(self, name: str) -> dict[str, str]:
        return {"email": f"{name.replace(' ', '.')}@nordlicht.example", "name": name, "role": "viewer"}


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
    shutil.rmtree(folder, ignore_errors=True)


def test_what_was_acknowledged_is_there_once_whatever_is_killed(installation: Installation) -> None:
    stop = threading.Event()
    with installation.up() as process:
        token = installation.log_in("sales")
        writers = [Writer(installation, token, stop) for _ in range(WRITERS)]
        for writer in writers:
            writer.start()
        _wait_for_writes(writers)
        _kill_the_database(installation)
        _wait_for_writes(writers)
        process.send_signal(signal.SIGKILL)
        process.wait()
    with installation.up():
        _wait_for_writes(writers)
        _kill_the_database(installation)
        back = time.monotonic()
        while not installation.is_ready():
            time.sleep(0.05)
        back = time.monotonic() - back
        _wait_for_writes(writers)
        stop.set()
        for writer in writers:
            writer.join(PATIENCE)
        owner = installation.log_in("owner")
        stored = _all_customers(installation, owner)
        told = _all_created(installation, owner)
        chain = installation.get("/api/v1/audit/verification", owner)

    assert [answer for writer in writers for answer in writer.refused] == []
    acknowledged = {name: made for writer in writers for name, made in writer.acknowledged.items()}
    found = [(name, made) for name, made in stored if name.startswith("Crash ")]
    assert len(acknowledged) > 20
    assert sum(writer.repeated for writer in writers) > 0  # The kills hit somebody.
    assert sorted(found) == sorted(acknowledged.items())  # None lost, none doubled, none half.
    assert sorted(told) == sorted(made for _, made in stored)  # No customer without its entry, no entry without one.
    assert chain["intact"]
    assert back <= PATIENCE  # A figure is for a machine that does nothing else.


def test_what_is_asked_again_of_one_killed_server_after_another_happens_once(installation: Installation) -> None:
    """Each is killed while somebody waits for its answer: before the commit, after it, or in the midst of saying so."""
    stop, chance = threading.Event(), random.Random(5)
    unlimited = {"PROFFER_REQUESTS_PER_MINUTE": "address=0 user=0 key=0 organization=0"}
    writers: list[Inviter] = []
    for _ in range(KILLS):
        with installation.up("serve", "--no-worker", **unlimited) as process:
            if not writers:
                token = installation.log_in("owner")
                before = _totals(installation, token)
                writers = [Inviter(installation, token, stop) for _ in range(WRITERS)]
                for writer in writers:
                    writer.start()
            _wait_for_writes(writers)
            victim = chance.choice(writers)
            _wait_for(victim.asking.is_set)
            time.sleep(chance.uniform(0, 0.03))  # Anywhere in what it is doing.
            process.send_signal(signal.SIGKILL)
            process.wait()
    with installation.up("serve", "--no-worker", **unlimited):
        stop.set()
        for writer in writers:
            writer.join(PATIENCE)
        again = {name: writer.ask(name) for writer in writers for name in writer.acknowledged}
        made = {what: count - before[what] for what, count in _totals(installation, token).items()}
        chain = installation.get("/api/v1/audit/verification", token)

    acknowledged = {name: one for writer in writers for name, one in writer.acknowledged.items()}
    assert [answer for writer in writers for answer in writer.refused] == []
    assert sum(writer.cut for writer in writers) >= KILLS // 2  # The kills hit somebody.
    assert again == {name: (one, True) for name, one in acknowledged.items()}
    assert set(made.values()) == {len(acknowledged)}, made
    assert chain["intact"]


def _totals(installation: Installation, token: str) -> dict[str, int]:
    """People, the entries that tell of them, and the jobs that mail to them."""
    paths = {
        "users": "users",
        "entries": "audit/entries?limit=1&action=user.invited",
        "jobs": "jobs?limit=1&name=send_invitation",
    }
    return {what: int(installation.get(f"/api/v1/{path}", token)["total"]) for what, path in paths.items()}


def _wait_for_writes(writers: Sequence[Writer]) -> None:
    def acknowledged() -> int:
        return sum(len(writer.acknowledged) for writer in writers)

    enough = acknowledged() + BETWEEN_KILLS
    _wait_for(lambda: acknowledged() >= enough)


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def _all_customers(installation: Installation, token: str) -> list[tuple[str, str]]:
    return [(one["name"], one["id"]) for one in _all(installation, token, "customers?limit=100")]


def _all_created(installation: Installation, token: str) -> list[str]:
    """The ids of customers that the audit says were made."""
    entries = _all(installation, token, "audit/entries?limit=100&action=customer.created")
    return [str(one["resource_id"]) for one in entries]


def _all(installation: Installation, token: str, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = installation.get(f"/api/v1/{path}{cursor}", token)
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


def _kill_the_database(installation: Installation) -> None:
    """All of it, at once, and start it again."""
    kill_postgres(installation.home / "postgres" / "data")
    EmbeddedPostgres(installation.home / "postgres").start()
