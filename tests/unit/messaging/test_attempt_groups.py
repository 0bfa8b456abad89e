"""What became of a sending, as a whole."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from src.domain.messaging.message import (
    DeliveryOutcome,
    DeliveryStatus,
    Message,
    MessageKind,
    attempt_groups,
    newest_to_each,
    reached_nobody,
)
from src.domain.shared.ids import ContactId, MessageId, QuoteId
from tests.builders.quotes import NOON

QUEUED, TAKEN, FAILED = DeliveryStatus.QUEUED, DeliveryStatus.HANDED_OVER, DeliveryStatus.FAILED
ARRIVED, BOUNCED = DeliveryStatus.DELIVERED, DeliveryStatus.BOUNCED
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
        ((TAKEN, ARRIVED), DeliveryOutcome.HANDED_OVER),
        ((ARRIVED, ARRIVED), DeliveryOutcome.DELIVERED),
        ((ARRIVED, QUEUED), DeliveryOutcome.QUEUED),
        ((ARRIVED, BOUNCED), DeliveryOutcome.PARTLY_FAILED),
        ((TAKEN, BOUNCED), DeliveryOutcome.PARTLY_FAILED),
        ((BOUNCED, BOUNCED), DeliveryOutcome.BOUNCED),
        ((BOUNCED, FAILED), DeliveryOutcome.FAILED),
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


def _to(person: int, status: DeliveryStatus, group: int, address: str = "a@example.com") -> Message:
    return replace(_message(status, group=group), contact_id=ContactId(UUID(int=person)), recipient=address)


@pytest.mark.parametrize(
    ("messages", "nobody"),
    [
        ([], False),
        ([_to(1, FAILED, 1), _to(2, FAILED, 1)], True),
        ([_to(1, BOUNCED, 1), _to(2, FAILED, 1)], True),
        ([_to(1, BOUNCED, 1), _to(2, ARRIVED, 1)], False),
        ([_to(1, BOUNCED, 1), _to(1, ARRIVED, 2)], False),
        ([_to(1, ARRIVED, 1), _to(1, BOUNCED, 2)], True),
        ([_to(1, FAILED, 1), _to(2, QUEUED, 1)], False),
        ([_to(1, TAKEN, 1), _to(2, TAKEN, 1), _to(2, FAILED, 2)], False),
        ([_to(1, TAKEN, 1), _to(2, TAKEN, 1), _to(2, FAILED, 2), _to(1, FAILED, 3)], True),
        ([_to(1, FAILED, 1), _to(2, FAILED, 1), _to(1, QUEUED, 2)], False),
        ([_to(1, FAILED, 1), _to(2, FAILED, 1), _to(1, TAKEN, 2)], False),
        ([_to(1, FAILED, 1), _to(1, FAILED, 2, "b@example.com")], True),
        ([_to(1, TAKEN, 1), _to(1, FAILED, 2, "b@example.com")], True),
        ([_message(TAKEN), replace(_message(FAILED, group=2), recipient="ANN@example.com")], True),
    ],
)
def test_an_offer_has_reached_nobody_when_the_newest_to_each_has_failed(messages: list[Message], nobody: bool) -> None:
    assert reached_nobody(reversed(messages)) is nobody


def test_the_newest_to_each_is_of_the_last_group() -> None:
    first, second, other = _to(1, FAILED, 1), _to(1, QUEUED, 2, "b@example.com"), _to(2, TAKEN, 1)

    assert set(newest_to_each([second, other, first])) == {second, other}
