"""Delegation: somebody decides in the name of a colleague who is away."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from src.domain.shared.change import Change
from src.domain.shared.errors import Conflict, NotFound
from src.domain.shared.events import DomainEvent
from src.domain.shared.ids import DelegationId, UserId
from src.domain.shared.text import TextChecks

LONGEST_DELEGATION = 366  # Days.


class DelegationNotFound(NotFound):
    code = "delegation_not_found"


class DelegationEnded(Conflict):
    code = "delegation_ended"


class DelegationOverlaps(Conflict):
    """The same two on one of these days already; details: ``delegation_id``, ``starts_on``, ``ends_on`` of that one."""

    code = "delegation_overlaps"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalsDelegated(DomainEvent):
    action = "delegation.created"
    resource_type: str = "delegation"


@dataclass(frozen=True, slots=True, kw_only=True)
class DelegationWasEnded(DomainEvent):
    action = "delegation.ended"
    resource_type: str = "delegation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegation:
    """*to_user_id* may decide for *from_user_id* from *starts_on* to *ends_on*, both days included.

    Days are those of the organisation's time zone. It is one hop: what was delegated is not delegated on.
    """

    id: DelegationId
    from_user_id: UserId
    to_user_id: UserId
    starts_on: date
    ends_on: date
    created_at: datetime
    reason: str = ""
    ended_at: datetime | None = None
    version: int = 0

    def __post_init__(self) -> None:
        checks = TextChecks()
        checks.line("reason", self.reason, longest=500)
        if self.from_user_id == self.to_user_id:
            checks.refuse("to_user_id", "Somebody else is needed.")
        if self.ends_on < self.starts_on:
            checks.refuse("ends_on", "It must not end before it starts.")
        elif (self.ends_on - self.starts_on).days >= LONGEST_DELEGATION:
            checks.refuse("ends_on", f"At most {LONGEST_DELEGATION} days.")
        checks.done()

    def counts_on(self, day: date) -> bool:
        return self.ended_at is None and self.starts_on <= day <= self.ends_on

    def check_adds_to(self, others: Sequence["Delegation"]) -> None:
        """One day is delegated to one deputy once; to another one as well, if it must be. Raises DelegationOverlaps."""
        for one in others:
            same = (one.from_user_id, one.to_user_id) == (self.from_user_id, self.to_user_id)
            if same and one.ended_at is None and one.starts_on <= self.ends_on and self.starts_on <= one.ends_on:
                raise DelegationOverlaps(
                    f"This deputy stands in from {one.starts_on} to {one.ends_on} already; end that delegation, or take other days.",
                    delegation_id=str(one.id),
                    starts_on=one.starts_on.isoformat(),
                    ends_on=one.ends_on.isoformat(),
                )

    def create(self) -> Change["Delegation"]:
        return Change(None, self, (ApprovalsDelegated(resource_id=self.id, at=self.created_at),))

    def end(self, at: datetime) -> Change["Delegation"]:
        """From now on it counts no more. Raises DelegationEnded."""
        if self.ended_at is not None:
            raise DelegationEnded("This delegation has been ended already.")
        return Change(self, replace(self, ended_at=at), (DelegationWasEnded(resource_id=self.id, at=at),))
