"""Organisations, users and sessions in PostgreSQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, bindparam, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from src.adapters.postgres.json_columns import from_json, to_json
from src.adapters.postgres.tables import organizations, sessions, users
from src.adapters.postgres.transaction import Transaction, meaning_of
from src.application.ports.identity import (
    Account,
    AccountDirectory,
    OrganizationRepository,
    SessionRepository,
    UserRepository,
)
from src.domain.audit.chain import BEGINNING
from src.domain.identity.actor import Role
from src.domain.identity.organization import Organization, OrganizationNotFound
from src.domain.identity.user import Session, User, UserNotFound
from src.domain.shared.change import Change
from src.domain.shared.currency import Currency
from src.domain.shared.ids import OrganizationId, UserId
from src.domain.shared.party import Party
from src.domain.shared.rounding import RoundingSettings

_CREATE = text(
    "SELECT proffer.create_organization(:organization_id, :slug, :party, :default_currency, :time_zone, :locale, "
    ":settings, :prices_include_tax, :created_at, :version, :first_hash)"
)
_FIND = text("SELECT * FROM proffer.find_accounts(:email)").bindparams(bindparam("email"))


class PostgresOrganizations(OrganizationRepository):
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def current(self) -> Organization:
        condition = organizations.c.organization_id == self._transaction.organization_id
        row = (await self._transaction.connection.execute(select(organizations).where(condition))).one_or_none()
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
            version=row.version,
        )

    async def create(self, change: Change[Organization]) -> Organization:
        stored = change.after
        row = {
            "organization_id": stored.id,
            "slug": stored.slug,
            "party": to_json(stored.party),
            "default_currency": stored.default_currency.code,
            "time_zone": stored.time_zone,
            "locale": stored.locale,
            "settings": to_json(stored.settings),
            "prices_include_tax": stored.prices_include_tax,
            "created_at": stored.created_at,
            "version": stored.version,
            "first_hash": BEGINNING,
        }
        try:
            await self._transaction.connection.execute(_CREATE, row)
        except IntegrityError as error:
            raise meaning_of(error) from error
        self._transaction.changes.append(change)
        return stored


class PostgresUsers(UserRepository):
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def get(self, user_id: UserId) -> User:
        columns = users.c
        statement = select(users).where(
            columns.organization_id == self._transaction.organization_id, columns.id == user_id
        )
        row = (await self._transaction.connection.execute(statement)).one_or_none()
        if row is None:
            raise UserNotFound("There is no such user.")
        return _to_user(row)

    async def all(self) -> Sequence[User]:
        statement = (
            select(users).where(users.c.organization_id == self._transaction.organization_id).order_by(users.c.email)
        )
        return [_to_user(row) for row in await self._transaction.connection.execute(statement)]

    async def save(self, change: Change[User]) -> User:
        user = change.after
        row = {
            "id": user.id,
            "email": user.email,
            "name": user.name,
            "role": user.role.value,
            "password_hash": user.password_hash,
            "active": user.active,
            "created_at": user.created_at,
            "version": user.version,
        }
        await self._transaction.add(users, row)
        self._transaction.changes.append(change)
        return user


class PostgresSessions(SessionRepository):
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def save(self, change: Change[Session]) -> Session:
        session = change.after
        row = {
            "id": session.id,
            "user_id": session.user_id,
            "created_at": session.created_at,
            "expires_at": session.expires_at,
            "version": session.version,
        }
        await self._transaction.add(sessions, row)
        self._transaction.changes.append(change)
        return session


class PostgresAccountDirectory(AccountDirectory):
    """Through the one function that looks across organisations."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def find(self, email: str) -> Sequence[Account]:
        async with self._engine.connect() as connection:
            rows = (await connection.execute(_FIND, {"email": email})).all()
        return [
            Account(
                organization_id=OrganizationId(row.organization_id),
                organization_slug=row.slug,
                user_id=UserId(row.user_id),
                email=row.email,
                name=row.name,
                role=Role(row.role),
                password_hash=row.password_hash,
            )
            for row in rows
        ]


def _to_user(row: Row[Any]) -> User:
    return User(
        id=row.id,
        email=row.email,
        name=row.name,
        role=Role(row.role),
        password_hash=row.password_hash,
        created_at=row.created_at,
        active=row.active,
        version=row.version,
    )
