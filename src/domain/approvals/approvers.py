"""Who may decide a step, and when enough have agreed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from src.domain.approvals.delegation import Delegation
from src.domain.approvals.policy import Quorum, StepRule
from src.domain.approvals.steps import Step
from src.domain.identity.actor import Permission
from src.domain.identity.user import User
from src.domain.shared.ids import UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvers:
    """The people of an organisation on one day, asked about one request.

    Eligible is who is active, has *permission*, is named by the step or has one of its roles, and is none of *excluded*
    (four eyes: the submitter and the last editor). A delegate must be active, have the permission and not be excluded
    either; for an excluded person nobody decides.
    """

    users: tuple[User, ...]
    delegations: tuple[Delegation, ...]
    permission: Permission
    excluded: frozenset[UserId]

    @classmethod
    def of(
        cls,
        users: Iterable[User],
        delegations: Iterable[Delegation],
        *,
        today: date,
        permission: Permission,
        excluded: Iterable[UserId],
    ) -> "Approvers":
        """*today* in the organisation's time zone."""
        return cls(
            users=tuple(users),
            delegations=tuple(one for one in delegations if one.counts_on(today)),
            permission=permission,
            excluded=frozenset(excluded),
        )

    def own(self, rule: StepRule, *, escalated: bool = False) -> tuple[User, ...]:
        """Those who decide in their own name."""
        roles = {*rule.roles, *(rule.escalate_to_roles if escalated else ())}
        named = {*rule.users, *(rule.escalate_to_users if escalated else ())}
        return tuple(user for user in self.users if self._may_decide(user) and (user.role in roles or user.id in named))

    def delegates(self, rule: StepRule, *, escalated: bool = False) -> tuple[tuple[User, UserId], ...]:
        """Those who decide for somebody else, each with that person."""
        own = {user.id for user in self.own(rule, escalated=escalated)}
        able = {user.id: user for user in self.users if self._may_decide(user)}
        return tuple(
            (able[one.to_user_id], one.from_user_id)
            for one in self.delegations
            if one.from_user_id in own and one.to_user_id in able
        )

    def persons(self, rule: StepRule, *, escalated: bool = False) -> tuple[User, ...]:
        """All who could decide, each once."""
        found = {user.id: user for user in self.own(rule, escalated=escalated)}
        found |= {user.id: user for user, _ in self.delegates(rule, escalated=escalated)}
        return tuple(found.values())

    def acts_for(self, user_id: UserId, step: Step) -> tuple[UserId, ...] | None:
        """For which absent approvers *user_id* would decide *step*; None when it is not theirs to decide."""
        escalated = step.escalated_at is not None
        absent = tuple(
            dict.fromkeys(
                away for delegate, away in self.delegates(step.rule, escalated=escalated) if delegate.id == user_id
            )
        )
        if absent or any(user.id == user_id for user in self.own(step.rule, escalated=escalated)):
            return absent
        return None

    def waiting_for(self, step: Step) -> tuple[User, ...]:
        """Those who could decide and have not."""
        escalated = step.escalated_at is not None
        decided = {given.user_id for given in step.decisions}
        return tuple(user for user in self.persons(step.rule, escalated=escalated) if user.id not in decided)

    def seats_of(self, user_id: UserId, rule: StepRule, *, escalated: bool = False) -> frozenset[UserId]:
        """The approvers for whom a yes of *user_id* could count: themselves, and those who have delegated to them."""
        own = {user.id for user in self.own(rule, escalated=escalated)} & {user_id}
        away = {absent for delegate, absent in self.delegates(rule, escalated=escalated) if delegate.id == user_id}
        return frozenset(own | away)

    def satisfied(self, step: Step) -> bool:
        """Whether enough distinct natural persons have agreed, each for an approver of their own.

        *All* are those who are eligible at this moment; each deputy whom the step has escalated to stands for one who is
        silent.
        """
        match step.rule.quorum:
            case Quorum.ANY:
                return bool(step.agreed)
            case Quorum.COUNT:
                return matched(step.seats) >= step.rule.count
            case Quorum.ALL:
                own = {user.id for user in self.own(step.rule)}
                escalated = step.escalated_at is not None
                deputies = {user.id for user in self.own(step.rule, escalated=escalated)} - own
                return bool(step.agreed) and len(own - step.covered) <= len(deputies & step.covered)

    def needed(self, rule: StepRule) -> int:
        """How many persons must agree, as it stands now."""
        match rule.quorum:
            case Quorum.ANY:
                return 1
            case Quorum.COUNT:
                return rule.count
            case Quorum.ALL:
                return max(len(self.own(rule)), 1)

    def can_decide(self, rule: StepRule) -> bool:
        """Whether those who are there could make enough."""
        persons = self.persons(rule)
        if rule.quorum is Quorum.COUNT:
            return matched([self.seats_of(user.id, rule) for user in persons]) >= rule.count
        return bool(persons)

    def can_satisfy(self, step: Step) -> bool:
        """Whether those who are left could still make enough."""
        waiting, escalated = self.waiting_for(step), step.escalated_at is not None
        if step.rule.quorum is Quorum.COUNT:
            coming = [self.seats_of(user.id, step.rule, escalated=escalated) for user in waiting]
            return matched([*step.seats, *coming]) >= step.rule.count
        return bool(waiting)

    def _may_decide(self, user: User) -> bool:
        return user.may(self.permission) and user.id not in self.excluded


def matched(seats: Sequence[frozenset[UserId]]) -> int:
    """How many of these persons can each be given an approver of their own, out of those that each may stand for."""
    taken: dict[UserId, int] = {}

    def place(person: int, tried: set[UserId]) -> bool:
        for seat in sorted(seats[person] - tried):
            tried.add(seat)
            if seat not in taken or place(taken[seat], tried):
                taken[seat] = person
                return True
        return False

    return sum(place(person, set()) for person in range(len(seats)))


def names_unknown(rules: Sequence[StepRule], users: Iterable[User]) -> bool:
    """Whether some rule names somebody who is none of *users*."""
    known = {user.id for user in users}
    return any(not rule.named <= known for rule in rules)
