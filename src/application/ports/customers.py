"""Customers and contacts in the store."""

from abc import abstractmethod
from typing import Protocol

from src.application.ports.paging import Page, Paging
from src.domain.customers.contact import Contact
from src.domain.customers.customer import Customer
from src.domain.shared.change import Change
from src.domain.shared.ids import ContactId, CustomerId


class CustomerRepository(Protocol):
    @abstractmethod
    async def get(self, customer_id: CustomerId) -> Customer:
        """Raises CustomerNotFound."""

    @abstractmethod
    async def save(self, change: Change[Customer]) -> Customer: ...

    @abstractmethod
    async def page(self, search: str, paging: Paging) -> Page[Customer]:
        """Customers whose name, VAT or registration number contains *search* (no matter the case), newest first."""


class ContactRepository(Protocol):
    @abstractmethod
    async def get(self, contact_id: ContactId) -> Contact:
        """Raises ContactNotFound."""

    @abstractmethod
    async def save(self, change: Change[Contact]) -> Contact:
        """Raises CustomerNotFound when the customer is not there."""

    @abstractmethod
    async def page(self, customer_id: CustomerId | None, search: str, paging: Paging) -> Page[Contact]:
        """Contacts, of one customer or of all, whose name or e-mail contains *search*, newest first."""
