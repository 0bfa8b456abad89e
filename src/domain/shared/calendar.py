"""How far days may reach."""

from typing import Final

FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 9000  # Far from the end of the calendar, so that the day after exists in every zone.
