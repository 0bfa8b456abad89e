"""The pauses between the attempts of a job."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from src.adapters.jobs.worker import WorkerSettings


def test_the_longest_pauses_double_up_to_an_hour() -> None:
    settings = WorkerSettings(random=lambda: 1.0)

    longest = [settings.pause(number).total_seconds() for number in range(1, 13)]

    assert longest == [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600, 3600]


@given(number=st.integers(1, 10_000), chance=st.floats(0, 1, exclude_max=True))
def test_a_pause_is_a_random_part_of_the_longest(number: int, chance: float) -> None:
    settings = WorkerSettings(random=lambda: chance)

    pause = settings.pause(number)

    assert timedelta(0) <= pause <= settings.cap
    assert pause == WorkerSettings(random=lambda: 1.0).pause(number) * chance
