"""Sessions, challenges, keys and providers as tests need them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

from src.application.ports.unit_of_work import OpenUnitOfWork
from src.domain.identity.actor import Actor, Origin, Permission, Role
from src.domain.identity.api_key import ApiKey
from src.domain.identity.challenge import Challenge, Purpose
from src.domain.identity.provider import ExternalIdentity, IdentityProvider, ProviderLogin
from src.domain.identity.second_factor import SecondFactor
from src.domain.identity.session import LoginMethod, Session
from src.domain.identity.user import User
from src.domain.shared.change import Change
from src.domain.shared.custom_fields import CustomField, FieldKind, FieldSubject
from src.domain.shared.ids import (
    ApiKeyId,
    ChallengeId,
    CustomFieldId,
    ExternalIdentityId,
    IdentityProviderId,
    ProviderLoginId,
    SessionId,
)
from src.domain.shared.once import StoredAnswer, WriteOnce
from tests.builders.quotes import NOON

HERE = Origin(trace_id="0" * 32, ip_address="192.0.2.7", user_agent="tests")


def a_session(user: User) -> Change[Session]:
    return Session.open(
        session_id=SessionId(uuid4()),
        user=user,
        method=LoginMethod.PASSWORD,
        second_factor=False,
        restricted=False,
        origin=HERE,
        at=NOON,
    )


def a_challenge(user: User, purpose: Purpose = Purpose.PASSWORD_RESET) -> Change[Challenge]:
    return Challenge.issue(challenge_id=ChallengeId(uuid4()), user_id=user.id, purpose=purpose, at=NOON)


def a_second_factor(user: User) -> SecondFactor:
    return SecondFactor(id=user.id, sealed_secret="sealed", created_at=NOON)


def an_api_key(user: User, *scopes: Permission) -> ApiKey:
    return ApiKey(
        id=ApiKeyId(uuid4()),
        name="Shop connector",
        prefix="pfk_abc",
        key_hash=uuid4().hex * 2,
        scopes=scopes or (Permission.VIEW_QUOTES,),
        user_id=user.id,
        created_at=NOON,
        networks=("192.0.2.0/24",),
    )


def a_provider() -> IdentityProvider:
    return IdentityProvider(
        id=IdentityProviderId(uuid4()),
        issuer="https://login.example.com",
        client_id="proffer",
        sealed_client_secret="sealed",
        auto_provision=True,
        default_role=Role.SALES,
        created_at=NOON,
    )


def a_provider_login(provider: IdentityProvider) -> ProviderLogin:
    return ProviderLogin(
        id=ProviderLoginId(uuid4()),
        provider_id=provider.id,
        sealed_secrets="sealed",
        created_at=NOON,
        expires_at=NOON + timedelta(minutes=10),
    )


def an_external_identity(user: User) -> ExternalIdentity:
    return ExternalIdentity(
        id=ExternalIdentityId(uuid4()),
        user_id=user.id,
        issuer="https://login.example.com",
        subject=uuid4().hex,
        created_at=NOON,
    )


def a_custom_field(**changes: Any) -> CustomField:
    values: dict[str, Any] = {
        "id": CustomFieldId(uuid4()),
        "subject": FieldSubject.CUSTOMER,
        "key": "cost_centre",
        "label": "Cost centre",
        "kind": FieldKind.TEXT,
        "created_at": NOON,
    }
    return CustomField(**values | changes)


def once(actor: Actor, key: str = "key", fingerprint: str = "f") -> tuple[Actor, WriteOnce]:
    """The actor of a request that carries a key."""
    promise = WriteOnce(key=key, fingerprint=fingerprint)
    return replace(actor, origin=replace(actor.origin, once=promise)), promise


async def fill_identity(open_uow: OpenUnitOfWork, owner: Actor, user: User) -> None:
    """A row in each of the tables of who is who."""
    provider = a_provider()
    async with open_uow(owner) as uow:
        await uow.sessions.save(a_session(user))
        await uow.challenges.save(a_challenge(user))
        await uow.second_factors.save(a_second_factor(user).begin(None))
        await uow.api_keys.save(an_api_key(user).create(owner))
        await uow.identity_providers.save(provider.set(None, NOON))
        await uow.identity_providers.save_login(a_provider_login(provider).begin())
        await uow.identity_providers.save_identity(an_external_identity(user).link())
        await uow.custom_fields.save(a_custom_field().create())
        await uow.commit()
    actor, promise = once(owner, key=uuid4().hex)
    async with open_uow(actor) as uow:
        await uow.commit()
    assert promise.held is not None
    await promise.held.finish(StoredAnswer(status=201, headers=(), body=b"sealed"))
