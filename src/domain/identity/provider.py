"""Identity providers: an organisation's own login, by OpenID Connect."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from src.domain.identity.actor import Role
from src.domain.shared.change import Change
from src.domain.shared.errors import NotFound, Unauthenticated
from src.domain.shared.events import DomainEvent
from src.domain.shared.ids import ExternalIdentityId, IdentityProviderId, ProviderLoginId, UserId
from src.domain.shared.text import TextChecks

LOGIN_LIFETIME = timedelta(minutes=10)
PROVISIONED_ROLES = frozenset({Role.APPROVER, Role.SALES, Role.VIEWER})


class IdentityProviderNotFound(NotFound):
    code = "identity_provider_not_found"


class ProviderLoginFailed(Unauthenticated):
    """The same words whatever was wrong with the provider's answer."""

    code = "provider_login_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityProviderSet(DomainEvent):
    action = "identity_provider.set"
    resource_type: str = "identity_provider"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderLoginBegun(DomainEvent):
    action = "provider_login.begun"
    resource_type: str = "identity_provider"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderLoginUsed(DomainEvent):
    action = "provider_login.used"
    resource_type: str = "identity_provider"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalIdentityLinked(DomainEvent):
    action = "external_identity.linked"
    resource_type: str = "user"
    issuer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityProvider:
    """Where an organisation's people log in. *issuer* is its https address, to the letter (OpenID Connect Discovery §4.3).

    *auto_provision*: whoever comes with a verified address of the organisation's verified domains becomes a user with
    *default_role*.
    """

    id: IdentityProviderId
    issuer: str
    client_id: str
    sealed_client_secret: str = field(metadata={"secret": True}, repr=False)
    auto_provision: bool
    default_role: Role
    created_at: datetime
    active: bool = True
    version: int = 0

    def __post_init__(self) -> None:
        checks = TextChecks()
        checks.line("issuer", self.issuer, required=True, longest=500)
        parts = urlsplit(self.issuer)
        if parts.scheme not in {"https", "http"} or not parts.hostname or parts.query or parts.fragment:
            checks.refuse("issuer", "An issuer is an https address without query and fragment.")
        elif parts.username or parts.password:
            checks.refuse("issuer", "An issuer's address has no user and no password.")
        checks.line("client_id", self.client_id, required=True, longest=500)
        if self.default_role not in PROVISIONED_ROLES:
            checks.refuse("default_role", "Whoever comes by themselves becomes approver, sales or viewer.")
        checks.done()

    def set(self, before: "IdentityProvider | None", at: datetime) -> Change["IdentityProvider"]:
        """In place of *before*, whose id it keeps."""
        after = self if before is None else replace(self, id=before.id, version=before.version)
        return Change(before, after, (IdentityProviderSet(resource_id=after.id, at=at),))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderLogin:
    """One trip to the provider and back. *sealed_secrets*: nonce and code verifier, encrypted. It counts once."""

    id: ProviderLoginId
    provider_id: IdentityProviderId
    sealed_secrets: str = field(metadata={"secret": True}, repr=False)
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    version: int = 0

    def begin(self) -> Change["ProviderLogin"]:
        return Change(None, self, (ProviderLoginBegun(resource_id=self.provider_id, at=self.created_at),))

    def use(self, at: datetime) -> Change["ProviderLogin"]:
        """Raises ProviderLoginFailed for the second time, and too late."""
        if self.used_at is not None or at >= self.expires_at:
            raise provider_login_failed()
        used = replace(self, used_at=at, sealed_secrets="")
        return Change(self, used, (ProviderLoginUsed(resource_id=self.provider_id, at=at),))


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalIdentity:
    """Who somebody is at a provider: issuer and subject together, never the e-mail (OpenID Connect Core §5.7)."""

    id: ExternalIdentityId
    user_id: UserId
    issuer: str
    subject: str
    created_at: datetime
    version: int = 0

    def link(self) -> Change["ExternalIdentity"]:
        event = ExternalIdentityLinked(resource_id=self.user_id, at=self.created_at, issuer=self.issuer)
        return Change(None, self, (event,))


def provider_login_failed() -> ProviderLoginFailed:
    return ProviderLoginFailed("This login did not work; begin again.")
