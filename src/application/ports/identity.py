"""Organisations, users and sessions in the store."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from src.domain.identity.actor import Role
from src.domain.identity.organization import Organization
from src.domain.identity.user import Session, User
from src.domain.shared.change import Change
from src.domain.shared.ids import OrganizationId, UserId


class OrganizationRepository(Protocol):
    @abstractmethod
    async def current(self) -> Organization:
        """The organisation of this unit of work. Raises OrganizationNotFound for one that is no more."""

    @abstractmethod
    async def create(self, change: Change[Organization]) -> Organization:
        """A new organisation with an empty audit chain. Only an operator's unit of work may. Raises SlugTaken."""


class UserRepository(Protocol):
    @abstractmethod
    async def get(self, user_id: UserId) -> User:
        """Raises UserNotFound."""

    @abstractmethod
    async def all(self) -> Sequence[User]:
        """Every user of the organisation, by e-mail."""

    @abstractmethod
    async def save(self, change: Change[User]) -> User:
        """The user as stored. Raises EmailTaken."""


class SessionRepository(Protocol):
    @abstractmethod
    async def save(self, change: Change[Session]) -> Session: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What the login needs to know before a tenant is known."""

    organization_id: OrganizationId
    organization_slug: str
    user_id: UserId
    email: str
    name: str
    role: Role
    password_hash: str


class AccountDirectory(Protocol):
    """The narrow door: the only look-up across organisations."""

    @abstractmethod
    async def find(self, email: str) -> Sequence[Account]:
        """The active accounts with this e-mail (lower case), one for each organisation, at most 20, by slug."""
