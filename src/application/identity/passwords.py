"""New passwords: at the invitation, changed by oneself, or by a mailed link."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from src.application.identity.limits import LoginLimits
from src.application.identity.mailed import SEND_PASSWORD_RESET, tell_accounts
from src.application.identity.sessions import end_sessions
from src.application.ports.clock import Clock, IdFactory
from src.application.ports.identity import AccountDirectory, Throttle
from src.application.ports.security import ChallengeSecrets, CommonPasswords, PasswordHasher
from src.application.transactions import Transactions
from src.domain.identity.actor import Actor, Origin, Permission
from src.domain.identity.challenge import ChallengeNotFound, Purpose, challenge_failed
from src.domain.identity.organization import Organization
from src.domain.identity.password import LONGEST_PASSWORD, check_password
from src.domain.identity.session import EndReason
from src.domain.identity.user import LoginFailed, User, normal_email
from src.domain.shared.ids import ChallengeId


class NewPasswords:
    """Checks a password before it is hashed."""

    def __init__(self, hasher: PasswordHasher, common: CommonPasswords) -> None:
        self._hasher, self._common = hasher, common

    async def hash(self, password: str, context: Iterable[str]) -> str:
        """*context*: words that it must not consist of. Raises Invalid."""
        check_password(password, common=self._common.all(), context=context)
        return await self._hasher.hash(password)


def words_about(name: str, email: str, organization: Organization | None = None) -> list[str]:
    """What nobody's password may consist of."""
    words = [*name.split(), email, email.partition("@")[0]]
    return words if organization is None else [*words, organization.slug, *organization.party.name.split()]


@dataclass(frozen=True, slots=True)
class ChangePasswordCommand:
    current: str = field(repr=False)
    new: str = field(repr=False)


class ChangePassword:
    """Of the actor's own. All sessions but this one end. Raises LoginFailed for a wrong current one, TooMany, Invalid."""

    def __init__(
        self,
        transactions: Transactions,
        passwords: NewPasswords,
        hasher: PasswordHasher,
        throttle: Throttle,
        limits: LoginLimits,
        clock: Clock,
    ) -> None:
        self._transactions, self._passwords, self._hasher = transactions, passwords, hasher
        self._throttle, self._limits, self._clock = throttle, limits, clock

    async def __call__(self, actor: Actor, command: ChangePasswordCommand) -> None:
        now = self._clock.now()
        async with self._transactions.begin(actor, Permission.OWN_ACCOUNT) as uow:
            user = await uow.users.get(actor.person)
            organization = await uow.organizations.current()
        await self._throttle.take(self._limits.login(user.email, actor.origin), now)
        known = len(command.current) <= LONGEST_PASSWORD
        if not known or not await self._hasher.verify(command.current, user.password_hash):
            raise LoginFailed("The current password is wrong.")
        new_hash = await self._passwords.hash(command.new, words_about(user.name, user.email, organization))
        async with self._transactions.begin(actor, Permission.OWN_ACCOUNT) as uow:
            changed = (await uow.users.get(user.id, lock=True)).take_password(new_hash, how="changed", at=now)
            await uow.users.save(changed)
            await end_sessions(uow, user.id, EndReason.PASSWORD_CHANGED, now, but=actor.session_id)
            await uow.commit()
        await self._throttle.give_back(self._limits.login(user.email, actor.origin), now)


@dataclass(frozen=True, slots=True)
class RequestPasswordResetCommand:
    email: str


class RequestPasswordReset:
    """Mail a link to whoever has this address. Nobody learns whether anybody does. Raises TooMany."""

    def __init__(
        self, directory: AccountDirectory, throttle: Throttle, limits: LoginLimits, clock: Clock, ids: IdFactory
    ) -> None:
        self._directory, self._throttle, self._limits = directory, throttle, limits
        self._clock, self._ids = clock, ids

    async def __call__(self, origin: Origin, command: RequestPasswordResetCommand) -> None:
        email = normal_email(command.email)
        await self._throttle.take(self._limits.reset(email, origin), self._clock.now())
        accounts = await self._directory.find(email)
        challenge_id = ChallengeId(self._ids.new())
        await tell_accounts(self._directory, self._ids, SEND_PASSWORD_RESET, accounts, challenge_id, origin)


@dataclass(frozen=True, slots=True)
class ResetPasswordCommand:
    token: str = field(repr=False)
    password: str = field(repr=False)


class ResetPassword:
    """By the link of the mail, once. All sessions end. Raises ChallengeFailed, Invalid."""

    def __init__(
        self, transactions: Transactions, secrets: ChallengeSecrets, passwords: NewPasswords, clock: Clock
    ) -> None:
        self._transactions, self._secrets, self._passwords, self._clock = transactions, secrets, passwords, clock

    async def __call__(self, origin: Origin, command: ResetPasswordCommand) -> None:
        challenge_id, organization_id = self._secrets.read_link_token(command.token)
        actor = Actor.anonymous(organization_id=organization_id, origin=origin)
        user, organization = await self._whose(actor, challenge_id)
        new_hash = await self._passwords.hash(command.password, words_about(user.name, user.email, organization))
        now = self._clock.now()
        async with self._transactions.begin(actor, Permission.LOG_IN) as uow:
            challenge = await uow.challenges.get(challenge_id)
            await uow.challenges.save(challenge.answer(right=True, at=now))
            locked = await uow.users.get(user.id, lock=True)
            if not locked.active:
                raise challenge_failed()
            await uow.users.save(locked.take_password(new_hash, how="reset", at=now))
            await end_sessions(uow, user.id, EndReason.PASSWORD_CHANGED, now)
            await uow.commit()

    async def _whose(self, actor: Actor, challenge_id: ChallengeId) -> tuple[User, Organization]:
        async with self._transactions.begin(actor, Permission.LOG_IN) as uow:
            organization = await uow.organizations.current()
            try:
                challenge = await uow.challenges.get(challenge_id)
            except ChallengeNotFound:
                raise challenge_failed() from None
            if (
                challenge.purpose is not Purpose.PASSWORD_RESET
                or not challenge.is_open(self._clock.now())
                or not organization.active
            ):
                raise challenge_failed()
            return await uow.users.get(challenge.user_id), organization
