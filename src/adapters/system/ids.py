"""UUIDs of version 7 (RFC 9562 §5.7): milliseconds, then a counter that begins at random, then random bits."""

import secrets
import threading
import time
from uuid import UUID

from src.application.ports.clock import IdFactory

_COUNTER_BITS, _RANDOM_BITS = 26, 48  # 12 + 62 bits are free; §6.2 method 1 puts the counter in front.


class Uuid7Ids(IdFactory):
    """Each id is greater than the one before, also within a millisecond and when the clock is set back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._milliseconds = 0
        self._counter = 0

    def new(self) -> UUID:
        with self._lock:
            now = time.time_ns() // 1_000_000
            if now > self._milliseconds:
                self._milliseconds = now
                self._counter = secrets.randbits(_COUNTER_BITS - 1)  # Half empty, so that there is room to count.
            else:
                self._counter += 1
                if self._counter >> _COUNTER_BITS:
                    self._milliseconds += 1
                    self._counter = secrets.randbits(_COUNTER_BITS - 1)
            return _compose(self._milliseconds, self._counter, secrets.randbits(_RANDOM_BITS))


def _compose(milliseconds: int, counter: int, random: int) -> UUID:
    tail = (counter << _RANDOM_BITS) | random  # 74 bits: 12 before the variant, 62 after it.
    high = (milliseconds << 16) | (7 << 12) | (tail >> 62)
    low = (0b10 << 62) | (tail & ((1 << 62) - 1))
    return UUID(int=(high << 64) | low)
