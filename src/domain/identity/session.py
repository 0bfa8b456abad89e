"""Sessions: one login each. Its access tokens and its refresh tokens are worth what the session is worth."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from src.domain.identity.actor import Origin
from src.domain.identity.user import User
from src.domain.shared.change import Change
from src.domain.shared.errors import NotFound, Unauthenticated
from src.domain.shared.events import DomainEvent
from src.domain.shared.ids import SessionId, UserId

LASTING = timedelta(days=30)  # However often it is refreshed (RFC 9700 §4.14.2).
GRACE = timedelta(seconds=10)  # For a client that never saw the answer to its refresh.


class SessionNotFound(NotFound):
    code = "session_not_found"


class SessionEnded(Unauthenticated):
    """Log in again. The same words whatever ended it."""

    code = "session_ended"


class LoginMethod(StrEnum):
    PASSWORD = "password"  # noqa: S105 — the method's name.
    CODE = "code"
    PROVIDER = "provider"


class EndReason(StrEnum):
    LOGGED_OUT = "logged_out"
    LOGGED_OUT_EVERYWHERE = "logged_out_everywhere"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 — a reason.
    SECOND_FACTOR_CHANGED = "second_factor_changed"
    ROLE_CHANGED = "role_changed"
    USER_DEACTIVATED = "user_deactivated"
    TOKEN_REUSED = "token_reused"  # noqa: S105 — a reason.


@dataclass(frozen=True, slots=True, kw_only=True)
class UserLoggedIn(DomainEvent):
    action = "user.logged_in"
    resource_type: str = "user"
    session_id: SessionId
    method: LoginMethod
    second_factor: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRefreshed(DomainEvent):
    action = "session.refreshed"
    resource_type: str = "session"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionWasEnded(DomainEvent):
    """*reason* ``token_reused``: somebody has a copy of a refresh token."""

    action = "session.ended"
    resource_type: str = "session"
    user_id: UserId
    reason: EndReason


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionUnlocked(DomainEvent):
    action = "session.unlocked"
    resource_type: str = "session"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """What became of a refresh. *change* is to be saved in either case (None: nothing is to be); *accepted* says which."""

    change: Change["Session"] | None
    accepted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One login. Access tokens carry its id as ``sid``; *generation* counts its refresh tokens, of which the last one counts.

    *restricted*: the organisation wants a second factor that the user has yet to set up; nothing else is possible.
    """

    id: SessionId
    user_id: UserId
    method: LoginMethod
    second_factor: bool
    restricted: bool
    ip_address: str = field(metadata={"personal": True})
    user_agent: str = field(metadata={"personal": True})
    created_at: datetime
    expires_at: datetime
    rotated_at: datetime
    generation: int = 1
    ended_at: datetime | None = None
    end_reason: EndReason | None = None
    version: int = field(default=0, metadata={"derived": True})

    @classmethod
    def open(
        cls,
        *,
        session_id: SessionId,
        user: User,
        method: LoginMethod,
        second_factor: bool,
        restricted: bool,
        origin: Origin,
        at: datetime,
    ) -> Change["Session"]:
        session = cls(
            id=session_id,
            user_id=user.id,
            method=method,
            second_factor=second_factor,
            restricted=restricted,
            ip_address=origin.ip_address,
            user_agent=origin.user_agent,
            created_at=at,
            expires_at=at + LASTING,
            rotated_at=at,
        )
        event = UserLoggedIn(
            resource_id=user.id, at=at, session_id=session_id, method=method, second_factor=second_factor
        )
        return Change(None, session, (event,))

    def is_live(self, at: datetime) -> bool:
        return self.ended_at is None and at < self.expires_at

    def refresh(self, generation: int, *, origin: Origin, at: datetime) -> Refreshed:
        """Take the refresh token of *generation*. One that was used before ends the session: somebody has a copy.

        The last but one is forgiven for GRACE to the same client, which gets the same successor again (RFC 9700 §4.14.2).
        """
        if not self.is_live(at):
            return Refreshed(change=None, accepted=False)
        if generation == self.generation:
            rotated = replace(self, generation=self.generation + 1, rotated_at=at)
            event = SessionRefreshed(resource_id=self.id, at=at)
            return Refreshed(change=Change(self, rotated, (event,)), accepted=True)
        if generation == self.generation - 1 and at - self.rotated_at <= GRACE and self._is_client(origin):
            return Refreshed(change=None, accepted=True)
        return Refreshed(change=self.end(EndReason.TOKEN_REUSED, at), accepted=False)

    def end(self, reason: EndReason, at: datetime) -> Change["Session"]:
        ended = replace(self, ended_at=at, end_reason=reason)
        event = SessionWasEnded(resource_id=self.id, at=at, user_id=self.user_id, reason=reason)
        return Change(self, ended, (event,))

    def unlock(self, at: datetime) -> Change["Session"]:
        """The second factor is set up: everything is possible."""
        unlocked = replace(self, restricted=False, second_factor=True)
        return Change(self, unlocked, (SessionUnlocked(resource_id=self.id, at=at),))

    def _is_client(self, origin: Origin) -> bool:
        return (origin.ip_address, origin.user_agent) == (self.ip_address, self.user_agent)
