"""UUIDs of version 7."""

import threading
import time
from uuid import RFC_4122, UUID

from src.adapters.system import Uuid7Ids


def test_ids_rise_are_distinct_and_of_version_7() -> None:
    ids = Uuid7Ids()
    before = time.time_ns() // 1_000_000

    made = [ids.new() for _ in range(20_000)]

    assert made == sorted(set(made))
    assert {one.version for one in made} == {7}
    assert {one.variant for one in made} == {RFC_4122}
    assert before <= _milliseconds(made[0]) <= time.time_ns() // 1_000_000


def test_threads_never_get_the_same_id() -> None:
    ids, made = Uuid7Ids(), list[UUID]()
    threads = [threading.Thread(target=lambda: made.extend(ids.new() for _ in range(2000))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(made)) == 8000


def test_a_clock_that_is_set_back_does_not_turn_the_order() -> None:
    ids = Uuid7Ids()
    ids._milliseconds = time.time_ns() // 1_000_000 + 60_000  # As if the clock had been a minute ahead.

    assert ids.new() < ids.new()


def _milliseconds(identity: UUID) -> int:
    return identity.int >> 80
