"""Customers and contacts in memory."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import replace

from src.adapters.memory.records import MemoryRecords
from src.adapters.memory.state import MemoryTransaction, contains, page_of
from src.application.ports.customers import (
    ContactFilter,
    ContactRepository,
    CustomerFilter,
    CustomerGroupRepository,
    CustomerRepository,
)
from src.application.ports.paging import Page, Paging
from src.domain.customers.contact import Contact, ContactNotFound
from src.domain.customers.customer import Customer, CustomerNotFound, CustomerReferenceTaken
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
        state, after = self._transaction.state, change.after
        if after.group_id is not None and after.group_id not in state.customer_groups:
            raise CustomerGroupNotFound("There is no such customer group.")
        others = [one for one in state.customers.values() if one.id != after.id]
        if after.reference and any(one.reference == after.reference for one in others):
            raise CustomerReferenceTaken("Another customer has this reference.")
        missing = CustomerNotFound("There is no such customer.")
        return MemoryRecords(self._transaction, state.customers, missing).save(change)

    async def page(self, criteria: CustomerFilter, paging: Paging) -> Page[Customer]:
        return page_of(self._found(criteria), paging, lambda customer: customer)

    async def stream(self, criteria: CustomerFilter) -> AsyncIterator[Customer]:
        for customer in sorted(self._found(criteria), key=lambda one: (one.created_at, one.id)):
            yield customer

    async def count(self, criteria: CustomerFilter, at_most: int) -> int:
        return min(len(self._found(criteria)), at_most)

    def _found(self, criteria: CustomerFilter) -> list[Customer]:
        return [
            one
            for one in self._transaction.state.customers.values()
            if contains(
                criteria.search, one.party.name, one.party.vat_number, one.party.registration_number, one.reference
            )
            and (not criteria.statuses or one.status in criteria.statuses)
            and (criteria.tag is None or criteria.tag.casefold() in one.tags)
            and criteria.group_id in {None, one.group_id}
            and (criteria.custom is None or criteria.custom in one.custom)
            and (criteria.include_deleted or not one.deleted)
            and (criteria.created_from is None or one.created_at >= criteria.created_from)
            and (criteria.created_before is None or one.created_at < criteria.created_before)
        ]

    async def by_reference(self, references: Sequence[str]) -> Mapping[str, Customer]:
        return {one.reference: one for one in self._here() if one.reference and one.reference in references}

    async def by_registration(self, numbers: Sequence[str]) -> Mapping[str, Customer]:
        found = [
            one for one in self._here() if one.party.registration_number in [number for number in numbers if number]
        ]
        return {one.party.registration_number: one for one in reversed(found)}

    def _here(self) -> list[Customer]:
        kept = self._transaction.state.customers.values()
        return sorted((one for one in kept if not one.deleted), key=lambda one: (one.created_at, one.id))

    async def hand_over(self, from_id: CustomerId, to_id: CustomerId) -> None:
        state = self._transaction.state
        state.quotes |= {
            one.id: replace(one, customer_id=to_id) for one in state.quotes.values() if one.customer_id == from_id
        }
        state.contacts |= {
            one.id: replace(one, customer_id=to_id) for one in state.contacts.values() if one.customer_id == from_id
        }
        state.price_lists |= {
            one.id: replace(one, scope_id=to_id) for one in state.price_lists.values() if one.scope_id == from_id
        }
        state.attachments |= {
            one.id: replace(one, subject_id=to_id) for one in state.attachments.values() if one.subject_id == from_id
        }
        state.redemptions |= {
            key: replace(one, customer_id=to_id) for key, one in state.redemptions.items() if one.customer_id == from_id
        }


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
        missing = ContactNotFound("There is no such contact.")
        self._records = MemoryRecords(transaction, transaction.state.contacts, missing)
        self._customers = transaction.state.customers

    async def get(self, contact_id: ContactId) -> Contact:
        return self._records.get(contact_id)

    async def lock(self, contact_id: ContactId) -> Contact:
        return self._records.get(contact_id)

    async def merged_into(self, contact_id: ContactId) -> Sequence[Contact]:
        return sorted(merged_into(self._records.items.values(), contact_id), key=lambda one: one.id)

    async def save(self, change: Change[Contact]) -> Contact:
        if change.after.customer_id not in self._customers:
            raise CustomerNotFound("There is no such customer.")
        return self._records.save(change)

    async def page(self, criteria: ContactFilter, paging: Paging) -> Page[Contact]:
        found = [
            one
            for one in self._records.items.values()
            if criteria.customer_id in {None, one.customer_id}
            and contains(criteria.search, one.name, one.email)
            and (criteria.tag is None or criteria.tag.casefold() in one.tags)
            and (criteria.include_deleted or not one.deleted)
        ]
        return page_of(found, paging, lambda contact: contact)

    async def with_days(self) -> Sequence[Contact]:
        return [one for one in self._here() if one.birthday is not None or one.key_dates]

    async def by_email(self, emails: Sequence[str]) -> Sequence[Contact]:
        wanted = {email.casefold() for email in emails if email}
        return [one for one in self._here() if one.email.casefold() in wanted]

    def _here(self) -> list[Contact]:
        kept = self._records.items.values()
        return sorted((one for one in kept if not one.deleted), key=lambda one: (one.created_at, one.id))


def merged_into(contacts: Collection[Contact], contact_id: ContactId) -> list[Contact]:
    """Who was merged into this one, and into them in turn."""
    found = [one for one in contacts if one.merged_into_id == contact_id]
    for one in found:  # It grows meanwhile.
        found += [other for other in contacts if other.merged_into_id == one.id]
    return found
