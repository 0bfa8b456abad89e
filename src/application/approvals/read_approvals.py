"""Look at approval requests: one, all, or those that wait for somebody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

from src.application.approvals.desk import People
from src.application.approvals.subject import Subjects
from src.application.ports.approvals import RequestFilter
from src.application.ports.clock import Clock
from src.application.ports.paging import Page, Paging
from src.application.ports.unit_of_work import UnitOfWork
from src.application.transactions import Transactions
from src.domain.approvals.comment import Comment
from src.domain.approvals.request import ApprovalRequest, RequestStatus
from src.domain.approvals.steps import Step
from src.domain.identity.actor import Actor, Permission
from src.domain.identity.user import User
from src.domain.shared.ids import RequestId, UserId


class ListApprovals:
    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, criteria: RequestFilter, paging: Paging) -> Page[ApprovalRequest]:
        async with self._transactions.begin(actor, Permission.VIEW_APPROVALS) as uow:
            return await uow.approvals.page(criteria, paging)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestDetails:
    """A request with its comments, and for each open step those who could decide it now and have not.

    *names* are those of everybody in the organisation, also of who has left it.
    """

    request: ApprovalRequest
    comments: tuple[Comment, ...]
    waiting_for: tuple[tuple[Step, tuple[User, ...]], ...]
    names: Mapping[UserId, str]

    @property
    def people(self) -> tuple[tuple[UserId, str], ...]:
        """Those whom the request, its decisions and its comments name, by name."""
        request = self.request
        named = {request.submitted_by, request.last_edited_by} | {one.user_id for one in self.comments}
        for step in request.steps:
            for given in step.decisions:
                named |= {given.user_id, *given.on_behalf_of}
            if step.carried_over is not None:
                named.update(step.carried_over.decided_by)
        return tuple(sorted(((one, self.names[one]) for one in named if one in self.names), key=itemgetter(1, 0)))

    def waiting_for_person(self, user_id: UserId) -> tuple[Step, ...]:
        """The open steps that this one could decide now and has not."""
        return tuple(step for step, users in self.waiting_for if any(user.id == user_id for user in users))


class GetApproval:
    """Raises RequestNotFound."""

    def __init__(self, transactions: Transactions, clock: Clock, subjects: Subjects) -> None:
        self._transactions, self._clock, self._subjects = transactions, clock, subjects

    async def __call__(self, actor: Actor, request_id: RequestId) -> RequestDetails:
        async with self._transactions.begin(actor, Permission.VIEW_APPROVALS) as uow:
            request = await uow.approvals.get(request_id)
            people = await People.read(uow, self._clock.now())
            comments = tuple(await uow.approvals.comments(request_id))
        permission = self._subjects.get(request.subject.kind).permission
        approvers = people.approvers(permission, request.excluded)
        waiting = tuple((step, approvers.waiting_for(step)) for step in request.open_steps) if request.live else ()
        names = {user.id: user.name for user in people.users}
        return RequestDetails(request=request, comments=comments, waiting_for=waiting, names=names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """The requests that wait for one person, the longest waiting first: *items* of *total*."""

    items: tuple[ApprovalRequest, ...]
    total: int


class ListWaiting:
    """What the actor could decide now, as an approver, a deputy or a delegate."""

    def __init__(self, transactions: Transactions, clock: Clock, subjects: Subjects) -> None:
        self._transactions, self._clock, self._subjects = transactions, clock, subjects

    async def __call__(self, actor: Actor, subject: str | None, *, skip: int, limit: int) -> Inbox:
        async with self._transactions.begin(actor, Permission.VIEW_APPROVALS) as uow:
            found = [
                request
                for request in await _waiting(uow, self._subjects, actor.person, self._clock)
                if subject in {None, request.subject.kind}
            ]
        return Inbox(items=tuple(found[skip : skip + limit]), total=len(found))


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalCounts:
    """How many requests are open and blocked, and how many of them wait for the actor, by kind of subject."""

    open: int
    blocked: int
    waiting_for_me: int
    waiting_by_subject: tuple[tuple[str, int], ...]


class CountApprovals:
    def __init__(self, transactions: Transactions, clock: Clock, subjects: Subjects) -> None:
        self._transactions, self._clock, self._subjects = transactions, clock, subjects

    async def __call__(self, actor: Actor) -> ApprovalCounts:
        async with self._transactions.begin(actor, Permission.VIEW_APPROVALS) as uow:
            counts = await uow.approvals.counts()
            waiting = await _waiting(uow, self._subjects, actor.person, self._clock)
        kinds = [request.subject.kind for request in waiting]
        return ApprovalCounts(
            open=counts.get(RequestStatus.OPEN, 0),
            blocked=counts.get(RequestStatus.BLOCKED, 0),
            waiting_for_me=len(waiting),
            waiting_by_subject=tuple((kind, kinds.count(kind)) for kind in sorted(set(kinds))),
        )


async def _waiting(uow: UnitOfWork, subjects: Subjects, user_id: UserId, clock: Clock) -> Sequence[ApprovalRequest]:
    people = await People.read(uow, clock.now())
    return [
        request
        for request in await uow.approvals.live()
        if request.waits_for(user_id, people.approvers(subjects.get(request.subject.kind).permission, request.excluded))
    ]
