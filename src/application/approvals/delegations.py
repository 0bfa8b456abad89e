"""Let a colleague decide while somebody is away."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from src.application.approvals.desk import look_again, review_requests
from src.application.approvals.subject import Subjects
from src.application.ports.clock import Clock, IdFactory
from src.application.transactions import Transactions
from src.domain.approvals.delegation import Delegation
from src.domain.identity.actor import PERMISSIONS, Actor, Permission
from src.domain.identity.user import RoleNotYours
from src.domain.shared.errors import invalid_field
from src.domain.shared.ids import DelegationId, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateDelegationCommand:
    """*from_user_id* None: the actor's own. Days are the organisation's, both included."""

    to_user_id: UserId
    starts_on: date
    ends_on: date
    reason: str = ""
    from_user_id: UserId | None = None


class CreateDelegation:
    """One's own, or with the right to manage users anybody's.

    Raises UserNotFound, PermissionMissing, RoleNotYours, Invalid, DelegationOverlaps.
    """

    def __init__(self, transactions: Transactions, clock: Clock, ids: IdFactory, subjects: Subjects) -> None:
        self._transactions, self._clock, self._ids, self._subjects = transactions, clock, ids, subjects

    async def __call__(self, actor: Actor, command: CreateDelegationCommand) -> Delegation:
        now = self._clock.now()
        away = command.from_user_id or actor.person
        delegation = Delegation(
            id=DelegationId(self._ids.new()),
            from_user_id=away,
            to_user_id=command.to_user_id,
            starts_on=command.starts_on,
            ends_on=command.ends_on,
            created_at=now,
            reason=command.reason,
        )
        async with self._transactions.begin(actor, Permission.DECIDE_APPROVALS) as uow:
            if away != actor.person:
                actor.require(Permission.MANAGE_USERS)
            organization = await uow.organizations.current()
            if delegation.ends_on < now.astimezone(organization.zone).date():
                raise invalid_field("ends_on", "This day is over.")
            absent, delegate = await uow.users.get(away), await uow.users.get(command.to_user_id)
            if away != actor.person and not PERMISSIONS[absent.role] <= actor.permissions:
                raise RoleNotYours("Whoever may more than you delegates for themselves.")
            if away != actor.person and delegate.id == actor.person:
                raise invalid_field("to_user_id", "Nobody makes themselves the delegate of somebody else.")
            if not absent.may(Permission.DECIDE_APPROVALS):
                raise invalid_field("from_user_id", "Whoever may not decide has nothing to delegate.")
            if not delegate.may(Permission.DECIDE_APPROVALS):
                raise invalid_field("to_user_id", "A delegate is active and may decide approvals.")
            delegation.check_adds_to(await uow.delegations.counting(lock=True))
            stored = await uow.delegations.save(delegation.create())
            await review_requests(uow, actor, self._subjects, self._ids, now)
            # Where it begins or ends later, who can decide what changes then.
            for day in (stored.starts_on, stored.ends_on + timedelta(days=1)):
                begins = datetime.combine(day, time(), organization.zone)
                if begins > now:
                    await look_again(uow, actor, self._ids, begins)
            await uow.commit()
        return stored


class EndDelegation:
    """At once. One's own, given or taken, or with the right to manage users anybody's.

    Raises DelegationNotFound, DelegationEnded, PermissionMissing.
    """

    def __init__(self, transactions: Transactions, clock: Clock, ids: IdFactory, subjects: Subjects) -> None:
        self._transactions, self._clock, self._ids, self._subjects = transactions, clock, ids, subjects

    async def __call__(self, actor: Actor, delegation_id: DelegationId) -> Delegation:
        now = self._clock.now()
        async with self._transactions.begin(actor, Permission.DECIDE_APPROVALS) as uow:
            delegation = await uow.delegations.get(delegation_id, lock=True)
            if actor.person not in {delegation.from_user_id, delegation.to_user_id}:
                actor.require(Permission.MANAGE_USERS)
            stored = await uow.delegations.save(delegation.end(now))
            await review_requests(uow, actor, self._subjects, self._ids, now)
            await uow.commit()
        return stored


class ListDelegations:
    """Everybody's: who stands for whom is no secret among colleagues."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor) -> Sequence[Delegation]:
        async with self._transactions.begin(actor, Permission.VIEW_APPROVALS) as uow:
            return await uow.delegations.all()
