"""``make run`` on a fresh machine, a second time, and after accidents."""

import os
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest

from src.adapters.embedded_postgres import EmbeddedPostgres
from src.adapters.embedded_postgres.process import running_server
from tests.e2e.processes import Installation, free_port


@pytest.fixture
def installation() -> Iterator[Installation]:
    folder = Path(mkdtemp(prefix="proffer-installation-"))
    folder.chmod(0o755)
    yield Installation(folder / "var", free_port())
    EmbeddedPostgres(folder / "var" / "postgres").stop()
    shutil.rmtree(folder, ignore_errors=True)


def test_a_fresh_machine_has_a_demonstration_and_keeps_its_data(installation: Installation) -> None:
    with installation.up() as process:
        token = installation.log_in("sales")
        products = installation.get("/api/v1/products", token)
        customers = installation.get("/api/v1/customers", token)
        contacts = installation.get("/api/v1/contacts", token)
        policies = installation.get("/api/v1/approval-policies", token)
        installation.post("/api/v1/customers", {"name": "Kept GmbH"}, token)
        for role in ("owner", "admin", "approver", "viewer"):
            assert installation.log_in(role)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
        assert running_server(installation.home / "postgres" / "data") is None  # Stopped cleanly, and with it.

    assert products["total"] == 12
    assert (customers["total"], contacts["total"], policies["total"]) == (3, 3, 1)
    with installation.up():
        again = installation.get("/api/v1/customers", installation.log_in("sales"))
        assert again["total"] == 4
    log = (installation.home.parent / "up.log").read_text()
    for shown in ("/docs", "sales@nordlicht.example", "demo-password", "proffer quote price"):
        assert shown in log


def test_after_kill_9_of_our_own_process_the_next_start_takes_over(installation: Installation) -> None:
    with installation.up() as process:
        token = installation.log_in("sales")
        installation.post("/api/v1/customers", {"name": "Acknowledged GmbH"}, token)
        server = running_server(installation.home / "postgres" / "data")
        process.kill()
        process.wait()

    with installation.up():
        found = installation.get("/api/v1/customers?search=Acknowledged", installation.log_in("sales"))
        assert running_server(installation.home / "postgres" / "data") == server
    assert found["total"] == 1
    assert running_server(installation.home / "postgres" / "data") is None


def test_after_kill_9_of_the_server_the_api_says_so_and_the_next_start_has_everything(
    installation: Installation,
) -> None:
    with installation.up():
        token = installation.log_in("sales")
        installation.post("/api/v1/customers", {"name": "Acknowledged GmbH"}, token)
        server = running_server(installation.home / "postgres" / "data")
        assert server is not None
        os.kill(server.pid, signal.SIGKILL)
        _wait_until_not_ready(installation)

    with installation.up():
        found = installation.get("/api/v1/customers?search=Acknowledged", installation.log_in("sales"))
    assert found["total"] == 1


def test_a_busy_port_is_a_sentence(installation: Installation) -> None:
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", installation.port))
        stranger.listen()

        result = installation.run("up")

    assert result.returncode == 1
    assert f"Port {installation.port}" in result.stderr.decode()
    assert "PROFFER_PORT=" in result.stderr.decode()
    assert "Traceback" not in result.stderr.decode()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PROFFER_PORT", "http"),
        ("PROFFER_LOG_LEVEL", "loud"),
        ("PROFFER_SECRET_KEY", "short"),
        ("PROFFER_SMTP_URL", "x"),
        ("PROFFER_MAIL_RETURN_PATH", "Bounces <bounces@example.com>"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(variable: str, value: str, installation: Installation) -> None:
    result = installation.run("up", settings={variable: value})

    assert result.returncode == 1
    assert variable in result.stderr.decode()
    assert "Traceback" not in result.stderr.decode()


def test_a_database_that_is_not_there_is_a_sentence(installation: Installation) -> None:
    url = f"postgresql://nobody:secret@127.0.0.1:{free_port()}/proffer"

    result = installation.run("migrate", settings={"PROFFER_DATABASE_URL": url})

    assert result.returncode == 1
    assert "PROFFER_DATABASE_URL" in result.stderr.decode()
    assert "Traceback" not in result.stderr.decode()
    assert "secret" not in result.stderr.decode()


def _wait_until_not_ready(installation: Installation) -> None:
    deadline = time.monotonic() + 20
    while installation.is_ready():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_any_postgresql_will_do(installation: Installation) -> None:
    """Here one that somebody else has started; only its address is known."""
    foreign = EmbeddedPostgres(installation.home.parent / "foreign", durable=False)
    address = foreign.start()
    url = f"postgres://{address.user}:{address.password}@{address.host}:{address.port}/offers?sslmode=disable"
    settings = {"PROFFER_DATABASE_URL": url}
    try:
        results = [
            installation.run("migrate", settings=settings),
            installation.run("migrate", settings=settings),
            installation.run("demo", settings=settings),
            installation.run("quote", "list", "--as", "sales@nordlicht.example", settings=settings),
        ]
        assert foreign.is_running()  # What is not ours is not stopped.
    finally:
        foreign.stop()

    assert [result.returncode for result in results] == [0, 0, 0, 0], results[-1].stderr.decode()
    assert "3 of 3 quotes." in results[-1].stdout.decode()
    assert not (installation.home / "postgres").exists()
