"""Change a customer's particulars; delete, restore, merge."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypedDict

from src.application.approvals.desk import ApprovalDesk, People, withdraw_request
from src.application.approvals.subjects.customer_registration import KIND, register, registration_changed
from src.application.custom_values import custom_values
from src.application.ports.clock import Clock, IdFactory
from src.application.ports.tax_numbers import TaxNumbers
from src.application.prices.ambiguity import check_unambiguous
from src.application.transactions import Transactions
from src.application.versions import check_version
from src.domain.customers.customer import Customer, CustomerStatus, LabelledAddress
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.currency import Currency
from src.domain.shared.custom_fields import FieldSubject
from src.domain.shared.ids import CustomerGroupId, CustomerId
from src.domain.shared.party import Party
from src.domain.shared.tags import normal_tags


class CustomerChanges(TypedDict, total=False):
    party: Party
    currency: Currency
    locale: str
    group_id: CustomerGroupId | None
    reference: str
    addresses: tuple[LabelledAddress, ...]
    payment_days: int | None
    payment_terms: str
    credit_limit: Decimal | None
    tags: tuple[str, ...]
    notes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeCustomerCommand:
    customer_id: CustomerId
    changes: CustomerChanges
    custom: Mapping[str, str | None] | None = None
    expected_version: int | None = None


class ChangeCustomer:
    """Offers keep the buyer that they were made to. Raises CustomerNotFound, CustomerDeleted, VersionChanged, Invalid."""

    def __init__(self, transactions: Transactions, tax_numbers: TaxNumbers, clock: Clock, ids: IdFactory) -> None:
        self._transactions, self._tax_numbers = transactions, tax_numbers
        self._clock, self._ids = clock, ids

    async def __call__(self, actor: Actor, command: ChangeCustomerCommand) -> Customer:
        changes = command.changes
        async with self._transactions.begin(actor, Permission.EDIT_CUSTOMERS) as uow:
            customer = await uow.customers.lock(command.customer_id)
            check_version(customer, command.expected_version)
            changed = replace(customer, **changes)
            if "party" in changes:
                changed = replace(changed, party=self._tax_numbers.normal(changed.party))
            custom = await custom_values(uow, FieldSubject.CUSTOMER, customer.custom, command.custom)
            changed = replace(changed, tags=normal_tags(changed.tags), custom=custom)
            now = self._clock.now()
            stored = await uow.customers.save(customer.become(changed, now, by=actor.user_id))
            stored = await registration_changed(uow, actor, self._ids, customer, stored, now)
            await uow.commit()
        return stored


class DeleteCustomer:
    """Out of sight, for no new offers; nothing is lost. Raises CustomerNotFound, CustomerDeleted, VersionChanged."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions, self._clock = transactions, clock

    async def __call__(self, actor: Actor, customer_id: CustomerId, expected_version: int | None = None) -> Customer:
        async with self._transactions.begin(actor, Permission.EDIT_CUSTOMERS) as uow:
            customer = await uow.customers.lock(customer_id)
            check_version(customer, expected_version)
            now = self._clock.now()
            stored = await uow.customers.save(customer.delete(now))
            await withdraw_request(uow, KIND, customer_id, now)
            await uow.commit()
        return stored


class RestoreCustomer:
    """Raises CustomerNotFound, CustomerStateConflict."""

    def __init__(self, transactions: Transactions, clock: Clock, ids: IdFactory) -> None:
        self._transactions, self._clock, self._ids = transactions, clock, ids

    async def __call__(self, actor: Actor, customer_id: CustomerId) -> Customer:
        now = self._clock.now()
        async with self._transactions.begin(actor, Permission.EDIT_CUSTOMERS) as uow:
            customer = await uow.customers.lock(customer_id)
            stored = await uow.customers.save(customer.restore(now))
            if stored.status is CustomerStatus.PENDING:  # Its request was withdrawn when it was deleted.
                desk = ApprovalDesk(uow, actor, self._ids, await People.read(uow, now))
                stored = await register(uow, desk, stored)
            await uow.commit()
        return stored


class MergeCustomers:
    """The duplicate's offers, contacts, price lists, attachments and coupon uses are the survivor's; it stays, deleted, and says
    so.

    Raises CustomerNotFound, CustomerDeleted, CustomerStateConflict, and AmbiguousPrice when both have a price of their
    own for the same sale.
    """

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions, self._clock = transactions, clock

    async def __call__(self, actor: Actor, survivor_id: CustomerId, duplicate_id: CustomerId) -> Customer:
        now = self._clock.now()
        async with self._transactions.begin(actor, Permission.MERGE_CUSTOMERS) as uow:
            # In one order, so that two opposite merges never wait for each other.
            locked = {one: await uow.customers.lock(one) for one in sorted({survivor_id, duplicate_id})}
            survivor, duplicate = locked[survivor_id], locked[duplicate_id]
            ended, taken = duplicate.merge_into(survivor, now)
            await uow.price_lists.lock_prices()
            await uow.customers.hand_over(duplicate_id, survivor_id)
            for price_list in await uow.price_lists.for_buyer([survivor_id]):
                if price_list.scope_id == survivor_id:
                    await check_unambiguous(uow, price_list)
            await uow.customers.save(ended)
            await withdraw_request(uow, KIND, duplicate_id, now)
            stored = await uow.customers.save(taken)
            await uow.commit()
        return stored
