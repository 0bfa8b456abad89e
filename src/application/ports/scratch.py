"""Files that are there for a moment only."""

from abc import abstractmethod
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol


class ScratchFiles(Protocol):
    @abstractmethod
    def open(self) -> AbstractAsyncContextManager[Path]:
        """Where one file can be written, and others beside it; all of it is gone afterwards, whatever happened."""

    @abstractmethod
    def read(self, path: Path) -> AsyncIterator[bytes]:
        """What stands in the file at *path*, piece by piece."""

    @abstractmethod
    async def sweep(self) -> int:
        """Take away what processes have left that died before they could; how many. What is in use stays."""
