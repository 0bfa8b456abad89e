"""Every mailer: what arrives is what was sent, and no text becomes a header or a recipient."""

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from src.adapters.memory.mail import MemoryMailer
from src.adapters.smtp import EmlMailer, Security, SmtpMailer, SmtpSettings
from src.adapters.smtp.message import message_of
from src.application.ports.mail import NO_ANSWER, Attachment, MailDeferred, Mailer, MailRefused, RecipientRefused
from src.domain.shared.ids import MessageId
from tests.builders.mail import (
    ENVELOPES,
    PASSWORD,
    USERNAME,
    ReportingController,
    ReportingSink,
    Sink,
    a_mail_server,
    an_email,
    free_port,
)

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS", "ignore:Session.login_data")
SENDER, RETURN_PATH = "offers@proffer.example", "bounces@proffer.example"
MESSAGE = MessageId(UUID("0192f0c1-0000-7000-8000-000000000001"))
Received = Callable[[], list[EmailMessage]]
HOSTILE = (
    "a\r\nBcc: x@evil.example",
    "a\nb",
    "a\rb",
    "nul\x00",
    "a\u2028b",
    "a\u2029b",
    "a\x85b",
    "a\x0bb",
    "\ud800",
    "x" * 999,
)
ADDRESSES = (
    "",
    "a",
    "a@",
    "@b.example",
    "a b@c.example",
    "a@b.example,c@d.example",
    "a@b.example\r\nBcc: c@d.example",
    "<a@b.example>",
    "a@b.example>",
    "ä@b.example",
    "a@b..example",
    "a" * 65 + "@b.example",
    "a@b.example;c",
    '"a b"@c.example',
    "a@-b.example",
    "a@b.example\n",
    "a@" + "b" * 300,
)


def parsed(content: bytes) -> EmailMessage:
    message = message_from_bytes(content, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def smtp_settings(sink: Sink, **changes: object) -> SmtpSettings:
    values: dict[str, object] = {"username": USERNAME, "password": PASSWORD, "security": Security.STARTTLS, **changes}
    return SmtpSettings(host=sink.host, port=sink.port, sender_address=SENDER, timeout_seconds=5, **values)  # type: ignore[arg-type]  # Tests pass the right ones.


@pytest.fixture(scope="module")
def mail_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sink, ssl.SSLContext]]:
    with a_mail_server(tmp_path_factory.mktemp("certificate")) as server:
        yield server


@pytest.fixture
def sink(mail_server: tuple[Sink, ssl.SSLContext]) -> Sink:
    sink, _ = mail_server
    sink.envelopes.clear()
    sink.recipient_answer = sink.data_answer = ""
    return sink


@pytest.fixture
def smtp(mail_server: tuple[Sink, ssl.SSLContext], sink: Sink) -> SmtpMailer:
    return SmtpMailer(smtp_settings(sink), mail_server[1])


@pytest.fixture(params=["memory", "eml", "smtp"])
def mailer_and_received(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Mailer, Received]:
    if request.param == "memory":
        memory = MemoryMailer()
        return memory, lambda: [parsed(message_of(email, SENDER).as_bytes()) for email in memory.sent]
    if request.param == "eml":
        folder = tmp_path / "mail"
        return EmlMailer(folder, SENDER), lambda: [parsed(path.read_bytes()) for path in folder.glob("*.eml")]
    sink: Sink = request.getfixturevalue("sink")
    return request.getfixturevalue("smtp"), lambda: [
        parsed(envelope.original_content or b"") for envelope in sink.envelopes
    ]


@pytest.mark.asyncio
async def test_a_message_arrives_whole(mailer_and_received: tuple[Mailer, Received]) -> None:
    mailer, received = mailer_and_received
    email = an_email()

    answer = await mailer.send(email)
    [message] = received()

    assert answer
    assert message["Message-ID"] == email.message_id
    assert message["Subject"] == email.subject
    assert str(message["From"]) == f'"{email.sender_name}" <{SENDER}>'
    assert [(to.display_name, to.addr_spec) for to in message["To"].addresses] == [
        (email.recipient_name, email.recipient)
    ]
    assert message["Reply-To"] == email.reply_to
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime.tzinfo is not None
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().splitlines() == email.text.splitlines()
    assert html.get_content().strip() == email.html
    [attachment] = message.iter_attachments()
    assert attachment.get_filename() == email.attachments[0].file_name
    assert attachment.get_content_type() == "application/pdf"
    assert attachment.get_content() == email.attachments[0].content


@pytest.mark.asyncio
async def test_nobody_else_gets_it_and_no_header_is_added(mailer_and_received: tuple[Mailer, Received]) -> None:
    mailer, received = mailer_and_received

    await mailer.send(an_email(reply_to="", attachments=()))

    [message] = received()
    expected = {"Message-ID", "Date", "From", "To", "Subject", "Auto-Submitted", "MIME-Version", "Content-Type"}
    assert set(message.keys()) - {"X-Peer", "X-MailFrom", "X-RcptTo"} == expected


@pytest.mark.asyncio
@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("field", ["subject", "sender_name", "recipient_name", "file_name"])
async def test_control_characters_and_endless_lines_are_refused(
    mailer_and_received: tuple[Mailer, Received], field: str, hostile: str
) -> None:
    mailer, received = mailer_and_received
    if field == "file_name":
        attachment = Attachment(file_name=hostile, content_type="application/pdf", content=b"x")
        email = an_email(attachments=(attachment,))
    else:
        email = an_email(**{field: hostile})

    with pytest.raises(MailRefused):
        await mailer.send(email)
    assert received() == []


@pytest.mark.asyncio
@pytest.mark.parametrize("address", ADDRESSES)
async def test_what_is_not_one_address_is_refused(mailer_and_received: tuple[Mailer, Received], address: str) -> None:
    mailer, received = mailer_and_received

    with pytest.raises(MailRefused):
        await mailer.send(an_email(recipient=address))
    if address:
        with pytest.raises(MailRefused):
            await mailer.send(an_email(reply_to=address))
    assert received() == []


@pytest.mark.asyncio
@pytest.mark.parametrize("message_id", ["", "x@y", "<x@y>\r\nBcc: a@b.example", "<x>", "<x@y> <z@y>"])
async def test_a_malformed_message_id_is_refused(mailer_and_received: tuple[Mailer, Received], message_id: str) -> None:
    with pytest.raises(MailRefused):
        await mailer_and_received[0].send(an_email(message_id=message_id))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    subject=st.text(max_size=1100),
    name=st.text(max_size=200) | st.from_regex(r'[",<>@;:()\\ =?]{1,30}', fullmatch=True),
    file_name=st.text(max_size=80),
)
def test_whatever_the_texts_are_the_message_has_one_recipient_and_no_extra_header(
    subject: str, name: str, file_name: str
) -> None:
    attachment = Attachment(file_name=file_name, content_type="application/pdf", content=b"x")
    email = an_email(subject=subject, recipient_name=name, sender_name=name, attachments=(attachment,))
    try:
        content = message_of(email, SENDER).as_bytes()
    except MailRefused:
        return

    message = parsed(content)
    plain = parsed(message_of(an_email(), SENDER).as_bytes())
    assert message.keys() == plain.keys()
    assert [to.addr_spec for to in message["To"].addresses] == [email.recipient]
    assert [sender.addr_spec for sender in message["From"].addresses] == [SENDER]
    assert all(len(line) <= 998 for line in content.split(b"\r\n"))
    assert b"\r" not in content.replace(b"\r\n", b"")
    assert len([*message.iter_attachments()]) == 1


@pytest.mark.asyncio
async def test_the_server_sees_one_recipient_and_its_answer_is_evidence(smtp: SmtpMailer, sink: Sink) -> None:
    assert "queued as 1" in await smtp.send(an_email())
    assert [envelope.rcpt_tos for envelope in sink.envelopes] == [["lucja@kowalski.example"]]
    assert sink.envelopes[0].mail_from == SENDER


@pytest.mark.asyncio
@pytest.mark.parametrize("stage", ["recipient_answer", "data_answer"])
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("550 No such user", MailRefused),
        ("554 Spam", MailRefused),
        ("451 Greylisted", MailDeferred),
        ("421 Shutting down", MailDeferred),
    ],
)
async def test_codes_decide_whether_another_attempt_makes_sense(
    smtp: SmtpMailer, sink: Sink, stage: str, answer: str, error: type[Exception]
) -> None:
    setattr(sink, stage, answer)

    with pytest.raises(error, match=answer):
        await smtp.send(an_email())
    assert sink.envelopes == []


@pytest.mark.asyncio
async def test_who_refuses_the_recipient_refuses_no_more_than_that(smtp: SmtpMailer, sink: Sink) -> None:
    sink.recipient_answer = "550 No such user"
    with pytest.raises(RecipientRefused):
        await smtp.send(an_email())
    sink.recipient_answer, sink.data_answer = "", "554 Spam"

    with pytest.raises(MailRefused) as refused:
        await smtp.send(an_email())

    assert type(refused.value) is MailRefused


@pytest.fixture
def reporting() -> Iterator[ReportingSink]:
    sink = ReportingSink(port=free_port())
    controller = ReportingController(sink, hostname=sink.host, port=sink.port)
    controller.start()
    yield sink
    controller.stop()


def _plain(sink: Sink, return_path: str) -> SmtpMailer:
    return SmtpMailer(smtp_settings(sink, username="", security=Security.NONE, return_path=return_path))


@pytest.mark.asyncio
async def test_a_server_that_can_is_asked_for_reports(reporting: ReportingSink) -> None:
    email = an_email(envelope_id=ENVELOPES.envelope_id(MESSAGE), recipient="anna+offers=1@kowalski.example")

    await _plain(reporting, RETURN_PATH).send(email)

    (envelope,) = reporting.envelopes
    assert envelope.mail_from == RETURN_PATH
    assert {f"ENVID={email.envelope_id}", "RET=HDRS"} <= set(envelope.mail_options)
    assert envelope.rcpt_options == [
        "NOTIFY=SUCCESS,FAILURE,DELAY",
        "ORCPT=rfc822;anna+2Boffers+3D1@kowalski.example",
    ]
    assert str(parsed(envelope.original_content or b"")["From"]).endswith(f"<{SENDER}>")


@pytest.mark.asyncio
@pytest.mark.parametrize(("return_path", "asked"), [("", True), (RETURN_PATH, False)])
async def test_nobody_is_asked_for_reports_that_nobody_reads_or_names(
    reporting: ReportingSink, return_path: str, asked: bool
) -> None:
    email = an_email(envelope_id=ENVELOPES.envelope_id(MESSAGE) if asked else "")

    await _plain(reporting, return_path).send(email)

    (envelope,) = reporting.envelopes
    assert envelope.mail_from == (return_path or SENDER)
    orders = "ENVID", "RET", "NOTIFY", "ORCPT"
    assert not [one for one in (*envelope.mail_options, *envelope.rcpt_options) if one.startswith(orders)]


@pytest.mark.asyncio
async def test_a_server_that_cannot_report_gets_the_mail_all_the_same(
    mail_server: tuple[Sink, ssl.SSLContext], sink: Sink
) -> None:
    mailer = SmtpMailer(smtp_settings(sink, return_path=RETURN_PATH), mail_server[1])

    await mailer.send(an_email(envelope_id=ENVELOPES.envelope_id(MESSAGE)))

    assert [one.mail_from for one in sink.envelopes] == [RETURN_PATH]


@pytest.mark.asyncio
@pytest.mark.parametrize("envelope_id", ["a b", "a+b", "a=b", "ä", "a\r\nDATA", "x" * 101])
async def test_a_malformed_envelope_id_is_refused(
    mailer_and_received: tuple[Mailer, Received], envelope_id: str
) -> None:
    with pytest.raises(MailRefused):
        await mailer_and_received[0].send(an_email(envelope_id=envelope_id))


@pytest.mark.asyncio
@pytest.mark.parametrize("answer", [b"250 kept as \x00\xff", b"550 not \x00\xff", b"451 not yet \x00\xff"])
async def test_whatever_characters_a_server_answers_with_they_can_be_stored(
    smtp: SmtpMailer, sink: Sink, answer: bytes
) -> None:
    sink.data_answer = answer

    try:
        told = await smtp.send(an_email())
    except (MailRefused, MailDeferred) as error:
        told = str(error)

    assert told.encode().decode() == told
    assert "\0" not in told
    assert "\ufffd" in told


@pytest.mark.asyncio
async def test_a_wrong_password_is_deferred_and_never_shown(
    mail_server: tuple[Sink, ssl.SSLContext], sink: Sink
) -> None:
    wrong = smtp_settings(sink, password="very secret")

    with pytest.raises(MailDeferred, match="535") as refused:
        await SmtpMailer(wrong, mail_server[1]).send(an_email())
    assert "very secret" not in f"{refused.value} {wrong!r}"


@pytest.mark.asyncio
async def test_an_untrusted_certificate_is_deferred(sink: Sink) -> None:
    with pytest.raises(MailDeferred, match=r"(?i)certificate"):
        await SmtpMailer(smtp_settings(sink)).send(an_email())
    assert sink.envelopes == []


@pytest.mark.asyncio
async def test_a_closed_port_is_deferred(sink: Sink) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = replace(smtp_settings(sink), port=unused.getsockname()[1])

        with pytest.raises(MailDeferred) as deferred:
            await SmtpMailer(closed).send(an_email())
    assert NO_ANSWER not in str(deferred.value)


@pytest.mark.asyncio
async def test_a_server_that_says_nothing_is_deferred() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        mute = Sink(port=server.sockets[0].getsockname()[1])
        with pytest.raises(MailDeferred) as deferred:
            await SmtpMailer(replace(smtp_settings(mute), timeout_seconds=0.1)).send(an_email())
    assert NO_ANSWER not in str(deferred.value)


@asynccontextmanager
async def _a_server_that_ends(answer: bytes, *, hangs_up: bool) -> AsyncIterator[SmtpMailer]:
    """With *answer* to the mail; then it *hangs_up*, or says nothing any more."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            if line.startswith(b"DATA"):
                writer.write(b"354 go on\r\n")
                await reader.readuntil(b"\r\n.\r\n")
                writer.write(answer)
                break
            writer.write(b"250 OK\r\n")
        if not hangs_up:
            await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        sink = Sink(port=server.sockets[0].getsockname()[1])
        settings = smtp_settings(sink, security=Security.NONE, username="", password="")
        yield SmtpMailer(replace(settings, timeout_seconds=5 if hangs_up else 0.3))


@pytest.mark.asyncio
@pytest.mark.parametrize("hangs_up", [True, False])
async def test_a_server_that_does_not_answer_to_the_mail_may_have_taken_it(hangs_up: bool) -> None:
    async with _a_server_that_ends(b"", hangs_up=hangs_up) as mailer:
        with pytest.raises(MailDeferred, match=f"^{NO_ANSWER}"):
            await mailer.send(an_email())


@pytest.mark.asyncio
@pytest.mark.parametrize("hangs_up", [True, False])
async def test_what_was_taken_is_not_sent_again_because_the_server_does_not_say_goodbye(hangs_up: bool) -> None:
    async with _a_server_that_ends(b"250 kept\r\n", hangs_up=hangs_up) as mailer:
        assert await mailer.send(an_email()) == "kept"


@pytest.mark.asyncio
async def test_a_server_without_encryption_never_gets_the_password() -> None:
    heard: list[bytes] = []

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 plain\r\n")
        while line := await reader.readline():
            heard.append(line)
            writer.write(b"250-plain\r\n250 AUTH PLAIN LOGIN\r\n" if line.startswith(b"EHLO") else b"502 no\r\n")
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    async with server:
        with pytest.raises(MailDeferred):
            await SmtpMailer(smtp_settings(Sink(port=server.sockets[0].getsockname()[1]))).send(an_email())
    assert not any(line.startswith((b"AUTH", b"MAIL")) for line in heard)


@pytest.mark.asyncio
async def test_a_doubled_handover_leaves_one_file(tmp_path: Path) -> None:
    mailer = EmlMailer(tmp_path, SENDER)

    await mailer.send(an_email())
    await mailer.send(an_email())

    [name] = os.listdir(tmp_path)  # noqa: PTH208 — A short look at a small folder.
    assert name.startswith("0192f0c1-0000-7000-8000-000000000001_proffer.example-")


@pytest.mark.asyncio
async def test_a_folder_that_cannot_be_written_is_deferred(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("in the way")

    with pytest.raises(MailDeferred):
        await EmlMailer(tmp_path / "mail", SENDER).send(an_email())


@pytest.mark.asyncio
async def test_the_memory_mailer_can_be_told_to_fail_and_then_works() -> None:
    mailer = MemoryMailer()
    mailer.fail_with(MailDeferred("451 later"), MailRefused("550 never"))

    with pytest.raises(MailDeferred, match="451"):
        await mailer.send(an_email())
    with pytest.raises(MailRefused, match="550"):
        await mailer.send(an_email())
    assert await mailer.send(an_email())
    assert len(mailer.sent) == 1
