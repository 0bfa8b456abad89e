"""People who act at the same instant: an owner always stays, one code opens one session; and nobody shows in what is asked."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from src.adapters.memory.system import PlainPasswords
from src.adapters.postgres.directories import PostgresAccountDirectory, PostgresThrottle
from src.adapters.security import DerivedChallengeSecrets, JwtIssuer, KeyRing, SystemVault, TotpCodes
from src.adapters.system import SystemClock, Uuid7Ids
from src.application.identity.limits import LoginLimits
from src.application.identity.log_in import (
    LogIn,
    LogInCommand,
    NextStep,
    RequestLoginCode,
    RequestLoginCodeCommand,
    SecondFactors,
)
from src.application.identity.passwords import RequestPasswordReset, RequestPasswordResetCommand
from src.application.identity.sessions import SessionOpener
from src.application.identity.users import ChangeUser, ChangeUserCommand, DeactivateUser
from src.application.ports.identity import Turns
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.application.transactions import Transactions
from src.domain.identity.actor import Actor, Role
from src.domain.identity.user import LastOwner, LoginFailed
from src.domain.shared.errors import TooMany
from tests.builders.approvals import SUBJECTS
from tests.builders.postgres import statements_of
from tests.builders.quotes import NOON, a_user
from tests.organizations import ORIGIN, new_organization

pytestmark = pytest.mark.asyncio

RING = KeyRing(["a secret key that is long enough for a test"])


async def test_two_owners_who_take_each_other_out_leave_one(open_postgres: OpenUnitOfWork) -> None:
    transactions, clock = Transactions(open_postgres), SystemClock()
    for attempt in range(25):
        made = await new_organization(open_postgres)
        first = made.users[Role.OWNER]
        async with open_postgres(made.actor(Role.OWNER)) as uow:
            second = await uow.users.save(replace(a_user(Role.OWNER), email=f"{uuid4().hex}@example.com").create())
            await uow.commit()
        actors = [
            Actor.user(
                organization_id=made.organization.id, user_id=one.id, role=Role.OWNER, name=one.name, origin=ORIGIN
            )
            for one in (first, second)
        ]
        demote = ChangeUser(transactions, clock, Uuid7Ids(), SUBJECTS)(
            actors[0], ChangeUserCommand(user_id=second.id, role=Role.VIEWER)
        )
        deactivate = DeactivateUser(transactions, clock, Uuid7Ids(), SUBJECTS)(actors[1], first.id)

        outcomes = await asyncio.gather(demote, deactivate, return_exceptions=True)

        async with open_postgres(made.actor(Role.OWNER)) as uow:
            owners = await uow.users.lock_owners()
        assert len(owners) == 1, attempt
        assert [type(one) for one in outcomes if isinstance(one, Exception)] == [LastOwner], attempt


async def test_turns_are_counted_exactly_however_many_take_them(app_engine: AsyncEngine) -> None:
    throttle, clock = PostgresThrottle(app_engine), SystemClock()
    turns = LoginLimits(per_account=7, per_address=1000, in_all=100_000).login(f"{uuid4()}@example.com", ORIGIN)
    now = clock.now()

    async def take() -> bool:
        try:
            await throttle.take(turns, now)
        except TooMany:
            return False
        return True

    taken = await asyncio.gather(*(take() for _ in range(40)))
    await throttle.give_back(turns, now)

    assert sum(taken) == 7
    assert await take()
    assert not await take()


async def test_turns_come_back_evenly(app_engine: AsyncEngine) -> None:
    throttle = PostgresThrottle(app_engine)
    turns = [replace(one, bucket=uuid4().hex) for one in LoginLimits().login("x", ORIGIN)[:1]]
    assert isinstance(turns[0], Turns)
    for _ in range(10):
        await throttle.take(turns, NOON)
    with pytest.raises(TooMany) as refused:
        await throttle.take(turns, NOON)

    await throttle.take(turns, NOON.replace(second=30))
    with pytest.raises(TooMany):
        await throttle.take(turns, NOON.replace(second=31))

    assert refused.value.retry_after in {30, 31}


async def test_what_is_asked_of_the_database_does_not_tell_who_exists(
    open_postgres: OpenUnitOfWork, app_engine: AsyncEngine
) -> None:
    """A known account with a wrong password and an unknown one: the same statements, and so for codes and resets."""
    made = await new_organization(open_postgres)
    directory, throttle, clock, ids = (
        PostgresAccountDirectory(app_engine),
        PostgresThrottle(app_engine),
        SystemClock(),
        Uuid7Ids(),
    )
    limits, transactions = LoginLimits(per_address=100_000, in_all=1_000_000), Transactions(open_postgres)
    opener = SessionOpener(JwtIssuer(RING, ids), ids)
    secrets = DerivedChallengeSecrets(RING)
    next_step = NextStep(opener, SecondFactors(SystemVault(RING), TotpCodes()), secrets, ids)
    log_in = LogIn(directory, transactions, PlainPasswords(), throttle, limits, next_step, clock, ids)
    request_code = RequestLoginCode(directory, throttle, limits, clock, ids)
    request_reset = RequestPasswordReset(directory, throttle, limits, clock, ids)

    async def asked(email: str) -> list[str]:
        with statements_of(app_engine) as seen:
            with pytest.raises(LoginFailed):
                await log_in(ORIGIN, LogInCommand(email, "wrong"))
            await request_code(ORIGIN, RequestLoginCodeCommand(email))
            await request_reset(ORIGIN, RequestPasswordResetCommand(email))
        return list(seen)

    known, unknown = await asked(made.users[Role.SALES].email), await asked(f"{uuid4().hex}@example.com")

    assert known == unknown
    assert len(known) >= 9
