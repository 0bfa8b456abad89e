"""Approval policies: who must agree when."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from src.domain.approvals.conditions import Condition, check_condition
from src.domain.identity.actor import Role
from src.domain.shared.change import Change
from src.domain.shared.errors import NotFound
from src.domain.shared.events import DomainEvent
from src.domain.shared.ids import PolicyId, UserId
from src.domain.shared.text import TextChecks

MOST_CONDITIONS, MOST_STEPS = 20, 20
LONGEST_WAIT = 1000  # Working hours.
LONGEST_MAX_AGE = 3650  # Days.


class PolicyNotFound(NotFound):
    code = "approval_policy_not_found"


class Quorum(StrEnum):
    """How many of a step's approvers must agree."""

    ANY = "any"
    ALL = "all"
    COUNT = "count"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRule:
    """One step of a policy's chain: its approvers by role or by name, and how many of them (``count`` needs *count*).

    After *escalate_after_hours* without a decision those of *escalate_to_roles* and *escalate_to_users* may decide as well;
    every *remind_after_hours* those who have not decided are reminded. Both are working hours of the organisation.
    """

    name: str
    roles: tuple[Role, ...] = ()
    users: tuple[UserId, ...] = ()
    quorum: Quorum = Quorum.ANY
    count: int = 1
    escalate_after_hours: int | None = None
    escalate_to_roles: tuple[Role, ...] = ()
    escalate_to_users: tuple[UserId, ...] = ()
    remind_after_hours: int | None = None

    @property
    def named(self) -> frozenset[UserId]:
        """Everybody whom it names."""
        return frozenset((*self.users, *self.escalate_to_users))


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyCreated(DomainEvent):
    action = "approval_policy.created"
    resource_type: str = "approval_policy"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyChanged(DomainEvent):
    action = "approval_policy.changed"
    resource_type: str = "approval_policy"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySimulated(DomainEvent):
    action = "approval_policy.simulated"
    resource_type: str = "approval_policy"
    records: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalPolicy:
    """All *conditions* must hold for it to match (none: it always matches); then its *steps* are asked one after another.

    *subject* is the kind of thing that it is about. *order* places the chain among those of other matching policies; a
    lower one is asked first. Of the matching policies with the same *ladder* only the first asks, so that a ladder of
    levels asks the highest alone. A decision older than *max_age_days* is not carried over. *owner_id* is told when a
    request cannot go on. *version* counts its changes; a request runs to its end on the version that it began with.
    """

    id: PolicyId
    name: str
    order: int
    conditions: tuple[Condition, ...]
    steps: tuple[StepRule, ...]
    created_at: datetime
    subject: str = "quote"
    ladder: str = ""
    max_age_days: int | None = None
    owner_id: UserId | None = None
    active: bool = True
    version: int = 0

    def __post_init__(self) -> None:
        checks = TextChecks()
        checks.line("name", self.name, required=True)
        checks.line("ladder", self.ladder, longest=100)
        checks.line("subject", self.subject, required=True, longest=60)
        if not 0 <= self.order <= 1_000_000:
            checks.refuse("order", "This must lie between 0 and 1000000.")
        if self.max_age_days is not None and not 1 <= self.max_age_days <= LONGEST_MAX_AGE:
            checks.refuse("max_age_days", f"This must lie between 1 and {LONGEST_MAX_AGE}.")
        if len(self.conditions) > MOST_CONDITIONS:
            checks.refuse("conditions", f"At most {MOST_CONDITIONS} conditions are allowed.")
        for position, condition in enumerate(self.conditions):
            check_condition(checks, f"conditions[{position}]", condition)
        if not 1 <= len(self.steps) <= MOST_STEPS:
            checks.refuse("steps", f"A policy has 1 to {MOST_STEPS} steps.")
        for position, step in enumerate(self.steps):
            _check_step(checks, f"steps[{position}]", step)
        checks.done()

    def create(self) -> Change["ApprovalPolicy"]:
        return Change(None, self, (PolicyCreated(resource_id=self.id, at=self.created_at),))

    def become(self, changed: "ApprovalPolicy", at: datetime) -> Change["ApprovalPolicy"]:
        """*changed* counts for what is submitted from now on. What it is about stays."""
        kept = replace(changed, id=self.id, subject=self.subject, created_at=self.created_at, version=self.version)
        return Change(self, kept, (PolicyChanged(resource_id=self.id, at=at),))


def _check_step(checks: TextChecks, field: str, step: StepRule) -> None:
    checks.line(f"{field}.name", step.name, required=True)
    if not step.roles and not step.users:
        checks.refuse(f"{field}.roles", "A step names at least one role or user.")
    if not 1 <= step.count <= 100:
        checks.refuse(f"{field}.count", "This must lie between 1 and 100.")
    for name in ("escalate_after_hours", "remind_after_hours"):
        hours = getattr(step, name)
        if hours is not None and not 1 <= hours <= LONGEST_WAIT:
            checks.refuse(f"{field}.{name}", f"From 1 to {LONGEST_WAIT} working hours.")
    escalates = bool(step.escalate_to_roles or step.escalate_to_users)
    if escalates != (step.escalate_after_hours is not None):
        checks.refuse(f"{field}.escalate_after_hours", "An escalation needs the hours and to whom it goes.")
