"""Organisations, users, sessions and what else identifies somebody in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from src.adapters.memory.records import ChangedMeanwhile, MemoryRecords
from src.adapters.memory.state import MemoryTransaction, page_of
from src.application.ports.identity import (
    ApiKeyRepository,
    ChallengeRepository,
    IdentityProviderRepository,
    OrganizationRepository,
    SecondFactorRepository,
    SessionRepository,
    UserRepository,
)
from src.application.ports.paging import Page, Paging
from src.domain.identity.actor import Role
from src.domain.identity.api_key import ApiKey, ApiKeyNotFound
from src.domain.identity.challenge import Challenge, ChallengeNotFound, Purpose
from src.domain.identity.organization import Organization
from src.domain.identity.provider import (
    ExternalIdentity,
    IdentityProvider,
    IdentityProviderNotFound,
    ProviderLogin,
    provider_login_failed,
)
from src.domain.identity.second_factor import SecondFactor, SecondFactorNotFound
from src.domain.identity.session import Session, SessionNotFound
from src.domain.identity.user import EmailTaken, User, UserNotFound
from src.domain.shared.change import Change
from src.domain.shared.ids import (
    ApiKeyId,
    ChallengeId,
    IdentityProviderId,
    ProviderLoginId,
    SessionId,
    UserId,
)


class MemoryOrganizations(OrganizationRepository):
    def __init__(self, transaction: MemoryTransaction) -> None:
        self._transaction = transaction

    async def current(self, *, lock: bool = False) -> Organization:
        return self._transaction.state.organizations[self._transaction.organization_id]

    async def create(self, change: Change[Organization]) -> Organization:
        self._transaction.state.organizations[change.after.id] = change.after
        self._transaction.changes.append(change)
        return change.after

    async def save(self, change: Change[Organization]) -> Organization:
        before = change.before
        assert before is not None  # ``create`` is for new ones.
        if self._transaction.state.organizations[before.id].version != before.version:
            raise ChangedMeanwhile("Someone else changed this meanwhile; read it again.")
        stored = replace(change.after, version=self._transaction.next_version(before.id, before.version))
        self._transaction.state.organizations[before.id] = stored
        self._transaction.changes.append(replace(change, after=stored))
        return stored


class MemoryUsers(UserRepository):
    def __init__(self, transaction: MemoryTransaction) -> None:
        missing = UserNotFound("There is no such user.")
        self._records = MemoryRecords(transaction, transaction.state.users, missing)

    async def get(self, user_id: UserId, *, lock: bool = False) -> User:
        return self._records.get(user_id)

    async def by_email(self, email: str) -> User | None:
        return next((user for user in self._records.items.values() if user.email == email), None)

    async def all(self) -> Sequence[User]:
        return sorted(self._records.items.values(), key=lambda user: user.email)

    async def lock_owners(self) -> Sequence[User]:
        return [user for user in self._records.items.values() if user.role is Role.OWNER and user.active]

    async def save(self, change: Change[User]) -> User:
        if any(known.email == change.after.email for known in self._records.others(change.after)):
            raise EmailTaken("This e-mail is taken.")
        return self._records.save(change)


class MemorySessions(SessionRepository):
    def __init__(self, transaction: MemoryTransaction) -> None:
        missing = SessionNotFound("There is no such session.")
        self._records = MemoryRecords(transaction, transaction.state.sessions, missing)

    async def get(self, session_id: SessionId) -> Session:
        return self._records.get(session_id)

    async def live_of(self, user_id: UserId, at: datetime) -> Sequence[Session]:
        live = [one for one in self._records.items.values() if one.user_id == user_id and one.is_live(at)]
        return sorted(live, key=lambda one: one.created_at, reverse=True)

    async def save(self, change: Change[Session]) -> Session:
        return self._records.save(change)


class MemoryChallenges(ChallengeRepository):
    def __init__(self, transaction: MemoryTransaction) -> None:
        missing = ChallengeNotFound("There is no such challenge.")
        self._records = MemoryRecords(transaction, transaction.state.challenges, missing)

    async def get(self, challenge_id: ChallengeId) -> Challenge:
        return self._records.get(challenge_id)

    async def open_of(self, user_id: UserId, purpose: Purpose, at: datetime) -> Sequence[Challenge]:
        return [
            one
            for one in self._records.items.values()
            if one.user_id == user_id and one.purpose is purpose and one.is_open(at)
        ]

    async def save(self, change: Change[Challenge]) -> Challenge:
        return self._records.save(change)


class MemorySecondFactors(SecondFactorRepository):
    def __init__(self, transaction: MemoryTransaction) -> None:
        missing = SecondFactorNotFound("There is no second factor.")
        self._records = MemoryRecords(transaction, transaction.state.second_factors, missing)

    async def of(self, user_id: UserId) -> SecondFactor | None:
        return self._records.items.get(user_id)

    async def save(self, change: Change[SecondFactor]) -> SecondFactor:
        return self._records.save(change)


class MemoryApiKeys(ApiKeyRepository):
    def __init__(self, transaction: MemoryTransaction) -> None:
        missing = ApiKeyNotFound("There is no such API key.")
        self._records = MemoryRecords(transaction, transaction.state.api_keys, missing)

    async def get(self, api_key_id: ApiKeyId) -> ApiKey:
        return self._records.get(api_key_id)

    async def page(self, paging: Paging) -> Page[ApiKey]:
        return page_of(self._records.items.values(), paging, lambda key: key)

    async def save(self, change: Change[ApiKey]) -> ApiKey:
        return self._records.save(change)


class MemoryIdentityProviders(IdentityProviderRepository):
    def __init__(self, transaction: MemoryTransaction) -> None:
        missing, state = IdentityProviderNotFound("There is no such identity provider."), transaction.state
        self._providers = MemoryRecords(transaction, state.identity_providers, missing)
        self._logins = MemoryRecords(transaction, state.provider_logins, provider_login_failed())
        self._identities = MemoryRecords(transaction, state.external_identities, missing)

    async def current(self) -> IdentityProvider | None:
        return next(iter(self._providers.items.values()), None)

    async def get(self, provider_id: IdentityProviderId) -> IdentityProvider:
        return self._providers.get(provider_id)

    async def save(self, change: Change[IdentityProvider]) -> IdentityProvider:
        return self._providers.save(change)

    async def login(self, login_id: ProviderLoginId) -> ProviderLogin:
        return self._logins.get(login_id)

    async def save_login(self, change: Change[ProviderLogin]) -> ProviderLogin:
        return self._logins.save(change)

    async def identity(self, issuer: str, subject: str) -> ExternalIdentity | None:
        known = self._identities.items.values()
        return next((one for one in known if (one.issuer, one.subject) == (issuer, subject)), None)

    async def save_identity(self, change: Change[ExternalIdentity]) -> ExternalIdentity:
        return self._identities.save(change)
