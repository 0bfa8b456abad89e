"""The steps of a request, and what was decided about them."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from src.domain.approvals.policy import StepRule
from src.domain.shared.ids import PolicyId, RequestId, UserId


class StepStatus(StrEnum):
    WAITING = "waiting"
    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    OBSOLETE = "obsolete"


UNFINISHED = frozenset({StepStatus.WAITING, StepStatus.OPEN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What one person said about exactly one content. It is never rewritten.

    *on_behalf_of*: the approvers who had delegated to that person when it was given; *in_own_name*: they were one
    themselves.
    """

    user_id: UserId
    approved: bool
    reason: str
    at: datetime
    content_digest: str
    on_behalf_of: tuple[UserId, ...] = ()
    in_own_name: bool = True

    @property
    def seats(self) -> frozenset[UserId]:
        """The approvers for whom it can count; it counts for one of them where they are counted."""
        return frozenset((*self.on_behalf_of, *((self.user_id,) if self.in_own_name else ())))


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedOver:
    """Where an approval that was not asked for again was given: by whom, and when the last of them did."""

    request_id: RequestId
    revision: int
    decided_by: tuple[UserId, ...]
    decided_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step as the policy's version of that day asked for it.

    It is open from *opened_at* on; those whom it escalates to may decide as well from *escalated_at* on, which is due at
    *escalates_at*. *carried_over* stands in the place of decisions.
    """

    policy_id: PolicyId
    policy_version: int
    policy_name: str
    chain_order: int
    step_order: int
    rule: StepRule
    status: StepStatus
    decisions: tuple[Decision, ...] = ()
    opened_at: datetime | None = None
    escalates_at: datetime | None = None
    escalated_at: datetime | None = None
    reminders: int = 0
    carried_over: CarriedOver | None = None

    @property
    def key(self) -> str:
        """Names it within its request, and is the same in later requests."""
        return f"{self.policy_id}.{self.step_order + 1}"

    @property
    def name(self) -> str:
        return self.rule.name

    @property
    def unfinished(self) -> bool:
        return self.status in UNFINISHED

    @property
    def agreed(self) -> frozenset[UserId]:
        """The natural persons who have agreed."""
        return frozenset(given.user_id for given in self.decisions if given.approved)

    @property
    def seats(self) -> tuple[frozenset[UserId], ...]:
        """For each person who has agreed, the approvers for whom that can count."""
        return tuple(given.seats for given in self.decisions if given.approved)

    @property
    def covered(self) -> frozenset[UserId]:
        """The approvers who have agreed, themselves or by a delegate."""
        return frozenset().union(*self.seats)

    def last_decision_of(self, user_id: UserId) -> Decision | None:
        return next((given for given in reversed(self.decisions) if given.user_id == user_id), None)

    def with_decision(self, decision: Decision, *, satisfied: bool) -> "Step":
        """*satisfied*: enough have agreed now."""
        status = StepStatus.REJECTED if not decision.approved else self.status
        if decision.approved and satisfied:
            status = StepStatus.APPROVED
        return replace(self, decisions=(*self.decisions, decision), status=status)
