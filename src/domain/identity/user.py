"""Users and their sessions."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from src.domain.identity.actor import PERMISSIONS, Permission, Role
from src.domain.shared.change import Change
from src.domain.shared.errors import Conflict, NotFound, Unauthenticated, invalid_field
from src.domain.shared.events import DomainEvent
from src.domain.shared.ids import SessionId, UserId
from src.domain.shared.text import TextChecks

SHORTEST_PASSWORD, LONGEST_PASSWORD = 8, 1024


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


@dataclass(frozen=True, slots=True, kw_only=True)
class UserCreated(DomainEvent):
    action = "user.created"
    resource_type: str = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserLoggedIn(DomainEvent):
    action = "user.logged_in"
    resource_type: str = "user"
    session_id: SessionId


@dataclass(frozen=True, slots=True, kw_only=True)
class UserLoginFailed(DomainEvent):
    action = "user.login_failed"
    resource_type: str = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person who works for one organisation. *email* is kept in lower case; it is unique in the organisation."""

    id: UserId
    email: str
    name: str
    role: Role
    password_hash: str = field(metadata={"secret": True}, repr=False)
    created_at: datetime
    active: bool = True
    version: int = 0

    def __post_init__(self) -> None:
        checks = TextChecks()
        checks.email("email", self.email)
        checks.line("name", self.name, required=True)
        checks.done()

    def create(self) -> Change["User"]:
        return Change(None, self, (UserCreated(resource_id=self.id, at=self.created_at),))

    def may(self, permission: Permission) -> bool:
        return self.active and permission in PERMISSIONS[self.role]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One login. Access tokens carry its id as ``sid``."""

    id: SessionId
    user_id: UserId
    created_at: datetime
    expires_at: datetime
    version: int = 0

    @classmethod
    def open(cls, *, session_id: SessionId, user: User, at: datetime, lasting: timedelta) -> Change["Session"]:
        session = cls(id=session_id, user_id=user.id, created_at=at, expires_at=at + lasting)
        return Change(None, session, (UserLoggedIn(resource_id=user.id, at=at, session_id=session_id),))


def check_password_form(password: str) -> None:
    """Length only, no composition rules (ASVS 6.2). Raises Invalid (field ``password``)."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise invalid_field("password", f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters.")


def normal_email(email: str) -> str:
    """The form under which an address is stored and looked up. Raises Invalid for what is no address."""
    stripped = email.strip().lower()
    checks = TextChecks()
    checks.email("email", stripped)
    checks.done()
    return stripped
