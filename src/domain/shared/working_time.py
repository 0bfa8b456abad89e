"""Working hours: how long something waits while people are at work."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from src.domain.shared.text import TextChecks

MOST_HOLIDAYS = 1000
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingCalendar:
    """When an organisation works: from *opens* to *closes* by its own clocks on *weekdays* (1 is Monday, 7 Sunday).

    On *holidays* it does not.
    """

    weekdays: tuple[int, ...] = (1, 2, 3, 4, 5)
    opens: time = time(9)
    closes: time = time(18)
    holidays: tuple[date, ...] = ()

    def check(self, checks: TextChecks, field: str = "working_calendar") -> None:
        """Tell *checks* what is wrong."""
        if not self.weekdays or not set(self.weekdays) <= set(range(1, 8)):
            checks.refuse(f"{field}.weekdays", "At least one of 1 (Monday) to 7 (Sunday).")
        if len(set(self.weekdays)) != len(self.weekdays):
            checks.refuse(f"{field}.weekdays", "Each day is named once.")
        if self.opens >= self.closes:
            checks.refuse(f"{field}.closes", "The day must close after it opens.")
        if len(self.holidays) > MOST_HOLIDAYS:
            checks.refuse(f"{field}.holidays", f"At most {MOST_HOLIDAYS} days are kept.")

    def after(self, start: datetime, hours: int, zone: ZoneInfo) -> datetime:
        """The instant, in UTC, at which *hours* of working time have passed since *start*.

        Hours are those that really pass: a day on which the clocks change in working time is shorter or longer by one.
        """
        left = timedelta(hours=hours)
        now = start.astimezone(UTC)
        day = start.astimezone(zone).date()
        while True:
            if day.isoweekday() in self.weekdays and day not in self.holidays:
                opens = max(datetime.combine(day, self.opens, zone).astimezone(UTC), now)
                closes = datetime.combine(day, self.closes, zone).astimezone(UTC)
                if closes - opens >= left:
                    return opens + left
                left -= max(closes - opens, timedelta())
            day += _DAY
