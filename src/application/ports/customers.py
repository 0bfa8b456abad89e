"""Customers and contacts in the store."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Protocol

from src.application.ports.paging import Page, Paging
from src.domain.customers.contact import Contact
from src.domain.customers.customer import Customer
from src.domain.customers.group import CustomerGroup
from src.domain.shared.change import Change
from src.domain.shared.ids import ContactId, CustomerGroupId, CustomerId


class CustomerRepository(Protocol):
    @abstractmethod
    async def get(self, customer_id: CustomerId) -> Customer:
        """Raises CustomerNotFound."""

    @abstractmethod
    async def lock(self, customer_id: CustomerId) -> Customer:
        """As ``get``, and nobody else can change it until this unit of work ends. Raises CustomerNotFound."""

    @abstractmethod
    async def save(self, change: Change[Customer]) -> Customer:
        """Raises CustomerGroupNotFound when its group is not there."""

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


class CustomerGroupRepository(Protocol):
    @abstractmethod
    async def get(self, group_id: CustomerGroupId) -> CustomerGroup:
        """Raises CustomerGroupNotFound."""

    @abstractmethod
    async def all(self) -> Sequence[CustomerGroup]:
        """All of them, by name."""

    @abstractmethod
    async def save(self, change: Change[CustomerGroup]) -> CustomerGroup:
        """Raises CustomerGroupNameTaken."""
