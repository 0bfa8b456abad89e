"""Log in: with a password, with a code from a mail, and with a second factor after either."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from src.application.identity.limits import LoginLimits
from src.application.identity.mailed import RECORD_LOGIN_FAILURE, SEND_LOGIN_CODE, tell_accounts
from src.application.identity.sessions import LoggedIn, SessionOpener, anonymous
from src.application.ports.clock import Clock, IdFactory
from src.application.ports.identity import Account, AccountDirectory, Throttle
from src.application.ports.security import ChallengeSecrets, OneTimeCodes, PasswordHasher, Vault
from src.application.ports.unit_of_work import UnitOfWork
from src.application.transactions import Transactions
from src.domain.identity.actor import Origin, Permission
from src.domain.identity.challenge import Challenge, ChallengeNotFound, Purpose, challenge_failed
from src.domain.identity.password import LONGEST_PASSWORD
from src.domain.identity.second_factor import SecondFactor
from src.domain.identity.session import LoginMethod
from src.domain.identity.user import LoginFailed, OrganizationRequired, User, normal_email
from src.domain.shared.change import Change
from src.domain.shared.errors import Invalid
from src.domain.shared.ids import ChallengeId, OrganizationId

CODE_LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class LogInCommand:
    """*organization* is a slug, needed only where one e-mail and password open several organisations."""

    email: str
    password: str = field(repr=False)
    organization: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeNeeded:
    """Answer *attempt* with a code until *expires_at* (UTC): the one of the mail, or of the authenticator app."""

    attempt: str
    second_factor: bool
    expires_at: datetime


class LogIn:
    """Find the account through the narrow door, check the password, and open a session or ask for the second factor."""

    def __init__(
        self,
        directory: AccountDirectory,
        transactions: Transactions,
        hasher: PasswordHasher,
        throttle: Throttle,
        limits: LoginLimits,
        next_step: "NextStep",
        clock: Clock,
        ids: IdFactory,
    ) -> None:
        self._directory, self._transactions, self._hasher = directory, transactions, hasher
        self._throttle, self._limits, self._next = throttle, limits, next_step
        self._clock, self._ids = clock, ids

    async def __call__(self, origin: Origin, command: LogInCommand) -> LoggedIn | CodeNeeded:
        """Raises LoginFailed, in the same words and after the same time whatever was wrong; OrganizationRequired, TooMany."""
        now, email = self._clock.now(), _email(command.email)
        turns = self._limits.login(email, origin)
        await self._throttle.take(turns, now)
        known = await self._known(email, command)
        opened = [account for account in known if await self._opens(account, command.password)]
        if not known:
            await self._hasher.verify(command.password[:LONGEST_PASSWORD], None)
        if not opened:
            nobody = ChallengeId(self._ids.new())
            await tell_accounts(self._directory, self._ids, RECORD_LOGIN_FAILURE, known, nobody, origin)
            raise LoginFailed("E-mail or password is wrong.")
        if len(opened) > 1:
            raise OrganizationRequired(
                "These credentials open several organisations; name one in «organization».",
                organizations=[account.organization_slug for account in opened],
            )
        outcome = await self._log_in(origin, opened[0], command.password, now)
        await self._throttle.give_back(turns, now)
        return outcome

    async def _known(self, email: str, command: LogInCommand) -> list[Account]:
        accounts = await self._directory.find(email)
        return [account for account in accounts if command.organization in {None, account.organization_slug}]

    async def _opens(self, account: Account, password: str) -> bool:
        return await self._hasher.verify(password[: LONGEST_PASSWORD + 1], account.password_hash)

    async def _log_in(self, origin: Origin, account: Account, password: str, now: datetime) -> LoggedIn | CodeNeeded:
        outdated = account.password_hash is not None and self._hasher.is_outdated(account.password_hash)
        anew = await self._hasher.hash(password) if outdated else None
        actor = anonymous(account.organization_id, origin)
        async with self._transactions.begin(actor, Permission.LOG_IN) as uow:
            user = await uow.users.get(account.user_id, lock=anew is not None)
            if anew is not None:
                user = await uow.users.save(user.take_password(anew, how="rehashed", at=now))
            outcome = await self._next.after(uow, user, LoginMethod.PASSWORD, origin, now)
            await uow.commit()
        return outcome


@dataclass(frozen=True, slots=True)
class RequestLoginCodeCommand:
    """*organization*: as for LogInCommand."""

    email: str
    organization: str | None = None


class RequestLoginCode:
    """Mail a code to whoever has this address. Nobody learns whether anybody does. Raises TooMany."""

    def __init__(
        self, directory: AccountDirectory, throttle: Throttle, limits: LoginLimits, clock: Clock, ids: IdFactory
    ) -> None:
        self._directory, self._throttle, self._limits = directory, throttle, limits
        self._clock, self._ids = clock, ids

    async def __call__(self, origin: Origin, command: RequestLoginCodeCommand) -> CodeNeeded:
        now, email = self._clock.now(), _email(command.email)
        await self._throttle.take(self._limits.code(email, origin), now)
        accounts = [
            account
            for account in await self._directory.find(email)
            if command.organization in {None, account.organization_slug}
        ]
        challenge_id = ChallengeId(self._ids.new())
        await tell_accounts(self._directory, self._ids, SEND_LOGIN_CODE, accounts, challenge_id, origin)
        return CodeNeeded(attempt=str(challenge_id), second_factor=False, expires_at=now + CODE_LIFETIME)


@dataclass(frozen=True, slots=True)
class VerifyLoginCommand:
    """*attempt* is what an earlier step answered; *code* the mail's, the app's, or a recovery code."""

    attempt: str
    code: str = field(repr=False)


class VerifyLogin:
    """The second step of a login. Raises ChallengeFailed, TooMany."""

    def __init__(
        self,
        directory: AccountDirectory,
        transactions: Transactions,
        secrets: ChallengeSecrets,
        throttle: Throttle,
        limits: LoginLimits,
        next_step: "NextStep",
        clock: Clock,
        ids: IdFactory,
    ) -> None:
        self._directory, self._transactions, self._secrets = directory, transactions, secrets
        self._throttle, self._limits, self._next = throttle, limits, next_step
        self._clock, self._ids = clock, ids

    async def __call__(self, origin: Origin, command: VerifyLoginCommand) -> LoggedIn | CodeNeeded:
        try:
            challenge_id = ChallengeId(UUID(command.attempt))
        except ValueError:
            return await self._second_factor(origin, command)
        return await self._code(origin, challenge_id, command.code)

    async def _code(self, origin: Origin, challenge_id: ChallengeId, code: str) -> LoggedIn | CodeNeeded:
        now = self._clock.now()
        await self._throttle.take(self._limits.attempt(challenge_id, origin), now)
        issued = await self._directory.challenge(challenge_id)
        meant = next((one for one in issued if self._secrets.is_code(code, challenge_id, one)), None)
        if meant is None:
            nobody: Sequence[Account] = ()
            await tell_accounts(self._directory, self._ids, RECORD_LOGIN_FAILURE, nobody, challenge_id, origin)
            raise challenge_failed()
        async with self._transactions.begin(anonymous(meant, origin), Permission.LOG_IN) as uow:
            challenge = await _challenge(uow, challenge_id, Purpose.LOGIN_CODE)
            await uow.challenges.save(challenge.answer(right=True, at=now))
            user = await uow.users.get(challenge.user_id)
            outcome = await self._next.after(uow, user, LoginMethod.CODE, origin, now)
            await uow.commit()
        return outcome

    async def _second_factor(self, origin: Origin, command: VerifyLoginCommand) -> LoggedIn:
        challenge_id, organization_id = self._secrets.read_link_token(command.attempt)
        now, actor = self._clock.now(), anonymous(organization_id, origin)
        async with self._transactions.begin(actor, Permission.LOG_IN) as uow:
            user_id = (await _challenge(uow, challenge_id, Purpose.SECOND_FACTOR)).user_id
        await self._throttle.take(self._limits.second_factor(user_id), now)
        async with self._transactions.begin(actor, Permission.LOG_IN) as uow:
            challenge = await _challenge(uow, challenge_id, Purpose.SECOND_FACTOR)
            factor = await uow.second_factors.of(user_id)
            used = None if factor is None else self._next.factors.use(factor, command.code, now)
            await uow.challenges.save(challenge.answer(right=used is not None, at=now))
            if used is not None:
                await uow.second_factors.save(used)
                user, method = await uow.users.get(user_id), challenge.method or LoginMethod.PASSWORD
                logged_in = await self._next.opener.open(
                    uow, user, method=method, second_factor=True, origin=origin, at=now
                )
            await uow.commit()
        if used is None:
            raise challenge_failed()
        await self._throttle.give_back(self._limits.second_factor(user_id), now)
        return logged_in


class SecondFactors:
    """Holds codes against a second factor."""

    def __init__(self, vault: Vault, codes: OneTimeCodes) -> None:
        self._vault, self._codes = vault, codes

    def use(self, factor: SecondFactor, code: str, at: datetime) -> Change[SecondFactor] | None:
        """The change by a right code, of the app or for recovery; None for a wrong or used one."""
        if not factor.is_active:
            return None
        step = self._codes.step_of(self._vault.unseal(factor.sealed_secret), code, at)
        return factor.use_step(step, at) or factor.use_recovery_code(recovery_hash(code), at)


class NextStep:
    """What comes after the first factor: the second one, or the session."""

    def __init__(
        self, opener: SessionOpener, factors: SecondFactors, secrets: ChallengeSecrets, ids: IdFactory
    ) -> None:
        self.opener, self.factors, self._secrets, self._ids = opener, factors, secrets, ids

    async def after(
        self, uow: UnitOfWork, user: User, method: LoginMethod, origin: Origin, at: datetime
    ) -> LoggedIn | CodeNeeded:
        """Saved, not committed."""
        factor = await uow.second_factors.of(user.id)
        if factor is None or not factor.is_active:
            return await self.opener.open(uow, user, method=method, second_factor=False, origin=origin, at=at)
        issuing = Challenge.issue(
            challenge_id=ChallengeId(self._ids.new()),
            user_id=user.id,
            purpose=Purpose.SECOND_FACTOR,
            at=at,
            method=method,
        )
        challenge = await uow.challenges.save(issuing)
        organization_id: OrganizationId = (await uow.organizations.current()).id
        token = self._secrets.link_token(challenge.id, organization_id)
        return CodeNeeded(attempt=token, second_factor=True, expires_at=challenge.expires_at)


def recovery_hash(code: str) -> str:
    """SHA-256 is enough for 50 random bits that five guesses in five minutes try; case and hyphens do not matter."""
    told = "".join(character for character in code.upper() if character.isalnum())
    return sha256(told.encode()).hexdigest()


async def _challenge(uow: UnitOfWork, challenge_id: ChallengeId, purpose: Purpose) -> Challenge:
    """Raises ChallengeFailed."""
    try:
        challenge = await uow.challenges.get(challenge_id)
    except ChallengeNotFound:
        raise challenge_failed() from None
    if challenge.purpose is not purpose:
        raise challenge_failed()
    return challenge


def _email(told: str) -> str:
    """What is no address is looked up all the same, so that it takes as long."""
    try:
        return normal_email(told)
    except Invalid:
        return "nobody"
