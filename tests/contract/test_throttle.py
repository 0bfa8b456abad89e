"""How often somebody may try, on both stores, and what that leaves to guessing."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from src.adapters.memory.directories import MemoryThrottle
from src.adapters.postgres.directories import PostgresThrottle
from src.adapters.security import DerivedChallengeSecrets, KeyRing
from src.application.identity.limits import LoginLimits
from src.application.ports.identity import Throttle, Turns
from src.domain.identity.challenge import LIFETIMES, Purpose
from src.domain.shared.errors import TooMany
from src.domain.shared.ids import ChallengeId, OrganizationId
from tests.builders.quotes import NOON
from tests.organizations import ORIGIN

pytestmark = pytest.mark.asyncio
DAY = timedelta(days=1)
LIKELIEST = Fraction(5, 100_000)  # For an account and a day.


@pytest.fixture(params=["memory", "postgres"])
def throttle(request: pytest.FixtureRequest) -> Throttle:
    if request.param == "memory":
        return MemoryThrottle()
    engine: AsyncEngine = request.getfixturevalue("app_engine")
    return PostgresThrottle(engine)


async def taken(throttle: Throttle, turns: Sequence[tuple[datetime, Sequence[Turns]]]) -> list[datetime]:
    """When there was a turn left."""
    times = []
    for at, wanted in turns:
        try:
            await throttle.take(wanted, at)
        except TooMany:
            continue
        times.append(at)
    return times


def most_in(period: timedelta, times: list[datetime]) -> int:
    return max(sum(first <= at <= first + period for at in times) for first in times)


async def test_a_mailed_code_is_hardly_guessed(throttle: Throttle) -> None:
    """By somebody who asks for codes and tries them whenever there is a turn, from as many addresses as they like.

    So only the first of the limits counts, which is the account's or the code's.
    """
    limits, email, challenge_id = LoginLimits(), f"{uuid4()}@example.com", ChallengeId(uuid4())
    step = DAY / 120
    asked = [(NOON + count * step, limits.code(email, ORIGIN)[:1]) for count in range(361)]
    tried = [
        (NOON + count * timedelta(seconds=10), limits.attempt(challenge_id, ORIGIN)[:1])
        for count in range(LIFETIMES[Purpose.LOGIN_CODE] // timedelta(seconds=10) + 1)
    ]
    secrets = DerivedChallengeSecrets(KeyRing(["the secret key of now, long enough", "the one before, long enough"]))
    code = secrets.code(challenge_id, OrganizationId(uuid4()))

    codes = most_in(DAY, await taken(throttle, asked))
    tries = len(await taken(throttle, tried))

    assert tries == 5
    assert codes * tries * Fraction(1, 10 ** len(code)) <= LIKELIEST
    assert codes >= 5  # People mistype, and lose mails.


@pytest.mark.parametrize("burst", [1, 5, 7])
async def test_no_period_sees_more_than_twice_the_burst(burst: int, throttle: Throttle) -> None:
    bucket = uuid4().hex
    turns = [Turns(bucket=bucket, burst=burst, period=DAY)]

    times = await taken(throttle, [(NOON + count * DAY / 70, turns) for count in range(211)])

    assert burst <= most_in(DAY, times) <= 2 * burst


async def test_a_code_has_one_right_answer_whatever_keys_there_were() -> None:
    challenge_id, organization_id = ChallengeId(uuid4()), OrganizationId(uuid4())
    now, before = "the secret key of now, long enough", "the one before, long enough"
    old = DerivedChallengeSecrets(KeyRing([before])).code(challenge_id, organization_id)

    secrets = DerivedChallengeSecrets(KeyRing([now, before]))

    assert secrets.is_code(secrets.code(challenge_id, organization_id), challenge_id, organization_id)
    assert not secrets.is_code(old, challenge_id, organization_id)
