"""Add an approval policy."""

from dataclasses import dataclass

from src.application.ports.clock import Clock, IdFactory
from src.application.transactions import Transactions
from src.domain.approvals.policy import ApprovalPolicy, Condition, StepRule
from src.domain.identity.actor import Actor, Permission
from src.domain.identity.user import UserNotFound
from src.domain.shared.ids import PolicyId


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatePolicyCommand:
    name: str
    order: int
    conditions: tuple[Condition, ...]
    steps: tuple[StepRule, ...]


class CreatePolicy:
    """Raises Invalid, and UserNotFound for a step that names somebody unknown."""

    def __init__(self, transactions: Transactions, clock: Clock, ids: IdFactory) -> None:
        self._transactions, self._clock, self._ids = transactions, clock, ids

    async def __call__(self, actor: Actor, command: CreatePolicyCommand) -> ApprovalPolicy:
        policy = ApprovalPolicy(
            id=PolicyId(self._ids.new()),
            name=command.name,
            order=command.order,
            conditions=command.conditions,
            steps=command.steps,
            created_at=self._clock.now(),
        )
        async with self._transactions.begin(actor, Permission.MANAGE_POLICIES) as uow:
            known = {user.id for user in await uow.users.all()}
            if any(user_id not in known for step in policy.steps for user_id in step.users):
                raise UserNotFound("A step names somebody who is no user of this organisation.")
            stored = await uow.policies.save(policy.create())
            await uow.commit()
        return stored
