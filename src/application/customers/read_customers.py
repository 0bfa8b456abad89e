"""Look at customers and contacts."""

from collections.abc import Sequence

from src.application.ports.clock import Clock
from src.application.ports.customers import ContactFilter, CustomerFilter
from src.application.ports.paging import Page, Paging
from src.application.transactions import Transactions
from src.domain.customers.contact import Contact, Reminder, reminders
from src.domain.customers.customer import Customer
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.ids import ContactId, CustomerId


class GetCustomer:
    """Raises CustomerNotFound."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, customer_id: CustomerId) -> Customer:
        async with self._transactions.begin(actor, Permission.VIEW_CUSTOMERS) as uow:
            return await uow.customers.get(customer_id)


class ListCustomers:
    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, criteria: CustomerFilter, paging: Paging) -> Page[Customer]:
        async with self._transactions.begin(actor, Permission.VIEW_CUSTOMERS) as uow:
            return await uow.customers.page(criteria, paging)


class GetContact:
    """Raises ContactNotFound."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, contact_id: ContactId) -> Contact:
        async with self._transactions.begin(actor, Permission.VIEW_CUSTOMERS) as uow:
            return await uow.contacts.get(contact_id)


class ListContacts:
    """Those of one customer, or of all. Raises CustomerNotFound."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, criteria: ContactFilter, paging: Paging) -> Page[Contact]:
        async with self._transactions.begin(actor, Permission.VIEW_CUSTOMERS) as uow:
            if criteria.customer_id is not None:
                await uow.customers.get(criteria.customer_id)
            return await uow.contacts.page(criteria, paging)


class ListReminders:
    """Birthdays and key dates of the next *days* days, today's among them, the nearest first; in the organisation's time zone."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions, self._clock = transactions, clock

    async def __call__(self, actor: Actor, days: int) -> Sequence[Reminder]:
        async with self._transactions.begin(actor, Permission.VIEW_CUSTOMERS) as uow:
            organization = await uow.organizations.current()
            today = self._clock.now().astimezone(organization.zone).date()
            return reminders(list(await uow.contacts.with_days()), today, days)
