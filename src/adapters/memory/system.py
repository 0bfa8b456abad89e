"""Time, ids, passwords and tokens that tests can foresee."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from src.application.ports.clock import Clock, IdFactory
from src.application.ports.security import (
    Claims,
    CommonPasswords,
    PasswordHasher,
    RefreshClaims,
    TokenIssuer,
    TokenRefused,
)

BEGINNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class TickingClock(Clock):
    """Moves on by a millisecond whenever it is read, and as far as a test says."""

    def __init__(self, now: datetime = BEGINNING) -> None:
        self._now = now

    def now(self) -> datetime:
        self._now += timedelta(milliseconds=1)
        return self._now

    def move(self, by: timedelta) -> None:
        self._now += by


class SequentialIds(IdFactory):
    """…0001, …0002, and so on, in the form of version 7."""

    def __init__(self) -> None:
        self._last = 0

    def new(self) -> UUID:
        self._last += 1
        return UUID(int=(self._last << 80) | (7 << 76) | (2 << 62))


class PlainPasswords(PasswordHasher):
    """No hash at all."""

    async def hash(self, password: str) -> str:
        return f"plain:{password}"

    async def verify(self, password: str, password_hash: str | None) -> bool:
        return password_hash == f"plain:{password}"

    def is_outdated(self, password_hash: str) -> bool:
        return False


class FewCommonPasswords(CommonPasswords):
    def all(self) -> frozenset[str]:
        return frozenset({"password", "12345678"})


class MemoryTokens(TokenIssuer):
    """Tokens are numbers that this object remembers."""

    def __init__(self) -> None:
        self._issued: dict[str, Claims] = {}
        self._refresh: dict[str, RefreshClaims] = {}

    def issue(self, claims: Claims, *, at: datetime) -> str:
        token = f"token-{len(self._issued)}"
        self._issued[token] = claims
        return token

    def read(self, token: str, *, at: datetime) -> Claims:
        claims = self._issued.get(token)
        if claims is None or at > claims.expires_at:
            raise TokenRefused("This token is not valid, or has expired: log in again.")
        return claims

    def issue_refresh(self, claims: RefreshClaims) -> str:
        token = f"refresh-{claims.session_id}-{claims.generation}"
        self._refresh[token] = claims
        return token

    def read_refresh(self, token: str) -> RefreshClaims:
        if token not in self._refresh:
            raise TokenRefused("This token is not valid, or has expired: log in again.")
        return self._refresh[token]
