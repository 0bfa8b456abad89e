"""Passwords, tokens and secrets."""

from abc import abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from src.domain.identity.actor import Role
from src.domain.shared.errors import Unauthenticated
from src.domain.shared.ids import ApiKeyId, ChallengeId, MessageId, OrganizationId, SessionId, UserId


class PasswordHasher(Protocol):
    """argon2id, off the event loop; some 30 ms of one core each."""

    @abstractmethod
    async def hash(self, password: str) -> str:
        """A salted hash that says its own parameters."""

    @abstractmethod
    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Whether they match. None (nobody of that name) takes as long as a wrong password and is never true."""

    @abstractmethod
    def is_outdated(self, password_hash: str) -> bool:
        """Whether it was made with other parameters than today's, and should be made anew at the next login."""


class CommonPasswords(Protocol):
    @abstractmethod
    def all(self) -> frozenset[str]:
        """The passwords that are tried first, case folded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What an access token says about who carries it. *expires_at* is an instant in UTC."""

    user_id: UserId
    email: str
    name: str
    organization_id: OrganizationId
    role: Role
    session_id: SessionId
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshClaims:
    """What a refresh token says: which session's it is, and which one of it."""

    organization_id: OrganizationId
    session_id: SessionId
    generation: int


class TokenIssuer(Protocol):
    """Signs with the newest key; reads what any of the known keys has signed."""

    @abstractmethod
    def issue(self, claims: Claims, *, at: datetime) -> str:
        """A signed JWT with sub, email, name, organization_id, role, sid, exp, iat, jti, iss and aud."""

    @abstractmethod
    def read(self, token: str, *, at: datetime) -> Claims:
        """The claims of a token that we issued and that has not expired. Raises TokenRefused, always in the same words."""

    @abstractmethod
    def issue_refresh(self, claims: RefreshClaims) -> str:
        """Always the same token for the same claims."""

    @abstractmethod
    def read_refresh(self, token: str) -> RefreshClaims:
        """Raises TokenRefused."""


class TokenRefused(Unauthenticated):
    code = "token_refused"


class ChallengeSecrets(Protocol):
    """The secrets of challenges, which follow from their ids and are never stored."""

    @abstractmethod
    def code(self, challenge_id: ChallengeId, organization_id: OrganizationId) -> str:
        """Six digits."""

    @abstractmethod
    def link_token(self, challenge_id: ChallengeId, organization_id: OrganizationId) -> str:
        """For a link: says the challenge and proves that it came by our mail."""

    @abstractmethod
    def is_code(self, code: str, challenge_id: ChallengeId, organization_id: OrganizationId) -> bool: ...

    @abstractmethod
    def read_link_token(self, token: str) -> tuple[ChallengeId, OrganizationId]:
        """Raises ChallengeFailed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadGrant:
    """What a signed link opens: one file of one kind, until *expires_at* (exclusive, UTC), whoever carries it.

    *issued_to* is the user, also behind an API key, to whom it was given; the audit names them, and when they are locked
    out their links end. *api_key_id*: the key by which they asked; when it ends, so do its links.
    """

    organization_id: OrganizationId
    kind: str
    file_id: UUID
    issued_to: UUID
    expires_at: datetime
    api_key_id: ApiKeyId | None = None


class DownloadLinks(Protocol):
    """Signed links: whoever has one downloads one file without logging in, until it expires."""

    @abstractmethod
    def token(self, grant: DownloadGrant) -> str:
        """Safe in URLs; fewer than 300 characters. The instant is kept to the second, rounded down."""

    @abstractmethod
    def read(self, token: str, now: datetime) -> DownloadGrant:
        """Raises NotFound for what was not made here, was changed, or has expired: all look alike."""


class Envelopes(Protocol):
    """What names a mail on its way from server to server (ENVID, RFC 3461). Whoever gets the mail never sees it."""

    @abstractmethod
    def envelope_id(self, message_id: MessageId) -> str:
        """Nobody else can make it. At most 100 letters, digits, ``-`` and ``_``."""

    @abstractmethod
    def message_of(self, envelope_id: str) -> MessageId:
        """Raises MessageNotFound for what was not made here."""


class Vault(Protocol):
    """Secrets that must be read again are encrypted; those that only need recognising are made here and hashed."""

    @abstractmethod
    def seal(self, secret: str) -> str: ...

    @abstractmethod
    def unseal(self, sealed: str) -> str:
        """Raises ValueError for what this installation has not sealed."""

    @abstractmethod
    def seal_bytes(self, content: bytes) -> bytes: ...

    @abstractmethod
    def unseal_bytes(self, sealed: bytes) -> bytes:
        """Raises ValueError."""

    @abstractmethod
    def new_key(self, kind: str) -> tuple[str, str]:
        """A new key with at least 160 random bits and a checksum, and the part of it that people may see."""

    @abstractmethod
    def is_key(self, text: str, kind: str) -> bool:
        """Whether its form and checksum are right: what is not is worth no look-up."""

    @abstractmethod
    def new_recovery_codes(self, count: int) -> tuple[str, ...]: ...


class OneTimeCodes(Protocol):
    """Codes of authenticator apps (TOTP, RFC 6238)."""

    @abstractmethod
    def new_secret(self) -> str:
        """Base32, as apps take it."""

    @abstractmethod
    def address(self, secret: str, *, account: str, issuer: str) -> str:
        """The ``otpauth://`` address that apps read from a QR code."""

    @abstractmethod
    def step_of(self, secret: str, code: str, at: datetime) -> int | None:
        """The time step whose code it is, one step early or late allowed; None for a wrong one."""
