"""Customers and contacts in memory."""

from collections.abc import Sequence

from src.adapters.memory.records import MemoryRecords
from src.adapters.memory.state import MemoryTransaction, contains, page_of
from src.application.ports.customers import ContactRepository, CustomerGroupRepository, CustomerRepository
from src.application.ports.paging import Page, Paging
from src.domain.customers.contact import Contact, ContactNotFound
from src.domain.customers.customer import Customer, CustomerNotFound
from src.domain.customers.group import CustomerGroup, CustomerGroupNameTaken, CustomerGroupNotFound
from src.domain.shared.change import Change
from src.domain.shared.ids import ContactId, CustomerGroupId, CustomerId


class MemoryCustomers(CustomerRepository):
    def __init__(self, transaction: MemoryTransaction) -> None:
        self._transaction = transaction

    async def get(self, customer_id: CustomerId) -> Customer:
        customer = self._transaction.state.customers.get(customer_id)
        if customer is None:
            raise CustomerNotFound("There is no such customer.")
        return customer

    async def lock(self, customer_id: CustomerId) -> Customer:
        return await self.get(customer_id)

    async def save(self, change: Change[Customer]) -> Customer:
        state = self._transaction.state
        if change.after.group_id is not None and change.after.group_id not in state.customer_groups:
            raise CustomerGroupNotFound("There is no such customer group.")
        missing = CustomerNotFound("There is no such customer.")
        return MemoryRecords(self._transaction, state.customers, missing).save(change)

    async def page(self, search: str, paging: Paging) -> Page[Customer]:
        found = [
            customer
            for customer in self._transaction.state.customers.values()
            if contains(search, customer.party.name, customer.party.vat_number, customer.party.registration_number)
        ]
        return page_of(found, paging, lambda customer: customer)


class MemoryCustomerGroups(CustomerGroupRepository):
    def __init__(self, transaction: MemoryTransaction) -> None:
        missing = CustomerGroupNotFound("There is no such customer group.")
        self._records = MemoryRecords(transaction, transaction.state.customer_groups, missing)

    async def get(self, group_id: CustomerGroupId) -> CustomerGroup:
        return self._records.get(group_id)

    async def all(self) -> Sequence[CustomerGroup]:
        return sorted(self._records.items.values(), key=lambda group: group.name)

    async def save(self, change: Change[CustomerGroup]) -> CustomerGroup:
        if any(other.name == change.after.name for other in self._records.others(change.after)):
            raise CustomerGroupNameTaken("Another customer group has this name.")
        return self._records.save(change)


class MemoryContacts(ContactRepository):
    def __init__(self, transaction: MemoryTransaction) -> None:
        self._transaction = transaction

    async def get(self, contact_id: ContactId) -> Contact:
        contact = self._transaction.state.contacts.get(contact_id)
        if contact is None:
            raise ContactNotFound("There is no such contact.")
        return contact

    async def save(self, change: Change[Contact]) -> Contact:
        if change.after.customer_id not in self._transaction.state.customers:
            raise CustomerNotFound("There is no such customer.")
        self._transaction.state.contacts[change.after.id] = change.after
        self._transaction.changes.append(change)
        return change.after

    async def page(self, customer_id: CustomerId | None, search: str, paging: Paging) -> Page[Contact]:
        found = [
            contact
            for contact in self._transaction.state.contacts.values()
            if customer_id in {None, contact.customer_id} and contains(search, contact.name, contact.email)
        ]
        return page_of(found, paging, lambda contact: contact)
