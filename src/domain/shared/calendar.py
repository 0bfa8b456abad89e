"""How far days may reach, and how instants are kept and told."""

from datetime import UTC, datetime
from typing import Final

FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 9000  # Far from the end of the calendar, so that the day after exists in every zone.


def instant_text(instant: datetime) -> str:
    """``2026-11-20T12:30:15.25Z``: ISO 8601 in UTC, in the one form in which instants leave the house as JSON."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
