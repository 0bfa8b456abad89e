"""What was sent ends with its last day; nothing else does."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.domain.quoting.errors import InvalidTransition, StillValid
from src.domain.quoting.events import QuoteExpired
from src.domain.quoting.quote import Quote
from src.domain.quoting.states import QuoteStatus, Verb, allowed_verbs
from src.domain.quoting.validity import end_of_validity
from src.domain.shared.ids import UserId
from tests.builders.quotes import NOON, a_content, a_new_quote

ZONES = ("Europe/Berlin", "Asia/Seoul", "Pacific/Kiritimati", "Pacific/Pago_Pago", "America/Santiago", "UTC")


def _sent(**changes: object) -> Quote:
    quote = a_new_quote(content=a_content(**changes)).after
    by = UserId(quote.owner_id)
    approved = quote.submit(by=by, at=NOON, needs_approval=False).after
    return approved.send(at=NOON, expected_digest=None).after


@given(
    st.dates(date(2026, 3, 3), date(2040, 1, 1)),
    st.sampled_from(ZONES),
    st.timedeltas(timedelta(days=-3), timedelta(days=3)),
)
def test_it_expires_from_the_end_of_its_last_day_on_and_not_before(day: date, zone: str, after: timedelta) -> None:
    quote, end = _sent(valid_until=day, time_zone=zone), end_of_validity(day, zone)
    at = end + after

    if at < end:
        with pytest.raises(StillValid):
            quote.expire(at=at)
        return
    change = quote.expire(at=at)
    assert [revision.status for revision in change.after.revisions] == [QuoteStatus.EXPIRED]
    assert change.events == (QuoteExpired(resource_id=quote.id, at=at, revision=1, valid_until=day.isoformat()),)
    with pytest.raises(InvalidTransition):
        change.after.expire(at=at)


def test_a_draft_successor_does_not_keep_what_was_sent_alive() -> None:
    quote = _sent()
    late = datetime(2026, 4, 2, tzinfo=UTC)

    expired = quote.revise(by=quote.owner_id, at=NOON).after.expire(at=late).after

    assert [revision.status for revision in expired.revisions] == [QuoteStatus.EXPIRED, QuoteStatus.DRAFT]


@pytest.mark.parametrize("status", list(QuoteStatus))
def test_nobody_is_told_that_they_could_expire_a_quote(status: QuoteStatus) -> None:
    assert Verb.EXPIRE not in allowed_verbs(status)


def test_what_was_not_sent_does_not_expire() -> None:
    with pytest.raises(InvalidTransition):
        a_new_quote().after.expire(at=datetime(2030, 1, 1, tzinfo=UTC))
