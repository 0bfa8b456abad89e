"""Approval policies, requests, decisions and delegations on the wire."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Self
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from src.application.approvals.decide_approval import Decided
from src.application.approvals.policies import CreatePolicyCommand, PolicyChanges
from src.application.approvals.read_approvals import ApprovalCounts, RequestDetails
from src.application.approvals.subject import ApprovalSubject, Subjects
from src.domain.approvals.comment import Comment
from src.domain.approvals.conditions import Condition, FactKind, Facts, FactValue, Operator
from src.domain.approvals.delegation import Delegation
from src.domain.approvals.policy import ApprovalPolicy, Quorum, StepRule
from src.domain.approvals.request import ApprovalRequest
from src.domain.approvals.simulation import Simulation
from src.domain.approvals.steps import CarriedOver, Decision, Step
from src.domain.identity.actor import Actor, Permission, Role
from src.domain.identity.user import User
from src.domain.shared.canonical import decimal_text
from src.domain.shared.errors import invalid_field
from src.domain.shared.ids import UserId
from src.entrypoints.schemas.digest import Digest
from src.entrypoints.schemas.pricing import is_decimal_text

ConditionValue = Annotated[
    str, Meta(max_length=100, description="A decimal for numeric facts, a text for the others.", examples=["5"])
]
Hours = Annotated[int, Meta(ge=1, le=1000, description="Working hours of the organisation.")]


class FactSchema(Struct, frozen=True):
    """One thing that conditions may ask about."""

    name: str
    kind: FactKind
    description: str


class SubjectSchema(Struct, frozen=True):
    """A kind of thing that can be approved, with the facts that its policies may ask about."""

    subject: str
    permission: str
    facts: list[FactSchema]

    @classmethod
    def of(cls, kind: ApprovalSubject, actor: Actor) -> Self:
        """Without the facts that *actor* may not know."""
        told = [one for one in kind.facts if not one.confidential or actor.may(Permission.VIEW_COSTS)]
        return cls(
            subject=kind.kind,
            permission=kind.permission.value,
            facts=[FactSchema(name=one.name, kind=one.kind, description=one.description) for one in told],
        )


class ConditionSchema(Struct, frozen=True, forbid_unknown_fields=True):
    fact: Annotated[str, Meta(min_length=1, max_length=100, examples=["discount_percent"])]
    operator: Operator
    values: Annotated[list[ConditionValue], Meta(min_length=1, max_length=50)]

    def condition(self, numeric: bool, field: str) -> Condition:
        values = tuple(_value(self.fact, numeric, text, f"{field}.values[{i}]") for i, text in enumerate(self.values))
        return Condition(fact=self.fact, operator=self.operator, values=values)

    @classmethod
    def of(cls, condition: Condition) -> Self:
        return cls(
            fact=condition.fact,
            operator=condition.operator,
            values=[decimal_text(value) if isinstance(value, Decimal) else value for value in condition.values],
        )


class StepRuleSchema(Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=200, examples=["Sales management"])]
    roles: list[Role] = []
    users: list[UUID] = []
    quorum: Quorum = Quorum.ANY
    count: Annotated[int, Meta(ge=1, le=100, description="Needed approvers where the quorum is `count`.")] = 1
    escalate_after_hours: Hours | None = None
    escalate_to_roles: list[Role] = []
    escalate_to_users: list[UUID] = []
    remind_after_hours: Hours | None = None

    def rule(self) -> StepRule:
        return StepRule(
            name=self.name,
            roles=tuple(self.roles),
            users=tuple(UserId(user) for user in self.users),
            quorum=self.quorum,
            count=self.count,
            escalate_after_hours=self.escalate_after_hours,
            escalate_to_roles=tuple(self.escalate_to_roles),
            escalate_to_users=tuple(UserId(user) for user in self.escalate_to_users),
            remind_after_hours=self.remind_after_hours,
        )

    @classmethod
    def of(cls, rule: StepRule) -> Self:
        return cls(
            name=rule.name,
            roles=list(rule.roles),
            users=list(rule.users),
            quorum=rule.quorum,
            count=rule.count,
            escalate_after_hours=rule.escalate_after_hours,
            escalate_to_roles=list(rule.escalate_to_roles),
            escalate_to_users=list(rule.escalate_to_users),
            remind_after_hours=rule.remind_after_hours,
        )


Order = Annotated[int, Meta(ge=0, le=1_000_000, description="Chains of lower order are asked first.")]
Name = Annotated[str, Meta(min_length=1, max_length=200, examples=["Discounts above 10 %"])]
Ladder = Annotated[
    str, Meta(max_length=100, description="Of the matching policies with the same ladder only the first one asks.")
]
MaxAge = Annotated[int, Meta(ge=1, le=3650, description="Days for which an approval may be carried over.")]
Conditions = Annotated[list[ConditionSchema], Meta(max_length=20, description="All must hold; none: always.")]
StepRules = Annotated[list[StepRuleSchema], Meta(min_length=1, max_length=20)]


class CreatePolicyRequest(Struct, frozen=True, forbid_unknown_fields=True):
    name: Name
    steps: StepRules
    order: Order = 100
    conditions: Conditions = []
    subject: Annotated[str, Meta(max_length=60, examples=["quote", "customer_registration"])] = "quote"
    ladder: Ladder = ""
    max_age_days: MaxAge | None = None
    owner_id: UUID | None = None

    def command(self, subjects: Subjects) -> CreatePolicyCommand:
        return CreatePolicyCommand(
            name=self.name,
            order=self.order,
            conditions=conditions_of(self.conditions, subjects.get(self.subject)),
            steps=tuple(step.rule() for step in self.steps),
            subject=self.subject,
            ladder=self.ladder,
            max_age_days=self.max_age_days,
            owner_id=None if self.owner_id is None else UserId(self.owner_id),
        )


class ChangePolicyRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """What is left out stays as it is."""

    name: Name | UnsetType = UNSET
    steps: StepRules | UnsetType = UNSET
    order: Order | UnsetType = UNSET
    conditions: Conditions | UnsetType = UNSET
    ladder: Ladder | UnsetType = UNSET
    max_age_days: MaxAge | UnsetType | None = UNSET
    owner_id: UUID | UnsetType | None = UNSET
    active: bool | UnsetType = UNSET

    def changes(self, kind: ApprovalSubject) -> PolicyChanges:
        changes = PolicyChanges()
        for name in ("name", "order", "ladder", "max_age_days", "owner_id", "active"):
            value = getattr(self, name)
            if value is not UNSET:
                changes[name] = value
        if not isinstance(self.conditions, UnsetType):
            changes["conditions"] = conditions_of(self.conditions, kind)
        if not isinstance(self.steps, UnsetType):
            changes["steps"] = tuple(step.rule() for step in self.steps)
        return changes


class SimulateRequest(
    ChangePolicyRequest,
    frozen=True,
    forbid_unknown_fields=True,
    rename={"from_day": "from", "to_day": "to"},
    kw_only=True,
):
    """The changes to try, and the days of submissions to try them on."""

    from_day: Annotated[date, Meta(description="First day, in the organisation's time zone.")]
    to_day: Annotated[date, Meta(description="Last day, included.")]


class PolicyResponse(Struct, frozen=True):
    id: UUID
    name: str
    order: int
    active: bool
    subject: str
    ladder: str
    max_age_days: int | None
    owner_id: UUID | None
    conditions: list[ConditionSchema]
    steps: list[StepRuleSchema]
    created_at: datetime
    version: int

    @classmethod
    def of(cls, policy: ApprovalPolicy, kind: ApprovalSubject, actor: Actor) -> Self:
        """Without thresholds of what *actor* may not know."""
        hidden = set() if actor.may(Permission.VIEW_COSTS) else {one.name for one in kind.facts if one.confidential}
        return cls(
            id=policy.id,
            name=policy.name,
            order=policy.order,
            active=policy.active,
            subject=policy.subject,
            ladder=policy.ladder,
            max_age_days=policy.max_age_days,
            owner_id=policy.owner_id,
            conditions=[
                ConditionSchema(fact=one.fact, operator=one.operator, values=[])
                if one.fact in hidden
                else ConditionSchema.of(one)
                for one in policy.conditions
            ],
            steps=[StepRuleSchema.of(step) for step in policy.steps],
            created_at=policy.created_at,
            version=policy.version,
        )


class DecisionResponse(Struct, frozen=True):
    """*on_behalf_of*: approvers who had delegated to that person."""

    user_id: UUID
    on_behalf_of: list[UUID]
    approved: bool
    reason: str
    at: datetime

    @classmethod
    def of(cls, decision: Decision) -> Self:
        return cls(
            user_id=decision.user_id,
            on_behalf_of=list(decision.on_behalf_of),
            approved=decision.approved,
            reason=decision.reason,
            at=decision.at,
        )


class CarriedOverResponse(Struct, frozen=True):
    """An earlier approval that still counts."""

    approval_id: UUID
    revision: int
    decided_by: list[UUID]
    decided_at: datetime

    @classmethod
    def of(cls, carried: CarriedOver) -> Self:
        return cls(
            approval_id=carried.request_id,
            revision=carried.revision,
            decided_by=list(carried.decided_by),
            decided_at=carried.decided_at,
        )


class StepResponse(Struct, frozen=True):
    """*step* names it in a decision. *escalates_at* is when further approvers may decide as well."""

    step: str
    policy_id: UUID
    policy: str
    policy_version: int
    name: str
    status: str
    quorum: Quorum
    count: int
    roles: list[str]
    users: list[UUID]
    opened_at: datetime | None
    escalates_at: datetime | None
    escalated_at: datetime | None
    reminders: int
    decisions: list[DecisionResponse]
    carried_over_from: CarriedOverResponse | None

    @classmethod
    def of(cls, step: Step) -> Self:
        carried = step.carried_over
        return cls(
            step=step.key,
            policy_id=step.policy_id,
            policy=step.policy_name,
            policy_version=step.policy_version,
            name=step.name,
            status=step.status.value,
            quorum=step.rule.quorum,
            count=step.rule.count,
            roles=[role.value for role in step.rule.roles],
            users=list(step.rule.users),
            opened_at=step.opened_at,
            escalates_at=step.escalates_at,
            escalated_at=step.escalated_at,
            reminders=step.reminders,
            decisions=[DecisionResponse.of(decision) for decision in step.decisions],
            carried_over_from=None if carried is None else CarriedOverResponse.of(carried),
        )


class ApprovalResponse(Struct, frozen=True):
    """One request: the facts it was judged by, and its steps in their order."""

    id: UUID
    subject: str
    subject_id: UUID
    title: str
    revision: int
    status: str
    content_digest: str
    submitted_by: UUID
    last_edited_by: UUID
    facts: dict[str, str | list[str]]
    steps: list[StepResponse]
    created_at: datetime

    @classmethod
    def of(cls, request: ApprovalRequest, shown: Facts) -> Self:
        return cls(
            id=request.id,
            subject=request.subject.kind,
            subject_id=request.subject.id,
            title=request.subject.title,
            revision=request.subject.revision,
            status=request.status.value,
            content_digest=request.content_digest,
            submitted_by=request.submitted_by,
            last_edited_by=request.last_edited_by,
            facts={name: fact_text(value) for name, value in shown.items()},
            steps=[StepResponse.of(step) for step in request.steps],
            created_at=request.created_at,
        )


class OutcomeSchema(Struct, frozen=True):
    """*counted*: whether what you said was counted now; when you had said it before it is not. *waiting_for_you*: the keys of
    the steps that you could decide now, to be named as *step*.
    """

    counted: bool
    waiting_for_you: list[str]

    @classmethod
    def of(cls, decided: Decided) -> Self:
        return cls(counted=decided.counted, waiting_for_you=[step.key for step in decided.waiting])


class DecidedResponse(ApprovalResponse, frozen=True):
    """The request after your decision."""

    decision: OutcomeSchema


class PersonSchema(Struct, frozen=True):
    id: UUID
    name: str

    @classmethod
    def of(cls, user: User) -> Self:
        return cls(id=user.id, name=user.name)


class CommentResponse(Struct, frozen=True):
    id: UUID
    user_id: UUID
    text: str
    created_at: datetime

    @classmethod
    def of(cls, comment: Comment) -> Self:
        return cls(id=comment.id, user_id=comment.user_id, text=comment.text, created_at=comment.created_at)


class WaitingSchema(Struct, frozen=True):
    """Who could decide an open step now, and has not."""

    step: str
    persons: list[PersonSchema]


class ApprovalDetailsResponse(Struct, frozen=True):
    """*people*: whoever submitted, edited, decided or remarked, and whom they stood for, by name."""

    approval: ApprovalResponse
    waiting_for: list[WaitingSchema]
    comments: list[CommentResponse]
    people: list[PersonSchema]

    @classmethod
    def of(cls, details: RequestDetails, shown: Facts) -> Self:
        return cls(
            approval=ApprovalResponse.of(details.request, shown),
            waiting_for=[
                WaitingSchema(step=step.key, persons=[PersonSchema.of(user) for user in users])
                for step, users in details.waiting_for
            ],
            comments=[CommentResponse.of(comment) for comment in details.comments],
            people=[PersonSchema(id=one, name=name) for one, name in details.people],
        )


class CountsResponse(Struct, frozen=True):
    """*waiting_for_me* by kind of subject in *waiting_by_subject*."""

    open: int
    blocked: int
    waiting_for_me: int
    waiting_by_subject: dict[str, int]

    @classmethod
    def of(cls, counts: ApprovalCounts) -> Self:
        return cls(
            open=counts.open,
            blocked=counts.blocked,
            waiting_for_me=counts.waiting_for_me,
            waiting_by_subject=dict(counts.waiting_by_subject),
        )


class StepDecisionRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """*content_digest* is that of what you looked at. *step* decides one step; without it all that are open and yours."""

    content_digest: Digest
    reason: Annotated[str, Meta(max_length=2000)] = ""
    step: Annotated[str, Meta(max_length=60)] | None = None


class CommentRequest(Struct, frozen=True, forbid_unknown_fields=True):
    text: Annotated[str, Meta(min_length=1, max_length=5000)]


class DelegationRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """*from_user_id*: whose approvals; left out, your own. Days are the organisation's, both included."""

    to_user_id: UUID
    starts_on: date
    ends_on: date
    reason: Annotated[str, Meta(max_length=500)] = ""
    from_user_id: UUID | None = None


class DelegationResponse(Struct, frozen=True):
    id: UUID
    from_user_id: UUID
    to_user_id: UUID
    starts_on: date
    ends_on: date
    reason: str
    created_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, delegation: Delegation) -> Self:
        return cls(
            id=delegation.id,
            from_user_id=delegation.from_user_id,
            to_user_id=delegation.to_user_id,
            starts_on=delegation.starts_on,
            ends_on=delegation.ends_on,
            reason=delegation.reason,
            created_at=delegation.created_at,
            ended_at=delegation.ended_at,
        )


class LoadSchema(Struct, frozen=True):
    """How many steps this person could have decided: as the policies are, and as they would be."""

    user_id: UUID
    before: int
    after: int


class ChangedSchema(Struct, frozen=True):
    """A submission that would have gone another way, with the names of the steps that differ."""

    subject_id: UUID
    title: str
    revision: int
    at: datetime
    newly_asked: list[str]
    no_longer_asked: list[str]


class SimulationResponse(Struct, frozen=True):
    """Counts are of submissions; all but *records* are null while it runs. *examples* are the first hundred that differ."""

    id: UUID
    policy_id: UUID
    status: str
    records: int
    asked_before: int | None
    asked_after: int | None
    newly_asked: int | None
    no_longer_asked: int | None
    load: list[LoadSchema]
    examples: list[ChangedSchema]

    @classmethod
    def of(cls, simulation: Simulation) -> Self:
        result = simulation.result
        return cls(
            id=simulation.id,
            policy_id=simulation.draft.id,
            status=simulation.status.value,
            records=simulation.records,
            asked_before=None if result is None else result.asked_before,
            asked_after=None if result is None else result.asked_after,
            newly_asked=None if result is None else result.newly_asked,
            no_longer_asked=None if result is None else result.no_longer_asked,
            load=[]
            if result is None
            else [LoadSchema(user_id=one.user_id, before=one.before, after=one.after) for one in result.load],
            examples=[]
            if result is None
            else [
                ChangedSchema(
                    subject_id=one.subject.id,
                    title=one.subject.title,
                    revision=one.subject.revision,
                    at=one.at,
                    newly_asked=list(one.newly_asked),
                    no_longer_asked=list(one.no_longer_asked),
                )
                for one in result.examples
            ],
        )


def conditions_of(told: list[ConditionSchema], kind: ApprovalSubject) -> tuple[Condition, ...]:
    """Raises Invalid for an unknown fact, and for a text where a number is needed."""
    known = {fact.name for fact in kind.facts}
    for index, one in enumerate(told):
        if one.fact not in known:
            raise invalid_field(
                f"conditions[{index}].fact", f"There is no such fact; known are {', '.join(sorted(known))}."
            )
    numeric = {fact.name for fact in kind.facts if fact.kind is FactKind.NUMBER}
    return tuple(one.condition(one.fact in numeric, f"conditions[{index}]") for index, one in enumerate(told))


def shown_facts(actor: Actor, facts: Facts, kind: ApprovalSubject) -> Facts:
    """Without what only those may know who may see costs."""
    if actor.may(Permission.VIEW_COSTS):
        return facts
    hidden = {fact.name for fact in kind.facts if fact.confidential}
    return {name: value for name, value in facts.items() if name not in hidden}


def fact_text(value: FactValue) -> str | list[str]:
    if isinstance(value, tuple):
        return list(value)
    return decimal_text(value) if isinstance(value, Decimal) else value


def _value(fact: str, numeric: bool, text: str, field: str) -> Decimal | str:
    if not numeric:
        return text
    if not is_decimal_text(text):
        raise invalid_field(field, f"{fact} is compared with a decimal number.")
    return Decimal(text)
