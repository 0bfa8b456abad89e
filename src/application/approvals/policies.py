"""Add, change and look at approval policies."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypedDict

from src.application.approvals.subject import Subjects
from src.application.ports.clock import Clock, IdFactory
from src.application.ports.unit_of_work import UnitOfWork
from src.application.transactions import Transactions
from src.application.versions import check_version
from src.domain.approvals.approvers import names_unknown
from src.domain.approvals.conditions import Condition, check_facts
from src.domain.approvals.policy import ApprovalPolicy, StepRule
from src.domain.identity.actor import Actor, Permission
from src.domain.identity.user import UserNotFound
from src.domain.shared.ids import PolicyId, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatePolicyCommand:
    """*owner_id* None: whoever creates it."""

    name: str
    order: int
    conditions: tuple[Condition, ...]
    steps: tuple[StepRule, ...]
    subject: str = "quote"
    ladder: str = ""
    max_age_days: int | None = None
    owner_id: UserId | None = None


class CreatePolicy:
    """Raises Invalid, and UserNotFound for a step that names somebody unknown."""

    def __init__(self, transactions: Transactions, clock: Clock, ids: IdFactory, subjects: Subjects) -> None:
        self._transactions, self._clock, self._ids, self._subjects = transactions, clock, ids, subjects

    async def __call__(self, actor: Actor, command: CreatePolicyCommand) -> ApprovalPolicy:
        policy = ApprovalPolicy(
            id=PolicyId(self._ids.new()),
            name=command.name,
            order=command.order,
            conditions=command.conditions,
            steps=command.steps,
            created_at=self._clock.now(),
            subject=command.subject,
            ladder=command.ladder,
            max_age_days=command.max_age_days,
            owner_id=command.owner_id or actor.user_id,
        )
        async with self._transactions.begin(actor, Permission.MANAGE_POLICIES) as uow:
            await check_policy(uow, self._subjects, actor, policy)
            stored = await uow.policies.save(policy.create())
            await uow.commit()
        return stored


class PolicyChanges(TypedDict, total=False):
    name: str
    order: int
    conditions: tuple[Condition, ...]
    steps: tuple[StepRule, ...]
    ladder: str
    max_age_days: int | None
    owner_id: UserId | None
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePolicyCommand:
    policy_id: PolicyId
    changes: PolicyChanges = field(default_factory=PolicyChanges)
    expected_version: int | None = None


class ChangePolicy:
    """For what is submitted from now on; requests under way go on as they began.

    Raises PolicyNotFound, VersionChanged, Invalid, UserNotFound.
    """

    def __init__(self, transactions: Transactions, clock: Clock, subjects: Subjects) -> None:
        self._transactions, self._clock, self._subjects = transactions, clock, subjects

    async def __call__(self, actor: Actor, command: ChangePolicyCommand) -> ApprovalPolicy:
        async with self._transactions.begin(actor, Permission.MANAGE_POLICIES) as uow:
            policy = await uow.policies.get(command.policy_id, lock=True)
            check_version(policy, command.expected_version)
            changed = replace(policy, **command.changes)
            if changed == policy:
                return policy
            await check_policy(uow, self._subjects, actor, changed)
            stored = await uow.policies.save(policy.become(changed, self._clock.now()))
            await uow.commit()
        return stored


class GetPolicy:
    """Raises PolicyNotFound."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, policy_id: PolicyId) -> ApprovalPolicy:
        async with self._transactions.begin(actor, Permission.VIEW_APPROVALS) as uow:
            return await uow.policies.get(policy_id)


class ListPolicies:
    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor) -> Sequence[ApprovalPolicy]:
        async with self._transactions.begin(actor, Permission.VIEW_APPROVALS) as uow:
            return await uow.policies.all()


async def check_policy(uow: UnitOfWork, subjects: Subjects, actor: Actor, policy: ApprovalPolicy) -> None:
    """Raises Invalid for an unknown subject or fact, UserNotFound for somebody unknown, PermissionMissing for costs."""
    kind = subjects.get(policy.subject)
    check_facts(policy.conditions, kind.facts)
    confidential = {fact.name for fact in kind.facts if fact.confidential}
    if any(condition.fact in confidential for condition in policy.conditions):
        actor.require(Permission.VIEW_COSTS)  # By trying thresholds one could find costs out.
    users = await uow.users.all()
    owner_known = policy.owner_id is None or any(user.id == policy.owner_id for user in users)
    if names_unknown(policy.steps, users) or not owner_known:
        raise UserNotFound("The policy names somebody who is no user of this organisation.")
