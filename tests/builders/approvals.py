"""Approval requests for tests: asked of some people, and decided by them."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from src.application.approvals.subject import known_subjects
from src.domain.approvals.approvers import Approvers
from src.domain.approvals.conditions import FactValue
from src.domain.approvals.delegation import Delegation
from src.domain.approvals.matching import evaluate
from src.domain.approvals.policy import ApprovalPolicy
from src.domain.approvals.request import ApprovalRequest, Subject, Submission, plan
from src.domain.approvals.simulation import Simulation
from src.domain.identity.actor import Permission
from src.domain.identity.user import User
from src.domain.shared.change import Change
from src.domain.shared.ids import DelegationId, RequestId, SimulationId, UserId
from tests.builders.quotes import NOON

DIGEST = "d" * 64
TODAY = NOON.date()
SUBJECTS = known_subjects()


def due(start: datetime, hours: int) -> datetime:
    """For people who never sleep."""
    return start + timedelta(hours=hours)


def a_subject(subject_id: UUID | None = None, revision: int = 1) -> Subject:
    identity = uuid4() if subject_id is None else subject_id
    return Subject(kind="quote", resource_type="quote", id=identity, title="Q-2026-000001", revision=revision)


def a_submission(submitter: UUID, editor: UUID | None = None, **changes: Any) -> Submission:
    values: dict[str, Any] = {
        "subject": a_subject(),
        "content_digest": DIGEST,
        "submitted_by": UserId(submitter),
        "last_edited_by": UserId(editor or submitter),
        "facts": {},
    }
    return Submission(**values | changes)


def a_delegation(away: User, delegate: User, starts: date = TODAY, days: int = 1) -> Delegation:
    return Delegation(
        id=DelegationId(uuid4()),
        from_user_id=away.id,
        to_user_id=delegate.id,
        starts_on=starts,
        ends_on=starts + timedelta(days=days - 1),
        created_at=NOON,
    )


def a_simulation(draft: ApprovalPolicy, by: UserId) -> Simulation:
    """Over no time at all."""
    return Simulation(
        id=SimulationId(uuid4()), draft=draft, since=NOON, before=NOON, created_at=NOON, created_by=by, records=0
    )


def approvers_of(
    users: Sequence[User],
    excluded: Sequence[UserId] = (),
    delegations: Sequence[Delegation] = (),
    today: date = TODAY,
) -> Approvers:
    return Approvers.of(
        users, delegations, today=today, permission=Permission.DECIDE_APPROVALS, excluded=frozenset(excluded)
    )


def asked(
    submission: Submission,
    policies: Sequence[ApprovalPolicy],
    users: Sequence[User],
    *,
    earlier: Sequence[ApprovalRequest] = (),
    delegations: Sequence[Delegation] = (),
    at: datetime = NOON,
) -> Change[ApprovalRequest]:
    """As the engine does it."""
    facts: Mapping[str, FactValue] = submission.facts
    matched = [result for result in evaluate(facts, policies) if result.matched]
    approvers = approvers_of(users, tuple(submission.excluded), delegations, at.date())
    steps = plan(submission, matched, approvers=approvers, earlier=earlier, at=at)
    return ApprovalRequest.open(submission, steps, request_id=RequestId(uuid4()), due=due, at=at)


def decision(
    request: ApprovalRequest,
    user: User,
    users: Sequence[User],
    *,
    approved: bool = True,
    reason: str = "Because.",
    digest: str = DIGEST,
    delegations: Sequence[Delegation] = (),
    at: datetime = NOON,
    step: str | None = None,
) -> Change[ApprovalRequest] | None:
    return request.decide(
        user.id,
        approvers=approvers_of(users, tuple(request.excluded), delegations, at.date()),
        approved=approved,
        reason=reason,
        content_digest=digest,
        due=due,
        at=at,
        step=step,
    )
