"""Passwords and tokens."""

from abc import abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from src.domain.identity.actor import Role
from src.domain.shared.errors import Unauthenticated
from src.domain.shared.ids import OrganizationId, SessionId, UserId


class PasswordHasher(Protocol):
    """argon2id, off the event loop; some 30 ms of one core each."""

    @abstractmethod
    async def hash(self, password: str) -> str:
        """A salted hash that says its own parameters."""

    @abstractmethod
    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Whether they match. None (nobody of that name) takes as long as a wrong password and is never true."""


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


class TokenIssuer(Protocol):
    @abstractmethod
    def issue(self, claims: Claims, *, at: datetime) -> str:
        """A signed JWT with sub, email, name, organization_id, role, sid, exp, iat, jti, iss and aud."""

    @abstractmethod
    def read(self, token: str, *, at: datetime) -> Claims:
        """The claims of a token that we issued and that has not expired. Raises TokenRefused, always in the same words."""


class TokenRefused(Unauthenticated):
    code = "token_refused"
