"""API keys: machines that act for a person, within scopes."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from ipaddress import ip_address, ip_network

from src.domain.identity.actor import Actor, Permission
from src.domain.shared.change import Change
from src.domain.shared.errors import Forbidden, NotFound
from src.domain.shared.events import DomainEvent
from src.domain.shared.ids import ApiKeyId, UserId
from src.domain.shared.text import TextChecks

MOST_NETWORKS = 50

# What only a person may do: decide, and hand out access.
NEVER_IN_SCOPE = frozenset(
    {
        Permission.DECIDE_APPROVALS,
        Permission.APPROVE_CUSTOMERS,
        Permission.ERASE_PERSONS,
        Permission.MANAGE_USERS,
        Permission.MANAGE_OWNERS,
        Permission.MANAGE_API_KEYS,
        Permission.MANAGE_SECURITY,
        Permission.OWN_ACCOUNT,
    }
)


class ApiKeyNotFound(NotFound):
    code = "api_key_not_found"


class ScopeNotYours(Forbidden):
    """A key cannot do what its maker cannot, nor what only people may."""

    code = "scope_not_yours"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyCreated(DomainEvent):
    action = "api_key.created"
    resource_type: str = "api_key"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyRevoked(DomainEvent):
    action = "api_key.revoked"
    resource_type: str = "api_key"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """*prefix* is what people tell it by; of the secret only its SHA-256 is kept. It acts for *user_id*, and ends with them.

    *networks*: CIDR blocks that it may come from; none means from anywhere. *last_used_at* is true to a minute.
    """

    id: ApiKeyId
    name: str
    prefix: str
    key_hash: str = field(metadata={"secret": True}, repr=False)
    scopes: tuple[Permission, ...]
    user_id: UserId
    created_at: datetime
    networks: tuple[str, ...] = ()
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = field(default=None, metadata={"derived": True})
    version: int = 0

    def __post_init__(self) -> None:
        checks = TextChecks()
        checks.line("name", self.name, required=True)
        if not self.scopes:
            checks.refuse("scopes", "A key needs at least one scope.")
        if len(self.networks) > MOST_NETWORKS:
            checks.refuse("networks", f"At most {MOST_NETWORKS} networks are allowed.")
        for position, network in enumerate(self.networks[:MOST_NETWORKS]):
            try:
                ip_network(network)
            except ValueError:
                checks.refuse(f"networks[{position}]", "This is no network such as 203.0.113.0/24 or 2001:db8::/32.")
        if self.expires_at is not None and self.expires_at.tzinfo is None:
            checks.refuse("expires_at", "An instant needs its time zone.")
        elif self.expires_at is not None and self.expires_at <= self.created_at:
            checks.refuse("expires_at", "A key must expire in the future.")
        checks.done()

    def create(self, by: Actor) -> Change["ApiKey"]:
        """Raises ScopeNotYours."""
        for scope in self.scopes:
            if scope in NEVER_IN_SCOPE or not by.may(scope):
                raise ScopeNotYours(f"The scope {scope.value} cannot be given to a key by you.", scope=scope.value)
        return Change(None, self, (ApiKeyCreated(resource_id=self.id, at=self.created_at),))

    def revoke(self, at: datetime) -> Change["ApiKey"]:
        return Change(self, replace(self, revoked_at=at), (ApiKeyRevoked(resource_id=self.id, at=at),))

    def is_live(self, at: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)


def comes_from(address: str, networks: tuple[str, ...]) -> bool:
    """Whether *address* lies in one of *networks*; anything does when there are none."""
    if not networks:
        return True
    try:
        known = ip_address(address)
    except ValueError:
        return False
    return any(known in ip_network(network) for network in networks)
