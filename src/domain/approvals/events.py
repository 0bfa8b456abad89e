"""What happens to approvals. The resource is the quote, so that its timeline tells everything."""

from dataclasses import dataclass

from src.domain.shared.events import DomainEvent
from src.domain.shared.ids import RequestId


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalEvent(DomainEvent):
    resource_type: str = "quote"
    request_id: RequestId
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRequested(ApprovalEvent):
    action = "approval.requested"
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalDecided(ApprovalEvent):
    action = "approval.decided"
    step: str
    approved: bool
    reason: str
    content_digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalWithdrawn(ApprovalEvent):
    action = "approval.withdrawn"
