"""Days that come back every year, against a walk through the calendar."""

from datetime import date, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from src.domain.customers.contact import KeyDate, next_occurrence, reminders
from tests.builders.quotes import a_contact, a_customer

days = st.dates(date(1900, 1, 1), date(2100, 12, 31))


def _walked(first: date, today: date) -> date:
    """Day by day from today on."""
    day = max(today, first)
    while not _is_day(first, day):
        day += timedelta(days=1)
    return day


def _is_day(first: date, day: date) -> bool:
    if (first.month, first.day) == (2, 29):
        leap = day.year % 4 == 0 and (day.year % 100 != 0 or day.year % 400 == 0)
        return (day.month, day.day) == ((2, 29) if leap else (2, 28))
    return (first.month, first.day) == (day.month, day.day)


@given(first=days, today=days)
@example(first=date(2000, 2, 29), today=date(2023, 2, 28))
@example(first=date(2000, 2, 29), today=date(2023, 3, 1))
@example(first=date(2000, 2, 29), today=date(2024, 2, 28))
@example(first=date(1999, 12, 31), today=date(2026, 12, 31))
@example(first=date(1999, 1, 1), today=date(2026, 12, 31))
@example(first=date(2096, 2, 29), today=date(2100, 2, 28))
def test_a_day_comes_up_when_the_calendar_says(first: date, today: date) -> None:
    assert next_occurrence(first, today) == _walked(first, today)


@given(born=days, key=days, today=days, within=st.integers(1, 366))
def test_reminders_are_what_falls_into_the_days(born: date, key: date, today: date, within: int) -> None:
    contact = a_contact(a_customer().id, birthday=born, key_dates=(KeyDate(label="contract", day=key),))

    found = [(one.label, one.day) for one in reminders([contact], today, within)]

    expected = {("birthday", _walked(born, today)), ("contract", _walked(key, today))}
    assert set(found) == {one for one in expected if one[1] < today + timedelta(days=within)}
    assert found == sorted(found, key=lambda one: (one[1], one[0]))
    assert all(one.years == one.day.year - one.first.year >= 0 for one in reminders([contact], today, within))


def test_the_calendar_ends() -> None:
    assert next_occurrence(date(2000, 1, 1), date(9999, 12, 31)) is None
