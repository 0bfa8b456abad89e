"""PostgreSQL that is killed as the power fails: all of its processes at once."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from src.adapters.embedded_postgres.process import running_server


def kill_postgres(data: Path) -> None:
    """The server with this data directory, which must run; returns when nothing of it is left."""
    running = running_server(data)
    assert running is not None
    children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
    for number in (running.pid, *map(int, children)):
        with suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
    while running_server(data) is not None:
        time.sleep(0.01)
