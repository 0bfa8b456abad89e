"""Log in with e-mail and password."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from src.application.ports.clock import Clock, IdFactory
from src.application.ports.identity import Account, AccountDirectory
from src.application.ports.security import Claims, PasswordHasher, TokenIssuer
from src.application.transactions import Transactions
from src.domain.identity.actor import Actor, Origin, Permission
from src.domain.identity.user import (
    LONGEST_PASSWORD,
    LoginFailed,
    OrganizationRequired,
    Session,
    UserLoginFailed,
    normal_email,
)
from src.domain.shared.errors import Invalid
from src.domain.shared.ids import SessionId

TOKEN_LIFETIME = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class LogInCommand:
    """*organization* is a slug, needed only where one e-mail and password open several organisations."""

    email: str
    password: str
    organization: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedIn:
    access_token: str
    expires_at: datetime
    account: Account


class LogIn:
    """Find the account through the narrow door, check the password, open a session and issue its token."""

    def __init__(
        self,
        directory: AccountDirectory,
        transactions: Transactions,
        hasher: PasswordHasher,
        tokens: TokenIssuer,
        clock: Clock,
        ids: IdFactory,
    ) -> None:
        self._directory, self._transactions, self._hasher = directory, transactions, hasher
        self._tokens, self._clock, self._ids = tokens, clock, ids

    async def __call__(self, origin: Origin, command: LogInCommand) -> LoggedIn:
        """Raises LoginFailed, in the same words whatever was wrong, and OrganizationRequired."""
        known = await self._known(command)
        opened = [account for account in known if await self._hasher.verify(command.password, account.password_hash)]
        if not known:
            await self._hasher.verify(command.password, None)
        if not opened:
            for account in known:
                await self._record_failure(origin, account)
            raise LoginFailed("E-mail or password is wrong.")
        if len(opened) > 1:
            raise OrganizationRequired(
                "These credentials open several organisations; name one in «organization».",
                organizations=[account.organization_slug for account in opened],
            )
        return await self._open_session(origin, opened[0])

    async def _known(self, command: LogInCommand) -> list[Account]:
        if len(command.password) > LONGEST_PASSWORD:
            return []
        try:
            email = normal_email(command.email)
        except Invalid:
            return []
        accounts = await self._directory.find(email)
        return [account for account in accounts if command.organization in {None, account.organization_slug}]

    async def _record_failure(self, origin: Origin, account: Account) -> None:
        actor = Actor.anonymous(organization_id=account.organization_id, origin=origin)
        async with self._transactions.begin(actor, Permission.LOG_IN) as uow:
            uow.record(UserLoginFailed(resource_id=account.user_id, at=self._clock.now()))
            await uow.commit()

    async def _open_session(self, origin: Origin, account: Account) -> LoggedIn:
        now, session_id = self._clock.now(), SessionId(self._ids.new())
        actor = Actor.anonymous(organization_id=account.organization_id, origin=origin)
        async with self._transactions.begin(actor, Permission.LOG_IN) as uow:
            user = await uow.users.get(account.user_id)
            session = await uow.sessions.save(
                Session.open(session_id=session_id, user=user, at=now, lasting=TOKEN_LIFETIME)
            )
            await uow.commit()
        claims = Claims(
            user_id=user.id,
            email=user.email,
            name=user.name,
            organization_id=account.organization_id,
            role=user.role,
            session_id=session.id,
            expires_at=session.expires_at,
        )
        token = self._tokens.issue(claims, at=now)
        return LoggedIn(access_token=token, expires_at=session.expires_at, account=account)
