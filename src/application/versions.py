"""The version that somebody looked at, against the one that is stored."""

from typing import Protocol

from src.domain.shared.errors import Stale


class VersionChanged(Stale):
    """Someone else changed it in between."""

    code = "version_changed"


class Versioned(Protocol):
    @property
    def version(self) -> int: ...


def check_version(stored: Versioned, expected: int | None) -> None:
    """Raises VersionChanged when *expected* is given and is not the stored version."""
    if expected is not None and stored.version != expected:
        raise VersionChanged("Someone else changed this meanwhile; read it again.", version=stored.version)
