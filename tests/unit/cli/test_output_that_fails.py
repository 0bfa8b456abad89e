"""Output that nobody takes ends in a sentence or silently, never in a stack trace."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
PROFFER = (sys.executable, "-m", "src.entrypoints.cli")
_TALKATIVE = (
    "from src.entrypoints.cli import app as cli\n@cli.app.command\ndef talk(): print('more ' * 100_000)\ncli.main()\n"
)


def test_a_reader_that_has_seen_enough_ends_it_silently() -> None:
    reading, writing = os.pipe()
    os.close(reading)

    command = [sys.executable, "-c", _TALKATIVE, "talk"]
    result = subprocess.run(command, cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)

    assert (result.returncode, result.stderr) == (141, b"")  # As shells say of SIGPIPE.


def test_a_full_disk_is_told() -> None:
    with Path("/dev/full").open("wb") as full:
        result = subprocess.run([*PROFFER, "--help"], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, check=False)

    assert (result.returncode, result.stderr) == (3, b"proffer: No space left on device.\n")
