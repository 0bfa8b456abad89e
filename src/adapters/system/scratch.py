"""Temporary files, each in a locked folder of its own below one that is ours."""

import asyncio
import fcntl
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

import structlog

from src.application.ports.scratch import ScratchFiles

_PIECE: Final = 1 << 20  # Bytes.
_logger = structlog.stdlib.get_logger("proffer.scratch")


class TemporaryFiles(ScratchFiles):
    """*root* is made when it is missing, and holds nothing else.

    The system lets go of a lock with the process that holds it, however that ends: a folder that can be locked belongs to
    nobody. So processes of one machine, or of several that share *root*, never take anything from each other.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def open(self) -> AbstractAsyncContextManager[Path]:
        return self._folder()

    @asynccontextmanager
    async def _folder(self) -> AsyncIterator[Path]:
        # Not in a thread: whoever was cancelled meanwhile would leave a folder that is locked for as long as the process lives.
        folder, lock = _make(self._root)
        try:
            yield folder / "file"
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)

    async def read(self, path: Path) -> AsyncIterator[bytes]:
        with await asyncio.to_thread(path.open, "rb") as file:
            while piece := await asyncio.to_thread(file.read, _PIECE):
                yield piece

    async def sweep(self) -> int:
        return await asyncio.to_thread(_sweep, self._root)


def _make(root: Path) -> tuple[Path, int]:
    """A folder, and the descriptor that holds its lock."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    while True:
        folder = Path(mkdtemp(dir=root))
        with suppress(FileNotFoundError):
            lock = _lock(folder)
            if lock is not None:
                if folder.exists():
                    return folder, lock
                os.close(lock)
        # Somebody who sweeps was between making and locking: it is theirs.


def _sweep(root: Path) -> int:
    swept = 0
    for folder in root.iterdir() if root.exists() else ():
        try:
            lock = _lock(folder)
        except FileNotFoundError:  # Its owner has just finished.
            continue
        except OSError as error:  # Another user's, for example: no reason to leave all others.
            _logger.warning("scratch_folder_not_swept", folder=str(folder), error=str(error))
            continue
        if lock is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)
            swept += 1
    return swept


def _lock(folder: Path) -> int | None:
    """The descriptor that holds its lock; None when somebody else does. Raises FileNotFoundError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
