"""What submitting a quote would ask for, on the wire."""

from decimal import Decimal
from typing import Self
from uuid import UUID

from msgspec import Struct

from src.application.approvals.subjects.quote import SUBJECT
from src.application.quoting.preview_approval import ApprovalPreview
from src.domain.approvals.conditions import Operator
from src.domain.approvals.matching import ConditionResult, PolicyResult
from src.domain.approvals.request import PlannedStep
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.canonical import decimal_text
from src.entrypoints.http.approvals.schemas import CarriedOverResponse, PersonSchema, fact_text, shown_facts


class PreviewCondition(Struct, frozen=True):
    """*actual* is the offer's own value, null when it is not known. Of what is not for you to see, *values* are empty and
    *holds* is null.
    """

    fact: str
    operator: Operator
    values: list[str]
    actual: str | list[str] | None
    holds: bool | None

    @classmethod
    def of(cls, result: ConditionResult, shown: frozenset[str]) -> Self:
        condition, actual = result.condition, result.actual
        if condition.fact not in shown:
            return cls(fact=condition.fact, operator=condition.operator, values=[], actual=None, holds=None)
        return cls(
            fact=condition.fact,
            operator=condition.operator,
            values=[decimal_text(value) if isinstance(value, Decimal) else value for value in condition.values],
            actual=None if actual is None else fact_text(actual),
            holds=result.holds,
        )


class PreviewStep(Struct, frozen=True):
    """*needed* of *persons* would have to agree; nobody is asked where an earlier approval is carried over."""

    name: str
    needed: int
    persons: list[PersonSchema]
    can_be_decided: bool
    carried_over_from: CarriedOverResponse | None

    @classmethod
    def of(cls, step: PlannedStep) -> Self:
        carried = step.carried_over
        return cls(
            name=step.result.policy.steps[step.step_order].name,
            needed=step.needed,
            persons=[PersonSchema.of(user) for user in step.persons],
            can_be_decided=step.can_be_decided,
            carried_over_from=None if carried is None else CarriedOverResponse.of(carried),
        )


class PreviewPolicy(Struct, frozen=True):
    """*outranked_by* names the policy of the same ladder that asks in its stead."""

    id: UUID
    name: str
    version: int
    order: int
    matched: bool
    outranked_by: str | None
    conditions: list[PreviewCondition]
    steps: list[PreviewStep]

    @classmethod
    def of(cls, result: PolicyResult, steps: list[PlannedStep], shown: frozenset[str]) -> Self:
        policy = result.policy
        return cls(
            id=policy.id,
            name=policy.name,
            version=policy.version,
            order=policy.order,
            matched=result.matched,
            outranked_by=None if result.outranked_by is None else result.outranked_by.name,
            conditions=[PreviewCondition.of(one, shown) for one in result.conditions],
            steps=[PreviewStep.of(step) for step in steps if step.result.policy.id == policy.id],
        )


class ApprovalPreviewResponse(Struct, frozen=True):
    """*needs_approval*: somebody would be asked. *facts* are those that policies are judged by."""

    needs_approval: bool
    facts: dict[str, str | list[str]]
    policies: list[PreviewPolicy]

    @classmethod
    def of(cls, preview: ApprovalPreview, actor: Actor) -> Self:
        shown, outlook = shown_facts(actor, preview.facts, SUBJECT), preview.outlook
        hidden = set() if actor.may(Permission.VIEW_COSTS) else {one.name for one in SUBJECT.facts if one.confidential}
        names = frozenset(one.name for one in SUBJECT.facts) - hidden
        return cls(
            needs_approval=any(step.carried_over is None for step in outlook.steps),
            facts={name: fact_text(value) for name, value in sorted(shown.items())},
            policies=[PreviewPolicy.of(result, list(outlook.steps), names) for result in outlook.results],
        )
