"""Somebody else's login: what we ask an identity provider, and what it says."""

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Protocol

from src.domain.shared.errors import Conflict


class ProviderUnreachable(Conflict):
    """The provider does not answer as a provider does; the message says how, for whoever configures it."""

    code = "identity_provider_unreachable"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSettings:
    """Of one client at one provider. *redirect_uri* is ours, to the letter as the provider knows it."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginSecrets:
    """Made for one login: *state* comes back with the browser, *nonce* in the token, *verifier* proves who asked (PKCE)."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderIdentity:
    """Who logged in there: *subject* is theirs at this issuer for good, the rest may change."""

    subject: str
    email: str
    email_verified: bool
    name: str


class ProviderClient(Protocol):
    """OpenID Connect, authorization code with PKCE (RFC 7636, RFC 9700)."""

    @abstractmethod
    def new_secret(self) -> str:
        """At least 256 random bits, as text."""

    @abstractmethod
    async def authorization_url(self, settings: ProviderSettings, secrets: LoginSecrets) -> str:
        """Where the browser goes. Raises ProviderUnreachable."""

    @abstractmethod
    async def identity(
        self, settings: ProviderSettings, secrets: LoginSecrets, *, code: str, answered_issuer: str | None
    ) -> ProviderIdentity:
        """Redeem *code*; *answered_issuer* is the ``iss`` of the answer (RFC 9207). Raises ProviderLoginFailed, ProviderUnreachable."""
