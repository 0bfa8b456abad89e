"""Approval policies, requests and decisions on the wire."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Self
from uuid import UUID

from msgspec import Meta, Struct

from src.application.approvals.create_policy import CreatePolicyCommand
from src.domain.approvals.policy import (
    NUMERIC_FACTS,
    ApprovalPolicy,
    Condition,
    Fact,
    FactValue,
    Operator,
    Quorum,
    StepRule,
)
from src.domain.approvals.request import ApprovalRequest, Decision, Step
from src.domain.identity.actor import Role
from src.domain.shared.canonical import decimal_text
from src.domain.shared.errors import invalid_field
from src.domain.shared.ids import UserId
from src.entrypoints.schemas.pricing import is_decimal_text

ConditionValue = Annotated[
    str, Meta(max_length=100, description="A decimal for numeric facts, a text for the others.", examples=["5"])
]


class ConditionSchema(Struct, frozen=True, forbid_unknown_fields=True):
    fact: Fact
    operator: Operator
    values: Annotated[list[ConditionValue], Meta(min_length=1, max_length=50)]

    def condition(self, field: str) -> Condition:
        values = tuple(_value(self.fact, text, f"{field}.values[{index}]") for index, text in enumerate(self.values))
        return Condition(fact=self.fact, operator=self.operator, values=values)

    @classmethod
    def of(cls, condition: Condition) -> Self:
        return cls(
            fact=condition.fact,
            operator=condition.operator,
            values=[_text(value) for value in condition.values],
        )


class StepRuleSchema(Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=200, examples=["Sales management"])]
    roles: list[Role] = []
    users: list[UUID] = []
    quorum: Quorum = Quorum.ANY
    count: Annotated[int, Meta(ge=1, le=100, description="Needed approvers where the quorum is `count`.")] = 1

    def rule(self) -> StepRule:
        return StepRule(
            name=self.name,
            roles=tuple(self.roles),
            users=tuple(UserId(user) for user in self.users),
            quorum=self.quorum,
            count=self.count,
        )

    @classmethod
    def of(cls, rule: StepRule) -> Self:
        return cls(name=rule.name, roles=list(rule.roles), users=list(rule.users), quorum=rule.quorum, count=rule.count)


class CreatePolicyRequest(Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=200, examples=["Discounts above 10 %"])]
    steps: Annotated[list[StepRuleSchema], Meta(min_length=1, max_length=20)]
    order: Annotated[int, Meta(ge=0, le=1_000_000, description="Chains of lower order are asked first.")] = 100
    conditions: Annotated[list[ConditionSchema], Meta(max_length=20, description="All must hold; none: always.")] = []

    def command(self) -> CreatePolicyCommand:
        return CreatePolicyCommand(
            name=self.name,
            order=self.order,
            conditions=tuple(
                condition.condition(f"conditions[{index}]") for index, condition in enumerate(self.conditions)
            ),
            steps=tuple(step.rule() for step in self.steps),
        )


class PolicyResponse(Struct, frozen=True):
    id: UUID
    name: str
    order: int
    active: bool
    conditions: list[ConditionSchema]
    steps: list[StepRuleSchema]
    created_at: datetime
    version: int

    @classmethod
    def of(cls, policy: ApprovalPolicy) -> Self:
        return cls(
            id=policy.id,
            name=policy.name,
            order=policy.order,
            active=policy.active,
            conditions=[ConditionSchema.of(condition) for condition in policy.conditions],
            steps=[StepRuleSchema.of(step) for step in policy.steps],
            created_at=policy.created_at,
            version=policy.version,
        )


class DecisionResponse(Struct, frozen=True):
    user_id: UUID
    approved: bool
    reason: str
    at: datetime

    @classmethod
    def of(cls, decision: Decision) -> Self:
        return cls(user_id=decision.user_id, approved=decision.approved, reason=decision.reason, at=decision.at)


class StepResponse(Struct, frozen=True):
    """*needed* persons must agree."""

    policy: str
    name: str
    status: str
    needed: int
    roles: list[str]
    users: list[UUID]
    decisions: list[DecisionResponse]

    @classmethod
    def of(cls, step: Step) -> Self:
        return cls(
            policy=step.policy_name,
            name=step.name,
            status=step.status.value,
            needed=step.needed,
            roles=[role.value for role in step.roles],
            users=list(step.users),
            decisions=[DecisionResponse.of(decision) for decision in step.decisions],
        )


class ApprovalResponse(Struct, frozen=True):
    """One request: the facts it was judged by, and its steps in their order."""

    id: UUID
    quote_id: UUID
    revision: int
    status: str
    content_digest: str
    submitted_by: UUID
    facts: dict[str, str]
    steps: list[StepResponse]
    created_at: datetime

    @classmethod
    def of(cls, request: ApprovalRequest) -> Self:
        return cls(
            id=request.id,
            quote_id=request.quote_id,
            revision=request.revision,
            status=request.status.value,
            content_digest=request.content_digest,
            submitted_by=request.submitted_by,
            facts={name: _text(value) for name, value in request.facts},
            steps=[StepResponse.of(step) for step in request.steps],
            created_at=request.created_at,
        )


def _text(value: FactValue) -> str:
    return decimal_text(value) if isinstance(value, Decimal) else value


def _value(fact: Fact, text: str, field: str) -> FactValue:
    if fact not in NUMERIC_FACTS:
        return text
    if not is_decimal_text(text):
        raise invalid_field(field, f"{fact.value} is compared with a decimal number.")
    return Decimal(text)
