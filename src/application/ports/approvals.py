"""Approval policies and requests in the store."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Protocol

from src.application.ports.paging import Page, Paging
from src.domain.approvals.policy import ApprovalPolicy
from src.domain.approvals.request import ApprovalRequest, RequestStatus
from src.domain.shared.change import Change
from src.domain.shared.ids import QuoteId


class PolicyRepository(Protocol):
    @abstractmethod
    async def all(self) -> Sequence[ApprovalPolicy]:
        """Every policy of the organisation, by order and id."""

    @abstractmethod
    async def save(self, change: Change[ApprovalPolicy]) -> ApprovalPolicy: ...


class ApprovalRequestRepository(Protocol):
    @abstractmethod
    async def latest(self, quote_id: QuoteId) -> ApprovalRequest:
        """The open request about this quote, or else the newest, locked until the unit of work ends.

        Raises RequestNotFound.
        """

    @abstractmethod
    async def of_quote(self, quote_id: QuoteId) -> Sequence[ApprovalRequest]:
        """All requests about this quote, oldest first."""

    @abstractmethod
    async def save(self, change: Change[ApprovalRequest]) -> ApprovalRequest:
        """Raises AlreadyDecided when someone else saved it first."""

    @abstractmethod
    async def page(self, status: RequestStatus | None, paging: Paging) -> Page[ApprovalRequest]:
        """Requests with this status, or all, newest first."""
