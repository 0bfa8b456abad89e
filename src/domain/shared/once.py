"""Writes that happen once, however often they are sent (the ``Idempotency-Key`` of a request)."""

from abc import abstractmethod
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Protocol

from src.domain.shared.errors import Conflict, Invalid


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAnswer:
    """What was answered the first time. *body* is sealed: there may be secrets in it that are shown only once."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)


class HeldCommit(Protocol):
    """A unit of work that has done everything but the very last step, until its answer is known."""

    @abstractmethod
    async def finish(self, answer: StoredAnswer) -> None:
        """Keep *answer* under the key and make all of it last, in one."""

    @abstractmethod
    async def abandon(self) -> None:
        """As if nothing had been done; the key stays free."""


@dataclass(slots=True, kw_only=True)
class WriteOnce:
    """The caller's key for one write. *fingerprint* is that of all it asked for.

    A unit of work in whose name it is opened raises Replayed, KeyReused or KeyInProgress; its commit leaves itself in
    *held*, for whoever knows the answer to finish.
    """

    key: str
    fingerprint: str
    held: HeldCommit | None = None

    def cover(self, digest: str) -> None:
        """What it asks for has a part, with this *digest*, that was not known when it began: a file."""
        self.fingerprint = sha256(f"{self.fingerprint}{digest}".encode()).hexdigest()


class Replayed(Exception):
    """It has been done before: *answer* is what was answered then."""

    def __init__(self, answer: StoredAnswer) -> None:
        super().__init__("This was done before.")
        self.answer = answer


class IdempotencyKeyRequired(Invalid):
    code = "idempotency_key_required"


class KeyReused(Invalid):
    code = "idempotency_mismatch"


class KeyInProgress(Conflict):
    code = "in_progress"


def key_reused() -> KeyReused:
    return KeyReused("This Idempotency-Key was used for another request; take a new one.")


def key_in_progress() -> KeyInProgress:
    return KeyInProgress("The first request with this Idempotency-Key is still running; ask again shortly.")
