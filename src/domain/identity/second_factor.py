"""The second factor: codes of an authenticator app (TOTP, RFC 6238), and recovery codes for the day when it is lost."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from src.domain.shared.change import Change
from src.domain.shared.errors import Conflict, NotFound
from src.domain.shared.events import DomainEvent
from src.domain.shared.ids import UserId

RECOVERY_CODES = 10


class SecondFactorNotFound(NotFound):
    code = "second_factor_not_found"


class SecondFactorStateConflict(Conflict):
    code = "second_factor_state"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactorBegun(DomainEvent):
    action = "second_factor.begun"
    resource_type: str = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactorConfirmed(DomainEvent):
    action = "second_factor.confirmed"
    resource_type: str = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactorUsed(DomainEvent):
    """*recovery_codes_left* when it was one of these that was used."""

    action = "second_factor.used"
    resource_type: str = "user"
    recovery_codes_left: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactorRemoved(DomainEvent):
    action = "second_factor.removed"
    resource_type: str = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactor:
    """One for a user, under the user's id. *sealed_secret* is encrypted; *last_step* is the last time step that was used.

    It counts from *confirmed_at* on, until *removed_at*. *recovery_hashes*: SHA-256 of the codes not yet used.
    """

    id: UserId
    sealed_secret: str = field(metadata={"secret": True}, repr=False)
    created_at: datetime
    confirmed_at: datetime | None = None
    removed_at: datetime | None = None
    last_step: int = field(default=0, metadata={"derived": True})
    recovery_hashes: tuple[str, ...] = field(default=(), metadata={"secret": True}, repr=False)
    version: int = 0

    @property
    def is_active(self) -> bool:
        return self.confirmed_at is not None and self.removed_at is None

    def begin(self, before: "SecondFactor | None") -> Change["SecondFactor"]:
        """Takes the place of one that was never confirmed, or was removed. Raises SecondFactorStateConflict."""
        if before is not None and before.is_active:
            raise SecondFactorStateConflict("There is a second factor already; remove it first.")
        version = 0 if before is None else before.version
        event = SecondFactorBegun(resource_id=self.id, at=self.created_at)
        return Change(before, replace(self, version=version), (event,))

    def confirm(self, *, step: int, recovery_hashes: tuple[str, ...], at: datetime) -> Change["SecondFactor"]:
        """Raises SecondFactorStateConflict unless it was begun and not confirmed."""
        if self.is_active or self.removed_at is not None:
            raise SecondFactorStateConflict("There is no second factor that waits for its first code.")
        confirmed = replace(self, confirmed_at=at, last_step=step, recovery_hashes=recovery_hashes)
        return Change(self, confirmed, (SecondFactorConfirmed(resource_id=self.id, at=at),))

    def use_step(self, step: int | None, at: datetime) -> Change["SecondFactor"] | None:
        """The change when *step* is new: each code counts once (RFC 6238 §5.2). None otherwise."""
        if step is None or step <= self.last_step or not self.is_active:
            return None
        return Change(self, replace(self, last_step=step), (SecondFactorUsed(resource_id=self.id, at=at),))

    def use_recovery_code(self, code_hash: str, at: datetime) -> Change["SecondFactor"] | None:
        """The change when it is one of the codes, which is then gone. None otherwise."""
        if code_hash not in self.recovery_hashes or not self.is_active:
            return None
        left = tuple(known for known in self.recovery_hashes if known != code_hash)
        event = SecondFactorUsed(resource_id=self.id, at=at, recovery_codes_left=len(left))
        return Change(self, replace(self, recovery_hashes=left), (event,))

    def remove(self, at: datetime) -> Change["SecondFactor"]:
        """Raises SecondFactorStateConflict when there is none."""
        if self.removed_at is not None:
            raise SecondFactorStateConflict("There is no second factor to remove.")
        removed = replace(self, removed_at=at, recovery_hashes=(), sealed_secret="")
        return Change(self, removed, (SecondFactorRemoved(resource_id=self.id, at=at),))
