"""Reading delivery reports: real ones are understood, and nothing that anybody mails does harm."""

import codecs
from collections.abc import Iterator
from typing import NoReturn
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.adapters.smtp import EmailReportReader
from src.adapters.smtp.report_reader import LONGEST_TYPE, MOST_CONTAINERS, MOST_LINES, MOST_RECIPIENTS
from src.domain.messaging.message import message_named_by
from src.domain.messaging.report import (
    LARGEST_REPORT,
    LONGEST_ANSWER,
    DeliveryReport,
    NoDeliveryReport,
    RecipientReport,
    ReportedAction,
)
from src.domain.shared.ids import MessageId
from tests.builders.delivery_reports import a_postfix_report, an_exchange_report

MESSAGE = "<0192f0c1-0000-7000-8000-000000000001@proffer.invalid>"
PLAIN = b"From: a@example.com\r\nSubject: Out of office\r\n\r\nI am away.\r\n"


def read(content: bytes) -> DeliveryReport:
    return EmailReportReader().read(content)


def test_what_postfix_writes_is_understood() -> None:
    report = read(a_postfix_report("failed", envelope_id="Abc-_1", message_id=MESSAGE))

    (told,) = report.recipients
    assert (report.envelope_id, report.message_id) == ("Abc-_1", MESSAGE)
    assert told == RecipientReport(
        action=ReportedAction.FAILED,
        status="5.1.1",
        diagnostic="550 5.1.1 No such user here (in reply to a command)",
        reporter="mx.brandt.example",
    )
    assert told.answer == ("failed 5.1.1: 550 5.1.1 No such user here (in reply to a command) (mx.brandt.example)")


def test_what_exchange_writes_is_understood() -> None:
    report = read(an_exchange_report(MESSAGE))

    (told,) = report.recipients
    assert (report.envelope_id, report.message_id) == ("", MESSAGE)
    assert (told.action, told.status) == (ReportedAction.FAILED, "5.1.10")
    assert told.reporter == "MAIL01.brandt.example"
    assert told.diagnostic == "550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found by lookup"


@pytest.mark.parametrize("action", list(ReportedAction))
def test_every_action_of_the_standard_is_known_however_it_is_written(action: ReportedAction) -> None:
    content = a_postfix_report(action).replace(
        f"Action: {action}".encode(), f"Action: {action.upper()} (as we say)".encode()
    )

    assert read(content).strongest.action is action


def test_of_several_recipients_one_that_has_it_is_what_counts() -> None:
    more = "\nFinal-Recipient: rfc822; other@brandt.example\nAction: delivered\nStatus: 2.0.0\n"

    report = read(a_postfix_report("failed", more=more))

    assert [one.action for one in report.recipients] == [ReportedAction.FAILED, ReportedAction.DELIVERED]
    assert report.strongest.action is ReportedAction.DELIVERED


def test_what_was_returned_may_be_cut_off() -> None:
    whole = an_exchange_report(MESSAGE)

    assert read(whole[: whole.index(b"Dear Katrin")]) == read(whole)


def _refuse(given: object, errors: str = "strict", /) -> NoReturn:
    raise AssertionError(f"A character set of a stranger's was used, with {errors}, for {given!r}.")


@pytest.fixture
def trap() -> Iterator[str]:
    """The name of a character set that fails the test when something is read in it."""
    name = "proffer_trap"

    def find(wanted: str) -> codecs.CodecInfo | None:
        return codecs.CodecInfo(_refuse, _refuse, name=name) if wanted == name else None

    codecs.register(find)
    yield name
    codecs.unregister(find)


@pytest.mark.parametrize("type_", ["text/rfc822-headers", "multipart/report", "text/plain"])
def test_nothing_is_read_in_a_character_set_that_a_stranger_names(type_: str, trap: str) -> None:
    """1 MiB of some takes minutes, such as of punycode."""
    whole = a_postfix_report(message_id=MESSAGE).replace(b"Subject: Offer", "Subject: Übersicht".encode())
    report = read(whole.replace(type_.encode(), f"{type_}; charset={trap}".encode()))

    assert report.message_id == MESSAGE
    with pytest.raises(NoDeliveryReport):
        read(whole.replace(b'boundary="B1A2/relay"', f"charset={trap}".encode()))


def test_an_answer_is_one_line_of_bounded_length_whatever_a_server_says() -> None:
    hostile = "No\x00\x1b[31m such\u2028user\u202e" + "x" * 5000
    content = a_postfix_report().replace(b"No such user here", hostile.encode())

    answer = read(content).strongest.answer

    assert len(answer) == LONGEST_ANSWER
    assert answer.isprintable()
    assert "No\ufffd [31m such user x" in answer


def _nested(levels: int) -> bytes:
    inner = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level) for level in range(levels)
    )
    return a_postfix_report() + inner


def _with_boundary(written: bytes) -> bytes:
    return a_postfix_report().replace(b'="B1A2/relay"', written)


def _parameters() -> bytes:
    return a_postfix_report().replace(
        b"report-type=delivery-status;", b"report-type=delivery-status;" + b'a=";' * LONGEST_TYPE
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\xff" * 1000,
        PLAIN,
        a_postfix_report().replace(b"report-type=delivery-status", b"report-type=disposition-notification"),
        a_postfix_report().replace(b"report-type=delivery-status;", b""),
        a_postfix_report().replace(b"multipart/report", b"multipart/mixed"),
        a_postfix_report().replace(b"message/delivery-status", b"text/plain"),
        a_postfix_report().replace(b"Action: failed\r\n", b""),
        a_postfix_report("exploded"),
        a_postfix_report().replace(b"Final-Recipient", b"\r\n--B1A2/relay--\r\nFinal-Recipient"),
        a_postfix_report().partition(b"Final-Recipient")[0],
        a_postfix_report() + b"x" * LARGEST_REPORT,
        _with_boundary(b"*=x\x00'en'abc"),  # The library raises what it should not.
        _with_boundary(b"*=undefined'en'abc"),
        _with_boundary(b"*=punycode'en'%ff"),
        a_postfix_report() + b"\n" * MOST_LINES,
        _nested(MOST_CONTAINERS),
        b"Content-Type: message/rfc822\r\n\r\n" * 20_000,
        _parameters(),
    ],
)
def test_what_is_no_report_is_refused(content: bytes) -> None:
    with pytest.raises(NoDeliveryReport):
        read(content)


def test_recipients_beyond_a_hundred_are_not_read() -> None:
    more = "".join(f"\nFinal-Recipient: rfc822; a{one}@brandt.example\nAction: failed\n" for one in range(200))

    assert len(read(a_postfix_report(more=more)).recipients) == MOST_RECIPIENTS


@given(
    place=st.integers(0, len(an_exchange_report(MESSAGE))),
    length=st.integers(0, 200),
    instead=st.one_of(
        st.binary(max_size=60), st.sampled_from([b"\r\n\r\n", b"--41d0-8f6e", b"\r\n ", b"=?utf-8?q?=00?="])
    ),
)
def test_a_damaged_report_is_read_or_refused(place: int, length: int, instead: bytes) -> None:
    whole = an_exchange_report(MESSAGE)
    try:
        report = read(whole[:place] + instead + whole[place + length :])
    except NoDeliveryReport:
        return
    for text in (report.envelope_id, report.message_id, report.strongest.answer):
        assert text.isprintable()
        assert text.encode().decode() == text


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (MESSAGE, True),
        (f" {MESSAGE} ", True),
        ("", False),
        (MESSAGE.strip("<>"), False),
        ("<0192f0c1-0000-7000-8000-000000000001@proffer.example>", False),
        ("<offer@proffer.invalid>", False),
        (MESSAGE.replace("0192", "٠192"), False),
    ],
)
def test_only_our_own_message_ids_name_a_message(header: str, found: bool) -> None:
    expected = MessageId(UUID("0192f0c1-0000-7000-8000-000000000001")) if found else None
    assert message_named_by(header) == expected
