"""Approval policies, requests, delegations and fact records in the store."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from src.application.ports.paging import Page, Paging
from src.domain.approvals.comment import Comment
from src.domain.approvals.delegation import Delegation
from src.domain.approvals.policy import ApprovalPolicy
from src.domain.approvals.request import ApprovalRequest, RequestStatus
from src.domain.approvals.simulation import FactRecord, Simulation
from src.domain.shared.change import Change
from src.domain.shared.ids import DelegationId, PolicyId, RequestId, SimulationId, UserId


class PolicyRepository(Protocol):
    @abstractmethod
    async def all(self) -> Sequence[ApprovalPolicy]:
        """Every policy of the organisation, by order and id."""

    @abstractmethod
    async def get(self, policy_id: PolicyId, *, lock: bool = False) -> ApprovalPolicy:
        """Raises PolicyNotFound."""

    @abstractmethod
    async def save(self, change: Change[ApprovalPolicy]) -> ApprovalPolicy:
        """Raises VersionChanged when someone else saved it first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFilter:
    """What is None does not matter."""

    status: RequestStatus | None = None
    subject: str | None = None
    submitted_by: UserId | None = None


class ApprovalRequestRepository(Protocol):
    @abstractmethod
    async def get(self, request_id: RequestId, *, lock: bool = False) -> ApprovalRequest:
        """Raises RequestNotFound."""

    @abstractmethod
    async def latest(self, subject: str, subject_id: UUID) -> ApprovalRequest:
        """The live request about this subject, or else the newest, locked until the unit of work ends.

        Raises RequestNotFound.
        """

    @abstractmethod
    async def of_subject(self, subject: str, subject_id: UUID) -> Sequence[ApprovalRequest]:
        """All requests about this subject, oldest first."""

    @abstractmethod
    async def live(self) -> Sequence[ApprovalRequest]:
        """All that wait for somebody, open or blocked, oldest first."""

    @abstractmethod
    async def save(self, change: Change[ApprovalRequest]) -> ApprovalRequest:
        """Raises AlreadyDecided when someone else saved it first."""

    @abstractmethod
    async def page(self, criteria: RequestFilter, paging: Paging) -> Page[ApprovalRequest]:
        """The newest first."""

    @abstractmethod
    async def counts(self) -> dict[RequestStatus, int]:
        """How many there are of each status; statuses of which there are none may be missing."""

    @abstractmethod
    async def comment(self, change: Change[Comment]) -> Comment: ...

    @abstractmethod
    async def comments(self, request_id: RequestId) -> Sequence[Comment]:
        """Oldest first."""


class DelegationRepository(Protocol):
    @abstractmethod
    async def all(self) -> Sequence[Delegation]:
        """Every delegation of the organisation, the newest first."""

    @abstractmethod
    async def counting(self, *, lock: bool = False) -> Sequence[Delegation]:
        """Those that have not been ended, by whom and whenever they count.

        *lock*: until the unit of work ends, nobody else of the organisation who asks with it is answered.
        """

    @abstractmethod
    async def get(self, delegation_id: DelegationId, *, lock: bool = False) -> Delegation:
        """Raises DelegationNotFound."""

    @abstractmethod
    async def save(self, change: Change[Delegation]) -> Delegation:
        """Raises VersionChanged when someone else saved it first."""


class FactRecordRepository(Protocol):
    @abstractmethod
    async def add(self, record: FactRecord) -> None: ...

    @abstractmethod
    async def count(self, subject: str, since: datetime, before: datetime) -> int:
        """How many there are from *since* on and before *before*."""

    @abstractmethod
    async def between(
        self, subject: str, since: datetime, before: datetime, *, after: FactRecord | None, limit: int
    ) -> Sequence[FactRecord]:
        """Those from *since* on and before *before*, oldest first; the next ones *after* that one."""

    @abstractmethod
    async def simulation(self, simulation_id: SimulationId, *, lock: bool = False) -> Simulation:
        """Raises SimulationNotFound."""

    @abstractmethod
    async def save_simulation(self, change: Change[Simulation]) -> Simulation: ...
