"""Customers and contacts in PostgreSQL."""

from typing import Any

from sqlalchemy import Row, select

from src.adapters.postgres.json_columns import from_json, to_json
from src.adapters.postgres.pages import contains, newest_first, searched
from src.adapters.postgres.tables import contacts, customers
from src.adapters.postgres.transaction import Transaction
from src.application.ports.customers import ContactRepository, CustomerRepository
from src.application.ports.paging import Page, Paging
from src.domain.customers.contact import Contact, ContactNotFound
from src.domain.customers.customer import Customer, CustomerNotFound
from src.domain.shared.change import Change
from src.domain.shared.currency import Currency
from src.domain.shared.ids import ContactId, CustomerId
from src.domain.shared.party import Address, Party


class PostgresCustomers(CustomerRepository):
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def get(self, customer_id: CustomerId) -> Customer:
        columns = customers.c
        statement = select(customers).where(
            columns.organization_id == self._transaction.organization_id, columns.id == customer_id
        )
        row = (await self._transaction.connection.execute(statement)).one_or_none()
        if row is None:
            raise CustomerNotFound("There is no such customer.")
        return _to_customer(row)

    async def save(self, change: Change[Customer]) -> Customer:
        customer = change.after
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
            "version": customer.version,
        }
        await self._transaction.add(customers, row)
        self._transaction.changes.append(change)
        return customer

    async def page(self, search: str, paging: Paging) -> Page[Customer]:
        columns = customers.c
        conditions = [columns.organization_id == self._transaction.organization_id]
        if search:
            conditions.append(contains(columns.searched, search))
        return await newest_first(self._transaction.connection, customers, conditions, paging, _to_customer)


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
