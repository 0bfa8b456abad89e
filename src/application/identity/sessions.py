"""Open, refresh, list and end sessions."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from src.application.ports.clock import Clock, IdFactory
from src.application.ports.security import Claims, RefreshClaims, TokenIssuer
from src.application.ports.unit_of_work import UnitOfWork
from src.application.transactions import Transactions
from src.domain.identity.actor import Actor, Origin, Permission
from src.domain.identity.organization import Organization
from src.domain.identity.session import EndReason, LoginMethod, Session, SessionEnded, SessionNotFound
from src.domain.identity.user import User
from src.domain.shared.ids import OrganizationId, SessionId, UserId

ACCESS_LIFETIME = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedIn:
    """*expires_at* is the access token's end, *refresh_expires_at* the session's (both UTC)."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime
    refresh_expires_at: datetime
    user: User
    organization: Organization
    restricted: bool


class SessionOpener:
    """The one place where a session begins, whatever the login was."""

    def __init__(self, tokens: TokenIssuer, ids: IdFactory) -> None:
        self._tokens, self._ids = tokens, ids

    async def open(
        self, uow: UnitOfWork, user: User, *, method: LoginMethod, second_factor: bool, origin: Origin, at: datetime
    ) -> LoggedIn:
        """The session is saved; the caller commits. An organisation's wish for a second factor binds all but its provider's."""
        organization = await uow.organizations.current()
        if not organization.active or not user.active:
            raise session_ended()
        wanted = organization.require_second_factor and method is not LoginMethod.PROVIDER
        opening = Session.open(
            session_id=SessionId(self._ids.new()),
            user=user,
            method=method,
            second_factor=second_factor,
            restricted=wanted and not second_factor,
            origin=origin,
            at=at,
        )
        return self.tokens_for(await uow.sessions.save(opening), user, organization, at)

    def tokens_for(self, session: Session, user: User, organization: Organization, at: datetime) -> LoggedIn:
        claims = Claims(
            user_id=user.id,
            email=user.email,
            name=user.name,
            organization_id=organization.id,
            role=user.role,
            session_id=session.id,
            expires_at=min(at + ACCESS_LIFETIME, session.expires_at),
        )
        refresh = RefreshClaims(organization_id=organization.id, session_id=session.id, generation=session.generation)
        return LoggedIn(
            access_token=self._tokens.issue(claims, at=at),
            refresh_token=self._tokens.issue_refresh(refresh),
            expires_at=claims.expires_at,
            refresh_expires_at=session.expires_at,
            user=user,
            organization=organization,
            restricted=session.restricted,
        )


class RefreshSession:
    """New tokens for a refresh token, each of which counts once. Raises TokenRefused, SessionEnded.

    One that was used before ends the session (RFC 9700 §4.14.2): of two who have it, one is a thief.
    """

    def __init__(self, transactions: Transactions, tokens: TokenIssuer, opener: SessionOpener, clock: Clock) -> None:
        self._transactions, self._tokens, self._opener, self._clock = transactions, tokens, opener, clock

    async def __call__(self, origin: Origin, refresh_token: str) -> LoggedIn:
        claims, now = self._tokens.read_refresh(refresh_token), self._clock.now()
        actor = Actor.anonymous(organization_id=claims.organization_id, origin=origin)
        async with self._transactions.begin(actor, Permission.LOG_IN) as uow:
            organization = await uow.organizations.current()
            try:
                session = await uow.sessions.get(claims.session_id)
            except SessionNotFound:
                raise session_ended() from None
            user = await uow.users.get(session.user_id)
            if not organization.active or not user.active:
                raise session_ended()
            outcome = session.refresh(claims.generation, origin=origin, at=now)
            if outcome.change is not None:
                session = await uow.sessions.save(outcome.change)
                await uow.commit()
        if not outcome.accepted:
            raise session_ended()
        return self._opener.tokens_for(session, user, organization, now)


class LogOut:
    """End the actor's session, or all of theirs."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions, self._clock = transactions, clock

    async def __call__(self, actor: Actor, *, everywhere: bool = False) -> None:
        now = self._clock.now()
        async with self._transactions.begin(actor, Permission.OWN_ACCOUNT) as uow:
            if everywhere:
                await end_sessions(uow, actor.person, EndReason.LOGGED_OUT_EVERYWHERE, now)
            elif actor.session_id is not None:
                session = await uow.sessions.get(actor.session_id)
                if session.is_live(now):
                    await uow.sessions.save(session.end(EndReason.LOGGED_OUT, now))
            await uow.commit()


class ListSessions:
    """The actor's own that have not ended, the newest first."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions, self._clock = transactions, clock

    async def __call__(self, actor: Actor) -> Sequence[Session]:
        async with self._transactions.begin(actor, Permission.OWN_ACCOUNT) as uow:
            return await uow.sessions.live_of(actor.person, self._clock.now())


class EndSession:
    """One of the actor's own. Raises SessionNotFound."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions, self._clock = transactions, clock

    async def __call__(self, actor: Actor, session_id: SessionId) -> None:
        now = self._clock.now()
        async with self._transactions.begin(actor, Permission.OWN_ACCOUNT) as uow:
            session = await uow.sessions.get(session_id)
            if session.user_id != actor.person or not session.is_live(now):
                raise SessionNotFound("There is no such session.")
            await uow.sessions.save(session.end(EndReason.LOGGED_OUT, now))
            await uow.commit()


async def end_sessions(
    uow: UnitOfWork, user_id: UserId, reason: EndReason, at: datetime, *, but: SessionId | None = None
) -> None:
    """End all of *user_id*'s sessions, all *but* one."""
    for session in await uow.sessions.live_of(user_id, at):
        if session.id != but:
            await uow.sessions.save(session.end(reason, at))


def session_ended() -> SessionEnded:
    return SessionEnded("This session has ended: log in again.")


def anonymous(organization_id: OrganizationId, origin: Origin) -> Actor:
    """Somebody at the login of an organisation."""
    return Actor.anonymous(organization_id=organization_id, origin=origin)
