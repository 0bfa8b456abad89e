"""Look at approval policies and requests."""

from collections.abc import Sequence

from src.application.ports.paging import Page, Paging
from src.application.transactions import Transactions
from src.domain.approvals.policy import ApprovalPolicy
from src.domain.approvals.request import ApprovalRequest, RequestStatus
from src.domain.identity.actor import Actor, Permission


class ListPolicies:
    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor) -> Sequence[ApprovalPolicy]:
        async with self._transactions.begin(actor, Permission.VIEW_APPROVALS) as uow:
            return await uow.policies.all()


class ListApprovals:
    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, status: RequestStatus | None, paging: Paging) -> Page[ApprovalRequest]:
        async with self._transactions.begin(actor, Permission.VIEW_APPROVALS) as uow:
            return await uow.approvals.page(status, paging)
