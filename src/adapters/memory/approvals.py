"""Approval policies and requests in memory."""

from collections.abc import Sequence
from dataclasses import replace

from src.adapters.memory.state import MemoryTransaction, page_of
from src.application.ports.approvals import ApprovalRequestRepository, PolicyRepository
from src.application.ports.paging import Page, Paging
from src.domain.approvals.errors import AlreadyDecided, RequestNotFound
from src.domain.approvals.policy import ApprovalPolicy
from src.domain.approvals.request import ApprovalRequest, RequestStatus
from src.domain.shared.change import Change
from src.domain.shared.ids import QuoteId


class MemoryPolicies(PolicyRepository):
    def __init__(self, transaction: MemoryTransaction) -> None:
        self._transaction = transaction

    async def all(self) -> Sequence[ApprovalPolicy]:
        return sorted(self._transaction.state.policies.values(), key=lambda policy: (policy.order, policy.id))

    async def save(self, change: Change[ApprovalPolicy]) -> ApprovalPolicy:
        self._transaction.state.policies[change.after.id] = change.after
        self._transaction.changes.append(change)
        return change.after


class MemoryApprovalRequests(ApprovalRequestRepository):
    def __init__(self, transaction: MemoryTransaction) -> None:
        self._transaction = transaction

    async def latest(self, quote_id: QuoteId) -> ApprovalRequest:
        known = await self.of_quote(quote_id)
        if not known:
            raise RequestNotFound("No approval was asked for.")
        return next((request for request in known if request.status is RequestStatus.OPEN), known[-1])

    async def of_quote(self, quote_id: QuoteId) -> Sequence[ApprovalRequest]:
        found = [request for request in self._transaction.state.requests.values() if request.quote_id == quote_id]
        return sorted(found, key=lambda request: (request.created_at, request.id))

    async def save(self, change: Change[ApprovalRequest]) -> ApprovalRequest:
        before, after = change.before, change.after
        known = self._transaction.state.requests
        if before is not None and known[after.id].version != before.version:
            raise AlreadyDecided("Someone else decided this meanwhile; read it again.")
        stored = replace(after, version=self._transaction.next_version(after.id, before.version if before else 0))
        known[stored.id] = stored
        self._transaction.changes.append(replace(change, after=stored))
        return stored

    async def page(self, status: RequestStatus | None, paging: Paging) -> Page[ApprovalRequest]:
        found = [request for request in self._transaction.state.requests.values() if status in {None, request.status}]
        return page_of(found, paging, lambda request: request)
