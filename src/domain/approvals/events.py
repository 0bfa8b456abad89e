"""What happens to approvals. The resource is what was submitted, so that its timeline tells everything."""

from dataclasses import dataclass

from src.domain.shared.events import DomainEvent
from src.domain.shared.ids import RequestId, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalEvent(DomainEvent):
    request_id: RequestId
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRequested(ApprovalEvent):
    """*carried_over*: those of the *steps* that are not asked again."""

    action = "approval.requested"
    steps: tuple[str, ...]
    carried_over: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalDecided(ApprovalEvent):
    action = "approval.decided"
    step: str
    approved: bool
    reason: str
    content_digest: str
    on_behalf_of: tuple[UserId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalWithdrawn(ApprovalEvent):
    action = "approval.withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalEscalated(ApprovalEvent):
    action = "approval.escalated"
    step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalReminded(ApprovalEvent):
    action = "approval.reminded"
    step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalBlocked(ApprovalEvent):
    """Nobody is left who could decide the *step*."""

    action = "approval.blocked"
    step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalUnblocked(ApprovalEvent):
    action = "approval.unblocked"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalCommented(ApprovalEvent):
    """What was said is kept with the request, not in the chain."""

    action = "approval.commented"
