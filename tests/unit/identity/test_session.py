"""Sessions: one line of refresh tokens, forgiving to the client that never saw an answer, and to nobody else."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.domain.identity.session import GRACE, LASTING, EndReason, Session
from tests.builders.identity import HERE, a_session
from tests.builders.quotes import NOON, a_user

ELSEWHERE = replace(HERE, ip_address="198.51.100.9")
SECOND = timedelta(seconds=1)


def _opened() -> Session:
    return a_session(a_user()).after


def _rotated() -> Session:
    outcome = _opened().refresh(1, origin=HERE, at=NOON + SECOND)
    assert outcome.change is not None
    return outcome.change.after


def test_the_token_before_is_forgiven_for_ten_seconds_to_the_same_client() -> None:
    session = _rotated()

    soon = session.refresh(1, origin=HERE, at=NOON + SECOND + GRACE)
    late = session.refresh(1, origin=HERE, at=NOON + 2 * SECOND + GRACE)
    stolen = session.refresh(1, origin=ELSEWHERE, at=NOON + 2 * SECOND)
    other_agent = session.refresh(1, origin=replace(HERE, user_agent="another"), at=NOON + 2 * SECOND)

    assert (soon.accepted, soon.change) == (True, None)
    for refused in (late, stolen, other_agent):
        assert not refused.accepted
        assert refused.change is not None
        assert refused.change.after.end_reason is EndReason.TOKEN_REUSED


@pytest.mark.parametrize("generation", [0, 3, 4, 1000])
def test_a_generation_that_never_was_ends_it(generation: int) -> None:
    outcome = _rotated().refresh(generation, origin=HERE, at=NOON + 2 * SECOND)

    assert not outcome.accepted
    assert outcome.change is not None


def test_what_has_ended_or_is_too_old_is_not_refreshed() -> None:
    ended = _opened().end(EndReason.LOGGED_OUT, NOON).after

    assert not ended.refresh(1, origin=HERE, at=NOON + SECOND).accepted
    assert not _opened().refresh(1, origin=HERE, at=NOON + LASTING).accepted
    assert _opened().refresh(1, origin=HERE, at=NOON + LASTING - SECOND).accepted


@given(st.lists(st.tuples(st.integers(0, 6), st.booleans(), st.integers(0, 15)), max_size=12))
def test_there_is_never_a_second_branch(asked: list[tuple[int, bool, int]]) -> None:
    """Whoever asks with whatever token: the generation only grows, by one, for the newest token alone."""
    session, now = _opened(), NOON
    for generation, here, later in asked:
        now += timedelta(seconds=later)
        outcome = session.refresh(generation, origin=HERE if here else ELSEWHERE, at=now)
        if outcome.change is None:
            assert outcome.accepted is session.is_live(now)
            assert not outcome.accepted or (generation == session.generation - 1 and here)
            continue
        after = outcome.change.after
        if outcome.accepted:
            assert generation == session.generation
            assert after.generation == session.generation + 1
        else:
            assert after.ended_at == now
        session = after
