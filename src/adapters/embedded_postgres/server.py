"""Start, take over and stop the embedded server."""

import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote

from src.adapters.embedded_postgres.binaries import Binaries, find_binaries
from src.adapters.embedded_postgres.errors import EmbeddedPostgresError
from src.adapters.embedded_postgres.identity import ServerIdentity, server_identity
from src.adapters.embedded_postgres.process import is_alive, running_server

HOST: Final = "127.0.0.1"
SUPERUSER: Final = "proffer_admin"
_START_PATIENCE: Final = 60.0  # Seconds; recovery after a crash is part of it.
_LOCK_PATIENCE: Final = 10.0  # Seconds until a dead server's number is given back.
_STOP_PATIENCE: Final = 60.0

_SETTINGS: Final = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",  # Paths of sockets are short of a deep checkout; the loopback always fits.
    "max_connections": "100",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "server-%a.log",
    "log_truncate_on_rotation": "on",
    "log_rotation_size": "10MB",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}
_FORGETFUL: Final = {"fsync": "off", "full_page_writes": "off"}


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """How the superuser reaches the server. It is for setting up; nothing else connects as a superuser."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)

    def url(self, database: str) -> str:
        return f"postgresql+asyncpg://{self.user}:{quote(self.password)}@{self.host}:{self.port}/{quote(database)}"


class EmbeddedPostgres:
    """The server whose data lie under *home*. Any number of processes may use it; one lock file orders their starts.

    *durable* False is for tests: quicker, and a crash may lose everything.
    """

    def __init__(self, home: Path, *, binaries: Path | None = None, durable: bool = True) -> None:
        self._home = home.absolute()
        self._data = self._home / "data"
        self._given_binaries = binaries
        self._settings = _SETTINGS if durable else _SETTINGS | _FORGETFUL

    def start(self) -> ServerAddress:
        """Make the data directory if need be, and start the server unless it runs. Raises EmbeddedPostgresError."""
        self._home.mkdir(parents=True, exist_ok=True)
        with self._locked():
            if running_server(self._data) is None:
                binaries = find_binaries(self._given_binaries)
                identity = server_identity(self._data, binaries.folder)
                if not self._data.exists():
                    self._initialize(binaries, identity)
                self._check_version(binaries)
                self._start(binaries, identity)
        address = self.address()
        if address is None:
            raise EmbeddedPostgresError(f"PostgreSQL stopped right after its start; see {self._data / 'log'}.")
        return address

    def stop(self) -> None:
        """End it in good order, whoever started it; nothing when it does not run."""
        server = running_server(self._data)
        if server is None:
            return
        try:
            os.kill(server.pid, signal.SIGINT)  # PostgreSQL's «fast»: open transactions are undone.
        except ProcessLookupError:
            return
        deadline = time.monotonic() + _STOP_PATIENCE
        while is_alive(server.pid):
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(f"PostgreSQL (process {server.pid}) does not stop.")
            time.sleep(0.02)

    def is_running(self) -> bool:
        return running_server(self._data) is not None

    def address(self) -> ServerAddress | None:
        """Of the running server; None when it does not run."""
        server = running_server(self._data)
        return None if server is None else ServerAddress(HOST, server.port, SUPERUSER, self._password())

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self._home / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _password(self) -> str:
        return (self._home / "superuser-password").read_text()

    def _initialize(self, binaries: Binaries, identity: ServerIdentity) -> None:
        """In a folder beside, renamed when it is whole: what a crash leaves behind is never taken for data."""
        unfinished = self._home / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        identity.own(unfinished)
        password = secrets.token_urlsafe(32)
        kept, lent = self._home / "superuser-password", self._home / "initdb-password"
        _write_secret(kept, password)
        _write_secret(lent, password)
        identity.own(lent)
        try:
            done = identity.run(
                binaries.program("initdb"),
                f"--pgdata={unfinished}",
                f"--username={SUPERUSER}",
                "--auth=scram-sha-256",
                f"--pwfile={lent}",
                "--locale=C",
                "--encoding=UTF8",
                timeout=_START_PATIENCE,
            )
        except subprocess.TimeoutExpired as error:
            raise EmbeddedPostgresError(f"initdb did not finish within {_START_PATIENCE:.0f} seconds.") from error
        finally:
            lent.unlink()
        if done.returncode != 0:
            raise EmbeddedPostgresError(f"PostgreSQL could not make its data directory: {_last_words(done.stdout)}")
        unfinished.rename(self._data)

    def _check_version(self, binaries: Binaries) -> None:
        try:
            stored = (self._data / "PG_VERSION").read_text().strip()
        except OSError as error:
            raise EmbeddedPostgresError(
                f"{self._data} holds no PostgreSQL data ({error.strerror}). Move it away to begin anew."
            ) from error
        if stored != str(binaries.major):
            raise EmbeddedPostgresError(
                f"The data in {self._data} belong to PostgreSQL {stored}, the programs in {binaries.folder} to "
                f"{binaries.major}. Set PROFFER_POSTGRES_BIN to those of {stored}, or dump and restore the data."
            )

    def _start(self, binaries: Binaries, identity: ServerIdentity) -> None:
        options = " ".join(
            f"-c {name}='{value}'" for name, value in (self._settings | {"port": str(self._port())}).items()
        )
        deadline = time.monotonic() + _LOCK_PATIENCE
        while True:
            try:
                done = identity.run(
                    binaries.program("pg_ctl"),
                    f"--pgdata={self._data}",
                    f"--log={self._data / 'startup.log'}",
                    f"--options={options}",
                    f"--timeout={_START_PATIENCE:.0f}",
                    "--wait",
                    "start",
                    timeout=_START_PATIENCE + 10,
                )
            except subprocess.TimeoutExpired as error:
                raise EmbeddedPostgresError("PostgreSQL did not start in time.") from error
            if done.returncode == 0:
                return
            log = self._startup_log()
            # After a crash the dead server's number stays taken until process 1 has noticed.
            if "lock file" not in log or time.monotonic() > deadline:
                raise EmbeddedPostgresError(f"PostgreSQL did not start: {_last_words(log or done.stdout)}")
            time.sleep(0.2)

    def _startup_log(self) -> str:
        try:
            return (self._data / "startup.log").read_text(errors="replace")[-2000:]
        except OSError:
            return ""

    def _port(self) -> int:
        """The port of last time, as long as nobody else has taken it: addresses that people noted stay true."""
        kept = self._home / "port"
        try:
            port = int(kept.read_text())
        except (OSError, ValueError):
            port = 0
        if port == 0 or not _is_free(port):
            port = _free_port()
            kept.write_text(str(port))
        return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _write_secret(path: Path, secret: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(secret)


def _last_words(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return " / ".join(lines[-3:]) or "it said nothing"
