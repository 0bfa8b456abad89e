"""Temporary files: gone when they are done with, swept when their process was killed, and never taken from a living one."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from src.adapters.system import TemporaryFiles

pytestmark = pytest.mark.asyncio
ROOT = Path(__file__).resolve().parents[2]

# Writes a file, says so, and waits to be killed.
_VICTIM = """
import asyncio, sys
from pathlib import Path
from src.adapters.system import TemporaryFiles

async def write():
    async with TemporaryFiles(Path(sys.argv[1])).open() as path:
        path.write_bytes(b"somebody's quotes")
        print(path, flush=True)
        await asyncio.Event().wait()

asyncio.run(write())
"""


async def _a_victim(root: Path) -> tuple[asyncio.subprocess.Process, Path]:
    victim = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _VICTIM, str(root)), cwd=ROOT, stdout=subprocess.PIPE
    )
    assert victim.stdout is not None
    return victim, Path((await victim.stdout.readline()).decode().strip())


async def test_what_a_killed_process_leaves_is_swept_and_what_a_living_one_writes_is_not(tmp_path: Path) -> None:
    root = tmp_path / "scratch"
    files = TemporaryFiles(root)
    assert await files.sweep() == 0
    victim, left = await _a_victim(root)
    other, others = await _a_victim(root)
    async with files.open() as own:
        own.write_bytes(b"own")
        while_all_live = await files.sweep()
        victim.send_signal(signal.SIGKILL)
        await victim.wait()
        left_behind = left.read_bytes()

        swept = await TemporaryFiles(root).sweep()

        kept = [own.read_bytes(), others.read_bytes()]
    other.kill()
    await other.wait()

    assert (while_all_live, left_behind) == (0, b"somebody's quotes")
    assert kept == [b"own", b"somebody's quotes"]
    assert (swept, left.parent.exists(), own.parent.exists()) == (1, False, False)
    assert (await files.sweep(), await asyncio.to_thread(os.listdir, root)) == (1, [])


async def test_what_cannot_be_opened_keeps_nothing_else_from_being_swept(tmp_path: Path, log_file: Path) -> None:
    """As another user's folder; here links that lead to themselves, which nobody opens, whatever their rights."""
    for number in range(8):
        (tmp_path / f"left-{number}").mkdir()
        (tmp_path / f"loop-{number}").symlink_to(tmp_path / f"loop-{number}")

    swept = await TemporaryFiles(tmp_path).sweep()

    assert swept == 8
    assert sorted(await asyncio.to_thread(os.listdir, tmp_path)) == [f"loop-{number}" for number in range(8)]
    told = await asyncio.to_thread(log_file.read_text, encoding="utf-8")
    assert told.count(f"{tmp_path}/loop-") >= 8
    assert "scratch_folder_not_swept" in told


async def test_whoever_begins_while_somebody_sweeps_loses_nothing(tmp_path: Path) -> None:
    """In threads with loops of their own, so that they are at it in the same microseconds."""
    files, done = TemporaryFiles(tmp_path), threading.Event()

    async def write() -> int:
        lost = 0
        for _ in range(1000):
            async with files.open() as path:
                lost += not path.parent.exists()
        return lost

    async def sweep() -> None:
        while not done.is_set():
            await files.sweep()

    sweepers = [asyncio.create_task(asyncio.to_thread(asyncio.run, sweep())) for _ in range(2)]
    lost = await asyncio.gather(*(asyncio.to_thread(asyncio.run, write()) for _ in range(3)))
    done.set()
    await asyncio.gather(*sweepers)

    assert lost == [0, 0, 0]
    assert await asyncio.to_thread(os.listdir, tmp_path) == []


async def test_whoever_is_cancelled_while_it_begins_leaves_nothing(tmp_path: Path) -> None:
    """In a loop of its own, at whose end all that runs in threads has ended too."""
    files = TemporaryFiles(tmp_path)

    async def write() -> None:
        async with files.open():
            await asyncio.Event().wait()

    async def begin_and_cancel() -> None:
        writing = [asyncio.create_task(write()) for _ in range(20)]
        await asyncio.sleep(0)  # All have begun.
        for one in writing:
            one.cancel()
        await asyncio.gather(*writing, return_exceptions=True)

    await asyncio.to_thread(asyncio.run, begin_and_cancel())

    assert await asyncio.to_thread(os.listdir, tmp_path) == []
