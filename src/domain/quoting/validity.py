"""How long an offer stands: to the end of its last day in the organisation's time zone."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def end_of_validity(valid_until: date, time_zone: str) -> datetime:
    """The first instant (UTC) at which an offer no longer stands: the start of the next local day, also on days
    with a clock change.
    """
    next_day = valid_until + timedelta(days=1)
    return datetime.combine(next_day, time.min, ZoneInfo(time_zone)).astimezone(UTC)


def is_over(valid_until: date, time_zone: str, now: datetime) -> bool:
    return now >= end_of_validity(valid_until, time_zone)
