"""What the worker does for approvals: mails, reminders, escalations, and a second look after people have changed."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from src.application.approvals.desk import (
    ESCALATE_APPROVAL,
    REMIND_APPROVERS,
    REVIEW_APPROVALS,
    TELL_APPROVERS,
    TELL_DEPUTIES,
    TELL_POLICY_OWNER,
    TELL_SUBMITTER,
    ApprovalDesk,
    People,
    lock_request,
    policies_of,
    review_requests,
)
from src.application.approvals.subject import Subjects
from src.application.ports.clock import Clock, IdFactory
from src.application.ports.mail import ApprovalMail, ApprovalMailKind, Email, Mailer, MailRefused, MailTemplates
from src.application.transactions import Transactions
from src.domain.approvals.approvers import Approvers
from src.domain.approvals.errors import RequestContentChanged, RequestNotFound
from src.domain.approvals.request import MOST_REMINDERS, ApprovalRequest, RequestStatus
from src.domain.approvals.steps import Step, StepStatus
from src.domain.identity.actor import Actor, Permission, Role
from src.domain.identity.organization import Organization
from src.domain.identity.user import User
from src.domain.shared.ids import PolicyId, RequestId

APPROVAL_JOBS = (
    TELL_APPROVERS,
    TELL_DEPUTIES,
    TELL_SUBMITTER,
    TELL_POLICY_OWNER,
    REMIND_APPROVERS,
    ESCALATE_APPROVAL,
    REVIEW_APPROVALS,
)


_CLOCKS_APART: Final = timedelta(minutes=5)


class RunApprovalJob:
    """Each may be run again: what is over by then is left alone, and a doubled mail has the same Message-ID.

    Raises MailDeferred when it is worth another attempt.
    """

    def __init__(
        self,
        transactions: Transactions,
        subjects: Subjects,
        templates: MailTemplates,
        mailer: Mailer,
        clock: Clock,
        ids: IdFactory,
    ) -> None:
        self._transactions, self._subjects, self._templates = transactions, subjects, templates
        self._mailer, self._clock, self._ids = mailer, clock, ids

    async def __call__(self, actor: Actor, name: str, request_id: RequestId, detail: str) -> None:
        match name:
            case "escalate_approval":
                await self._escalate(actor, request_id)
            case "remind_approvers":
                await self._remind(actor, request_id, detail)
            case "review_approvals":
                async with self._transactions.begin(actor, Permission.RUN_APPROVALS) as uow:
                    await review_requests(uow, actor, self._subjects, self._ids, self._clock.now())
                    await uow.commit()
            case _:
                await self._tell(actor, name, request_id, detail)

    async def _escalate(self, actor: Actor, request_id: RequestId) -> None:
        now = self._clock.now()
        async with self._transactions.begin(actor, Permission.RUN_APPROVALS) as uow:
            try:
                kind, request = await lock_request(uow, self._subjects, request_id)
            except (RequestNotFound, RequestContentChanged):
                return
            desk = ApprovalDesk(uow, actor, self._ids, await People.read(uow, now))
            due = request.next_escalation()
            # The queue goes by the database's clock; ours may be a little behind.
            change = request.escalate(at=due if due is not None and now < due <= now + _CLOCKS_APART else now)
            if change is not None:
                await desk.save(kind, change)
            elif due is not None:
                await desk.enqueue(ESCALATE_APPROVAL, request_id, not_before=due)
            else:
                return
            await uow.commit()

    async def _remind(self, actor: Actor, request_id: RequestId, detail: str) -> None:
        key, _, number = detail.rpartition("#")
        now, count = self._clock.now(), int(number)
        async with self._transactions.begin(actor, Permission.RUN_APPROVALS) as uow:
            request = await uow.approvals.get(request_id, lock=True)
            people = await People.read(uow, now)
            change = request.remind(key, number=count, at=now)
            if change is not None:
                request = await uow.approvals.save(change)
                hours = next(step.rule.remind_after_hours for step in request.steps if step.key == key)
                if hours is not None and count < MOST_REMINDERS:
                    desk = ApprovalDesk(uow, actor, self._ids, people)
                    following = people.due(now, hours)
                    detail = f"{key}#{count + 1}"
                    await desk.enqueue(REMIND_APPROVERS, request_id, detail=detail, not_before=following)
                await uow.commit()
        # Also when an attempt before this one has counted it: its mails may not have gone out.
        step = _open_step(request, key)
        if step is not None and step.reminders == count:
            to = self._waiting(request, step, people)
            await self._mail(people.organization, request, ApprovalMailKind.REMINDER, to, step, occasion=f"r{count}")

    async def _tell(self, actor: Actor, name: str, request_id: RequestId, detail: str) -> None:
        key, _, again = detail.partition("#")
        async with self._transactions.begin(actor, Permission.RUN_APPROVALS) as uow:
            try:
                request = await uow.approvals.get(request_id)
            except RequestNotFound:
                return
            people = await People.read(uow, self._clock.now())
            policies = policies_of(request, await uow.policies.all())
        step, users = _open_step(request, key), {user.id: user for user in people.users}
        if name == TELL_POLICY_OWNER and request.status is RequestStatus.BLOCKED:
            stuck = self._stuck(request, people)
            responsible = [users.get(one.owner_id) for one in policies if one.owner_id and one.id in stuck]
            told = [user for user in responsible if user is not None and user.active]
            told = told or [user for user in people.users if user.role is Role.OWNER]
            occasion = f"blocked-{request.version}"
            await self._mail(people.organization, request, ApprovalMailKind.BLOCKED, told, None, occasion=occasion)
        elif name == TELL_SUBMITTER and request.status in {RequestStatus.APPROVED, RequestStatus.REJECTED}:
            kind = ApprovalMailKind(request.status.value)
            told = [users[request.submitted_by]] if request.submitted_by in users else []
            await self._mail(people.organization, request, kind, told, None, occasion="result")
        elif name in {TELL_APPROVERS, TELL_DEPUTIES} and step is not None:
            waiting = self._waiting(request, step, people)
            if name == TELL_DEPUTIES:
                before = {user.id for user in self._approvers(request, people).persons(step.rule)}
                waiting = [user for user in waiting if user.id not in before]
            kind = ApprovalMailKind.DEPUTY if name == TELL_DEPUTIES else ApprovalMailKind.REQUEST
            await self._mail(people.organization, request, kind, waiting, step, occasion=kind.value + again)

    def _approvers(self, request: ApprovalRequest, people: People) -> Approvers:
        return people.approvers(self._subjects.get(request.subject.kind).permission, request.excluded)

    def _stuck(self, request: ApprovalRequest, people: People) -> frozenset[PolicyId]:
        """The policies of the steps that nobody can decide."""
        approvers = self._approvers(request, people)
        return frozenset(
            step.policy_id for step in request.steps if step.unfinished and not approvers.can_satisfy(step)
        )

    def _waiting(self, request: ApprovalRequest, step: Step, people: People) -> list[User]:
        return list(self._approvers(request, people).waiting_for(step))

    async def _mail(
        self,
        organization: Organization,
        request: ApprovalRequest,
        kind: ApprovalMailKind,
        users: Sequence[User],
        step: Step | None,
        *,
        occasion: str,
    ) -> None:
        """To all of *users* who are active. A server that cannot now is tried again, with all of them."""
        reason = next((given.reason for one in request.steps for given in one.decisions if not given.approved), "")
        for user in users:
            if not user.active:
                continue
            mail = ApprovalMail(
                kind=kind,
                organization=organization.party.name,
                name=user.name,
                title=request.subject.title,
                step=step.name if step else "",
                reason=reason if kind is ApprovalMailKind.REJECTED else "",
                request_id=request.id,
                locale=organization.locale,
            )
            composed = self._templates.approval(mail)
            place = f"{step.policy_id.hex[:12]}-{step.step_order}" if step else "request"
            email = Email.to_user(
                user, organization, composed, f"approval.{request.id}.{place}.{occasion}.{user.id.hex}"
            )
            try:
                await self._mailer.send(email)
            except MailRefused:
                continue  # Another attempt is pointless; the inbox shows it all the same.


def _open_step(request: ApprovalRequest, key: str) -> Step | None:
    if not request.live:
        return None
    return next((step for step in request.steps if step.key == key and step.status is StepStatus.OPEN), None)
