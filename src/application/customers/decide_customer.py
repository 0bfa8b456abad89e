"""Decide about a customer's registration, and about it later on."""

from dataclasses import dataclass
from enum import StrEnum

from src.application.approvals.desk import ApprovalDesk, People
from src.application.approvals.subjects.customer_registration import DEFAULT_POLICY, KIND, SUBJECT, register
from src.application.ports.clock import Clock, IdFactory
from src.application.ports.unit_of_work import UnitOfWork
from src.application.transactions import Transactions
from src.application.versions import check_version
from src.domain.approvals.errors import RequestNotFound
from src.domain.approvals.request import ApprovalRequest, RequestStatus
from src.domain.customers.customer import Customer
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.ids import CustomerId


class CustomerVerb(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"
    SUSPEND = "suspend"
    REINSTATE = "reinstate"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideCustomerCommand:
    """*reason* is needed for a rejection and a suspension. *content_digest*, where given, is that of what was looked at."""

    customer_id: CustomerId
    verb: CustomerVerb
    reason: str = ""
    content_digest: str | None = None
    expected_version: int | None = None


class DecideCustomer:
    """A registration is an approval like any other; who registered a company decides only where nobody else could.

    Raises CustomerNotFound, CustomerStateConflict, OwnRegistration, CustomerDeleted, VersionChanged, Invalid, and as DecideRequest does.
    """

    def __init__(self, transactions: Transactions, clock: Clock, ids: IdFactory) -> None:
        self._transactions, self._clock, self._ids = transactions, clock, ids

    async def __call__(self, actor: Actor, command: DecideCustomerCommand) -> Customer:
        now = self._clock.now()
        async with self._transactions.begin(actor, Permission.APPROVE_CUSTOMERS) as uow:
            customer = await uow.customers.lock(command.customer_id)
            check_version(customer, command.expected_version)
            match command.verb:
                case CustomerVerb.SUSPEND:
                    stored = await uow.customers.save(customer.suspend(reason=command.reason, at=now))
                case CustomerVerb.REINSTATE:
                    stored = await uow.customers.save(customer.reinstate(now))
                case _:
                    approved = command.verb is CustomerVerb.APPROVE
                    stored = await self._decide(uow, actor, customer, approved=approved, command=command)
            await uow.commit()
        return stored

    async def _decide(
        self, uow: UnitOfWork, actor: Actor, customer: Customer, *, approved: bool, command: DecideCustomerCommand
    ) -> Customer:
        now = self._clock.now()
        change = customer.approve(at=now) if approved else customer.reject(reason=command.reason, at=now)
        people = await People.read(uow, now)
        desk = ApprovalDesk(uow, actor, self._ids, people)
        request = await self._request(uow, desk, customer)
        if request is None:
            if any(user.may(Permission.APPROVE_CUSTOMERS) for user in people.users if user.id != actor.user_id):
                customer.check_four_eyes(actor.person)
            return await uow.customers.save(change)
        customer.check_four_eyes(actor.person)
        await desk.decide(
            SUBJECT, request, approved=approved, content_digest=command.content_digest, reason=command.reason
        )
        return await uow.customers.get(customer.id)

    async def _request(self, uow: UnitOfWork, desk: ApprovalDesk, customer: Customer) -> ApprovalRequest | None:
        """The live request about it; one that could not be made when it was registered is made up for. None: nobody to ask."""
        for _ in range(2):
            try:
                request = await uow.approvals.latest(KIND, customer.id)
            except RequestNotFound:
                request = None
            if request is not None and request.live:
                if request.status is not RequestStatus.BLOCKED or any(
                    step.policy_id != DEFAULT_POLICY for step in request.steps
                ):
                    return request
                # Nobody asked for more than somebody else, and there is nobody else.
                await uow.approvals.save(request.withdraw(at=desk.now))
                return None
            await register(uow, desk, customer)
        return None


class RegisterCustomerAgain:
    """After a rejection. Raises CustomerNotFound, CustomerStateConflict, CustomerDeleted."""

    def __init__(self, transactions: Transactions, clock: Clock, ids: IdFactory) -> None:
        self._transactions, self._clock, self._ids = transactions, clock, ids

    async def __call__(self, actor: Actor, customer_id: CustomerId) -> Customer:
        now = self._clock.now()
        async with self._transactions.begin(actor, Permission.EDIT_CUSTOMERS) as uow:
            customer = await uow.customers.lock(customer_id)
            stored = await uow.customers.save(customer.register_again(by=actor.person, at=now))
            desk = ApprovalDesk(uow, actor, self._ids, await People.read(uow, now))
            stored = await register(uow, desk, stored)
            await uow.commit()
        return stored
