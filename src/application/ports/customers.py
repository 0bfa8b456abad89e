"""Customers and contacts in the store."""

from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from src.application.ports.paging import Page, Paging
from src.domain.customers.contact import Contact
from src.domain.customers.customer import Customer, CustomerStatus
from src.domain.customers.group import CustomerGroup
from src.domain.shared.change import Change
from src.domain.shared.ids import ContactId, CustomerGroupId, CustomerId


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerFilter:
    """*search* is contained in name, reference, VAT or registration number, no matter the case. Deleted ones are left out.

    *created_from* is included, *created_before* is not.
    """

    search: str = ""
    statuses: tuple[CustomerStatus, ...] = ()
    tag: str | None = None
    group_id: CustomerGroupId | None = None
    custom: tuple[str, str] | None = None
    include_deleted: bool = False
    created_from: datetime | None = None
    created_before: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactFilter:
    """*search* is contained in name or e-mail. Deleted ones are left out."""

    search: str = ""
    customer_id: CustomerId | None = None
    tag: str | None = None
    include_deleted: bool = False


class CustomerRepository(Protocol):
    @abstractmethod
    async def get(self, customer_id: CustomerId) -> Customer:
        """Raises CustomerNotFound."""

    @abstractmethod
    async def lock(self, customer_id: CustomerId) -> Customer:
        """As ``get``, and nobody else can change it until this unit of work ends. Raises CustomerNotFound."""

    @abstractmethod
    async def save(self, change: Change[Customer]) -> Customer:
        """Raises CustomerGroupNotFound when its group is not there, CustomerReferenceTaken."""

    @abstractmethod
    async def page(self, criteria: CustomerFilter, paging: Paging) -> Page[Customer]:
        """Newest first."""

    @abstractmethod
    def stream(self, criteria: CustomerFilter) -> AsyncIterator[Customer]:
        """All customers that meet *criteria*, oldest first, in flat memory."""

    @abstractmethod
    async def count(self, criteria: CustomerFilter, at_most: int) -> int:
        """How many rows ``stream`` has; *at_most* for more."""

    @abstractmethod
    async def by_reference(self, references: Sequence[str]) -> Mapping[str, Customer]:
        """Those with one of these references that are not deleted."""

    @abstractmethod
    async def by_registration(self, numbers: Sequence[str]) -> Mapping[str, Customer]:
        """Those with one of these registration numbers that are not deleted; of several, the oldest."""

    @abstractmethod
    async def hand_over(self, from_id: CustomerId, to_id: CustomerId) -> None:
        """Quotes, contacts, price lists, attachments and coupon uses of the one are the other's."""


class ContactRepository(Protocol):
    @abstractmethod
    async def get(self, contact_id: ContactId) -> Contact:
        """Raises ContactNotFound."""

    @abstractmethod
    async def save(self, change: Change[Contact]) -> Contact:
        """Raises CustomerNotFound when the customer is not there."""

    @abstractmethod
    async def lock(self, contact_id: ContactId) -> Contact:
        """As ``get``, and nobody else can change it until this unit of work ends."""

    @abstractmethod
    async def merged_into(self, contact_id: ContactId) -> Sequence[Contact]:
        """Those who were merged into this one, and into them in turn, by id."""

    @abstractmethod
    async def page(self, criteria: ContactFilter, paging: Paging) -> Page[Contact]:
        """Newest first."""

    @abstractmethod
    async def with_days(self) -> Sequence[Contact]:
        """Those that are not deleted and have a birthday or a key date."""

    @abstractmethod
    async def by_email(self, emails: Sequence[str]) -> Sequence[Contact]:
        """Those with one of these addresses, no matter the case, that are not deleted."""


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
