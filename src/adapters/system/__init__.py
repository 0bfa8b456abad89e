"""Time and ids of this machine."""

from src.adapters.system.clock import SystemClock
from src.adapters.system.ids import Uuid7Ids

__all__ = ["SystemClock", "Uuid7Ids"]
