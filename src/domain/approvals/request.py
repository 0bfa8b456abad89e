"""Approval requests: the steps that one submission needs, and what was decided."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self, TypedDict
from uuid import UUID

from src.domain.approvals.approvers import Approvers
from src.domain.approvals.carry_over import carried_over
from src.domain.approvals.conditions import Facts, FactValue
from src.domain.approvals.errors import (
    AlreadyDecided,
    NoEligibleApprover,
    NotAnApprover,
    ReasonMissing,
    RequestClosed,
    RequestContentChanged,
)
from src.domain.approvals.events import (
    ApprovalBlocked,
    ApprovalDecided,
    ApprovalEscalated,
    ApprovalReminded,
    ApprovalRequested,
    ApprovalUnblocked,
    ApprovalWithdrawn,
)
from src.domain.approvals.matching import PolicyResult
from src.domain.approvals.steps import CarriedOver, Decision, Step, StepStatus
from src.domain.identity.user import User
from src.domain.shared.calendar import instant_text
from src.domain.shared.change import Change
from src.domain.shared.ids import PolicyId, RequestId, UserId
from src.domain.shared.text import TextChecks

LONGEST_REASON = 2000
MOST_REMINDERS = 10

Due = Callable[[datetime, int], datetime]
"""When so many working hours have passed since an instant."""


class RequestStatus(StrEnum):
    """*blocked*: nobody is left who could decide some step; it goes on when somebody can, or is recalled."""

    OPEN = "open"
    BLOCKED = "blocked"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


LIVE = frozenset({RequestStatus.OPEN, RequestStatus.BLOCKED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is to be approved: a *kind* of thing, the resource that the audit knows it by, and its title for people.

    *revision* counts its submissions where they have numbers, and is 0 where they have not.
    """

    kind: str
    resource_type: str
    id: UUID
    title: str
    revision: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """One subject with exactly one content, and the facts that its policies may ask about."""

    subject: Subject
    content_digest: str
    submitted_by: UserId
    last_edited_by: UserId
    facts: Facts

    @property
    def excluded(self) -> frozenset[UserId]:
        """Four eyes: they do not decide about it."""
        return frozenset({self.submitted_by, self.last_edited_by})


class _About(TypedDict):
    """What every event of a request has."""

    resource_type: str
    resource_id: UUID
    at: datetime
    request_id: RequestId
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """A step that a submission needs: who could decide it, how many of them must, and what stands for it already."""

    result: PolicyResult
    step_order: int
    persons: tuple[User, ...]
    needed: int
    can_be_decided: bool
    carried_over: CarriedOver | None


def plan(
    submission: Submission,
    matched: Sequence[PolicyResult],
    *,
    approvers: Approvers,
    earlier: Sequence["ApprovalRequest"],
    at: datetime,
) -> tuple[PlannedStep, ...]:
    """The steps of all *matched* policies. The same for a preview and for the real thing, so that they cannot disagree."""
    planned = []
    for result in matched:
        for order, rule in enumerate(result.policy.steps):
            carried = carried_over(
                result.policy,
                order,
                facts=submission.facts,
                content_digest=submission.content_digest,
                earlier=earlier,
                approvers=approvers,
                at=at,
            )
            step = PlannedStep(
                result=result,
                step_order=order,
                persons=approvers.persons(rule),
                needed=approvers.needed(rule),
                can_be_decided=carried is not None or approvers.can_decide(rule),
                carried_over=carried,
            )
            planned.append(step)
    return tuple(planned)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRequest:
    """The question whether one subject, with exactly this content, may go on.

    Open are the steps of the lowest unfinished place (chain, then step). One rejection ends the request.
    """

    id: RequestId
    subject: Subject
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
        submission: Submission,
        steps: Sequence[PlannedStep],
        *,
        request_id: RequestId,
        due: Due,
        at: datetime,
    ) -> Change[Self]:
        """Ask for *steps*; approved at once when all of them are carried over. Raises NoEligibleApprover naming the step."""
        for one in steps:
            _check_can_be_decided(one)
        made = tuple(_step(one) for one in steps)
        request = cls(
            id=request_id,
            subject=submission.subject,
            content_digest=submission.content_digest,
            submitted_by=submission.submitted_by,
            last_edited_by=submission.last_edited_by,
            facts=tuple(sorted(submission.facts.items())),
            steps=_opened(made, due, at),
            status=RequestStatus.OPEN if any(step.unfinished for step in made) else RequestStatus.APPROVED,
            created_at=at,
        )
        requested = ApprovalRequested(
            **request._about(at),
            steps=tuple(step.name for step in made),
            carried_over=tuple(step.name for step in made if step.carried_over is not None),
        )
        return Change(None, request, (requested,))

    @property
    def live(self) -> bool:
        return self.status in LIVE

    @property
    def judged_at(self) -> datetime | None:
        """When somebody last decided something about it; None when nobody has."""
        return max((given.at for step in self.steps for given in step.decisions), default=None)

    @property
    def excluded(self) -> frozenset[UserId]:
        return frozenset({self.submitted_by, self.last_edited_by})

    @property
    def open_steps(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.status is StepStatus.OPEN)

    def waits_for(self, user_id: UserId, approvers: Approvers) -> tuple[Step, ...]:
        """The open steps that *user_id* could decide and has not."""
        return tuple(self.steps[position] for position in self._positions_for(user_id, approvers, None))

    def decide(
        self,
        user_id: UserId,
        *,
        approvers: Approvers,
        approved: bool,
        reason: str,
        content_digest: str,
        due: Due,
        at: datetime,
        step: str | None = None,
    ) -> Change[Self] | None:
        """*user_id* says yes or no to the open steps that are theirs, or to one; None when they had said just that before.

        *step* is the key of one step; without it a yes counts for all that are open and theirs, once: for a step that opens
        later it must be given.
        Raises RequestContentChanged, ReasonMissing (a rejection), NotAnApprover, AlreadyDecided, RequestClosed.
        """
        if content_digest != self.content_digest:
            raise RequestContentChanged(
                "This is not what you looked at; read it again.", content_digest=self.content_digest
            )
        _check_reason(reason, required=not approved)
        positions = self._positions_for(user_id, approvers, step)
        if approved and step is None and any(user_id in one.agreed for one in self.steps):
            positions = []  # Said again. A further step, which has opened since, is named.
        if not positions:
            self._explain_refusal(user_id, approvers, approved=approved, key=step)
            return None
        steps: list[Step] = list(self.steps)
        events: list[ApprovalDecided] = []
        for position in positions if approved else positions[:1]:
            absent = approvers.acts_for(user_id, steps[position]) or ()
            decision = Decision(
                user_id=user_id,
                approved=approved,
                reason=reason,
                at=at,
                content_digest=content_digest,
                on_behalf_of=absent,
                in_own_name=user_id
                in approvers.seats_of(
                    user_id, steps[position].rule, escalated=steps[position].escalated_at is not None
                ),
            )
            given = steps[position].with_decision(decision, satisfied=False)
            steps[position] = steps[position].with_decision(decision, satisfied=approvers.satisfied(given))
            events.append(
                ApprovalDecided(
                    **self._about(at),
                    step=given.name,
                    approved=approved,
                    reason=reason,
                    content_digest=content_digest,
                    on_behalf_of=absent,
                )
            )
        return Change(self, self._after(tuple(steps), due, at, approved=approved), tuple(events))

    def withdraw(self, *, at: datetime) -> Change[Self]:
        """What was submitted has been taken back; decisions stay as they were given. Raises RequestClosed."""
        self._check_live()
        withdrawn = ApprovalWithdrawn(**self._about(at))
        return Change(self, replace(self, status=RequestStatus.WITHDRAWN, steps=_obsolete(self.steps)), (withdrawn,))

    def next_escalation(self) -> datetime | None:
        """When the next of its open steps is due."""
        due = [step.escalates_at for step in self.open_steps if step.escalates_at and step.escalated_at is None]
        return min(due, default=None) if self.live else None

    def escalate(self, *, at: datetime) -> Change[Self] | None:
        """Let the deputies of all open steps decide whose time has come; None when there is none."""
        due = [step for step in self.open_steps if _is_due(step, at)]
        if not due or not self.live:
            return None
        keys = {step.key for step in due}
        steps = tuple(replace(step, escalated_at=at) if step.key in keys else step for step in self.steps)
        events = tuple(ApprovalEscalated(**self._about(at), step=step.name) for step in due)
        return Change(self, replace(self, steps=steps), events)

    def remind(self, key: str, *, number: int, at: datetime) -> Change[Self] | None:
        """Count the reminder *number* of the open step *key*; None when it is not open or was reminded by then."""
        step = next((one for one in self.open_steps if one.key == key), None)
        if step is None or not self.live or step.reminders + 1 != number or number > MOST_REMINDERS:
            return None
        steps = tuple(replace(one, reminders=number) if one.key == key else one for one in self.steps)
        return Change(self, replace(self, steps=steps), (ApprovalReminded(**self._about(at), step=step.name),))

    def review(self, approvers: Approvers, *, at: datetime) -> Change[Self] | None:
        """Block it when nobody is left who could decide some unfinished step, unblock it when somebody is; else None."""
        if not self.live:
            return None
        stuck = next((step for step in self.steps if step.unfinished and not approvers.can_satisfy(step)), None)
        if stuck is not None and self.status is RequestStatus.OPEN:
            blocked = ApprovalBlocked(**self._about(at), step=stuck.name)
            return Change(self, replace(self, status=RequestStatus.BLOCKED), (blocked,))
        if stuck is None and self.status is RequestStatus.BLOCKED:
            unblocked = ApprovalUnblocked(**self._about(at))
            return Change(self, replace(self, status=RequestStatus.OPEN), (unblocked,))
        return None

    def _after(self, steps: tuple[Step, ...], due: Due, at: datetime, *, approved: bool) -> Self:
        if not approved:
            return replace(self, steps=_obsolete(steps), status=RequestStatus.REJECTED)
        opened = _opened(steps, due, at)
        done = all(step.status is StepStatus.APPROVED for step in opened)
        return replace(self, steps=opened, status=RequestStatus.APPROVED if done else self.status)

    def _positions_for(self, user_id: UserId, approvers: Approvers, key: str | None) -> list[int]:
        return [
            position
            for position, step in enumerate(self.steps)
            if step.status is StepStatus.OPEN
            and key in {None, step.key}
            and step.last_decision_of(user_id) is None
            and approvers.acts_for(user_id, step) is not None
        ]

    def _explain_refusal(self, user_id: UserId, approvers: Approvers, *, approved: bool, key: str | None) -> None:
        """Say why *user_id* has nothing to decide; silent when their last decision here was the same."""
        steps = [step for step in self.steps if key in {None, step.key}]
        given = [decision for step in steps for decision in step.decisions]
        own = [decision for decision in given if decision.user_id == user_id]
        if own and own[-1].approved == approved:
            return
        theirs = [one for step in steps if approvers.acts_for(user_id, step) is not None for one in step.decisions]
        if own or theirs:
            last = own[-1] if own else max(theirs, key=lambda decision: decision.at)
            raise AlreadyDecided(
                "This step has already been decided.",
                decided_by=str(last.user_id),
                decided_at=instant_text(last.at),
                approved=last.approved,
            )
        self._check_live()
        raise NotAnApprover("No open step of this approval is yours to decide.")

    def _check_live(self) -> None:
        if not self.live:
            raise RequestClosed(f"This approval is already {self.status.value}.", status=self.status.value)

    def _about(self, at: datetime) -> _About:
        return {
            "resource_type": self.subject.resource_type,
            "resource_id": self.subject.id,
            "at": at,
            "request_id": self.id,
            "revision": self.subject.revision,
        }


def _check_can_be_decided(step: PlannedStep) -> None:
    if step.can_be_decided:
        return
    policy = step.result.policy
    rule = policy.steps[step.step_order]
    raise NoEligibleApprover(
        f"«{rule.name}» of the policy «{policy.name}» needs {step.needed} approver(s) other than the submitter and "
        f"the last editor, and {len(step.persons)} can decide.",
        policy=policy.name,
        step=rule.name,
    )


def _step(planned: PlannedStep) -> Step:
    policy = planned.result.policy
    return Step(
        policy_id=policy.id,
        policy_version=policy.version,
        policy_name=policy.name,
        chain_order=policy.order,
        step_order=planned.step_order,
        rule=policy.steps[planned.step_order],
        status=StepStatus.WAITING if planned.carried_over is None else StepStatus.APPROVED,
        carried_over=planned.carried_over,
    )


def _opened(steps: tuple[Step, ...], due: Due, at: datetime) -> tuple[Step, ...]:
    """Open the steps of the lowest unfinished chain order; in each of its chains those of the lowest unfinished step."""
    unfinished = [step for step in steps if step.unfinished]
    if not unfinished:
        return steps
    chain = min(step.chain_order for step in unfinished)
    first_of: dict[PolicyId, int] = {}
    for step in unfinished:
        if step.chain_order == chain:
            first_of[step.policy_id] = min(step.step_order, first_of.get(step.policy_id, step.step_order))
    return tuple(
        _open_step(step, due, at)
        if step.status is StepStatus.WAITING and first_of.get(step.policy_id) == step.step_order
        else step
        for step in steps
    )


def _open_step(step: Step, due: Due, at: datetime) -> Step:
    hours = step.rule.escalate_after_hours
    return replace(step, status=StepStatus.OPEN, opened_at=at, escalates_at=None if hours is None else due(at, hours))


def _is_due(step: Step, at: datetime) -> bool:
    return step.escalates_at is not None and step.escalated_at is None and step.escalates_at <= at


def _obsolete(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    return tuple(replace(step, status=StepStatus.OBSOLETE) if step.unfinished else step for step in steps)


def _check_reason(reason: str, *, required: bool) -> None:
    checks = TextChecks()
    checks.paragraphs("reason", reason, longest=LONGEST_REASON)
    checks.done()
    if required and not reason.strip():
        raise ReasonMissing("A rejection needs a reason.")
