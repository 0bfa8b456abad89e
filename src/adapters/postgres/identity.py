"""Organisations, users, sessions and what else identifies somebody in PostgreSQL."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, bindparam, select, text, update
from sqlalchemy.exc import IntegrityError

from src.adapters.postgres.json_columns import from_json, to_json
from src.adapters.postgres.pages import newest_first
from src.adapters.postgres.records import Records
from src.adapters.postgres.tables import (
    api_keys,
    challenges,
    external_identities,
    identity_providers,
    organizations,
    provider_logins,
    second_factors,
    sessions,
    users,
)
from src.adapters.postgres.transaction import ChangedMeanwhile, Transaction, meaning_of
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
from src.domain.audit.chain import BEGINNING
from src.domain.identity.actor import Role
from src.domain.identity.api_key import ApiKey, ApiKeyNotFound
from src.domain.identity.challenge import Challenge, ChallengeNotFound, Purpose
from src.domain.identity.organization import Logo, Organization, OrganizationNotFound, OrganizationStatus
from src.domain.identity.provider import (
    ExternalIdentity,
    IdentityProvider,
    IdentityProviderNotFound,
    ProviderLogin,
    provider_login_failed,
)
from src.domain.identity.second_factor import SecondFactor, SecondFactorNotFound
from src.domain.identity.session import Session, SessionNotFound
from src.domain.identity.user import User, UserNotFound, UserStatus
from src.domain.shared.change import Change
from src.domain.shared.currency import Currency
from src.domain.shared.ids import (
    ApiKeyId,
    ChallengeId,
    IdentityProviderId,
    OrganizationId,
    ProviderLoginId,
    SessionId,
    UserId,
)
from src.domain.shared.party import Party
from src.domain.shared.rounding import RoundingSettings
from src.domain.shared.working_time import WorkingCalendar

_CREATE: Final = text(
    "SELECT proffer.create_organization(:organization_id, :slug, :party, :default_currency, :time_zone, :locale, "
    ":settings, :prices_include_tax, :created_at, :version, :first_hash)"
)
_CURRENT: Final = select(organizations).where(organizations.c.organization_id == bindparam("organization"))
_OPERATORS_OWN: Final = frozenset({"status", "verified_domains"})


class PostgresOrganizations(OrganizationRepository):
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def current(self, *, lock: bool = False) -> Organization:
        statement = _CURRENT.with_for_update(key_share=True) if lock else _CURRENT
        parameters = {"organization": self._transaction.organization_id}
        row = (await self._transaction.connection.execute(statement, parameters)).one_or_none()
        if row is None:
            raise OrganizationNotFound("This organisation is not here.")
        return Organization(
            id=OrganizationId(row.organization_id),
            slug=row.slug,
            party=from_json(Party, row.party),
            default_currency=Currency.of(row.default_currency),
            time_zone=row.time_zone,
            locale=row.locale,
            created_at=row.created_at,
            settings=from_json(RoundingSettings, row.settings),
            prices_include_tax=row.prices_include_tax,
            status=OrganizationStatus(row.status),
            require_second_factor=row.require_second_factor,
            verified_domains=from_json(tuple[str, ...], row.verified_domains),
            logo=None if row.logo is None else from_json(Logo, row.logo),
            working_calendar=from_json(WorkingCalendar, row.working_calendar),
            version=row.version,
        )

    async def create(self, change: Change[Organization]) -> Organization:
        stored = change.after
        row = {
            "organization_id": stored.id,
            "slug": stored.slug,
            "created_at": stored.created_at,
            "first_hash": BEGINNING,
        } | _settings(stored)
        try:
            await self._transaction.connection.execute(_CREATE, row)
        except IntegrityError as error:
            raise meaning_of(error) from error
        self._transaction.changes.append(change)
        return stored

    async def save(self, change: Change[Organization]) -> Organization:
        before = change.before
        assert before is not None  # ``create`` is for new ones.
        stored = replace(change.after, version=self._transaction.next_version(change.after.id, before.version))
        values = _settings(stored) | {
            "require_second_factor": stored.require_second_factor,
            "logo": None if stored.logo is None else to_json(stored.logo),
            "working_calendar": to_json(stored.working_calendar),
        }
        if (stored.status, stored.verified_domains) != (before.status, before.verified_domains):
            # The application may not even name these columns.
            values |= {"status": stored.status.value, "verified_domains": to_json(stored.verified_domains)}
        columns = organizations.c
        own = (columns.organization_id == stored.id, columns.version == before.version)
        result = await self._transaction.connection.execute(update(organizations).where(*own).values(values))
        if result.rowcount != 1:
            raise ChangedMeanwhile("Someone else changed this meanwhile; read it again.")
        self._transaction.changes.append(replace(change, after=stored))
        return stored


def _settings(organization: Organization) -> dict[str, Any]:
    return {
        "party": to_json(organization.party),
        "default_currency": organization.default_currency.code,
        "time_zone": organization.time_zone,
        "locale": organization.locale,
        "settings": to_json(organization.settings),
        "prices_include_tax": organization.prices_include_tax,
        "version": organization.version,
    }


class PostgresUsers(UserRepository):
    def __init__(self, transaction: Transaction) -> None:
        self._records = Records(transaction, users, User, UserNotFound("There is no such user."))
        self._transaction = transaction

    @property
    def _own(self) -> ColumnElement[bool]:
        return users.c.organization_id == self._transaction.organization_id

    async def get(self, user_id: UserId, *, lock: bool = False) -> User:
        return await self._records.get(user_id, lock=lock)

    async def by_email(self, email: str) -> User | None:
        found = await self._records.read(select(users).where(self._own, users.c.email == email))
        return found[0] if found else None

    async def all(self) -> Sequence[User]:
        return await self._records.all(users.c.email)

    async def lock_owners(self) -> Sequence[User]:
        columns = users.c
        owners = (self._own, columns.role == Role.OWNER.value, columns.status == UserStatus.ACTIVE.value)
        return await self._records.read(
            select(users).where(*owners).order_by(columns.id).with_for_update(key_share=True)
        )

    async def save(self, change: Change[User]) -> User:
        return await self._records.save(change)


class PostgresSessions(SessionRepository):
    def __init__(self, transaction: Transaction) -> None:
        self._records = Records(transaction, sessions, Session, SessionNotFound("There is no such session."))
        self._own = sessions.c.organization_id == transaction.organization_id

    async def get(self, session_id: SessionId) -> Session:
        return await self._records.get(session_id, lock=True)

    async def live_of(self, user_id: UserId, at: datetime) -> Sequence[Session]:
        columns = sessions.c
        live = (self._own, columns.user_id == user_id, columns.ended_at.is_(None), columns.expires_at > at)
        return await self._records.read(
            select(sessions)
            .where(*live)
            .order_by(columns.created_at.desc(), columns.id)
            .with_for_update(key_share=True)
        )

    async def save(self, change: Change[Session]) -> Session:
        return await self._records.save(change)


class PostgresChallenges(ChallengeRepository):
    def __init__(self, transaction: Transaction) -> None:
        missing = ChallengeNotFound("There is no such challenge.")
        self._records = Records(transaction, challenges, Challenge, missing)
        self._own = challenges.c.organization_id == transaction.organization_id

    async def get(self, challenge_id: ChallengeId) -> Challenge:
        return await self._records.get(challenge_id, lock=True)

    async def open_of(self, user_id: UserId, purpose: Purpose, at: datetime) -> Sequence[Challenge]:
        columns = challenges.c
        still_open = (
            self._own,
            columns.user_id == user_id,
            columns.purpose == purpose.value,
            columns.ended_at.is_(None),
            columns.tries_left > 0,
            columns.expires_at > at,
        )
        return await self._records.read(
            select(challenges).where(*still_open).order_by(columns.id).with_for_update(key_share=True)
        )

    async def save(self, change: Change[Challenge]) -> Challenge:
        return await self._records.save(change)


class PostgresSecondFactors(SecondFactorRepository):
    def __init__(self, transaction: Transaction) -> None:
        missing = SecondFactorNotFound("There is no second factor.")
        self._records = Records(transaction, second_factors, SecondFactor, missing)

    async def of(self, user_id: UserId) -> SecondFactor | None:
        try:
            return await self._records.get(user_id, lock=True)
        except SecondFactorNotFound:
            return None

    async def save(self, change: Change[SecondFactor]) -> SecondFactor:
        return await self._records.save(change)


class PostgresApiKeys(ApiKeyRepository):
    def __init__(self, transaction: Transaction) -> None:
        self._records = Records(transaction, api_keys, ApiKey, ApiKeyNotFound("There is no such API key."))
        self._own = api_keys.c.organization_id == transaction.organization_id

    async def get(self, api_key_id: ApiKeyId) -> ApiKey:
        return await self._records.get(api_key_id, lock=True)

    async def page(self, paging: Paging) -> Page[ApiKey]:
        connection = self._records.transaction.connection
        return await newest_first(connection, api_keys, [self._own], paging, self._records.item)

    async def save(self, change: Change[ApiKey]) -> ApiKey:
        return await self._records.save(change)


class PostgresIdentityProviders(IdentityProviderRepository):
    def __init__(self, transaction: Transaction) -> None:
        missing = IdentityProviderNotFound("There is no such identity provider.")
        self._providers = Records(transaction, identity_providers, IdentityProvider, missing)
        self._logins = Records(transaction, provider_logins, ProviderLogin, provider_login_failed())
        self._identities = Records(transaction, external_identities, ExternalIdentity, missing)
        self._tenant = transaction.organization_id

    async def current(self) -> IdentityProvider | None:
        own = identity_providers.c.organization_id == self._tenant
        found = await self._providers.read(select(identity_providers).where(own).with_for_update(key_share=True))
        return found[0] if found else None

    async def get(self, provider_id: IdentityProviderId) -> IdentityProvider:
        return await self._providers.get(provider_id)

    async def save(self, change: Change[IdentityProvider]) -> IdentityProvider:
        return await self._providers.save(change)

    async def login(self, login_id: ProviderLoginId) -> ProviderLogin:
        return await self._logins.get(login_id, lock=True)

    async def save_login(self, change: Change[ProviderLogin]) -> ProviderLogin:
        return await self._logins.save(change)

    async def identity(self, issuer: str, subject: str) -> ExternalIdentity | None:
        columns = external_identities.c
        statement = select(external_identities).where(
            columns.organization_id == self._tenant,
            columns.issuer == issuer,
            columns.subject == subject,
        )
        found = await self._identities.read(statement)
        return found[0] if found else None

    async def save_identity(self, change: Change[ExternalIdentity]) -> ExternalIdentity:
        return await self._identities.save(change)
