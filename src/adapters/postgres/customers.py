"""Customers and contacts in PostgreSQL."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import CTE, Column, ColumnElement, Table, false, func, or_, select, update

from src.adapters.postgres.connection import Row
from src.adapters.postgres.custom_fields import has_value
from src.adapters.postgres.json_columns import from_json, to_json
from src.adapters.postgres.pages import contains, counted, newest_first, oldest_first, searched
from src.adapters.postgres.records import Records, row_of
from src.adapters.postgres.tables import (
    attachments,
    contacts,
    coupon_redemptions,
    customer_groups,
    customers,
    price_lists,
    quotes,
)
from src.adapters.postgres.transaction import Transaction
from src.application.ports.customers import (
    ContactFilter,
    ContactRepository,
    CustomerFilter,
    CustomerGroupRepository,
    CustomerRepository,
)
from src.application.ports.paging import Page, Paging
from src.domain.customers.contact import Contact, ContactNotFound
from src.domain.customers.customer import Customer, CustomerNotFound, CustomerStatus, LabelledAddress
from src.domain.customers.group import CustomerGroup, CustomerGroupNotFound
from src.domain.shared.change import Change
from src.domain.shared.currency import Currency
from src.domain.shared.custom_fields import Values
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
        row = await row_of(self._transaction, customers, customer_id, lock=lock)
        if row is None:
            raise CustomerNotFound("There is no such customer.")
        return _to_customer(row)

    async def save(self, change: Change[Customer]) -> Customer:
        before, customer = change.before, change.after
        version = self._transaction.next_version(customer.id, 0 if before is None else before.version)
        customer = replace(customer, version=version)
        party = customer.party
        row = {
            "id": customer.id,
            "name": party.name,
            "registration_number": party.registration_number,
            "vat_number": party.vat_number,
            "address": to_json(party.address),
            "currency": customer.currency.code,
            "locale": customer.locale,
            "searched": searched(party.name, party.vat_number, party.registration_number, customer.reference),
            "created_at": customer.created_at,
            "group_id": customer.group_id,
            "status": customer.status.value,
            "status_reason": customer.status_reason,
            "registered_by": customer.registered_by,
            "last_edited_by": customer.last_edited_by,
            "reference": customer.reference or None,
            "addresses": to_json(customer.addresses),
            "payment_days": customer.payment_days,
            "payment_terms": customer.payment_terms,
            "credit_limit": customer.credit_limit,
            "tags": to_json(customer.tags),
            "notes": customer.notes,
            "custom": to_json(customer.custom),
            "deleted_at": customer.deleted_at,
            "merged_into_id": customer.merged_into_id,
            "version": customer.version,
        }
        if before is None:
            await self._transaction.add(customers, row)
        else:
            await self._transaction.change(customers, customer.id, before.version, row)
        self._transaction.changes.append(replace(change, after=customer))
        return customer

    async def page(self, criteria: CustomerFilter, paging: Paging) -> Page[Customer]:
        connection, conditions = self._transaction.connection, self._conditions(criteria)
        return await newest_first(connection, customers, conditions, paging, _to_customer)

    def stream(self, criteria: CustomerFilter) -> AsyncIterator[Customer]:
        return oldest_first(self._transaction.connection, customers, self._conditions(criteria), _to_customer)

    async def count(self, criteria: CustomerFilter, at_most: int) -> int:
        return await counted(self._transaction.connection, customers, self._conditions(criteria), at_most)

    def _conditions(self, criteria: CustomerFilter) -> list[ColumnElement[bool]]:
        columns = customers.c
        conditions = [columns.organization_id == self._transaction.organization_id]
        if criteria.search:
            conditions.append(contains(columns.searched, criteria.search))
        if criteria.statuses:
            conditions.append(columns.status == func.any([status.value for status in criteria.statuses]))
        if criteria.tag is not None:
            conditions.append(_tagged(columns.tags, criteria.tag))
        if criteria.group_id is not None:
            conditions.append(columns.group_id == criteria.group_id)
        if criteria.custom is not None:
            conditions.append(has_value(columns.custom, criteria.custom))
        if not criteria.include_deleted:
            conditions.append(columns.deleted_at.is_(None))
        if criteria.created_from is not None:
            conditions.append(columns.created_at >= criteria.created_from)
        if criteria.created_before is not None:
            conditions.append(columns.created_at < criteria.created_before)
        return conditions

    async def by_reference(self, references: Sequence[str]) -> Mapping[str, Customer]:
        return {one.reference: one for one in await self._here(customers.c.reference, references)}

    async def by_registration(self, numbers: Sequence[str]) -> Mapping[str, Customer]:
        found = await self._here(customers.c.registration_number, numbers)
        return {one.party.registration_number: one for one in reversed(found)}

    async def _here(self, column: Column[Any], wanted: Sequence[str]) -> list[Customer]:
        """The oldest first."""
        columns = customers.c
        statement = (
            select(customers)
            .where(
                columns.organization_id == self._transaction.organization_id,
                columns.deleted_at.is_(None),
                column == func.any([one for one in wanted if one]),
            )
            .order_by(columns.created_at, columns.id)
        )
        return [_to_customer(row) for row in await self._transaction.connection.execute(statement)]

    async def hand_over(self, from_id: CustomerId, to_id: CustomerId) -> None:
        for table, column in (
            (contacts, contacts.c.customer_id),  # Before offers to them, as those lock who erase somebody.
            (quotes, quotes.c.customer_id),
            (price_lists, price_lists.c.scope_id),
            (coupon_redemptions, coupon_redemptions.c.customer_id),
        ):
            await self._hand_over(table, column == from_id, {column.name: to_id})
        # Their customer is computed from what they are about.
        await self._hand_over(attachments, attachments.c.customer_id == from_id, {"subject_id": to_id})

    async def _hand_over(self, table: Table, those: ColumnElement[bool], values: Mapping[str, object]) -> None:
        own = table.c.organization_id == self._transaction.organization_id
        await self._transaction.connection.execute(update(table).where(own, those).values(**values))


def _tagged(column: ColumnElement[Any], tag: str) -> ColumnElement[bool]:
    """Whether *column*, a JSON list of tags (which have no quotes), has this one."""
    return false() if "\0" in tag else func.strpos(column, f'"{tag.casefold()}"') > 0


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
        self._records = Records(transaction, contacts, Contact, ContactNotFound("There is no such contact."))
        self._transaction = transaction

    @property
    def _own(self) -> ColumnElement[bool]:
        return contacts.c.organization_id == self._transaction.organization_id

    async def get(self, contact_id: ContactId) -> Contact:
        return await self._records.get(contact_id)

    async def lock(self, contact_id: ContactId) -> Contact:
        return await self._records.get(contact_id, lock=True)

    async def merged_into(self, contact_id: ContactId) -> Sequence[Contact]:
        columns, person = contacts.c, one_person(self._transaction.organization_id, contact_id)
        others = columns.id.in_(select(person.c.id)) & (columns.id != contact_id)
        return await self._records.read(select(contacts).where(self._own, others).order_by(columns.id))

    async def save(self, change: Change[Contact]) -> Contact:
        return await self._records.save(change, searched=searched(change.after.name, change.after.email))

    async def page(self, criteria: ContactFilter, paging: Paging) -> Page[Contact]:
        columns, conditions = contacts.c, [self._own]
        if criteria.customer_id is not None:
            conditions.append(columns.customer_id == criteria.customer_id)
        if criteria.search:
            conditions.append(contains(columns.searched, criteria.search))
        if criteria.tag is not None:
            conditions.append(_tagged(columns.tags, criteria.tag))
        if not criteria.include_deleted:
            conditions.append(columns.deleted_at.is_(None))
        return await newest_first(self._transaction.connection, contacts, conditions, paging, self._records.item)

    async def with_days(self) -> Sequence[Contact]:
        columns = contacts.c
        has_days = or_(columns.birthday.is_not(None), columns.key_dates != "[]")
        return await self._records.read(select(contacts).where(self._own, columns.deleted_at.is_(None), has_days))

    async def by_email(self, emails: Sequence[str]) -> Sequence[Contact]:
        columns, wanted = contacts.c, [email.casefold() for email in emails if email]
        statement = select(contacts).where(
            self._own, columns.deleted_at.is_(None), func.lower(columns.email).in_(wanted)
        )
        return await self._records.read(statement.order_by(columns.created_at, columns.id))


def one_person(organization_id: UUID, contact_id: ContactId) -> CTE:
    """Ids and addresses of this contact, of those who were merged into it, and into them in turn."""
    columns = contacts.c
    mine = columns.organization_id == organization_id
    person = select(columns.id, columns.email).where(mine, columns.id == contact_id).cte(recursive=True)
    return person.union(select(columns.id, columns.email).where(mine, columns.merged_into_id == person.c.id))


def _to_customer(row: Row) -> Customer:
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
        status=CustomerStatus(row.status),
        status_reason=row.status_reason,
        registered_by=row.registered_by,
        last_edited_by=row.last_edited_by,
        reference=row.reference or "",
        addresses=from_json(tuple[LabelledAddress, ...], row.addresses),
        payment_days=row.payment_days,
        payment_terms=row.payment_terms,
        credit_limit=row.credit_limit,
        tags=from_json(tuple[str, ...], row.tags),
        notes=row.notes,
        custom=from_json(Values, row.custom),
        deleted_at=row.deleted_at,
        merged_into_id=row.merged_into_id,
        version=row.version,
    )
