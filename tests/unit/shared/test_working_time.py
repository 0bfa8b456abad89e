"""Working hours: weekends, holidays, nights, and days on which the clocks change."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.domain.shared.errors import Invalid
from src.domain.shared.text import TextChecks
from src.domain.shared.working_time import WorkingCalendar

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = WorkingCalendar()


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2026-11-20 10:00", 4, "2026-11-20 14:00"),
        ("2026-11-20 16:00", 4, "2026-11-23 11:00"),  # Over a weekend.
        ("2026-11-20 16:00", 2, "2026-11-20 18:00"),  # To the last minute.
        ("2026-11-21 12:00", 1, "2026-11-23 10:00"),  # From a Saturday.
        ("2026-11-20 05:00", 1, "2026-11-20 10:00"),  # From before the doors open.
        ("2026-11-20 23:30", 9, "2026-11-23 18:00"),
        ("2026-12-24 17:00", 2, "2026-12-28 10:00"),  # The 25th is a holiday, then a weekend.
        ("2026-11-20 09:00", 45, "2026-11-26 18:00"),  # A week of work.
    ],
)
def test_only_working_hours_count(start: str, hours: int, end: str) -> None:
    calendar = WorkingCalendar(holidays=(date(2026, 12, 25),))

    assert calendar.after(local(start), hours, BERLIN) == local(end)


def test_a_day_on_which_the_clocks_change_has_the_hours_that_pass() -> None:
    night_shift = WorkingCalendar(weekdays=(1, 2, 3, 4, 5, 6, 7), opens=time(0), closes=time(12))

    assert night_shift.after(local("2026-03-29 00:00"), 11, BERLIN) == local("2026-03-29 12:00")
    assert night_shift.after(local("2026-10-25 00:00"), 12, BERLIN) == local("2026-10-25 11:00")


calendars = st.builds(
    WorkingCalendar,
    weekdays=st.sets(st.integers(1, 7), min_size=1).map(lambda days: tuple(sorted(days))),
    opens=st.integers(0, 11).map(time),
    closes=st.integers(12, 23).map(time),
    holidays=st.lists(st.dates(date(2026, 3, 1), date(2026, 4, 30)), max_size=10).map(tuple),
)


@given(
    calendar=calendars,
    start=st.integers(0, 60 * 24).map(lambda hour: datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=hour)),
    hours=st.integers(1, 100),
    zone=st.sampled_from(["Europe/Berlin", "Asia/Seoul", "America/New_York", "Australia/Lord_Howe"]).map(ZoneInfo),
)
def test_it_is_what_counting_every_half_hour_gives(
    calendar: WorkingCalendar, start: datetime, hours: int, zone: ZoneInfo
) -> None:
    left, now = hours * 2, start
    while left:
        there = now.astimezone(zone)
        works = there.isoweekday() in calendar.weekdays and there.date() not in calendar.holidays
        left -= works and calendar.opens <= there.time() < calendar.closes
        now += timedelta(minutes=30)

    assert calendar.after(start, hours, zone) == now


@pytest.mark.parametrize(
    "calendar",
    [
        WorkingCalendar(weekdays=()),
        WorkingCalendar(weekdays=(0,)),
        WorkingCalendar(weekdays=(1, 1)),
        WorkingCalendar(opens=time(18), closes=time(18)),
    ],
)
def test_a_calendar_without_work_is_refused(calendar: WorkingCalendar) -> None:
    checks = TextChecks()
    calendar.check(checks)

    with pytest.raises(Invalid):
        checks.done()
    OFFICE.check(TextChecks())
