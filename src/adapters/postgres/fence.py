"""Attempts are fenced: what a job does counts only while the attempt that does it is the job's last."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import text

from src.adapters.postgres.transaction import Transaction

_HOLDS: Final = text(
    "SELECT 1 FROM proffer.jobs "
    "WHERE organization_id = :organization_id AND id = :id AND fence = :fence AND state = 'running' FOR SHARE"
)


class AttemptLost(RuntimeError):
    """Another worker has the job by now, or it was cancelled: nothing of this attempt may last."""


@dataclass(frozen=True, slots=True)
class _Attempt:
    job_id: UUID
    fence: int


# The use cases of a job know nothing of attempts, and every unit of work that they open is under the same one.
_current: Final[ContextVar[_Attempt | None]] = ContextVar("attempt", default=None)


@contextmanager
def fenced(job_id: UUID, fence: int) -> Iterator[None]:
    """Within, every unit of work of this task commits only while *fence* is the job's. Raises AttemptLost at commit."""
    token = _current.set(_Attempt(job_id, fence))
    try:
        yield
    finally:
        _current.reset(token)


async def check_fence(transaction: Transaction) -> None:
    """Nobody takes the job over between this and the commit. Raises AttemptLost."""
    attempt = _current.get()
    if attempt is None:
        return
    row = {"organization_id": transaction.organization_id, "id": attempt.job_id, "fence": attempt.fence}
    if (await transaction.connection.execute(_HOLDS, row)).one_or_none() is None:
        raise AttemptLost("This attempt is no longer the job's.")
