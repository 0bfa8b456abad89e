"""Approval policies, requests, delegations and fact records in memory."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from src.adapters.memory.records import MemoryRecords
from src.adapters.memory.state import MemoryTransaction, page_of
from src.application.ports.approvals import (
    ApprovalRequestRepository,
    DelegationRepository,
    FactRecordRepository,
    PolicyRepository,
    RequestFilter,
)
from src.application.ports.paging import Page, Paging
from src.domain.approvals.comment import Comment
from src.domain.approvals.delegation import Delegation, DelegationNotFound
from src.domain.approvals.errors import AlreadyDecided, RequestNotFound
from src.domain.approvals.policy import ApprovalPolicy, PolicyNotFound
from src.domain.approvals.request import ApprovalRequest, RequestStatus
from src.domain.approvals.simulation import FactRecord, Simulation, SimulationNotFound
from src.domain.shared.change import Change
from src.domain.shared.ids import DelegationId, PolicyId, RequestId, SimulationId


class MemoryPolicies(PolicyRepository):
    def __init__(self, transaction: MemoryTransaction) -> None:
        missing = PolicyNotFound("There is no such approval policy.")
        self._records = MemoryRecords(transaction, transaction.state.policies, missing)

    async def all(self) -> Sequence[ApprovalPolicy]:
        return sorted(self._records.items.values(), key=lambda policy: (policy.order, policy.id))

    async def get(self, policy_id: PolicyId, *, lock: bool = False) -> ApprovalPolicy:
        return self._records.get(policy_id)

    async def save(self, change: Change[ApprovalPolicy]) -> ApprovalPolicy:
        return self._records.save(change)


class MemoryApprovalRequests(ApprovalRequestRepository):
    def __init__(self, transaction: MemoryTransaction) -> None:
        self._transaction = transaction

    async def get(self, request_id: RequestId, *, lock: bool = False) -> ApprovalRequest:
        if request_id not in self._transaction.state.requests:
            raise RequestNotFound("There is no such approval request.")
        return self._transaction.state.requests[request_id]

    async def latest(self, subject: str, subject_id: UUID) -> ApprovalRequest:
        known = await self.of_subject(subject, subject_id)
        if not known:
            raise RequestNotFound("No approval was asked for.")
        return next((request for request in known if request.live), known[-1])

    async def of_subject(self, subject: str, subject_id: UUID) -> Sequence[ApprovalRequest]:
        return [
            request
            for request in self._oldest_first()
            if (request.subject.kind, request.subject.id) == (subject, subject_id)
        ]

    async def live(self) -> Sequence[ApprovalRequest]:
        return [request for request in self._oldest_first() if request.live]

    async def save(self, change: Change[ApprovalRequest]) -> ApprovalRequest:
        before, after = change.before, change.after
        known = self._transaction.state.requests
        if before is not None and known[after.id].version != before.version:
            raise AlreadyDecided("Someone else decided this meanwhile; read it again.")
        stored = replace(after, version=self._transaction.next_version(after.id, before.version if before else 0))
        known[stored.id] = stored
        self._transaction.changes.append(replace(change, after=stored))
        return stored

    async def page(self, criteria: RequestFilter, paging: Paging) -> Page[ApprovalRequest]:
        found = [
            request
            for request in self._transaction.state.requests.values()
            if criteria.status in {None, request.status}
            and criteria.subject in {None, request.subject.kind}
            and criteria.submitted_by in {None, request.submitted_by}
        ]
        return page_of(found, paging, lambda request: request)

    async def counts(self) -> dict[RequestStatus, int]:
        return dict(Counter(request.status for request in self._transaction.state.requests.values() if request.live))

    async def comment(self, change: Change[Comment]) -> Comment:
        self._transaction.state.comments[change.after.id] = change.after
        self._transaction.changes.append(change)
        return change.after

    async def comments(self, request_id: RequestId) -> Sequence[Comment]:
        found = [one for one in self._transaction.state.comments.values() if one.request_id == request_id]
        return sorted(found, key=lambda one: (one.created_at, one.id))

    def _oldest_first(self) -> Sequence[ApprovalRequest]:
        return sorted(self._transaction.state.requests.values(), key=lambda request: (request.created_at, request.id))


class MemoryDelegations(DelegationRepository):
    def __init__(self, transaction: MemoryTransaction) -> None:
        missing = DelegationNotFound("There is no such delegation.")
        self._records = MemoryRecords(transaction, transaction.state.delegations, missing)

    async def all(self) -> Sequence[Delegation]:
        return sorted(self._records.items.values(), key=lambda one: (one.created_at, one.id), reverse=True)

    async def counting(self, *, lock: bool = False) -> Sequence[Delegation]:
        return sorted((one for one in self._records.items.values() if one.ended_at is None), key=lambda one: one.id)

    async def get(self, delegation_id: DelegationId, *, lock: bool = False) -> Delegation:
        return self._records.get(delegation_id)

    async def save(self, change: Change[Delegation]) -> Delegation:
        return self._records.save(change)


class MemoryFactRecords(FactRecordRepository):
    def __init__(self, transaction: MemoryTransaction) -> None:
        self._facts = transaction.state.facts
        self._simulations = MemoryRecords(
            transaction, transaction.state.simulations, SimulationNotFound("There is no such simulation.")
        )

    async def add(self, record: FactRecord) -> None:
        self._facts[record.id] = record

    async def count(self, subject: str, since: datetime, before: datetime) -> int:
        return len(self._between(subject, since, before))

    async def between(
        self, subject: str, since: datetime, before: datetime, *, after: FactRecord | None, limit: int
    ) -> Sequence[FactRecord]:
        found = self._between(subject, since, before)
        return [one for one in found if after is None or (one.at, one.id) > (after.at, after.id)][:limit]

    async def simulation(self, simulation_id: SimulationId, *, lock: bool = False) -> Simulation:
        return self._simulations.get(simulation_id)

    async def save_simulation(self, change: Change[Simulation]) -> Simulation:
        return self._simulations.save(change)

    def _between(self, subject: str, since: datetime, before: datetime) -> Sequence[FactRecord]:
        found = [one for one in self._facts.values() if one.subject.kind == subject and since <= one.at < before]
        return sorted(found, key=lambda one: (one.at, one.id))
