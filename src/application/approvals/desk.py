"""The engine: what asking, deciding, withdrawing and reviewing have in common, whatever the subject is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from src.application.approvals.subject import ApprovalSubject, Subjects
from src.application.ports.clock import IdFactory
from src.application.ports.jobs import Job
from src.application.ports.unit_of_work import UnitOfWork
from src.domain.approvals.approvers import Approvers
from src.domain.approvals.delegation import Delegation
from src.domain.approvals.errors import RequestContentChanged, RequestNotFound
from src.domain.approvals.matching import PolicyResult, asking, evaluate
from src.domain.approvals.policy import ApprovalPolicy
from src.domain.approvals.request import ApprovalRequest, PlannedStep, RequestStatus, Submission, plan
from src.domain.approvals.simulation import FactRecord
from src.domain.approvals.steps import Step, StepStatus
from src.domain.identity.actor import Actor, Permission
from src.domain.identity.organization import Organization
from src.domain.identity.user import User
from src.domain.shared.change import Change
from src.domain.shared.ids import FactRecordId, PolicyId, RequestId, UserId

TELL_APPROVERS = "tell_approvers"
TELL_DEPUTIES = "tell_deputies"
TELL_SUBMITTER = "tell_submitter"
TELL_POLICY_OWNER = "tell_policy_owner"
REMIND_APPROVERS = "remind_approvers"
ESCALATE_APPROVAL = "escalate_approval"
REVIEW_APPROVALS = "review_approvals"


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """The organisation and its people, read once for a unit of work."""

    organization: Organization
    users: Sequence[User]
    delegations: Sequence[Delegation]
    now: datetime

    @classmethod
    async def read(cls, uow: UnitOfWork, now: datetime) -> "People":
        return cls(
            organization=await uow.organizations.current(),
            users=await uow.users.all(),
            delegations=await uow.delegations.counting(),
            now=now,
        )

    def approvers(self, permission: Permission, excluded: frozenset[UserId]) -> Approvers:
        return Approvers.of(
            self.users,
            self.delegations,
            today=self.now.astimezone(self.organization.zone).date(),
            permission=permission,
            excluded=excluded,
        )

    def due(self, start: datetime, hours: int) -> datetime:
        """When *hours* of the organisation's working time have passed since *start*."""
        return self.organization.working_calendar.after(start, hours, self.organization.zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What a submission would need: every policy with its outcome, and the steps of those that match."""

    results: tuple[PolicyResult, ...]
    steps: tuple[PlannedStep, ...]


async def look_ahead(uow: UnitOfWork, kind: ApprovalSubject, submission: Submission, people: People) -> Outlook:
    """The one evaluation that serves submitting and previews alike."""
    policies = [policy for policy in await uow.policies.all() if policy.subject == kind.kind]
    results = evaluate(submission.facts, policies)
    matched = asking(submission.facts, results, kind.otherwise)
    subject = submission.subject
    steps = plan(
        submission,
        matched,
        approvers=people.approvers(kind.permission, submission.excluded),
        earlier=await uow.approvals.of_subject(subject.kind, subject.id) if matched else (),
        at=people.now,
    )
    return Outlook(results=results, steps=steps)


class ApprovalDesk:
    """Works inside the unit of work of some use case, in the name of *actor*. *quiet*: nobody is mailed."""

    def __init__(self, uow: UnitOfWork, actor: Actor, ids: IdFactory, people: People, *, quiet: bool = False) -> None:
        self._uow, self._actor, self._ids, self._people, self._quiet = uow, actor, ids, people, quiet

    @property
    def now(self) -> datetime:
        return self._people.now

    async def ask(
        self, kind: ApprovalSubject, submission: Submission, outlook: Outlook | None = None
    ) -> ApprovalRequest | None:
        """Keep the facts, and ask whoever must be asked; None when no policy wants anybody. *outlook* when it is known.

        The answer may be approved already, when all that is needed was carried over; *kind* has been told then.
        Raises NoEligibleApprover.
        """
        now = self._people.now
        outlook = outlook or await look_ahead(self._uow, kind, submission, self._people)
        opening = None
        if outlook.steps:
            request_id = RequestId(self._ids.new())
            opening = ApprovalRequest.open(
                submission, outlook.steps, request_id=request_id, due=self._people.due, at=now
            )
        record = FactRecord(
            id=FactRecordId(self._ids.new()),
            subject=submission.subject,
            facts=tuple(sorted(submission.facts.items())),
            submitted_by=submission.submitted_by,
            last_edited_by=submission.last_edited_by,
            at=now,
        )
        await self._uow.fact_records.add(record)
        return None if opening is None else await self.save(kind, opening)

    async def decide(
        self,
        kind: ApprovalSubject,
        request: ApprovalRequest,
        *,
        approved: bool,
        content_digest: str | None,
        reason: str,
        step: str | None = None,
    ) -> ApprovalRequest:
        """The actor's decision; the same again changes nothing. The subject must be locked.

        Raises RequestContentChanged, ReasonMissing, NotAnApprover, AlreadyDecided, RequestClosed.
        """
        decision = request.decide(
            self._actor.person,
            approvers=self._people.approvers(kind.permission, request.excluded),
            approved=approved,
            reason=reason,
            content_digest=request.content_digest if content_digest is None else content_digest,
            due=self._people.due,
            at=self._people.now,
            step=step,
        )
        return request if decision is None else await self.save(kind, decision, reason=reason)

    def waiting(self, kind: ApprovalSubject, request: ApprovalRequest) -> tuple[Step, ...]:
        """The steps that the actor could decide now and has not."""
        if not request.live:
            return ()
        return request.waits_for(self._actor.person, self._people.approvers(kind.permission, request.excluded))

    async def save(
        self, kind: ApprovalSubject, change: Change[ApprovalRequest], *, reason: str = ""
    ) -> ApprovalRequest:
        """Store it, tell *kind* how it ended, and have those mailed who are concerned."""
        review = change.after.review(
            self._people.approvers(kind.permission, change.after.excluded), at=self._people.now
        )
        stored = await self._uow.approvals.save(change if review is None else change.then(review))
        if stored.status is RequestStatus.APPROVED:
            await kind.approve(self._uow, stored, self._people.now)
        elif stored.status is RequestStatus.REJECTED:
            await kind.reject(self._uow, stored, reason, self._people.now)
        await self._follow_up(change.before, stored)
        return stored

    async def _follow_up(self, before: ApprovalRequest | None, after: ApprovalRequest) -> None:
        known = {} if before is None else {step.key: step for step in before.steps}
        for step in after.open_steps:
            was = known.get(step.key)
            if was is None or was.status is not StepStatus.OPEN:
                await self._opened(after, step)
            elif step.escalated_at is not None and was.escalated_at is None:
                await self._mail(TELL_DEPUTIES, after, step.key)
            elif before is not None and before.status is RequestStatus.BLOCKED and after.status is RequestStatus.OPEN:
                await self._mail(TELL_APPROVERS, after, f"{step.key}#{after.version}")  # Others than were told first.
        if after.status is not (None if before is None else before.status):
            if after.status is RequestStatus.BLOCKED:
                await self._mail(TELL_POLICY_OWNER, after)
            elif before is not None and after.status in {RequestStatus.APPROVED, RequestStatus.REJECTED}:
                await self._mail(TELL_SUBMITTER, after)

    async def _opened(self, request: ApprovalRequest, step: Step) -> None:
        await self._mail(TELL_APPROVERS, request, step.key)
        if step.escalates_at is not None:
            await self.enqueue(ESCALATE_APPROVAL, request.id, not_before=step.escalates_at)
        if step.rule.remind_after_hours is not None and not self._quiet:
            due = self._people.due(self._people.now, step.rule.remind_after_hours)
            await self.enqueue(REMIND_APPROVERS, request.id, detail=f"{step.key}#1", not_before=due)

    async def _mail(self, name: str, request: ApprovalRequest, detail: str = "") -> None:
        if not self._quiet:
            await self.enqueue(name, request.id, detail=detail)

    async def enqueue(
        self, name: str, subject_id: UUID, *, detail: str = "", not_before: datetime | None = None
    ) -> None:
        job = Job.asked_by(self._actor, self._ids.new(), name, subject_id, detail=detail, not_before=not_before)
        await self._uow.jobs.enqueue(job)


async def withdraw_request(uow: UnitOfWork, subject: str, subject_id: UUID, at: datetime) -> None:
    """End the live request about it, if there is one."""
    try:
        request = await uow.approvals.latest(subject, subject_id)
    except RequestNotFound:
        return
    if request.live:
        await uow.approvals.save(request.withdraw(at=at))


async def lock_request(
    uow: UnitOfWork, subjects: Subjects, request_id: RequestId
) -> tuple[ApprovalSubject, ApprovalRequest]:
    """Both locked, the subject first, as everywhere. Raises RequestNotFound, RequestContentChanged."""
    seen = await uow.approvals.get(request_id)
    kind = subjects.get(seen.subject.kind)
    digest = await kind.lock(uow, seen.subject.id)
    request = await uow.approvals.get(request_id, lock=True)
    if request.live and digest is not None and digest != request.content_digest:
        raise RequestContentChanged("This has changed meanwhile; read it again.", content_digest=digest)
    return kind, request


async def approvers_changed(uow: UnitOfWork, actor: Actor, subjects: Subjects, ids: IdFactory, now: datetime) -> None:
    """Look at all live requests now, and once more a minute later: somebody may be submitting at this very moment."""
    await review_requests(uow, actor, subjects, ids, now)
    await look_again(uow, actor, ids, now + timedelta(minutes=1))


async def look_again(uow: UnitOfWork, actor: Actor, ids: IdFactory, at: datetime) -> None:
    """Have the worker review all live requests at *at*."""
    job = Job.asked_by(actor, ids.new(), REVIEW_APPROVALS, actor.organization_id, not_before=at)
    await uow.jobs.enqueue(job)


async def review_requests(uow: UnitOfWork, actor: Actor, subjects: Subjects, ids: IdFactory, now: datetime) -> None:
    """After people or their roles have changed: block what nobody can decide any more, unblock what somebody can."""
    live = await uow.approvals.live()
    if not live:
        return
    people = await People.read(uow, now)
    desk = ApprovalDesk(uow, actor, ids, people)
    for seen in live:
        kind = subjects.get(seen.subject.kind)
        approvers = people.approvers(kind.permission, seen.excluded)
        if seen.review(approvers, at=now) is None:
            continue
        request = await uow.approvals.get(seen.id, lock=True)
        change = request.review(approvers, at=now)
        if change is not None:
            await desk.save(kind, change)


def policies_of(request: ApprovalRequest, policies: Sequence[ApprovalPolicy]) -> Sequence[ApprovalPolicy]:
    """Those whose steps it still waits for."""
    wanted: set[PolicyId] = {step.policy_id for step in request.steps if step.unfinished}
    return [policy for policy in policies if policy.id in wanted]
