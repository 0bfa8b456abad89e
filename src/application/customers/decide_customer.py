"""Decide about a customer's registration, and about it later on."""

from dataclasses import dataclass
from enum import StrEnum

from src.application.ports.clock import Clock
from src.application.ports.unit_of_work import UnitOfWork
from src.application.transactions import Transactions
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
    """*reason* is needed for a rejection and a suspension."""

    customer_id: CustomerId
    verb: CustomerVerb
    reason: str = ""


class DecideCustomer:
    """Four eyes: not by who registered it, unless nobody else in the organisation could.

    Raises CustomerNotFound, CustomerStateConflict, OwnRegistration, CustomerDeleted, Invalid.
    """

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions, self._clock = transactions, clock

    async def __call__(self, actor: Actor, command: DecideCustomerCommand) -> Customer:
        now, person = self._clock.now(), actor.person
        async with self._transactions.begin(actor, Permission.APPROVE_CUSTOMERS) as uow:
            customer = await uow.customers.lock(command.customer_id)
            match command.verb:
                case CustomerVerb.APPROVE:
                    change = customer.approve(by=person, alone=await _is_alone(uow, actor), at=now)
                case CustomerVerb.REJECT:
                    alone = await _is_alone(uow, actor)
                    change = customer.reject(by=person, alone=alone, reason=command.reason, at=now)
                case CustomerVerb.SUSPEND:
                    change = customer.suspend(reason=command.reason, at=now)
                case CustomerVerb.REINSTATE:
                    change = customer.reinstate(now)
            stored = await uow.customers.save(change)
            await uow.commit()
        return stored


class RegisterCustomerAgain:
    """After a rejection. Raises CustomerNotFound, CustomerStateConflict, CustomerDeleted."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions, self._clock = transactions, clock

    async def __call__(self, actor: Actor, customer_id: CustomerId) -> Customer:
        async with self._transactions.begin(actor, Permission.EDIT_CUSTOMERS) as uow:
            customer = await uow.customers.lock(customer_id)
            change = customer.register_again(by=actor.person, at=self._clock.now())
            stored = await uow.customers.save(change)
            await uow.commit()
        return stored


async def _is_alone(uow: UnitOfWork, actor: Actor) -> bool:
    """Whether nobody else could decide."""
    others = [user for user in await uow.users.all() if user.id != actor.user_id]
    return not any(user.may(Permission.APPROVE_CUSTOMERS) for user in others)
