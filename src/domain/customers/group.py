"""Customer groups: customers that get the same prices."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from src.domain.shared.change import Change
from src.domain.shared.errors import Conflict, NotFound
from src.domain.shared.events import DomainEvent
from src.domain.shared.figures import check_percent
from src.domain.shared.ids import CustomerGroupId
from src.domain.shared.text import TextChecks


class CustomerGroupNotFound(NotFound):
    code = "customer_group_not_found"


class CustomerGroupNameTaken(Conflict):
    code = "customer_group_name_taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerGroupCreated(DomainEvent):
    action = "customer_group.created"
    resource_type: str = "customer_group"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerGroupChanged(DomainEvent):
    action = "customer_group.changed"
    resource_type: str = "customer_group"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerGroup:
    """*discount_percent* (0 to 100) is taken off list prices where no price list of the customer or the group says more."""

    id: CustomerGroupId
    name: str
    discount_percent: Decimal
    created_at: datetime
    version: int = 0

    def __post_init__(self) -> None:
        checks = TextChecks()
        checks.line("name", self.name, required=True)
        check_percent(checks, "discount_percent", self.discount_percent)
        checks.done()

    def create(self) -> Change["CustomerGroup"]:
        return Change(None, self, (CustomerGroupCreated(resource_id=self.id, at=self.created_at),))

    def become(self, *, name: str, discount_percent: Decimal, at: datetime) -> Change["CustomerGroup"]:
        changed = replace(self, name=name, discount_percent=discount_percent)
        return Change(self, changed, (CustomerGroupChanged(resource_id=self.id, at=at),))
