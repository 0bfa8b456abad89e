"""Approval requests: the steps that one submitted revision needs, and what was decided."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from src.domain.approvals.errors import (
    AlreadyDecided,
    NoEligibleApprover,
    NotAnApprover,
    ReasonMissing,
    RequestClosed,
    RequestContentChanged,
)
from src.domain.approvals.events import ApprovalDecided, ApprovalRequested, ApprovalWithdrawn
from src.domain.approvals.matching import PolicyResult
from src.domain.approvals.policy import Facts, FactValue, Quorum
from src.domain.identity.actor import Permission, Role
from src.domain.identity.user import User
from src.domain.shared.change import Change
from src.domain.shared.ids import PolicyId, QuoteId, RequestId, UserId
from src.domain.shared.text import TextChecks

LONGEST_REASON = 2000


class RequestStatus(StrEnum):
    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class StepStatus(StrEnum):
    WAITING = "waiting"
    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    OBSOLETE = "obsolete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What one person said about exactly one content. It is never rewritten."""

    user_id: UserId
    approved: bool
    reason: str
    at: datetime
    content_digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step as the policy's version of that day asked for it. *needed* persons must agree."""

    policy_id: PolicyId
    policy_version: int
    policy_name: str
    chain_order: int
    step_order: int
    name: str
    roles: tuple[Role, ...]
    users: tuple[UserId, ...]
    needed: int
    status: StepStatus
    decisions: tuple[Decision, ...] = ()

    @property
    def place(self) -> tuple[int, int]:
        return self.chain_order, self.step_order

    def decided(self, decision: Decision) -> "Step":
        decisions = (*self.decisions, decision)
        if not decision.approved:
            status = StepStatus.REJECTED
        elif sum(given.approved for given in decisions) >= self.needed:
            status = StepStatus.APPROVED
        else:
            status = StepStatus.OPEN
        return replace(self, decisions=decisions, status=status)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRequest:
    """The question whether one revision, with exactly this content, may be sent.

    Open are the steps of the lowest unfinished place (chain, then step). One rejection ends the request.
    """

    id: RequestId
    quote_id: QuoteId
    revision: int
    content_digest: str
    submitted_by: UserId
    last_edited_by: UserId
    facts: tuple[tuple[str, FactValue], ...]
    steps: tuple[Step, ...]
    status: RequestStatus
    created_at: datetime
    version: int = 0

    @classmethod
    def open(
        cls,
        *,
        request_id: RequestId,
        quote_id: QuoteId,
        revision: int,
        content_digest: str,
        submitted_by: UserId,
        last_edited_by: UserId,
        facts: Facts,
        matched: Sequence[PolicyResult],
        users: Sequence[User],
        at: datetime,
    ) -> Change[Self]:
        """Ask for the steps of all *matched* policies. Raises NoEligibleApprover naming the step that nobody can decide."""
        excluded = frozenset({submitted_by, last_edited_by})
        steps = tuple(
            _step(result, index, users=users, excluded=excluded)
            for result in matched
            for index in range(len(result.policy.steps))
        )
        request = cls(
            id=request_id,
            quote_id=quote_id,
            revision=revision,
            content_digest=content_digest,
            submitted_by=submitted_by,
            last_edited_by=last_edited_by,
            facts=tuple(sorted(facts.items())),
            steps=_opened(steps),
            status=RequestStatus.OPEN,
            created_at=at,
        )
        requested = ApprovalRequested(
            resource_id=quote_id,
            at=at,
            request_id=request_id,
            revision=revision,
            steps=tuple(step.name for step in steps),
        )
        return Change(None, request, (requested,))

    def decide(
        self, user: User, *, approved: bool, reason: str, content_digest: str, at: datetime
    ) -> Change[Self] | None:
        """*user* says yes or no to the first open step that is theirs to decide; None when they had said just that before.

        Raises RequestContentChanged, ReasonMissing (a rejection), NotAnApprover, AlreadyDecided, RequestClosed.
        """
        if content_digest != self.content_digest:
            raise RequestContentChanged(
                "The quote is not what you looked at; read it again.", content_digest=self.content_digest
            )
        _check_reason(reason, required=not approved)
        position = self._position_for(user)
        if position is None:
            self._explain_refusal(user, approved=approved)
            return None
        decision = Decision(user_id=user.id, approved=approved, reason=reason, at=at, content_digest=content_digest)
        steps = list(self.steps)
        steps[position] = step = steps[position].decided(decision)
        decided = ApprovalDecided(
            resource_id=self.quote_id,
            at=at,
            request_id=self.id,
            revision=self.revision,
            step=step.name,
            approved=approved,
            reason=reason,
            content_digest=content_digest,
        )
        return Change(self, self._after(tuple(steps), approved=approved), (decided,))

    def withdraw(self, *, at: datetime) -> Change[Self]:
        """The submitter has recalled the quote; decisions stay as they were given. Raises RequestClosed."""
        self._check_open()
        withdrawn = ApprovalWithdrawn(resource_id=self.quote_id, at=at, request_id=self.id, revision=self.revision)
        return Change(self, replace(self, status=RequestStatus.WITHDRAWN, steps=_obsolete(self.steps)), (withdrawn,))

    def _after(self, steps: tuple[Step, ...], *, approved: bool) -> Self:
        if not approved:
            return replace(self, steps=_obsolete(steps), status=RequestStatus.REJECTED)
        opened = _opened(steps)
        done = all(step.status is StepStatus.APPROVED for step in opened)
        return replace(self, steps=opened, status=RequestStatus.APPROVED if done else RequestStatus.OPEN)

    def _position_for(self, user: User) -> int | None:
        excluded = frozenset({self.submitted_by, self.last_edited_by})
        return next(
            (
                position
                for position, step in enumerate(self.steps)
                if step.status is StepStatus.OPEN
                and _is_eligible(user, step.roles, step.users, excluded)
                and all(given.user_id != user.id for given in step.decisions)
            ),
            None,
        )

    def _explain_refusal(self, user: User, *, approved: bool) -> None:
        """Say why *user* has nothing to decide; silent when their last decision here was the same."""
        given = [decision for step in self.steps for decision in step.decisions]
        own = [decision for decision in given if decision.user_id == user.id]
        if own and own[-1].approved == approved:
            return
        if own or (given and self._was_theirs(user)):
            last = own[-1] if own else given[-1]
            raise AlreadyDecided(
                "This step has already been decided.",
                decided_by=str(last.user_id),
                decided_at=last.at.isoformat(),
                approved=last.approved,
            )
        self._check_open()
        raise NotAnApprover("No open step of this approval is yours to decide.")

    def _was_theirs(self, user: User) -> bool:
        excluded = frozenset({self.submitted_by, self.last_edited_by})
        return any(step.decisions and _is_eligible(user, step.roles, step.users, excluded) for step in self.steps)

    def _check_open(self) -> None:
        if self.status is not RequestStatus.OPEN:
            raise RequestClosed(f"This approval is already {self.status.value}.", status=self.status.value)


def eligible(
    users: Sequence[User], roles: Sequence[Role], named: Sequence[UserId], excluded: frozenset[UserId]
) -> tuple[User, ...]:
    """Those who can decide: active, with the permission, asked for, and none of *excluded* (four eyes)."""
    return tuple(user for user in users if _is_eligible(user, roles, named, excluded))


def _is_eligible(user: User, roles: Sequence[Role], named: Sequence[UserId], excluded: frozenset[UserId]) -> bool:
    return (
        user.may(Permission.DECIDE_APPROVALS) and (user.role in roles or user.id in named) and user.id not in excluded
    )


def _step(result: PolicyResult, index: int, *, users: Sequence[User], excluded: frozenset[UserId]) -> Step:
    policy, rule = result.policy, result.policy.steps[index]
    can_decide = len(eligible(users, rule.roles, rule.users, excluded))
    needed = {Quorum.ANY: 1, Quorum.ALL: max(can_decide, 1), Quorum.COUNT: rule.count}[rule.quorum]
    if can_decide < needed:
        raise NoEligibleApprover(
            f"«{rule.name}» of the policy «{policy.name}» needs {needed} approver(s) other than the submitter and "
            f"the last editor, and {can_decide} can decide.",
            policy=policy.name,
            step=rule.name,
        )
    return Step(
        policy_id=policy.id,
        policy_version=policy.version,
        policy_name=policy.name,
        chain_order=policy.order,
        step_order=index,
        name=rule.name,
        roles=rule.roles,
        users=rule.users,
        needed=needed,
        status=StepStatus.WAITING,
    )


def _opened(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Open the steps of the lowest unfinished chain order; in each of its chains those of the lowest unfinished step."""
    unfinished = [step for step in steps if step.status in {StepStatus.WAITING, StepStatus.OPEN}]
    if not unfinished:
        return steps
    chain = min(step.chain_order for step in unfinished)
    first_of: dict[PolicyId, int] = {}
    for step in unfinished:
        if step.chain_order == chain:
            first_of[step.policy_id] = min(step.step_order, first_of.get(step.policy_id, step.step_order))
    return tuple(
        replace(step, status=StepStatus.OPEN)
        if step.status is StepStatus.WAITING
        and step.chain_order == chain
        and first_of.get(step.policy_id) == step.step_order
        else step
        for step in steps
    )


def _obsolete(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    return tuple(
        replace(step, status=StepStatus.OBSOLETE) if step.status in {StepStatus.WAITING, StepStatus.OPEN} else step
        for step in steps
    )


def _check_reason(reason: str, *, required: bool) -> None:
    checks = TextChecks()
    checks.paragraphs("reason", reason, longest=LONGEST_REASON)
    checks.done()
    if required and not reason.strip():
        raise ReasonMissing("A rejection needs a reason.")
