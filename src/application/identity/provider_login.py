"""Logging in at the organisation's own identity provider."""

import hmac
import json
from dataclasses import dataclass, field
from datetime import datetime

from src.application.identity.limits import LoginLimits
from src.application.identity.sessions import LoggedIn, SessionOpener, anonymous
from src.application.ports.clock import Clock, IdFactory
from src.application.ports.identity import AccountDirectory, Throttle
from src.application.ports.oidc import LoginSecrets, ProviderClient, ProviderIdentity, ProviderSettings
from src.application.ports.security import ChallengeSecrets, Vault
from src.application.ports.unit_of_work import UnitOfWork
from src.application.transactions import Transactions
from src.application.versions import check_version
from src.domain.identity.actor import Actor, Origin, Permission, Role
from src.domain.identity.challenge import ChallengeFailed
from src.domain.identity.organization import Organization
from src.domain.identity.provider import (
    LOGIN_LIFETIME,
    ExternalIdentity,
    IdentityProvider,
    IdentityProviderNotFound,
    ProviderLogin,
    provider_login_failed,
)
from src.domain.identity.session import LoginMethod
from src.domain.identity.user import User
from src.domain.shared.errors import invalid_field
from src.domain.shared.ids import ChallengeId, ExternalIdentityId, IdentityProviderId, ProviderLoginId, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class SetProviderCommand:
    """*client_secret* None keeps the one that is there."""

    issuer: str
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    auto_provision: bool = False
    default_role: Role = Role.VIEWER
    active: bool = True
    expected_version: int | None = None


class SetIdentityProvider:
    """The organisation has one. Raises VersionChanged, Invalid."""

    def __init__(self, transactions: Transactions, vault: Vault, clock: Clock, ids: IdFactory) -> None:
        self._transactions, self._vault, self._clock, self._ids = transactions, vault, clock, ids

    async def __call__(self, actor: Actor, command: SetProviderCommand) -> IdentityProvider:
        now = self._clock.now()
        async with self._transactions.begin(actor, Permission.MANAGE_SECURITY) as uow:
            before = await uow.identity_providers.current()
            if before is not None:
                check_version(before, command.expected_version)
            sealed = "" if before is None else before.sealed_client_secret
            if command.client_secret is not None:
                sealed = self._vault.seal(command.client_secret)
            if not sealed:
                raise invalid_field("client_secret", "A client secret is needed.")
            provider = IdentityProvider(
                id=IdentityProviderId(self._ids.new()),
                issuer=command.issuer,
                client_id=command.client_id,
                sealed_client_secret=sealed,
                auto_provision=command.auto_provision,
                default_role=command.default_role,
                created_at=now if before is None else before.created_at,
                active=command.active,
            )
            stored = await uow.identity_providers.save(provider.set(before, now))
            await uow.commit()
        return stored


class GetIdentityProvider:
    """Raises IdentityProviderNotFound."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor) -> IdentityProvider:
        async with self._transactions.begin(actor, Permission.MANAGE_SECURITY) as uow:
            provider = await uow.identity_providers.current()
        if provider is None:
            raise IdentityProviderNotFound("This organisation has no identity provider.")
        return provider


@dataclass(frozen=True, slots=True, kw_only=True)
class BegunProviderLogin:
    """The browser goes to *authorization_url* and keeps *browser_secret*, without which the answer is worth nothing."""

    authorization_url: str
    browser_secret: str = field(repr=False)
    expires_at: datetime


class BeginProviderLogin:
    """Raises ProviderLoginFailed (no such organisation, or none with a provider), ProviderUnreachable, TooMany."""

    def __init__(
        self,
        directory: AccountDirectory,
        transactions: Transactions,
        client: ProviderClient,
        secrets: ChallengeSecrets,
        vault: Vault,
        throttle: Throttle,
        limits: LoginLimits,
        clock: Clock,
        ids: IdFactory,
    ) -> None:
        self._directory, self._transactions, self._client = directory, transactions, client
        self._secrets, self._vault, self._throttle = secrets, vault, throttle
        self._limits, self._clock, self._ids = limits, clock, ids

    async def __call__(self, origin: Origin, slug: str, redirect_uri: str) -> BegunProviderLogin:
        now = self._clock.now()
        await self._throttle.take(self._limits.address("provider", origin), now)
        organization_id = await self._directory.organization(slug)
        if organization_id is None:
            raise provider_login_failed()
        login_id = ProviderLoginId(self._ids.new())
        made = LoginSecrets(
            state=self._secrets.link_token(ChallengeId(login_id), organization_id),
            nonce=self._client.new_secret(),
            verifier=self._client.new_secret(),
        )
        browser_secret = self._client.new_secret()
        async with self._transactions.begin(anonymous(organization_id, origin), Permission.LOG_IN) as uow:
            provider = await uow.identity_providers.current()
            if provider is None or not provider.active:
                raise provider_login_failed()
            sealed = self._vault.seal(json.dumps([made.nonce, made.verifier, browser_secret]))
            login = ProviderLogin(
                id=login_id,
                provider_id=provider.id,
                sealed_secrets=sealed,
                created_at=now,
                expires_at=now + LOGIN_LIFETIME,
            )
            await uow.identity_providers.save_login(login.begin())
            await uow.commit()
        url = await self._client.authorization_url(_settings(provider, self._vault, redirect_uri), made)
        return BegunProviderLogin(authorization_url=url, browser_secret=browser_secret, expires_at=login.expires_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderAnswer:
    """What came back with the browser. *issuer* is its ``iss``, where there is one."""

    state: str = field(repr=False)
    code: str = field(repr=False)
    issuer: str | None
    browser_secret: str = field(repr=False)


class FinishProviderLogin:
    """Somebody comes back from the provider. Raises ProviderLoginFailed, in the same words whatever was wrong, ProviderUnreachable.

    An account is (issuer, subject), never an e-mail alone; a verified e-mail of a domain that an operator has verified
    links an account that is there, or makes one where the organisation wants that.
    """

    def __init__(
        self,
        transactions: Transactions,
        client: ProviderClient,
        secrets: ChallengeSecrets,
        vault: Vault,
        opener: SessionOpener,
        clock: Clock,
        ids: IdFactory,
    ) -> None:
        self._transactions, self._client, self._secrets = transactions, client, secrets
        self._vault, self._opener, self._clock, self._ids = vault, opener, clock, ids

    async def __call__(self, origin: Origin, answer: ProviderAnswer, redirect_uri: str) -> LoggedIn:
        try:
            login_id, organization_id = self._secrets.read_link_token(answer.state)
        except ChallengeFailed:
            raise provider_login_failed() from None
        actor = anonymous(organization_id, origin)
        provider, made = await self._used(actor, ProviderLoginId(login_id), answer)
        settings = _settings(provider, self._vault, redirect_uri)
        told = await self._client.identity(settings, made, code=answer.code, answered_issuer=answer.issuer)
        now = self._clock.now()
        async with self._transactions.begin(actor, Permission.LOG_IN) as uow:
            organization = await uow.organizations.current()
            user = await self._user(uow, organization, provider, told, now)
            logged_in = await self._opener.open(
                uow, user, method=LoginMethod.PROVIDER, second_factor=False, origin=origin, at=now
            )
            await uow.commit()
        return logged_in

    async def _used(
        self, actor: Actor, login_id: ProviderLoginId, answer: ProviderAnswer
    ) -> tuple[IdentityProvider, LoginSecrets]:
        """The login, which is used up by this, whatever becomes of it."""
        now = self._clock.now()
        async with self._transactions.begin(actor, Permission.LOG_IN) as uow:
            login = await uow.identity_providers.login(login_id)
            change = login.use(now)
            nonce, verifier, browser = json.loads(self._vault.unseal(login.sealed_secrets))
            await uow.identity_providers.save_login(change)
            provider = await uow.identity_providers.get(login.provider_id)
            await uow.commit()
        if not hmac.compare_digest(browser.encode(), answer.browser_secret.encode()) or not provider.active:
            raise provider_login_failed()
        return provider, LoginSecrets(state=answer.state, nonce=nonce, verifier=verifier)

    async def _user(
        self,
        uow: UnitOfWork,
        organization: Organization,
        provider: IdentityProvider,
        told: ProviderIdentity,
        now: datetime,
    ) -> User:
        identity = await uow.identity_providers.identity(provider.issuer, told.subject)
        if identity is not None:
            user = await uow.users.get(identity.user_id)
            if not user.active:
                raise provider_login_failed()
            return user
        domain = told.email.rpartition("@")[2]
        if not told.email_verified or domain not in organization.verified_domains:
            raise provider_login_failed()
        known = await uow.users.by_email(told.email)
        if known is None and provider.auto_provision:
            newcomer = User(
                id=UserId(self._ids.new()),
                email=told.email,
                name=told.name,
                role=provider.default_role,
                password_hash=None,
                created_at=now,
            )
            known = await uow.users.save(newcomer.provision(issuer=provider.issuer))
        if known is None or not known.active:
            raise provider_login_failed()
        link = ExternalIdentity(
            id=ExternalIdentityId(self._ids.new()),
            user_id=known.id,
            issuer=provider.issuer,
            subject=told.subject,
            created_at=now,
        )
        await uow.identity_providers.save_identity(link.link())
        return known


def _settings(provider: IdentityProvider, vault: Vault, redirect_uri: str) -> ProviderSettings:
    return ProviderSettings(
        issuer=provider.issuer,
        client_id=provider.client_id,
        client_secret=vault.unseal(provider.sealed_client_secret),
        redirect_uri=redirect_uri,
    )
