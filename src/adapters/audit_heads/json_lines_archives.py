"""Archives of the audit: its own export as JSON Lines, read back."""

import json
import os
from collections.abc import Iterator
from hashlib import file_digest
from pathlib import Path
from typing import Any

from src.application.ports.audit import AuditArchives
from src.domain.audit.retention import ArchiveRefused
from src.domain.audit.verification import AuditLink


class JsonLinesArchives(AuditArchives):
    def read(self, path: Path) -> Iterator[AuditLink]:
        month = ""
        try:
            file = path.open("rb")
        except OSError:
            raise ArchiveRefused(f"{path} cannot be read.") from None
        with file:
            for number, line in enumerate(file, 1):
                try:
                    link = _link_of(json.loads(line), month)
                except (ValueError, KeyError, TypeError, RecursionError):
                    raise ArchiveRefused(f"Line {number} of {path.name} is no audit entry.") from None
                month = link.month
                yield link

    def keep(self, written: Path, path: Path) -> str:
        with written.open("rb") as file:
            os.fsync(file.fileno())
            digest = file_digest(file, "sha256").hexdigest()
        written.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return digest


def _link_of(told: dict[str, Any], month: str) -> AuditLink:
    """The export shows seconds: the rest of the instant is taken from the text, which the hash covers."""
    written = str(json.loads(told["text"])["at"])
    shown = str(told["at"])
    at = written if f"{written[:19]}Z" == shown else shown
    return AuditLink(
        sequence=int(told["sequence"]),
        previous_hash=str(told["previous_hash"]),
        text=str(told["text"]),
        hash=str(told["hash"]),
        at=at,
        action=str(told["action"]),
        resource_type=str(told["resource_type"]),
        resource_id=str(told["resource_id"]),
        actor_kind=str(told["actor_kind"]),
        user_id=None if told["user_id"] is None else str(told["user_id"]),
        month=max(month, written[:7]),
    )
