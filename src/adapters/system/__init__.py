"""Time, ids and temporary files of this machine."""

from src.adapters.system.clock import SystemClock
from src.adapters.system.ids import Uuid7Ids
from src.adapters.system.scratch import TemporaryFiles

__all__ = ["SystemClock", "TemporaryFiles", "Uuid7Ids"]
