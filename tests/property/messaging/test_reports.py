"""However reports come, doubled and in whatever order, a message ends in the same status."""

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from src.domain.messaging.message import MOST_NOTES, DeliveryStatus, Evidence, Message
from src.domain.messaging.report import DeliveryReport, RecipientReport, ReportedAction
from src.domain.shared.ids import MessageId, QuoteId
from tests.builders.messages import a_queued_message

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
reports = st.builds(
    RecipientReport, action=st.sampled_from(ReportedAction), diagnostic=st.sampled_from(["", "one", "another"])
).map(lambda told: DeliveryReport(envelope_id="", message_id="", recipients=(told,)))

ARRIVED = DeliveryReport(envelope_id="", message_id="", recipients=(RecipientReport(action=ReportedAction.DELIVERED),))


def _handed_over() -> Message:
    queued = a_queued_message(QuoteId(UUID(int=2)), message_id=MessageId(UUID(int=1)))
    return queued.after.handed_over(answer="250 OK", at=NOON).after


def _after(told: list[DeliveryReport]) -> Message:
    message = _handed_over()
    for report in told:
        change = message.reported(report, evidence=Evidence.ENVELOPE_ID, at=NOON)
        message = message if change is None else change.after
    return message


@given(told=st.lists(reports, max_size=8), data=st.data())
def test_neither_order_nor_doubling_changes_the_status(told: list[DeliveryReport], data: st.DataObject) -> None:
    again = data.draw(st.permutations(told + data.draw(st.lists(st.sampled_from(told), max_size=5)) if told else told))

    assert _after(again).status is _after(told).status


@given(told=st.lists(reports, max_size=8))
def test_the_status_is_the_strongest_thing_that_was_told(told: list[DeliveryReport]) -> None:
    actions = {one.strongest.action for one in told}
    expected = (
        DeliveryStatus.DELIVERED
        if ReportedAction.DELIVERED in actions
        else DeliveryStatus.BOUNCED
        if ReportedAction.FAILED in actions
        else DeliveryStatus.HANDED_OVER
    )

    assert _after(told).status is expected


@given(told=st.lists(reports, max_size=8), last=reports)
def test_the_same_report_twice_tells_nothing_new(told: list[DeliveryReport], last: DeliveryReport) -> None:
    message = _after([*told, last])

    assert message.reported(last, evidence=Evidence.ENVELOPE_ID, at=NOON) is None


@given(told=st.permutations(range(MOST_NOTES + 5)))
def test_whoever_writes_again_and_again_is_noted_so_often(told: list[int]) -> None:
    message = _after(
        [
            DeliveryReport(
                envelope_id="",
                message_id="",
                recipients=(RecipientReport(action=ReportedAction.DELAYED, diagnostic=str(one)),),
            )
            for one in told
        ]
    )

    assert (message.notes, message.answer) == (MOST_NOTES, f"delayed: {told[MOST_NOTES - 1]}")


@given(report=reports)
def test_what_has_arrived_stays_so(report: DeliveryReport) -> None:
    assert _after([ARRIVED]).reported(report, evidence=Evidence.MESSAGE_ID, at=NOON) is None


@given(report=reports)
def test_what_has_failed_here_is_moved_by_its_arrival_alone(report: DeliveryReport) -> None:
    """Its last attempt may have ended before it could say that the mail had left."""
    failed = _handed_over().failed(answer="given up", at=NOON).after

    change = failed.reported(report, evidence=Evidence.ENVELOPE_ID, at=NOON)

    arrived = report.strongest.action is ReportedAction.DELIVERED
    assert (None if change is None else change.after.status) == (DeliveryStatus.DELIVERED if arrived else None)
