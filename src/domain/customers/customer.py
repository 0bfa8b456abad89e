"""Customers: the companies that offers are made to."""

from dataclasses import dataclass, replace
from datetime import datetime

from src.domain.shared.change import Change
from src.domain.shared.currency import Currency
from src.domain.shared.errors import NotFound
from src.domain.shared.events import DomainEvent
from src.domain.shared.ids import CustomerGroupId, CustomerId
from src.domain.shared.party import Party
from src.domain.shared.text import TextChecks


class CustomerNotFound(NotFound):
    code = "customer_not_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerCreated(DomainEvent):
    action = "customer.created"
    resource_type: str = "customer"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRegrouped(DomainEvent):
    action = "customer.regrouped"
    resource_type: str = "customer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A customer company. *currency* and *locale* are what its offers begin with; the group decides about prices."""

    id: CustomerId
    party: Party
    currency: Currency
    locale: str
    created_at: datetime
    group_id: CustomerGroupId | None = None
    version: int = 0

    def __post_init__(self) -> None:
        checks = TextChecks()
        checks.line("locale", self.locale, required=True, longest=35)
        self.party.check(checks)
        checks.done()

    def create(self) -> Change["Customer"]:
        return Change(None, self, (CustomerCreated(resource_id=self.id, at=self.created_at),))

    def join(self, group_id: CustomerGroupId | None, at: datetime) -> Change["Customer"]:
        """In *group_id* from now on, or in none; drafts keep their prices until they are repriced."""
        return Change(self, replace(self, group_id=group_id), (CustomerRegrouped(resource_id=self.id, at=at),))
