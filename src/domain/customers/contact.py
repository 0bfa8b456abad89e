"""Contacts: people at a customer."""

from dataclasses import dataclass
from datetime import datetime

from src.domain.shared.change import Change
from src.domain.shared.errors import NotFound
from src.domain.shared.events import DomainEvent
from src.domain.shared.ids import ContactId, CustomerId
from src.domain.shared.text import TextChecks


class ContactNotFound(NotFound):
    code = "contact_not_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactCreated(DomainEvent):
    action = "contact.created"
    resource_type: str = "contact"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A person at a customer, who receives offers."""

    id: ContactId
    customer_id: CustomerId
    name: str
    email: str
    phone: str
    job_title: str
    created_at: datetime
    version: int = 0

    def __post_init__(self) -> None:
        checks = TextChecks()
        checks.line("name", self.name, required=True)
        checks.email("email", self.email)
        checks.line("phone", self.phone, longest=50)
        checks.line("job_title", self.job_title)
        checks.done()

    def create(self) -> Change["Contact"]:
        return Change(None, self, (ContactCreated(resource_id=self.id, at=self.created_at),))
