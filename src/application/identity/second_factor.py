"""Set up and give up one's second factor."""

from dataclasses import dataclass, field

from src.application.identity.limits import LoginLimits
from src.application.identity.log_in import SecondFactors, recovery_hash
from src.application.identity.sessions import end_sessions
from src.application.ports.clock import Clock
from src.application.ports.identity import Throttle
from src.application.ports.security import OneTimeCodes, Vault
from src.application.transactions import Transactions
from src.domain.identity.actor import PERMISSIONS, Actor, Permission
from src.domain.identity.challenge import challenge_failed
from src.domain.identity.second_factor import (
    RECOVERY_CODES,
    SecondFactor,
    SecondFactorNotFound,
    SecondFactorStateConflict,
)
from src.domain.identity.session import EndReason
from src.domain.identity.user import RoleNotYours
from src.domain.shared.ids import UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactorSecret:
    """What an authenticator app needs: the *address* as QR code, or the *secret* typed in."""

    secret: str = field(repr=False)
    address: str = field(repr=False)


class BeginSecondFactor:
    """Make a secret for the actor's authenticator app; it counts from the first code on. Raises SecondFactorStateConflict."""

    def __init__(self, transactions: Transactions, vault: Vault, codes: OneTimeCodes, clock: Clock) -> None:
        self._transactions, self._vault, self._codes, self._clock = transactions, vault, codes, clock

    async def __call__(self, actor: Actor) -> SecondFactorSecret:
        secret = self._codes.new_secret()
        async with self._transactions.begin(actor, Permission.OWN_ACCOUNT) as uow:
            user, organization = await uow.users.get(actor.person), await uow.organizations.current()
            begun = SecondFactor(id=user.id, sealed_secret=self._vault.seal(secret), created_at=self._clock.now())
            await uow.second_factors.save(begun.begin(await uow.second_factors.of(user.id)))
            await uow.commit()
        address = self._codes.address(secret, account=user.email, issuer=organization.party.name)
        return SecondFactorSecret(secret=secret, address=address)


class ConfirmSecondFactor:
    """The first code proves that the app has the secret; answers the recovery codes, which are shown this once.

    The actor's other sessions end. Raises SecondFactorNotFound, SecondFactorStateConflict, ChallengeFailed, TooMany.
    """

    def __init__(
        self,
        transactions: Transactions,
        vault: Vault,
        codes: OneTimeCodes,
        throttle: Throttle,
        limits: LoginLimits,
        clock: Clock,
    ) -> None:
        self._transactions, self._vault, self._codes = transactions, vault, codes
        self._throttle, self._limits, self._clock = throttle, limits, clock

    async def __call__(self, actor: Actor, code: str) -> tuple[str, ...]:
        now = self._clock.now()
        actor.require(Permission.OWN_ACCOUNT)
        await self._throttle.take(self._limits.second_factor(actor.person), now)
        recovery = self._vault.new_recovery_codes(RECOVERY_CODES)
        async with self._transactions.begin(actor, Permission.OWN_ACCOUNT) as uow:
            factor = await uow.second_factors.of(actor.person)
            if factor is None or factor.removed_at is not None:
                raise SecondFactorNotFound("Begin a second factor first.")
            if factor.is_active:
                raise SecondFactorStateConflict("Your second factor has been confirmed already.")
            step = self._codes.step_of(self._vault.unseal(factor.sealed_secret), code, now)
            if step is None:
                raise challenge_failed()
            hashes = tuple(recovery_hash(one) for one in recovery)
            await uow.second_factors.save(factor.confirm(step=step, recovery_hashes=hashes, at=now))
            await end_sessions(uow, actor.person, EndReason.SECOND_FACTOR_CHANGED, now, but=actor.session_id)
            if actor.session_id is not None:
                await uow.sessions.save((await uow.sessions.get(actor.session_id)).unlock(now))
            await uow.commit()
        return recovery


class RemoveSecondFactor:
    """By the actor, with a last code of it. Raises SecondFactorNotFound, ChallengeFailed, SecondFactorStateConflict, TooMany."""

    def __init__(
        self,
        transactions: Transactions,
        factors: SecondFactors,
        throttle: Throttle,
        limits: LoginLimits,
        clock: Clock,
    ) -> None:
        self._transactions, self._factors, self._throttle = transactions, factors, throttle
        self._limits, self._clock = limits, clock

    async def __call__(self, actor: Actor, code: str) -> None:
        now = self._clock.now()
        actor.require(Permission.OWN_ACCOUNT)
        await self._throttle.take(self._limits.second_factor(actor.person), now)
        async with self._transactions.begin(actor, Permission.OWN_ACCOUNT) as uow:
            factor = await uow.second_factors.of(actor.person)
            if factor is None or not factor.is_active:
                raise SecondFactorNotFound("You have no second factor.")
            if (await uow.organizations.current()).require_second_factor:
                raise SecondFactorStateConflict("Your organisation wants everybody to have a second factor.")
            used = self._factors.use(factor, code, now)
            if used is None:
                raise challenge_failed()
            await uow.second_factors.save(used.then(used.after.remove(now)))
            await uow.commit()


class ResetSecondFactor:
    """Of somebody who has lost it, recovery codes and all: they log in without, and their sessions end.

    Raises UserNotFound, SecondFactorNotFound, RoleNotYours.
    """

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions, self._clock = transactions, clock

    async def __call__(self, actor: Actor, user_id: UserId) -> None:
        now = self._clock.now()
        async with self._transactions.begin(actor, Permission.MANAGE_USERS) as uow:
            user = await uow.users.get(user_id)
            if user.id == actor.user_id or not PERMISSIONS[user.role] <= actor.permissions:
                raise RoleNotYours("Somebody else with the right must do this.")
            factor = await uow.second_factors.of(user_id)
            if factor is None or factor.removed_at is not None:
                raise SecondFactorNotFound("This user has no second factor.")
            await uow.second_factors.save(factor.remove(now))
            await end_sessions(uow, user_id, EndReason.SECOND_FACTOR_CHANGED, now)
            await uow.commit()
