"""Approve or reject what has been submitted."""

from dataclasses import dataclass

from src.application.approvals.desk import ApprovalDesk, People, lock_request
from src.application.approvals.subject import Subjects
from src.application.approvals.subjects import quote as quotes
from src.application.ports.clock import Clock, IdFactory
from src.application.ports.unit_of_work import UnitOfWork
from src.application.transactions import Transactions
from src.domain.approvals.errors import RequestNotFound
from src.domain.approvals.request import ApprovalRequest
from src.domain.approvals.steps import Step
from src.domain.identity.actor import Actor, Permission
from src.domain.quoting.quote import Quote
from src.domain.quoting.states import QuoteStatus, Verb
from src.domain.shared.ids import QuoteId, RequestId

_DECIDED_OR_ASKED = frozenset({QuoteStatus.PENDING_APPROVAL, QuoteStatus.APPROVED, QuoteStatus.REJECTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideRequestCommand:
    """*content_digest* is that of what the approver looked at; a rejection needs a *reason*; *step* is the key of one step."""

    request_id: RequestId
    approved: bool
    content_digest: str
    reason: str = ""
    step: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """*request* as it is now. *counted*: whether this decision was; the same one again is not. *waiting* are the steps that
    wait for the same person now.
    """

    request: ApprovalRequest
    counted: bool
    waiting: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedQuote(Decided):
    quote: Quote


class DecideRequest:
    """One decision on the open steps that are the actor's, whatever is to be approved; the last one settles it.

    Saying the same again changes nothing, and is told so. Raises RequestNotFound, RequestContentChanged, ReasonMissing, NotAnApprover,
    AlreadyDecided, RequestClosed, PermissionMissing.
    """

    def __init__(self, transactions: Transactions, clock: Clock, ids: IdFactory, subjects: Subjects) -> None:
        self._transactions, self._clock, self._ids, self._subjects = transactions, clock, ids, subjects

    async def __call__(self, actor: Actor, command: DecideRequestCommand) -> Decided:
        now = self._clock.now()
        async with self._transactions.begin(actor, Permission.DECIDE_APPROVALS) as uow:
            kind, request = await lock_request(uow, self._subjects, command.request_id)
            actor.require(kind.permission)
            desk = ApprovalDesk(uow, actor, self._ids, await People.read(uow, now))
            decided = await desk.decide(
                kind,
                request,
                approved=command.approved,
                content_digest=command.content_digest,
                reason=command.reason,
                step=command.step,
            )
            counted = decided is not request
            if counted:
                await uow.commit()
        return Decided(request=decided, counted=counted, waiting=desk.waiting(kind, decided))


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideApprovalCommand:
    """As DecideRequestCommand, of the quote's current revision."""

    quote_id: QuoteId
    approved: bool
    content_digest: str
    reason: str = ""
    step: str | None = None


class DecideApproval:
    """One decision about a quote, by the quote's id.

    Saying the same again changes nothing, and is told so. Raises QuoteNotFound, InvalidTransition, RequestContentChanged,
    ReasonMissing, NotAnApprover, AlreadyDecided, RequestClosed.
    """

    def __init__(self, transactions: Transactions, clock: Clock, ids: IdFactory) -> None:
        self._transactions, self._clock, self._ids = transactions, clock, ids

    async def __call__(self, actor: Actor, command: DecideApprovalCommand) -> DecidedQuote:
        now = self._clock.now()
        async with self._transactions.begin(actor, Permission.DECIDE_APPROVALS) as uow:
            quote = await uow.quotes.lock(command.quote_id)
            request = await self._request(uow, quote, Verb.APPROVE if command.approved else Verb.REJECT)
            desk = ApprovalDesk(uow, actor, self._ids, await People.read(uow, now))
            decided = await desk.decide(
                quotes.SUBJECT,
                request,
                approved=command.approved,
                content_digest=command.content_digest,
                reason=command.reason,
                step=command.step,
            )
            counted = decided is not request
            if counted:
                quote = quote if decided.live else await uow.quotes.get(quote.id)
                await uow.commit()
        waiting = desk.waiting(quotes.SUBJECT, decided)
        return DecidedQuote(quote=quote, request=decided, counted=counted, waiting=waiting)

    async def _request(self, uow: UnitOfWork, quote: Quote, verb: Verb) -> ApprovalRequest:
        if quote.current.status not in _DECIDED_OR_ASKED:
            quote.current.check(verb)
        try:
            request = await uow.approvals.latest(quotes.KIND, quote.id)
        except RequestNotFound:
            quote.current.check(verb)  # Approved without any policy asking: there is nothing to decide.
            raise
        if request.subject.revision != quote.current.number:
            quote.current.check(verb)  # The same, of this revision.
        return request
