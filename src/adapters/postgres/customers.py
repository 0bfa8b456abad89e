"""Customers and contacts in PostgreSQL."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Row, select

from src.adapters.postgres.json_columns import from_json, to_json
from src.adapters.postgres.pages import contains, newest_first, searched
from src.adapters.postgres.records import Records
from src.adapters.postgres.tables import contacts, customer_groups, customers
from src.adapters.postgres.transaction import Transaction
from src.application.ports.customers import ContactRepository, CustomerGroupRepository, CustomerRepository
from src.application.ports.paging import Page, Paging
from src.domain.customers.contact import Contact, ContactNotFound
from src.domain.customers.customer import Customer, CustomerNotFound
from src.domain.customers.group import CustomerGroup, CustomerGroupNotFound
from src.domain.shared.change import Change
from src.domain.shared.currency import Currency
from src.domain.shared.ids import ContactId, CustomerGroupId, CustomerId
from src.domain.shared.party import Address, Party


class PostgresCustomers(CustomerRepository):
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def get(self, customer_id: CustomerId) -> Customer:
        return await self._one(customer_id, lock=False)

    async def lock(self, customer_id: CustomerId) -> Customer:
        return await self._one(customer_id, lock=True)

    async def _one(self, customer_id: CustomerId, *, lock: bool) -> Customer:
        columns = customers.c
        statement = select(customers).where(
            columns.organization_id == self._transaction.organization_id, columns.id == customer_id
        )
        if lock:
            statement = statement.with_for_update()
        row = (await self._transaction.connection.execute(statement)).one_or_none()
        if row is None:
            raise CustomerNotFound("There is no such customer.")
        return _to_customer(row)

    async def save(self, change: Change[Customer]) -> Customer:
        before, customer = change.before, change.after
        version = self._transaction.next_version(customer.id, 0 if before is None else before.version)
        customer = replace(customer, version=version)
        row = {
            "id": customer.id,
            "name": customer.party.name,
            "registration_number": customer.party.registration_number,
            "vat_number": customer.party.vat_number,
            "address": to_json(customer.party.address),
            "currency": customer.currency.code,
            "locale": customer.locale,
            "searched": searched(customer.party.name, customer.party.vat_number, customer.party.registration_number),
            "created_at": customer.created_at,
            "group_id": customer.group_id,
            "version": customer.version,
        }
        if before is None:
            await self._transaction.add(customers, row)
        else:
            await self._transaction.change(customers, customer.id, before.version, row)
        self._transaction.changes.append(replace(change, after=customer))
        return customer

    async def page(self, search: str, paging: Paging) -> Page[Customer]:
        columns = customers.c
        conditions = [columns.organization_id == self._transaction.organization_id]
        if search:
            conditions.append(contains(columns.searched, search))
        return await newest_first(self._transaction.connection, customers, conditions, paging, _to_customer)


class PostgresCustomerGroups(CustomerGroupRepository):
    def __init__(self, transaction: Transaction) -> None:
        missing = CustomerGroupNotFound("There is no such customer group.")
        self._records = Records(transaction, customer_groups, CustomerGroup, missing)
        self._transaction = transaction

    async def get(self, group_id: CustomerGroupId) -> CustomerGroup:
        return await self._records.get(group_id)

    async def all(self) -> Sequence[CustomerGroup]:
        columns = customer_groups.c
        mine = columns.organization_id == self._transaction.organization_id
        return await self._records.read(select(customer_groups).where(mine).order_by(columns.name))

    async def save(self, change: Change[CustomerGroup]) -> CustomerGroup:
        return await self._records.save(change)


class PostgresContacts(ContactRepository):
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def get(self, contact_id: ContactId) -> Contact:
        columns = contacts.c
        statement = select(contacts).where(
            columns.organization_id == self._transaction.organization_id, columns.id == contact_id
        )
        row = (await self._transaction.connection.execute(statement)).one_or_none()
        if row is None:
            raise ContactNotFound("There is no such contact.")
        return _to_contact(row)

    async def save(self, change: Change[Contact]) -> Contact:
        contact = change.after
        row = {
            "id": contact.id,
            "customer_id": contact.customer_id,
            "name": contact.name,
            "email": contact.email,
            "phone": contact.phone,
            "job_title": contact.job_title,
            "searched": searched(contact.name, contact.email),
            "created_at": contact.created_at,
            "version": contact.version,
        }
        await self._transaction.add(contacts, row)
        self._transaction.changes.append(change)
        return contact

    async def page(self, customer_id: CustomerId | None, search: str, paging: Paging) -> Page[Contact]:
        columns = contacts.c
        conditions = [columns.organization_id == self._transaction.organization_id]
        if customer_id is not None:
            conditions.append(columns.customer_id == customer_id)
        if search:
            conditions.append(contains(columns.searched, search))
        return await newest_first(self._transaction.connection, contacts, conditions, paging, _to_contact)


def _to_customer(row: Row[Any]) -> Customer:
    return Customer(
        id=row.id,
        party=Party(
            name=row.name,
            address=from_json(Address, row.address),
            registration_number=row.registration_number,
            vat_number=row.vat_number,
        ),
        currency=Currency.of(row.currency),
        locale=row.locale,
        created_at=row.created_at,
        group_id=row.group_id,
        version=row.version,
    )


def _to_contact(row: Row[Any]) -> Contact:
    return Contact(
        id=row.id,
        customer_id=row.customer_id,
        name=row.name,
        email=row.email,
        phone=row.phone,
        job_title=row.job_title,
        created_at=row.created_at,
        version=row.version,
    )
