"""Organisations, users, sessions and what else identifies somebody, in the store."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol

from src.application.ports.jobs import Job
from src.application.ports.paging import Page, Paging
from src.domain.identity.actor import Permission, Role
from src.domain.identity.api_key import ApiKey
from src.domain.identity.challenge import Challenge, Purpose
from src.domain.identity.organization import Organization, OrganizationStatus
from src.domain.identity.provider import ExternalIdentity, IdentityProvider, ProviderLogin
from src.domain.identity.second_factor import SecondFactor
from src.domain.identity.session import Session
from src.domain.identity.user import User
from src.domain.shared.change import Change
from src.domain.shared.ids import (
    ApiKeyId,
    ChallengeId,
    IdentityProviderId,
    OrganizationId,
    ProviderLoginId,
    SessionId,
    UserId,
)


class OrganizationRepository(Protocol):
    @abstractmethod
    async def current(self, *, lock: bool = False) -> Organization:
        """The organisation of this unit of work. Raises OrganizationNotFound for one that is no more."""

    @abstractmethod
    async def create(self, change: Change[Organization]) -> Organization:
        """A new organisation with an empty audit chain. Only an operator's unit of work may. Raises SlugTaken."""

    @abstractmethod
    async def save(self, change: Change[Organization]) -> Organization:
        """Status and verified domains only change in an operator's unit of work."""


class UserRepository(Protocol):
    @abstractmethod
    async def get(self, user_id: UserId, *, lock: bool = False) -> User:
        """Raises UserNotFound."""

    @abstractmethod
    async def by_email(self, email: str) -> User | None:
        """*email* as ``normal_email`` gives it."""

    @abstractmethod
    async def all(self) -> Sequence[User]:
        """Every user of the organisation, by e-mail."""

    @abstractmethod
    async def lock_owners(self) -> Sequence[User]:
        """The active owners, locked until the unit of work ends: nobody else takes one of them away meanwhile."""

    @abstractmethod
    async def save(self, change: Change[User]) -> User:
        """The user as stored. Raises EmailTaken."""


class SessionRepository(Protocol):
    @abstractmethod
    async def get(self, session_id: SessionId) -> Session:
        """Locked until the unit of work ends. Raises SessionNotFound."""

    @abstractmethod
    async def live_of(self, user_id: UserId, at: datetime) -> Sequence[Session]:
        """Those that have not ended, locked, the newest first."""

    @abstractmethod
    async def save(self, change: Change[Session]) -> Session: ...


class ChallengeRepository(Protocol):
    @abstractmethod
    async def get(self, challenge_id: ChallengeId) -> Challenge:
        """Locked until the unit of work ends. Raises ChallengeNotFound."""

    @abstractmethod
    async def open_of(self, user_id: UserId, purpose: Purpose, at: datetime) -> Sequence[Challenge]:
        """Those that can still be answered, locked."""

    @abstractmethod
    async def save(self, change: Change[Challenge]) -> Challenge: ...


class SecondFactorRepository(Protocol):
    @abstractmethod
    async def of(self, user_id: UserId) -> SecondFactor | None:
        """Locked until the unit of work ends; None for who never began one."""

    @abstractmethod
    async def save(self, change: Change[SecondFactor]) -> SecondFactor: ...


class ApiKeyRepository(Protocol):
    @abstractmethod
    async def get(self, api_key_id: ApiKeyId) -> ApiKey:
        """Locked until the unit of work ends. Raises ApiKeyNotFound."""

    @abstractmethod
    async def page(self, paging: Paging) -> Page[ApiKey]:
        """All of them, the newest first."""

    @abstractmethod
    async def save(self, change: Change[ApiKey]) -> ApiKey: ...


class IdentityProviderRepository(Protocol):
    @abstractmethod
    async def current(self) -> IdentityProvider | None:
        """The organisation's provider, active or not."""

    @abstractmethod
    async def get(self, provider_id: IdentityProviderId) -> IdentityProvider:
        """Raises IdentityProviderNotFound."""

    @abstractmethod
    async def save(self, change: Change[IdentityProvider]) -> IdentityProvider: ...

    @abstractmethod
    async def login(self, login_id: ProviderLoginId) -> ProviderLogin:
        """Locked until the unit of work ends. Raises ProviderLoginFailed for what is not there."""

    @abstractmethod
    async def save_login(self, change: Change[ProviderLogin]) -> ProviderLogin: ...

    @abstractmethod
    async def identity(self, issuer: str, subject: str) -> ExternalIdentity | None: ...

    @abstractmethod
    async def save_identity(self, change: Change[ExternalIdentity]) -> ExternalIdentity: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What the login needs to know before a tenant is known."""

    organization_id: OrganizationId
    organization_slug: str
    user_id: UserId
    email: str
    name: str
    role: Role
    password_hash: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSession:
    """Whose session it is, as they are at this instant. *restricted*: see Session."""

    user_id: UserId
    name: str
    role: Role
    restricted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveApiKey:
    """What a key may do, and for whom it acts, at this instant."""

    organization_id: OrganizationId
    id: ApiKeyId
    name: str
    scopes: frozenset[Permission]
    networks: tuple[str, ...]
    user_id: UserId
    role: Role


class AccountDirectory(Protocol):
    """The narrow door: the only look-ups across organisations. Suspended ones and deactivated users are not found."""

    @abstractmethod
    async def find(self, email: str) -> Sequence[Account]:
        """The active accounts with this e-mail (lower case), one for each organisation, at most 20, by slug."""

    @abstractmethod
    async def session(self, organization_id: OrganizationId, session_id: SessionId) -> LiveSession | None:
        """None when it has ended, whatever ended it."""

    @abstractmethod
    async def api_key(self, key_hash: str) -> LiveApiKey | None:
        """The key with this SHA-256, whose last use is now; None for a revoked or expired one."""

    @abstractmethod
    async def challenge(self, challenge_id: ChallengeId) -> Sequence[OrganizationId]:
        """The organisations that have issued it: several when one person is in several."""

    @abstractmethod
    async def provider_login(self, login_id: ProviderLoginId) -> OrganizationId | None: ...

    @abstractmethod
    async def organization(self, slug: str) -> OrganizationId | None: ...

    @abstractmethod
    async def enqueue(self, job: Job) -> None:
        """For what must take as long for nobody as for somebody; it lasts at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """*burst* at once, and as many more in each *period*, spread evenly, for whatever *bucket* names.

    So twice the *burst* is the most that any *period* can see.
    """

    bucket: str
    burst: int
    period: timedelta


class Throttle(Protocol):
    """Shared by all processes."""

    @abstractmethod
    async def take(self, turns: Sequence[Turns], at: datetime) -> None:
        """Take one turn of each. Raises TooMany when one of them has none left."""

    @abstractmethod
    async def give_back(self, turns: Sequence[Turns], at: datetime) -> None:
        """What was taken did no harm: a login that succeeded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationSummary:
    id: OrganizationId
    slug: str
    name: str
    country: str
    default_currency: str
    status: OrganizationStatus
    created_at: datetime


class OperatorRights(StrEnum):
    """What an operator's key opens. *mail reports*: for a mail gateway, which hands these in and can do nothing else."""

    EVERYTHING = "everything"
    MAIL_REPORTS = "mail_reports"


class OperatorKey(NamedTuple):
    name: str
    rights: OperatorRights


class OrganizationDirectory(Protocol):
    """For platform operators alone, through their own role: which organisations there are, and nothing inside of them."""

    @abstractmethod
    async def page(self, search: str, paging: Paging) -> Page[OrganizationSummary]:
        """The newest first; *search* looks into the slug."""

    @abstractmethod
    async def find(self, slug_or_id: str) -> OrganizationId:
        """Raises OrganizationUnknown."""

    @abstractmethod
    async def operator_of(self, key_hash: str) -> OperatorKey | None:
        """The key that has this SHA-256, unless it has ended."""

    @abstractmethod
    async def add_operator_key(self, key: OperatorKey, key_hash: str, at: datetime) -> None: ...

    @abstractmethod
    async def revoke_operator_key(self, name: str, at: datetime) -> int:
        """How many keys of that name have ended by it."""
