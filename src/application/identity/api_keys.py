"""Keys for machines."""

from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from src.application.ports.clock import Clock, IdFactory
from src.application.ports.paging import Page, Paging
from src.application.ports.security import Vault
from src.application.transactions import Transactions
from src.domain.identity.actor import Actor, Permission
from src.domain.identity.api_key import ApiKey
from src.domain.shared.ids import ApiKeyId

KIND = "pfk"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateApiKeyCommand:
    """*networks*: CIDR blocks that it may come from (none: anywhere). *expires_at* None: until it is revoked."""

    name: str
    scopes: tuple[Permission, ...]
    networks: tuple[str, ...] = ()
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedApiKey:
    """*secret* is shown this once: only its SHA-256 is kept."""

    api_key: ApiKey
    secret: str = field(repr=False)


class CreateApiKey:
    """It acts for its maker. Raises ScopeNotYours, Invalid."""

    def __init__(self, transactions: Transactions, vault: Vault, clock: Clock, ids: IdFactory) -> None:
        self._transactions, self._vault, self._clock, self._ids = transactions, vault, clock, ids

    async def __call__(self, actor: Actor, command: CreateApiKeyCommand) -> CreatedApiKey:
        secret, prefix = self._vault.new_key(KIND)
        async with self._transactions.begin(actor, Permission.MANAGE_API_KEYS) as uow:
            api_key = ApiKey(
                id=ApiKeyId(self._ids.new()),
                name=command.name,
                prefix=prefix,
                key_hash=key_hash(secret),
                scopes=tuple(sorted(set(command.scopes))),
                user_id=actor.person,
                created_at=self._clock.now(),
                networks=command.networks,
                expires_at=command.expires_at,
            )
            stored = await uow.api_keys.save(api_key.create(actor))
            await uow.commit()
        return CreatedApiKey(api_key=stored, secret=secret)


class ListApiKeys:
    """The newest first, revoked ones among them."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, paging: Paging) -> Page[ApiKey]:
        async with self._transactions.begin(actor, Permission.MANAGE_API_KEYS) as uow:
            return await uow.api_keys.page(paging)


class RevokeApiKey:
    """From the next request on it opens nothing. To revoke it again changes nothing. Raises ApiKeyNotFound."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions, self._clock = transactions, clock

    async def __call__(self, actor: Actor, api_key_id: ApiKeyId) -> ApiKey:
        async with self._transactions.begin(actor, Permission.MANAGE_API_KEYS) as uow:
            api_key = await uow.api_keys.get(api_key_id)
            if api_key.revoked_at is None:
                api_key = await uow.api_keys.save(api_key.revoke(self._clock.now()))
                await uow.commit()
        return api_key


def key_hash(secret: str) -> str:
    """SHA-256: with 190 random bits nothing slower is needed (ASVS 6.5.2)."""
    return sha256(secret.encode()).hexdigest()
