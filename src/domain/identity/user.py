"""Users: the people of one organisation."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from src.domain.identity.actor import PERMISSIONS, Actor, Permission, Role
from src.domain.shared.change import Change
from src.domain.shared.errors import Conflict, Forbidden, NotFound, Unauthenticated
from src.domain.shared.events import DomainEvent
from src.domain.shared.ids import UserId
from src.domain.shared.text import TextChecks


class UserNotFound(NotFound):
    code = "user_not_found"


class EmailTaken(Conflict):
    code = "email_taken"


class LoginFailed(Unauthenticated):
    """The same answer whether the account exists or not."""

    code = "login_failed"


class OrganizationRequired(Conflict):
    """The same e-mail and password open several organisations: name one."""

    code = "organization_required"


class LastOwner(Conflict):
    """An organisation always keeps an active owner."""

    code = "last_owner"


class UserStateConflict(Conflict):
    """What is asked does not fit the state that the user is in."""

    code = "user_state"


class RoleNotYours(Forbidden):
    """Nobody gives or takes what is more than their own, and nobody changes themselves."""

    code = "role_not_yours"


class UserStatus(StrEnum):
    """``invited`` until the invitation is accepted; only ``active`` users can do anything."""

    INVITED = "invited"
    ACTIVE = "active"
    DEACTIVATED = "deactivated"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserCreated(DomainEvent):
    action = "user.created"
    resource_type: str = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserInvited(DomainEvent):
    action = "user.invited"
    resource_type: str = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationAccepted(DomainEvent):
    action = "user.invitation_accepted"
    resource_type: str = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserProvisioned(DomainEvent):
    """Made at the first login by the organisation's identity provider."""

    action = "user.provisioned"
    resource_type: str = "user"
    issuer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRenamed(DomainEvent):
    action = "user.renamed"
    resource_type: str = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRoleChanged(DomainEvent):
    action = "user.role_changed"
    resource_type: str = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserDeactivated(DomainEvent):
    action = "user.deactivated"
    resource_type: str = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserReactivated(DomainEvent):
    action = "user.reactivated"
    resource_type: str = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordChanged(DomainEvent):
    """*how*: ``changed`` by the user, ``reset`` by a mailed link, or ``rehashed`` with new parameters at a login."""

    action = "user.password_changed"
    resource_type: str = "user"
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UserLoginFailed(DomainEvent):
    action = "user.login_failed"
    resource_type: str = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person who works for one organisation. *email* is kept in lower case; it is unique in the organisation.

    Without *password_hash* there is no login by password: an invitation that waits, or a login elsewhere.
    """

    id: UserId
    email: str = field(metadata={"personal": True})
    name: str = field(metadata={"personal": True})
    role: Role
    password_hash: str | None = field(metadata={"secret": True}, repr=False)
    created_at: datetime
    status: UserStatus = UserStatus.ACTIVE
    version: int = 0

    def __post_init__(self) -> None:
        checks = TextChecks()
        checks.email("email", self.email)
        checks.line("name", self.name, required=True)
        checks.done()

    @property
    def active(self) -> bool:
        return self.status is UserStatus.ACTIVE

    def may(self, permission: Permission) -> bool:
        return self.active and permission in PERMISSIONS[self.role]

    def create(self) -> Change["User"]:
        event = UserInvited if self.status is UserStatus.INVITED else UserCreated
        return Change(None, self, (event(resource_id=self.id, at=self.created_at),))

    def provision(self, *, issuer: str) -> Change["User"]:
        return Change(None, self, (UserProvisioned(resource_id=self.id, at=self.created_at, issuer=issuer),))

    def invite_again(self, at: datetime) -> Change["User"]:
        """Raises UserStateConflict unless the invitation still waits."""
        if self.status is not UserStatus.INVITED:
            raise UserStateConflict(f"This user is {self.status.value}: there is no invitation to send again.")
        return Change(self, self, (UserInvited(resource_id=self.id, at=at),))

    def accept_invitation(self, *, name: str, password_hash: str, at: datetime) -> Change["User"]:
        """Raises UserStateConflict for who has accepted already, or was deactivated in between."""
        if self.status is not UserStatus.INVITED:
            raise UserStateConflict("This invitation has been used, or taken back.")
        accepted = replace(self, name=name, password_hash=password_hash, status=UserStatus.ACTIVE)
        return Change(self, accepted, (InvitationAccepted(resource_id=self.id, at=at),))

    def rename(self, name: str, at: datetime) -> Change["User"]:
        return Change(self, replace(self, name=name), (UserRenamed(resource_id=self.id, at=at),))

    def take_role(self, role: Role, *, by: Actor, owners: int, at: datetime) -> Change["User"]:
        """*owners*: how many active owners there are. Raises RoleNotYours, LastOwner."""
        check_grant(role, by)
        self._check_not_above(by)
        if role is not Role.OWNER:
            self._check_owner_left(owners)
        return Change(self, replace(self, role=role), (UserRoleChanged(resource_id=self.id, at=at),))

    def deactivate(self, *, by: Actor, owners: int, at: datetime) -> Change["User"]:
        """Raises RoleNotYours, LastOwner, UserStateConflict."""
        self._check_not_above(by)
        self._check_owner_left(owners)
        if self.status is UserStatus.DEACTIVATED:
            raise UserStateConflict("This user is deactivated already.")
        changed = replace(self, status=UserStatus.DEACTIVATED)
        return Change(self, changed, (UserDeactivated(resource_id=self.id, at=at),))

    def reactivate(self, *, by: Actor, at: datetime) -> Change["User"]:
        """Whoever never accepted an invitation is invited still. Raises RoleNotYours, UserStateConflict."""
        self._check_not_above(by)
        if self.status is not UserStatus.DEACTIVATED:
            raise UserStateConflict(f"This user is {self.status.value}, not deactivated.")
        changed = replace(self, status=UserStatus.ACTIVE if self.password_hash else UserStatus.INVITED)
        return Change(self, changed, (UserReactivated(resource_id=self.id, at=at),))

    def take_password(self, password_hash: str, *, how: str, at: datetime) -> Change["User"]:
        changed = replace(self, password_hash=password_hash)
        return Change(self, changed, (PasswordChanged(resource_id=self.id, at=at, how=how),))

    def _check_not_above(self, by: Actor) -> None:
        if by.user_id == self.id:
            raise RoleNotYours("You cannot change your own role or state; ask somebody else with the right.")
        if not PERMISSIONS[self.role] <= by.permissions:
            raise RoleNotYours(f"This user is {self.role.value}, and may more than you.")

    def _check_owner_left(self, owners: int) -> None:
        if self.role is Role.OWNER and self.active and owners <= 1:
            raise LastOwner("This is the last active owner; make somebody else one first.")


def check_grant(role: Role, by: Actor) -> None:
    """Raises RoleNotYours when *role* may more than *by*."""
    if not PERMISSIONS[role] <= by.permissions:
        raise RoleNotYours(f"You cannot make somebody {role.value}: that role may more than you.")


def normal_email(email: str) -> str:
    """The form under which an address is stored and looked up. Raises Invalid for what is no address."""
    stripped = email.strip().lower()
    checks = TextChecks()
    checks.email("email", stripped)
    checks.done()
    return stripped
