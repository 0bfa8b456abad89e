"""Instants as they are sent to us: with whatever offset, and never without one."""

from datetime import UTC, datetime
from typing import Annotated, Final, overload

from msgspec import Meta

from src.domain.shared.errors import invalid_field

INSTANT_NEEDED: Final = 'A date and time is needed, with Z or its offset, such as "2026-03-31T09:00:00Z".'
Instant = Annotated[datetime, Meta(tz=True)]
_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)


@overload
def in_utc(instant: datetime) -> datetime: ...
@overload
def in_utc(instant: datetime | None) -> datetime | None: ...
def in_utc(instant: datetime | None) -> datetime | None:
    """The same, as it is kept and told again: a sender's own offset is not repeated. What lies beyond the calendar in UTC is its end."""
    if instant is None:
        return None
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        return _FIRST if instant.year == _FIRST.year else _LAST


def parameter_in_utc(name: str, instant: datetime | None) -> datetime | None:
    """As ``in_utc``, for parameters of addresses, whose types Litestar does not ask for an offset. Raises Invalid."""
    if instant is not None and instant.tzinfo is None:
        raise invalid_field(name, INSTANT_NEEDED)
    return in_utc(instant)
