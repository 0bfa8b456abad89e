"""The look-ups before a tenant is known, through functions that answer one narrow question each; and the operators' list."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import TextClause, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from src.adapters.postgres.connection import lent
from src.adapters.postgres.jobs import enqueue
from src.adapters.postgres.json_columns import from_json
from src.adapters.postgres.pages import newest_first
from src.adapters.postgres.tables import organizations
from src.application.ports.identity import (
    Account,
    AccountDirectory,
    LiveApiKey,
    LiveSession,
    OperatorKey,
    OperatorRights,
    OrganizationDirectory,
    OrganizationSummary,
    Throttle,
    Turns,
)
from src.application.ports.jobs import Job
from src.application.ports.messaging import MessageDirectory
from src.application.ports.paging import Page, Paging
from src.domain.identity.actor import Permission, Role
from src.domain.identity.organization import OrganizationStatus, OrganizationUnknown
from src.domain.shared.errors import TooMany
from src.domain.shared.ids import ApiKeyId, ChallengeId, MessageId, OrganizationId, ProviderLoginId, SessionId, UserId
from src.domain.shared.party import Party

_FIND: Final = text("SELECT * FROM proffer.find_accounts(:email)")
_SESSION: Final = text("SELECT * FROM proffer.find_session(:organization_id, :session_id)")
_API_KEY: Final = text("SELECT * FROM proffer.find_api_key(:key_hash)")
_CHALLENGE: Final = text("SELECT proffer.find_challenge(:wanted)")
_PROVIDER_LOGIN: Final = text("SELECT proffer.find_provider_login(:wanted)")
_ORGANIZATION: Final = text("SELECT proffer.find_organization(:wanted)")
_TAKE: Final = text("SELECT proffer.take_turns(:buckets, :bursts, :periods, :at)")
_GIVE_BACK: Final = text("SELECT proffer.give_back_turns(:buckets, :bursts, :periods)")
_MESSAGE: Final = text("SELECT proffer.find_message(:wanted)")
_OPERATOR: Final = text(
    "SELECT name, rights FROM proffer.operator_keys WHERE key_hash = :key_hash AND revoked_at IS NULL"
)
_ADD_OPERATOR: Final = text(
    "INSERT INTO proffer.operator_keys (id, name, rights, key_hash, created_at) "
    "VALUES (gen_random_uuid(), :name, :rights, :hash, :at)"
)
_REVOKE_OPERATOR: Final = text(
    "UPDATE proffer.operator_keys SET revoked_at = :at WHERE name = :name AND revoked_at IS NULL"
)


class PostgresAccountDirectory(AccountDirectory):
    """Each question is one statement, in a transaction of its own."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def find(self, email: str) -> Sequence[Account]:
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
            for row in await self._ask(_FIND, email=email)
        ]

    async def session(self, organization_id: OrganizationId, session_id: SessionId) -> LiveSession | None:
        rows = await self._ask(_SESSION, organization_id=organization_id, session_id=session_id)
        return next(
            (
                LiveSession(user_id=UserId(row.user_id), name=row.name, role=Role(row.role), restricted=row.restricted)
                for row in rows
            ),
            None,
        )

    async def api_key(self, key_hash: str) -> LiveApiKey | None:
        rows = await self._ask(_API_KEY, key_hash=key_hash)
        return next(
            (
                LiveApiKey(
                    organization_id=OrganizationId(row.organization_id),
                    id=ApiKeyId(row.id),
                    name=row.name,
                    scopes=frozenset(from_json(tuple[Permission, ...], row.scopes)),
                    networks=from_json(tuple[str, ...], row.networks),
                    user_id=UserId(row.user_id),
                    role=Role(row.role),
                )
                for row in rows
            ),
            None,
        )

    async def challenge(self, challenge_id: ChallengeId) -> Sequence[OrganizationId]:
        return [OrganizationId(row[0]) for row in await self._ask(_CHALLENGE, wanted=challenge_id)]

    async def provider_login(self, login_id: ProviderLoginId) -> OrganizationId | None:
        return next((OrganizationId(row[0]) for row in await self._ask(_PROVIDER_LOGIN, wanted=login_id)), None)

    async def organization(self, slug: str) -> OrganizationId | None:
        return next((OrganizationId(row[0]) for row in await self._ask(_ORGANIZATION, wanted=slug)), None)

    async def enqueue(self, job: Job) -> None:
        async with lent(self._engine) as connection:
            await enqueue(connection, job)

    async def _ask(self, question: TextClause, **parameters: object) -> Sequence[Any]:
        async with lent(self._engine) as connection:
            return (await connection.execute(question, parameters)).all()


class PostgresThrottle(Throttle):
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def take(self, turns: Sequence[Turns], at: datetime) -> None:
        async with lent(self._engine) as connection:
            wait = (await connection.execute(_TAKE, _parameters(turns) | {"at": at})).scalar_one()
        if wait > 0:
            raise TooMany("Too many attempts; wait a little.", retry_after=int(wait) + 1)

    async def give_back(self, turns: Sequence[Turns], at: datetime) -> None:
        async with lent(self._engine) as connection:
            await connection.execute(_GIVE_BACK, _parameters(turns))


def _parameters(turns: Sequence[Turns]) -> dict[str, Any]:
    ordered = sorted(turns, key=lambda one: one.bucket)  # So that two requests never wait for each other.
    return {
        "buckets": [one.bucket for one in ordered],
        "bursts": [one.burst for one in ordered],
        "periods": [one.period.total_seconds() for one in ordered],
    }


class PostgresMessageDirectory(MessageDirectory):
    """Through the operators' own role and pool."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def organization_of(self, message_id: MessageId) -> OrganizationId | None:
        async with lent(self._engine) as connection:
            found = (await connection.execute(_MESSAGE, {"wanted": message_id})).scalars()
        return next(map(OrganizationId, found), None)


class PostgresOrganizationDirectory(OrganizationDirectory):
    """Through the operators' own role and pool."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def page(self, search: str, paging: Paging) -> Page[OrganizationSummary]:
        conditions = [_LISTED.c.slug.contains(search, autoescape=True)] if search else []
        async with lent(self._engine) as connection:
            return await newest_first(connection, _LISTED, conditions, paging, _summary)

    async def find(self, slug_or_id: str) -> OrganizationId:
        columns = organizations.c
        wanted = columns.slug == slug_or_id
        with suppress(ValueError):
            wanted |= columns.organization_id == UUID(slug_or_id)
        async with lent(self._engine) as connection:
            found = (await connection.execute(select(columns.organization_id).where(wanted))).scalar_one_or_none()
        if found is None:
            raise OrganizationUnknown(f"There is no organisation {slug_or_id}.")
        return OrganizationId(found)

    async def operator_of(self, key_hash: str) -> OperatorKey | None:
        async with lent(self._engine) as connection:
            found = (await connection.execute(_OPERATOR, {"key_hash": key_hash})).one_or_none()
        return None if found is None else OperatorKey(found.name, OperatorRights(found.rights))

    async def add_operator_key(self, key: OperatorKey, key_hash: str, at: datetime) -> None:
        parameters = {"name": key.name, "rights": key.rights.value, "hash": key_hash, "at": at}
        async with lent(self._engine) as connection:
            await connection.execute(_ADD_OPERATOR, parameters)

    async def revoke_operator_key(self, name: str, at: datetime) -> int:
        async with lent(self._engine) as connection:
            return (await connection.execute(_REVOKE_OPERATOR, {"name": name, "at": at})).rowcount


# A list wants an id; an organisation's is the tenant's itself.
_LISTED: Final = select(organizations, organizations.c.organization_id.label("id")).subquery()


def _summary(row: Any) -> OrganizationSummary:
    party = msgspec.json.decode(row.party, type=Party)
    return OrganizationSummary(
        id=OrganizationId(row.organization_id),
        slug=row.slug,
        name=party.name,
        country=party.address.country,
        default_currency=row.default_currency,
        status=OrganizationStatus(row.status),
        created_at=row.created_at,
    )
