"""Keep customer groups, and say which customer is in which."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypedDict

from src.application.approvals.subjects.customer_registration import registration_changed
from src.application.ports.clock import Clock, IdFactory
from src.application.transactions import Transactions
from src.application.versions import check_version
from src.domain.customers.customer import Customer
from src.domain.customers.group import CustomerGroup
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.ids import CustomerGroupId, CustomerId


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateCustomerGroupCommand:
    name: str
    discount_percent: Decimal = Decimal(0)


class CreateCustomerGroup:
    """Raises CustomerGroupNameTaken, Invalid."""

    def __init__(self, transactions: Transactions, clock: Clock, ids: IdFactory) -> None:
        self._transactions, self._clock, self._ids = transactions, clock, ids

    async def __call__(self, actor: Actor, command: CreateCustomerGroupCommand) -> CustomerGroup:
        async with self._transactions.begin(actor, Permission.MANAGE_PRICES) as uow:
            group = CustomerGroup(
                id=CustomerGroupId(self._ids.new()),
                name=command.name,
                discount_percent=command.discount_percent,
                created_at=self._clock.now(),
            )
            stored = await uow.customer_groups.save(group.create())
            await uow.commit()
        return stored


class CustomerGroupChanges(TypedDict, total=False):
    name: str
    discount_percent: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeCustomerGroupCommand:
    group_id: CustomerGroupId
    changes: CustomerGroupChanges
    expected_version: int | None = None


class ChangeCustomerGroup:
    """Raises CustomerGroupNotFound, CustomerGroupNameTaken, VersionChanged, Invalid."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions, self._clock = transactions, clock

    async def __call__(self, actor: Actor, command: ChangeCustomerGroupCommand) -> CustomerGroup:
        async with self._transactions.begin(actor, Permission.MANAGE_PRICES) as uow:
            group = await uow.customer_groups.get(command.group_id)
            check_version(group, command.expected_version)
            changed = replace(group, **command.changes)
            change = group.become(name=changed.name, discount_percent=changed.discount_percent, at=self._clock.now())
            stored = await uow.customer_groups.save(change)
            await uow.commit()
        return stored


class GetCustomerGroup:
    """Raises CustomerGroupNotFound."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, group_id: CustomerGroupId) -> CustomerGroup:
        async with self._transactions.begin(actor, Permission.VIEW_CUSTOMERS) as uow:
            return await uow.customer_groups.get(group_id)


class ListCustomerGroups:
    """All of them, by name."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor) -> Sequence[CustomerGroup]:
        async with self._transactions.begin(actor, Permission.VIEW_CUSTOMERS) as uow:
            return await uow.customer_groups.all()


class RegroupCustomer:
    """Put a customer into a group, or (None) into none. Raises CustomerNotFound, CustomerGroupNotFound."""

    def __init__(self, transactions: Transactions, clock: Clock, ids: IdFactory) -> None:
        self._transactions, self._clock, self._ids = transactions, clock, ids

    async def __call__(self, actor: Actor, customer_id: CustomerId, group_id: CustomerGroupId | None) -> Customer:
        now = self._clock.now()
        async with self._transactions.begin(actor, Permission.EDIT_CUSTOMERS) as uow:
            customer = await uow.customers.lock(customer_id)
            stored = await uow.customers.save(customer.join(group_id, now, by=actor.user_id))
            stored = await registration_changed(uow, actor, self._ids, customer, stored, now)
            await uow.commit()
        return stored
