"""What became of a sending, as a whole."""

from datetime import timedelta
from uuid import uuid4

import pytest

from src.domain.messaging.message import DeliveryOutcome, DeliveryStatus, Message, MessageKind, attempt_groups
from src.domain.shared.ids import MessageId, QuoteId
from tests.builders.quotes import NOON

QUEUED, TAKEN, FAILED = DeliveryStatus.QUEUED, DeliveryStatus.HANDED_OVER, DeliveryStatus.FAILED
QUOTE = QuoteId(uuid4())


def _message(status: DeliveryStatus = QUEUED, *, revision: int = 1, group: int = 1, minutes: int = 0) -> Message:
    return Message(
        id=MessageId(uuid4()),
        quote_id=QUOTE,
        revision=revision,
        recipient="ann@example.com",
        recipient_name="Ann",
        note="",
        status=status,
        created_at=NOON + timedelta(minutes=minutes),
        attempt_group=group,
    )


@pytest.mark.parametrize(
    ("statuses", "outcome"),
    [
        ((QUEUED,), DeliveryOutcome.QUEUED),
        ((FAILED, QUEUED), DeliveryOutcome.QUEUED),
        ((TAKEN, QUEUED), DeliveryOutcome.QUEUED),
        ((TAKEN,), DeliveryOutcome.HANDED_OVER),
        ((TAKEN, TAKEN), DeliveryOutcome.HANDED_OVER),
        ((TAKEN, FAILED), DeliveryOutcome.PARTLY_FAILED),
        ((FAILED,), DeliveryOutcome.FAILED),
        ((FAILED, FAILED), DeliveryOutcome.FAILED),
    ],
)
def test_a_group_has_the_outcome_of_its_mails(statuses: tuple[DeliveryStatus, ...], outcome: DeliveryOutcome) -> None:
    (group,) = attempt_groups(_message(status) for status in statuses)

    assert group.outcome is outcome


def test_groups_are_apart_by_revision_and_attempt_and_in_their_order() -> None:
    later, first = _message(minutes=5), _message()
    groups = attempt_groups([_message(revision=2), _message(group=2, minutes=9), later, first])

    assert [(one.revision, one.number, one.kind) for one in groups] == [
        (1, 1, MessageKind.OFFER),
        (1, 2, MessageKind.OFFER),
        (2, 1, MessageKind.OFFER),
    ]
    assert groups[0].messages == (first, later)


def test_of_nothing_there_are_no_groups() -> None:
    assert attempt_groups([]) == ()
