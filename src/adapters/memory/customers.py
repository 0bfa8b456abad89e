"""Customers and contacts in memory."""

from src.adapters.memory.state import MemoryTransaction, contains, page_of
from src.application.ports.customers import ContactRepository, CustomerRepository
from src.application.ports.paging import Page, Paging
from src.domain.customers.contact import Contact, ContactNotFound
from src.domain.customers.customer import Customer, CustomerNotFound
from src.domain.shared.change import Change
from src.domain.shared.ids import ContactId, CustomerId


class MemoryCustomers(CustomerRepository):
    def __init__(self, transaction: MemoryTransaction) -> None:
        self._transaction = transaction

    async def get(self, customer_id: CustomerId) -> Customer:
        customer = self._transaction.state.customers.get(customer_id)
        if customer is None:
            raise CustomerNotFound("There is no such customer.")
        return customer

    async def save(self, change: Change[Customer]) -> Customer:
        self._transaction.state.customers[change.after.id] = change.after
        self._transaction.changes.append(change)
        return change.after

    async def page(self, search: str, paging: Paging) -> Page[Customer]:
        found = [
            customer
            for customer in self._transaction.state.customers.values()
            if contains(search, customer.party.name, customer.party.vat_number, customer.party.registration_number)
        ]
        return page_of(found, paging, lambda customer: customer)


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
