"""Files in the machine's folder for temporary ones."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from src.application.ports.scratch import ScratchFiles

_PIECE: Final = 1 << 20  # Bytes.


class TemporaryFiles(ScratchFiles):
    def open(self) -> AbstractAsyncContextManager[Path]:
        return _a_folder()

    async def read(self, path: Path) -> AsyncIterator[bytes]:
        with await asyncio.to_thread(path.open, "rb") as file:
            while piece := await asyncio.to_thread(file.read, _PIECE):
                yield piece


@asynccontextmanager
async def _a_folder() -> AsyncIterator[Path]:
    folder = Path(mkdtemp(prefix="proffer-export-"))
    try:
        yield folder / "file"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
