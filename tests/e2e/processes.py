"""Proffer as its users start it: a process of its own, in a home of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from tests.forked_commands import Command

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Installation:
    """A home folder and a port; everything of it lies in *home*."""

    home: Path
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def environment(self, **more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PROFFER_")}
        return kept | {"PROFFER_HOME": str(self.home), "PROFFER_PORT": str(self.port), "NO_COLOR": "1"} | more

    def run(
        self, *arguments: str, stdin: bytes = b"", settings: dict[str, str] | None = None
    ) -> "subprocess.CompletedProcess[bytes]":
        """``proffer …`` to its end."""
        command = [sys.executable, "-m", "src.entrypoints.cli", *arguments]
        return subprocess.run(
            command,
            cwd=ROOT,
            env=self.environment(**(settings or {})),
            input=stdin,
            capture_output=True,
            check=False,
            timeout=120,
        )

    @contextmanager
    def up(self, *command: str, **settings: str) -> Iterator["subprocess.Popen[str]"]:
        """``proffer up``, or another *command* that serves, ready; stopped as by Ctrl-C unless the test has ended it."""
        log = (self.home.parent / "up.log").open("a+")
        process = subprocess.Popen(
            [sys.executable, "-m", "src.entrypoints.cli", *(command or ("up",))],
            cwd=ROOT,
            env=self.environment(**settings),
            stdout=log,
            stderr=log,
            text=True,
        )
        try:
            self._wait(process, log)
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.wait(timeout=60)
            log.close()

    def get(self, path: str, token: str = "") -> Any:
        return self._call(Request(self.url + path, headers=_headers(token)))

    def post(self, path: str, body: Any, token: str = "") -> Any:
        return self._call(Request(self.url + path, json.dumps(body).encode(), _headers(token), method="POST"))

    def log_in(self, role: str) -> str:
        body = {"email": f"{role}@nordlicht.example", "password": "demo-password"}
        return str(self.post("/api/v1/login", body)["access_token"])

    def is_ready(self) -> bool:
        try:
            return bool(self.get("/health/ready")["status"] == "ok")
        except (URLError, ConnectionError):
            return False

    def _call(self, request: Request) -> Any:
        with urlopen(request, timeout=20) as answer:
            return json.loads(answer.read())

    def _wait(self, process: "subprocess.Popen[str]", log: IO[str], patience: float = 60) -> None:
        deadline = time.monotonic() + patience
        while not self.is_ready():
            if process.poll() is not None or time.monotonic() > deadline:
                log.seek(0)
                raise AssertionError(f"It did not start:\n{log.read()[-3000:]}")
            time.sleep(0.1)


@contextmanager
def mother_of_commands() -> Iterator["subprocess.Popen[str]"]:
    """See ``tests.forked_commands``."""
    mother = subprocess.Popen(
        [sys.executable, "-m", "tests.forked_commands"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield mother
    finally:
        mother.communicate()


@dataclass(frozen=True, slots=True)
class QuickInstallation(Installation):
    """Its commands are processes that *mother* forks, which has loaded what they need: for tests that run many."""

    mother: "subprocess.Popen[str]"

    def run(
        self, *arguments: str, stdin: bytes = b"", settings: dict[str, str] | None = None
    ) -> "subprocess.CompletedProcess[bytes]":
        assert self.mother.stdin is not None
        assert self.mother.stdout is not None
        with TemporaryDirectory() as folder:
            streams = [Path(folder) / name for name in ("in", "out", "err")]
            for stream, content in zip(streams, (stdin, b"", b""), strict=True):
                stream.write_bytes(content)
            command = Command(
                arguments=list(arguments),
                environment=self.environment(**(settings or {})),
                streams=[str(stream) for stream in streams],
            )
            self.mother.stdin.write(f"{json.dumps(command)}\n")
            self.mother.stdin.flush()
            code = int(self.mother.stdout.readline())
            _, out, err = (stream.read_bytes() for stream in streams)
        return subprocess.CompletedProcess(["proffer", *arguments], code, out, err)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _headers(token: str) -> dict[str, str]:
    given = {"content-type": "application/json"}
    return given | ({"authorization": f"Bearer {token}"} if token else {})
