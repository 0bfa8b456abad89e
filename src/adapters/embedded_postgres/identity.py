"""As whom the server runs. PostgreSQL refuses to run as root, so root lends it to ``nobody``."""

import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from src.adapters.embedded_postgres.errors import EmbeddedPostgresError

_NOBODY: Final = 65534
_DAC_READ_SEARCH: Final = 1 << 2


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """*uid* is None for an ordinary user, who runs it in person. *prefix* goes before each command."""

    uid: int | None
    prefix: tuple[str, ...]

    def own(self, path: Path) -> None:
        """Hand *path* over."""
        if self.uid is not None:
            os.chown(path, self.uid, self.uid)

    def run(self, *command: str, timeout: float) -> "subprocess.CompletedProcess[str]":
        """Run *command* to its end, in a session of its own, so that Ctrl-C in our terminal does not reach it."""
        plain = self.uid is not None and not self.prefix
        return subprocess.run(  # noqa: S603 — our own commands, no shell.
            [*self.prefix, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=timeout,
            start_new_session=True,
            cwd="/",
            env={**os.environ, "LC_ALL": "C", "LANG": "C"},
            user=self.uid if plain else None,
            group=self.uid if plain else None,
            extra_groups=[] if plain else None,
        )


def server_identity(*needed: Path) -> ServerIdentity:
    """Who can run the server with the folders *needed*. Raises EmbeddedPostgresError."""
    if os.geteuid() != 0:
        try:
            pwd.getpwuid(os.geteuid())
        except KeyError:
            raise EmbeddedPostgresError(
                f"The user id {os.geteuid()} has no entry in /etc/passwd, and PostgreSQL will not run without one. "
                "Add one, or set PROFFER_DATABASE_URL to a running server."
            ) from None
        return ServerIdentity(None, ())
    if all(_is_open(path) for path in needed):
        return ServerIdentity(_NOBODY, ())
    setpriv = shutil.which("setpriv")
    if setpriv is not None and _may_search():
        # One capability is kept, to pass through closed folders, so that none of them has to be opened.
        # Without the securebit the kernel's access() would ignore it.
        return ServerIdentity(
            _NOBODY,
            (
                setpriv,
                f"--reuid={_NOBODY}",
                f"--regid={_NOBODY}",
                "--clear-groups",
                "--inh-caps=+dac_read_search",
                "--ambient-caps=+dac_read_search",
                "--securebits=+no_setuid_fixup",
            ),
        )
    raise EmbeddedPostgresError(
        "PostgreSQL does not run as root, and the user «nobody» cannot reach this folder. Move the project to a folder "
        "that others may enter, set PROFFER_HOME to one, run as an ordinary user, or set PROFFER_DATABASE_URL."
    )


def _is_open(path: Path) -> bool:
    """Whether everybody may enter every folder above *path*."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in path.resolve().parents)


def _may_search() -> bool:
    """Whether this process may hand CAP_DAC_READ_SEARCH on."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return False
    bounding = next((line for line in status.splitlines() if line.startswith("CapBnd:")), "CapBnd: 0")
    return bool(int(bounding.split()[1], 16) & _DAC_READ_SEARCH)
