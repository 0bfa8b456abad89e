"""Approval policies: who must agree when. Conditions are declarative, never code."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from src.domain.identity.actor import Role
from src.domain.shared.change import Change
from src.domain.shared.errors import NotFound
from src.domain.shared.events import DomainEvent
from src.domain.shared.ids import PolicyId, UserId
from src.domain.shared.text import TextChecks

FactValue = Decimal | str
Facts = Mapping[str, FactValue]

MOST_CONDITIONS, MOST_STEPS = 20, 20


class PolicyNotFound(NotFound):
    code = "approval_policy_not_found"


class Fact(StrEnum):
    """What a condition may ask about a quote."""

    TOTAL = "total"  # Total without tax, in the quote's currency.
    DISCOUNT_PERCENT = "discount_percent"  # All discounts, of line and document, in percent of the gross of all lines.
    GREATEST_LINE_DISCOUNT_PERCENT = "greatest_line_discount_percent"
    LINE_COUNT = "line_count"
    CURRENCY = "currency"


NUMERIC_FACTS = frozenset({Fact.TOTAL, Fact.DISCOUNT_PERCENT, Fact.GREATEST_LINE_DISCOUNT_PERCENT, Fact.LINE_COUNT})


class Operator(StrEnum):
    GREATER = ">"
    AT_LEAST = ">="
    LESS = "<"
    AT_MOST = "<="
    EQUAL = "="
    IN = "in"


ORDERING = frozenset({Operator.GREATER, Operator.AT_LEAST, Operator.LESS, Operator.AT_MOST})


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One comparison of a fact with one value, or (``in``) with several."""

    fact: Fact
    operator: Operator
    values: tuple[FactValue, ...]

    def holds(self, facts: Facts) -> bool:
        """Whether it is true of *facts*; a fact that is not known makes no condition true."""
        actual = facts.get(self.fact)
        if actual is None:
            return False
        if isinstance(actual, Decimal) and self.operator in ORDERING:
            return self._compares(actual)
        return actual in self.values

    def _compares(self, actual: Decimal) -> bool:
        threshold = self.values[0]
        assert isinstance(threshold, Decimal)  # ApprovalPolicy sees to it.
        match self.operator:
            case Operator.GREATER:
                return actual > threshold
            case Operator.AT_LEAST:
                return actual >= threshold
            case Operator.LESS:
                return actual < threshold
            case _:
                return actual <= threshold


class Quorum(StrEnum):
    """How many of a step's approvers must agree."""

    ANY = "any"
    ALL = "all"
    COUNT = "count"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRule:
    """One step of a policy's chain: its approvers by role or by name, and how many of them (``count`` needs *count*)."""

    name: str
    roles: tuple[Role, ...] = ()
    users: tuple[UserId, ...] = ()
    quorum: Quorum = Quorum.ANY
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyCreated(DomainEvent):
    action = "approval_policy.created"
    resource_type: str = "approval_policy"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalPolicy:
    """All *conditions* must hold for it to match (none: it always matches); then its *steps* are asked one after another.

    *order* places the chain among those of other matching policies; a lower one is asked first.
    """

    id: PolicyId
    name: str
    order: int
    conditions: tuple[Condition, ...]
    steps: tuple[StepRule, ...]
    created_at: datetime
    active: bool = True
    version: int = 0

    def __post_init__(self) -> None:
        checks = TextChecks()
        checks.line("name", self.name, required=True)
        if not 0 <= self.order <= 1_000_000:
            checks.refuse("order", "This must lie between 0 and 1000000.")
        if len(self.conditions) > MOST_CONDITIONS:
            checks.refuse("conditions", f"At most {MOST_CONDITIONS} conditions are allowed.")
        for position, condition in enumerate(self.conditions):
            _check_condition(checks, f"conditions[{position}]", condition)
        if not 1 <= len(self.steps) <= MOST_STEPS:
            checks.refuse("steps", f"A policy has 1 to {MOST_STEPS} steps.")
        for position, step in enumerate(self.steps):
            _check_step(checks, f"steps[{position}]", step)
        checks.done()

    def create(self) -> Change["ApprovalPolicy"]:
        return Change(None, self, (PolicyCreated(resource_id=self.id, at=self.created_at),))


def _check_condition(checks: TextChecks, field: str, condition: Condition) -> None:
    numeric = condition.fact in NUMERIC_FACTS
    if condition.operator in ORDERING and not numeric:
        checks.refuse(f"{field}.operator", f"{condition.fact.value} is a text and has no order.")
    if not condition.values or (condition.operator is not Operator.IN and len(condition.values) != 1):
        checks.refuse(f"{field}.values", "One value is needed; only «in» takes several.")
    for index, value in enumerate(condition.values):
        if isinstance(value, Decimal) != numeric:
            checks.refuse(f"{field}.values[{index}]", "A number is needed." if numeric else "A text is needed.")
        elif isinstance(value, str):
            checks.line(f"{field}.values[{index}]", value, required=True)


def _check_step(checks: TextChecks, field: str, step: StepRule) -> None:
    checks.line(f"{field}.name", step.name, required=True)
    if not step.roles and not step.users:
        checks.refuse(f"{field}.roles", "A step names at least one role or user.")
    if not 1 <= step.count <= 100:
        checks.refuse(f"{field}.count", "This must lie between 1 and 100.")
