"""An offer stands to the end of its last day, in the organisation's zone."""

from datetime import UTC, date, datetime, timedelta

import pytest

from src.domain.quoting.validity import end_of_validity, is_over


@pytest.mark.parametrize(
    ("day", "zone", "end"),
    [
        (date(2026, 7, 1), "Europe/Berlin", datetime(2026, 7, 1, 22, tzinfo=UTC)),
        (date(2026, 1, 1), "Europe/Berlin", datetime(2026, 1, 1, 23, tzinfo=UTC)),
        (date(2026, 3, 29), "Europe/Berlin", datetime(2026, 3, 29, 22, tzinfo=UTC)),  # Clocks go forward: 23 hours.
        (date(2026, 10, 25), "Europe/Berlin", datetime(2026, 10, 25, 23, tzinfo=UTC)),  # And back: 25 hours.
        (date(2026, 12, 31), "Asia/Seoul", datetime(2026, 12, 31, 15, tzinfo=UTC)),
        (date(2028, 2, 29), "UTC", datetime(2028, 3, 1, tzinfo=UTC)),
        (date(2026, 9, 5), "America/Santiago", datetime(2026, 9, 6, 4, tzinfo=UTC)),  # The next day begins at one.
    ],
)
def test_the_end_is_the_start_of_the_next_local_day(day: date, zone: str, end: datetime) -> None:
    assert end_of_validity(day, zone) == end
    assert not is_over(day, zone, end - timedelta(microseconds=1))
    assert is_over(day, zone, end)
