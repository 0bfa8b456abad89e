"""Look at customers and contacts."""

from src.application.ports.paging import Page, Paging
from src.application.transactions import Transactions
from src.domain.customers.contact import Contact
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

    async def __call__(self, actor: Actor, search: str, paging: Paging) -> Page[Customer]:
        async with self._transactions.begin(actor, Permission.VIEW_CUSTOMERS) as uow:
            return await uow.customers.page(search, paging)


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

    async def __call__(
        self, actor: Actor, customer_id: CustomerId | None, search: str, paging: Paging
    ) -> Page[Contact]:
        async with self._transactions.begin(actor, Permission.VIEW_CUSTOMERS) as uow:
            if customer_id is not None:
                await uow.customers.get(customer_id)
            return await uow.contacts.page(customer_id, search, paging)
