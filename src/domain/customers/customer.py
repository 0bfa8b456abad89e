"""Customers: the companies that offers are made to."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from src.domain.shared.change import Change
from src.domain.shared.currency import Currency
from src.domain.shared.custom_fields import Values
from src.domain.shared.errors import Conflict, Forbidden, NotFound
from src.domain.shared.events import DomainEvent
from src.domain.shared.figures import check_amount
from src.domain.shared.ids import CustomerGroupId, CustomerId, UserId
from src.domain.shared.party import Address, Party
from src.domain.shared.tags import check_tags
from src.domain.shared.text import TextChecks

LONGEST_PAYMENT: Final = 365
MOST_ADDRESSES: Final = 50
_REFERENCE: Final = re.compile(r"\S(?:.*\S)?")


class CustomerNotFound(NotFound):
    code = "customer_not_found"


class CustomerReferenceTaken(Conflict):
    code = "customer_reference_taken"


class CustomerStateConflict(Conflict):
    """What is asked does not fit the state that the customer is in."""

    code = "customer_state"


class CustomerNotApproved(Conflict):
    """Offers can be drafted for it, but nothing is sent."""

    code = "customer_not_approved"


class CustomerDeleted(Conflict):
    code = "customer_deleted"


class OwnRegistration(Forbidden):
    """Four eyes: whoever registered a company does not decide about it."""

    code = "own_registration"


class CustomerStatus(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerEvent(DomainEvent):
    resource_type: str = "customer"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerCreated(CustomerEvent):
    action = "customer.created"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerChanged(CustomerEvent):
    action = "customer.changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRegrouped(CustomerEvent):
    action = "customer.regrouped"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerApproved(CustomerEvent):
    action = "customer.approved"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRejected(CustomerEvent):
    action = "customer.rejected"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRegisteredAgain(CustomerEvent):
    action = "customer.registered_again"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerSuspended(CustomerEvent):
    action = "customer.suspended"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerReinstated(CustomerEvent):
    action = "customer.reinstated"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerWasDeleted(CustomerEvent):
    action = "customer.deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRestored(CustomerEvent):
    action = "customer.restored"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerMerged(CustomerEvent):
    """*into_id* goes on with all that this one had."""

    action = "customer.merged"
    into_id: CustomerId


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerTookOver(CustomerEvent):
    """All that *from_id* had is this one's now."""

    action = "customer.took_over"
    from_id: CustomerId


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledAddress:
    """A further address, such as ``delivery``."""

    label: str
    address: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A customer company. *currency* and *locale* are what its offers begin with; the group decides about prices.

    Its registration is decided by somebody else than *registered_by* and *last_edited_by*. *reference* is its number elsewhere, unique where
    given. *payment_days* is net; *credit_limit* in its currency; both None where nothing was agreed. *deleted_at* hides
    it; what *merged_into_id* says goes on in its stead.
    """

    id: CustomerId
    party: Party
    currency: Currency
    locale: str
    created_at: datetime
    group_id: CustomerGroupId | None = None
    status: CustomerStatus = CustomerStatus.PENDING
    status_reason: str = ""
    registered_by: UserId | None = None
    last_edited_by: UserId | None = None
    reference: str = ""
    addresses: tuple[LabelledAddress, ...] = ()
    payment_days: int | None = None
    payment_terms: str = ""
    credit_limit: Decimal | None = None
    tags: tuple[str, ...] = ()
    notes: str = ""
    custom: Values = ()
    deleted_at: datetime | None = None
    merged_into_id: CustomerId | None = None
    version: int = 0

    def __post_init__(self) -> None:
        checks = TextChecks()
        checks.line("locale", self.locale, required=True, longest=35)
        self.party.check(checks)
        checks.line("reference", self.reference, longest=60)
        if self.reference and not _REFERENCE.fullmatch(self.reference):
            checks.refuse("reference", "It must not begin or end with a space.")
        if len(self.addresses) > MOST_ADDRESSES:
            checks.refuse("addresses", f"At most {MOST_ADDRESSES} further addresses are kept.")
        for position, one in enumerate(self.addresses[:MOST_ADDRESSES]):
            checks.line(f"addresses[{position}].label", one.label, required=True, longest=50)
            one.address.check(checks, f"addresses[{position}].address")
        if self.payment_days is not None and not 0 <= self.payment_days <= LONGEST_PAYMENT:
            checks.refuse("payment_days", f"From 0 to {LONGEST_PAYMENT} days.")
        checks.paragraphs("payment_terms", self.payment_terms, longest=2000)
        check_amount(checks, "credit_limit", self.credit_limit, self.currency)
        check_tags(checks, self.tags)
        checks.paragraphs("notes", self.notes)
        checks.done()

    @property
    def deleted(self) -> bool:
        return self.deleted_at is not None

    def create(self) -> Change["Customer"]:
        return Change(None, self, (CustomerCreated(resource_id=self.id, at=self.created_at),))

    def become(self, changed: "Customer", at: datetime, *, by: UserId | None) -> Change["Customer"]:
        """*changed* is this one with other particulars, from *by*; what it was decided to be stays. Raises CustomerDeleted."""
        self.check_here()
        kept = replace(
            changed,
            id=self.id,
            status=self.status,
            status_reason=self.status_reason,
            registered_by=self.registered_by,
            last_edited_by=by or self.last_edited_by,
        )
        return Change(self, kept, (CustomerChanged(resource_id=self.id, at=at),))

    def join(self, group_id: CustomerGroupId | None, at: datetime, *, by: UserId | None) -> Change["Customer"]:
        """In *group_id* from now on, or in none; drafts keep their prices until they are repriced."""
        joined = replace(self, group_id=group_id, last_edited_by=by or self.last_edited_by)
        return Change(self, joined, (CustomerRegrouped(resource_id=self.id, at=at),))

    def approve(self, *, at: datetime) -> Change["Customer"]:
        """All who had to have agreed. Raises CustomerStateConflict."""
        self._check_state(CustomerStatus.PENDING, "approved")
        changed = replace(self, status=CustomerStatus.APPROVED, status_reason="")
        return Change(self, changed, (CustomerApproved(resource_id=self.id, at=at),))

    def reject(self, *, reason: str, at: datetime) -> Change["Customer"]:
        """Raises CustomerStateConflict, Invalid for an empty reason."""
        self._check_state(CustomerStatus.PENDING, "rejected")
        _check_reason(reason)
        changed = replace(self, status=CustomerStatus.REJECTED, status_reason=reason)
        return Change(self, changed, (CustomerRejected(resource_id=self.id, at=at, reason=reason),))

    def register_again(self, *, by: UserId, at: datetime) -> Change["Customer"]:
        """After a rejection, once what was wrong has been mended. Raises CustomerStateConflict."""
        self._check_state(CustomerStatus.REJECTED, "registered again")
        changed = replace(self, status=CustomerStatus.PENDING, status_reason="", registered_by=by)
        return Change(self, changed, (CustomerRegisteredAgain(resource_id=self.id, at=at),))

    def suspend(self, *, reason: str, at: datetime) -> Change["Customer"]:
        """Raises CustomerStateConflict, Invalid for an empty reason."""
        self._check_state(CustomerStatus.APPROVED, "suspended")
        _check_reason(reason)
        changed = replace(self, status=CustomerStatus.SUSPENDED, status_reason=reason)
        return Change(self, changed, (CustomerSuspended(resource_id=self.id, at=at, reason=reason),))

    def reinstate(self, at: datetime) -> Change["Customer"]:
        """Raises CustomerStateConflict."""
        self._check_state(CustomerStatus.SUSPENDED, "reinstated")
        changed = replace(self, status=CustomerStatus.APPROVED, status_reason="")
        return Change(self, changed, (CustomerReinstated(resource_id=self.id, at=at),))

    def delete(self, at: datetime) -> Change["Customer"]:
        """Out of sight; its offers stay. Raises CustomerDeleted."""
        self.check_here()
        return Change(self, replace(self, deleted_at=at), (CustomerWasDeleted(resource_id=self.id, at=at),))

    def restore(self, at: datetime) -> Change["Customer"]:
        """Raises CustomerStateConflict, also for what has gone into another."""
        if self.merged_into_id is not None:
            raise CustomerStateConflict("This customer goes on in another; there is nothing to restore.")
        if not self.deleted:
            raise CustomerStateConflict("This customer is not deleted.")
        return Change(self, replace(self, deleted_at=None), (CustomerRestored(resource_id=self.id, at=at),))

    def merge_into(self, survivor: "Customer", at: datetime) -> tuple[Change["Customer"], Change["Customer"]]:
        """Both changes: of this one, which ends, and of *survivor*. Raises CustomerDeleted, CustomerStateConflict."""
        self.check_here()
        survivor.check_here()
        if survivor.id == self.id:
            raise CustomerStateConflict("A customer cannot be merged into itself.")
        ended = replace(self, deleted_at=at, merged_into_id=survivor.id, reference="")
        merged = CustomerMerged(resource_id=self.id, at=at, into_id=survivor.id)
        taken = replace(survivor, tags=tuple(sorted({*survivor.tags, *self.tags})))
        took_over = CustomerTookOver(resource_id=survivor.id, at=at, from_id=self.id)
        return Change(self, ended, (merged,)), Change(survivor, taken, (took_over,))

    def check_here(self) -> None:
        """Raises CustomerDeleted."""
        if self.deleted:
            raise CustomerDeleted(
                "This customer is deleted.",
                merged_into_id=None if not self.merged_into_id else str(self.merged_into_id),
            )

    def check_may_be_sent_to(self) -> None:
        """Raises CustomerNotApproved, CustomerDeleted."""
        self.check_here()
        if self.status is not CustomerStatus.APPROVED:
            raise CustomerNotApproved(
                f"{self.party.name} is {self.status.value}: nothing is sent before it is approved.",
                status=self.status.value,
            )

    def check_four_eyes(self, by: UserId) -> None:
        """Raises OwnRegistration."""
        if by in {self.registered_by, self.last_edited_by}:
            raise OwnRegistration("You have registered or changed this company; somebody else decides about it.")

    def _check_state(self, state: CustomerStatus, verb: str) -> None:
        self.check_here()
        if self.status is not state:
            raise CustomerStateConflict(
                f"A customer that is {self.status.value} cannot be {verb}.", status=self.status.value
            )


def _check_reason(reason: str) -> None:
    checks = TextChecks()
    checks.paragraphs("reason", reason, longest=2000)
    if not reason.strip():
        checks.refuse("reason", "Say why.")
    checks.done()
