"""What a kind of thing must say of itself to be approved, and all kinds that there are."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from datetime import datetime
from importlib import import_module
from pkgutil import iter_modules
from typing import Protocol
from uuid import UUID

from src.application.approvals import subjects
from src.application.ports.unit_of_work import UnitOfWork
from src.domain.approvals.conditions import FactSpec
from src.domain.approvals.policy import ApprovalPolicy
from src.domain.approvals.request import ApprovalRequest
from src.domain.identity.actor import Permission
from src.domain.shared.errors import invalid_field


class ApprovalSubject(Protocol):
    """One kind. *permission* is what its approvers need; *facts* are what its policies may ask about.

    *otherwise* asks when no policy of the organisation does; None: then nobody is asked.
    """

    kind: str
    permission: Permission
    facts: tuple[FactSpec, ...]
    otherwise: ApprovalPolicy | None

    @abstractmethod
    async def lock(self, uow: UnitOfWork, subject_id: UUID) -> str | None:
        """Lock it until the unit of work ends, and return the digest of what it is now (None: of nothing submitted).

        It is locked before its request, always. Raises its NotFound.
        """

    @abstractmethod
    async def approve(self, uow: UnitOfWork, request: ApprovalRequest, at: datetime) -> None:
        """All who had to have agreed."""

    @abstractmethod
    async def reject(self, uow: UnitOfWork, request: ApprovalRequest, reason: str, at: datetime) -> None:
        """Somebody has refused, for *reason*."""


class Subjects:
    """All kinds, by name."""

    def __init__(self, kinds: Iterable[ApprovalSubject]) -> None:
        self._kinds: Mapping[str, ApprovalSubject] = {kind.kind: kind for kind in kinds}

    @property
    def kinds(self) -> tuple[ApprovalSubject, ...]:
        return tuple(self._kinds.values())

    def get(self, kind: str) -> ApprovalSubject:
        """Raises Invalid for a kind that there is not."""
        if kind not in self._kinds:
            raise invalid_field("subject", f"There is no such subject; known are {', '.join(sorted(self._kinds))}.")
        return self._kinds[kind]


def known_subjects() -> Subjects:
    """Those of ``subjects``: the ``SUBJECT`` of each of its modules."""
    return Subjects(
        import_module(f"{subjects.__name__}.{module.name}").SUBJECT for module in iter_modules(subjects.__path__)
    )
