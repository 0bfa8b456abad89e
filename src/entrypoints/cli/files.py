"""Files that commands write."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

from src.domain.documents.export import ExportFormat
from src.domain.shared.errors import Invalid


class FileRefused(Invalid):
    """A file that cannot be written as asked."""

    code = "file_refused"


def format_of(file: Path, known: Collection[ExportFormat], *, force: bool) -> ExportFormat:
    """By the name's end. Raises FileRefused, also for a file that is there already unless *force*."""
    endings = {f".{one.value}": one for one in ExportFormat if one in known}
    file_format = endings.get(file.suffix.lower())
    if file_format is None:
        raise FileRefused(f"{file.name} must end in {' or '.join(endings)}.")
    check_new(file, force=force)
    return file_format


def check_new(file: Path, *, force: bool) -> None:
    """Raises FileRefused for a file that is there already unless *force*, and where its folder is not."""
    if file.exists() and not force:
        raise FileRefused(f"{file} is there already; --force writes over it.")
    if not file.parent.is_dir():
        raise FileRefused(f"The folder {file.parent} does not exist.")


@asynccontextmanager
async def written_whole(file: Path) -> AsyncIterator[Path]:
    """Where to write; in the end it becomes *file*. A broken export leaves no half file."""
    with NamedTemporaryFile(dir=file.parent, prefix=".export-", suffix=file.suffix, delete=False) as unfinished:
        path = Path(unfinished.name)
    try:
        yield path
        await asyncio.to_thread(path.replace, file)
    finally:
        await asyncio.to_thread(path.unlink, missing_ok=True)
