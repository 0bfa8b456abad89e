"""Offers by way of a mail server: refused, told, sent again. The API, its worker and the server, on a database of their own."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from dishka.integrations.litestar import LitestarProvider
from httpx import ASGITransport, AsyncClient, Response

from src.adapters.embedded_postgres import ServerAddress
from src.adapters.jobs.worker import run_worker
from src.application.identity.platform import CreateOperatorKey
from src.application.ports.identity import OperatorRights
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.domain.identity.actor import Role
from src.domain.messaging.report import LARGEST_REPORT
from src.domain.messaging.template import MailTemplate, TemplateKind, TemplateTexts
from src.domain.shared.ids import MailTemplateId
from src.entrypoints.container import make_container
from src.entrypoints.http.api import create_api
from src.entrypoints.http.app import HttpSettings
from src.entrypoints.http.authentication import HttpActors
from src.entrypoints.settings import read_settings
from src.entrypoints.worker.handlers import job_handlers
from tests.builders.delivery_reports import a_postfix_report, an_exchange_report
from tests.builders.mail import ReportingController, ReportingSink, Sink, free_port
from tests.database import SECRET, drop_database, migrated_clone
from tests.e2e.conftest import Caller, Team, eventually, log_in_all
from tests.e2e.offers import a_customer, an_approved_quote
from tests.e2e.processes import ROOT
from tests.organizations import new_organization

pytestmark = pytest.mark.asyncio

KATRIN, RETURN_PATH = "katrin@brandt.example", "bounces@proffer.example"
REPORTS = "/platform/v1/mail-reports"


@dataclass
class Office:
    """A team whose mails go through *sink*."""

    team: Team
    sink: Sink
    open: OpenUnitOfWork
    gate: Caller
    installation: dict[str, str]  # What a command needs to know to find it.

    def mails_to(self, address: str) -> list[EmailMessage]:
        taken = [one for one in self.sink.envelopes if one.rcpt_tos == [address]]
        parsed = [message_from_bytes(one.original_content or b"", policy=default) for one in taken]
        return list(parsed)

    async def mailed(self, address: str, about: str) -> EmailMessage:
        """The first mail to *address* with *about* in its subject, once it is there."""

        async def look() -> EmailMessage | None:
            return next((mail for mail in self.mails_to(address) if about in str(mail["Subject"])), None)

        return await eventually(look)

    async def settled(self, path: str, groups: int) -> list[dict[str, Any]]:
        """The attempt groups, once there are so many and none waits."""

        async def look() -> list[dict[str, Any]] | None:
            told: list[dict[str, Any]] = (await self.team.sales.get(f"{path}/deliveries")).json()["items"]
            done = len(told) == groups and not [one for one in told if one["outcome"] == "queued"]
            return told if done else None

        return await eventually(look)

    def envelope_id(self, address: str) -> str:
        """By which the last mail to *address* is known to the servers on its way."""
        last = [one for one in self.sink.envelopes if one.rcpt_tos == [address]][-1]
        (told,) = [one.removeprefix("ENVID=") for one in last.mail_options if one.startswith("ENVID=")]
        return told

    async def hand_in(self, content: bytes, content_type: str = "message/rfc822") -> Response:
        return await self.gate.send("POST", REPORTS, content, content_type)

    async def command(
        self, *arguments: str, stdin: bytes = b"", **settings: str
    ) -> "subprocess.CompletedProcess[bytes]":
        """``proffer …`` on this installation, in a process of its own."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PROFFER_")}
        return await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "src.entrypoints.cli", *arguments],
            cwd=ROOT,
            env=kept | self.installation | settings,
            input=stdin,
            capture_output=True,
            check=False,
            timeout=120,
        )

    async def sent(self, **more: str) -> str:
        """The path of an offer to Katrin that is sent."""
        approved = await an_approved_quote(self.team)
        path = f"/api/v1/quotes/{approved['id']}"
        answer = await self.team.sales.post(f"{path}/send", {"content_digest": approved["content_digest"], **more})
        assert answer.status_code == 200, answer.text
        return path


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    made = ReportingSink(port=free_port())
    controller = ReportingController(made, hostname=made.host, port=made.port)
    controller.start()
    yield made
    controller.stop()


@pytest_asyncio.fixture(scope="module")
async def team_by_mail(
    sink: Sink, test_home: Path, server: ServerAddress, worker_name: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Callable[[], Office]]:
    name = f"proffer_mail_{worker_name}"
    urls = await migrated_clone(test_home, server, name)
    installation = {
        "PROFFER_HOME": str(tmp_path_factory.mktemp("home")),
        "PROFFER_SECRET_KEY": SECRET,
        "PROFFER_DATABASE_URL": server.url(name).replace("+asyncpg", ""),
        "PROFFER_SMTP_URL": f"smtp://{sink.host}:{sink.port}?security=none",
        "PROFFER_MAIL_RETURN_PATH": RETURN_PATH,
        "PROFFER_REQUESTS_PER_MINUTE": "address=0 user=0 key=0 organization=0",
    }
    settings = read_settings(installation)
    container, stop = make_container(settings, urls, HttpActors(), LitestarProvider()), asyncio.Event()
    working = asyncio.create_task(run_worker(urls.worker, job_handlers(container), stop))
    transport = ASGITransport(app=await create_api(container, HttpSettings(), ()), raise_app_exceptions=False)  # type: ignore[arg-type]  # Two spellings of ASGI.
    async with AsyncClient(transport=transport, base_url="http://proffer.test") as client:
        open_uow = await container.get(OpenUnitOfWork)
        create = await container.get(CreateOperatorKey)
        gate = Caller(client, (await create("mailgate", OperatorRights.MAIL_REPORTS)).secret)
        team = await log_in_all(client, await new_organization(open_uow))
        yield lambda: Office(team, sink, open_uow, gate, installation)
    stop.set()
    await working
    await container.close()
    await drop_database(server, name)


@pytest.fixture
def office(team_by_mail: Callable[[], Office], sink: Sink) -> Office:
    sink.envelopes.clear()
    sink.refused.clear()
    return team_by_mail()


async def test_an_offer_that_reaches_nobody_is_told_found_and_sent_again(office: Office) -> None:
    team, seller = office.team, office.team.organization.users[Role.SALES].email
    office.sink.refused[KATRIN] = "550 5.1.1 no such user"
    path = await office.sent()

    (first,) = await office.settled(path, 1)
    notice = await office.mailed(seller, "could not be delivered")
    found = (await team.sales.get("/api/v1/quotes", delivery_failed="true")).json()
    office.sink.refused.clear()
    again = await team.sales.post(f"{path}/resend", {"note": "With the right address."})
    mail = await office.mailed(KATRIN, "Offer")
    groups = await office.settled(path, 2)
    timeline = (await team.sales.get(f"{path}/timeline")).json()

    assert first["outcome"] == "bounced"
    assert "550" in first["messages"][0]["answer"]
    assert f"{KATRIN}: 550 5.1.1 no such user" in _text(notice)
    assert [f"/api/v1/quotes/{one['id']}" for one in found["items"]] == [path]
    assert (again.status_code, again.json()["attempt_group"], again.json()["outcome"]) == (200, 2, "queued")
    assert [one["outcome"] for one in groups] == ["bounced", "handed_over"]
    assert mail["Message-ID"] == f"<{groups[1]['messages'][0]['id']}@proffer.invalid>"
    assert groups[0]["messages"][0]["id"] != groups[1]["messages"][0]["id"]
    assert [part.get_content_type() for part in mail.iter_attachments()] == ["application/pdf"]
    assert "With the right address." in _text(mail)
    actions = [entry["action"] for entry in timeline["entries"]]
    assert [actions.count(one) for one in ("quote.delivery_failed", "quote.resent", "quote.rendered")] == [1, 1, 1]
    assert (await team.sales.get("/api/v1/quotes", delivery_failed="true")).json()["total"] == 0


async def test_a_repeated_request_to_send_again_mails_once(office: Office) -> None:
    path = await office.sent()
    await office.settled(path, 1)

    answers = [await office.team.sales.post(f"{path}/resend", {}, idempotency_key="resend-once") for _ in range(2)]
    groups = await office.settled(path, 2)

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["idempotency-replayed"] == "true"
    assert len(groups) == 2
    assert len(office.mails_to(KATRIN)) == 2


async def test_what_is_asked_of_sending_again_is_checked(office: Office) -> None:
    team, path = office.team, await office.sent()
    await office.settled(path, 1)
    stranger = await a_customer(team.sales)
    tag = (await team.sales.get(path)).headers["etag"]

    forbidden = await team.viewer.post(f"{path}/resend", {})
    nobody = await team.sales.post(f"{path}/resend", {"contact_ids": [stranger["id"]]})
    changed = await team.sales.post(f"{path}/resend", {"content_digest": "0" * 64})
    stale = await team.sales.post(f"{path}/resend", {}, if_match='"1"')
    taken = await team.sales.post(f"{path}/resend", {}, if_match=tag)

    assert (forbidden.status_code, forbidden.json()["error_code"]) == (403, "permission_missing")
    assert (nobody.status_code, nobody.json()["details"][0]["field"]) == (422, "contact_ids[0]")
    assert (changed.status_code, changed.json()["error_code"]) == (409, "content_changed")
    assert (stale.status_code, taken.status_code) == (412, 200)
    await office.settled(path, 2)
    assert (await team.sales.get(path)).headers["etag"] == tag


async def test_own_words_go_out_as_text_and_html_and_ours_where_they_fail(office: Office) -> None:
    team, path = office.team, "/api/v1/mail-templates"
    words = {
        "subject": "Our offer {{ number }} for {{ customer }}",
        "text": "Dear {{ contact }},\n{% for line in lines %}{{ line.description }}: {{ line.amount }}\n{% endfor %}",
        "html": '<p style="color:#123456">{{ note }}</p><a href="https://nordlicht.example/?q={{ number }}">{{ payable }}</a>',
    }
    made = (await team.admin.post(path, {"kind": "offer", "language": "en", **words})).json()

    quote = await office.sent(note="<script>alert(1)</script>\nBcc: x@evil.example")
    await office.settled(quote, 1)
    mail = await office.mailed(KATRIN, "Our offer Q-")

    html = mail.get_body(("html",))
    assert html is not None
    shown = str(html.get_content())
    assert str(mail["Subject"]).endswith("for Atelier Brandt KG")
    assert _text(mail).startswith("Dear Katrin Brandt,\nDesk: EUR\xa0307.50")
    assert '<p style="color:#123456">&lt;script&gt;' in shown
    assert "<script" not in shown
    assert mail["Bcc"] is None
    assert [part.get_content_type() for part in mail.iter_attachments()] == ["application/pdf"]
    assert (await team.admin.delete(f"{path}/{made['id']}")).status_code == 204


async def test_a_template_that_fails_holds_no_mail_back(office: Office) -> None:
    admin, owner = office.team.organization.actor(Role.ADMIN), office.team.organization.users[Role.OWNER].email
    template = MailTemplate(
        id=MailTemplateId(uuid4()),
        kind=TemplateKind.OFFER,
        language="en",
        texts=TemplateTexts(subject="Of an earlier release", text="{{ gone }}"),
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    async with office.open(admin) as uow:
        await uow.mail_templates.save(template.create())
        await uow.commit()

    (group,) = await office.settled(await office.sent(), 1)
    mail = await office.mailed(KATRIN, "Offer Q-")
    notice = await office.mailed(owner, "could not be used")

    assert group["outcome"] == "handed_over"
    assert "Here is our offer" in _text(mail)
    assert "«gone» is not known here" in _text(notice)
    (kept,) = (await office.team.admin.get("/api/v1/mail-templates")).json()["items"]
    assert (kept["fault"], kept["version"]) == ("Line 1: «gone» is not known here.", 1)


async def test_a_mail_that_comes_back_is_told_found_and_leaves_the_offer_as_it_is(office: Office) -> None:
    team, seller = office.team, office.team.organization.users[Role.SALES].email
    path = await office.sent()
    await office.settled(path, 1)
    before = (await team.sales.get(path)).json()

    content = a_postfix_report("failed", envelope_id=office.envelope_id(KATRIN))
    headers = {
        "authorization": f"Bearer {office.gate.token}",
        "content-type": "message/rfc822",
        "idempotency-key": uuid4().hex,
    }
    taken = await office.gate.client.post(REPORTS, content=content, headers=headers)
    repeated = await office.gate.client.post(REPORTS, content=content, headers=headers)
    again = await office.hand_in(a_postfix_report("failed", envelope_id=office.envelope_id(KATRIN)))
    notice = await office.mailed(seller, "could not be delivered")

    (group,) = (await team.sales.get(f"{path}/deliveries")).json()["items"]
    timeline = (await team.sales.get(f"{path}/timeline")).json()
    found = (await team.sales.get("/api/v1/quotes", delivery_failed="true")).json()
    assert repeated.headers["idempotency-replayed"] == "true"
    assert repeated.json() == taken.json()
    assert (taken.status_code, taken.json()) == (200, {"action": "failed", "status": "bounced", "changed": True})
    assert again.json() == {"action": "failed", "status": "bounced", "changed": False}
    assert (group["outcome"], group["messages"][0]["status"]) == ("bounced", "bounced")
    assert "550 5.1.1 No such user here" in group["messages"][0]["answer"]
    assert "No such user here" in _text(notice)
    told = [entry for entry in timeline["entries"] if entry["action"] in {"message.bounced", "quote.delivery_failed"}]
    assert [(one["action"], one["actor_kind"]) for one in told] == [
        ("message.bounced", "operator"),
        ("quote.delivery_failed", "operator"),
    ]
    assert timeline["messages"][0]["status"] == "bounced"
    assert f"/api/v1/quotes/{before['id']}" in [f"/api/v1/quotes/{one['id']}" for one in found["items"]]
    assert (await team.sales.get(path)).json() == before


async def test_servers_are_asked_for_reports_and_what_they_tell_arrives(office: Office) -> None:
    path = await office.sent()
    await office.settled(path, 1)
    (envelope,) = [one for one in office.sink.envelopes if one.rcpt_tos == [KATRIN]]

    delayed = await office.hand_in(a_postfix_report("delayed", envelope_id=office.envelope_id(KATRIN)))
    arrived = await office.hand_in(a_postfix_report("delivered", envelope_id=office.envelope_id(KATRIN)))
    late = await office.hand_in(a_postfix_report("failed", envelope_id=office.envelope_id(KATRIN)))

    assert envelope.mail_from == RETURN_PATH
    assert envelope.rcpt_options == ["NOTIFY=SUCCESS,FAILURE,DELAY", f"ORCPT=rfc822;{KATRIN}"]
    assert [one.json()["status"] for one in (delayed, arrived, late)] == ["handed_over", "delivered", "delivered"]
    (group,) = (await office.team.sales.get(f"{path}/deliveries")).json()["items"]
    assert group["outcome"] == "delivered"


async def test_what_a_gateway_may_hand_in_is_bounded_and_checked(office: Office) -> None:
    path = await office.sent()
    await office.settled(path, 1)
    envelope_id = office.envelope_id(KATRIN)
    report = a_postfix_report("failed", envelope_id=envelope_id)
    away = b"From: katrin@brandt.example\r\nSubject: Away\r\n\r\nOn holiday.\r\n"

    answers = [
        (await office.hand_in(away), 422, "no_delivery_report"),
        (await office.hand_in(b""), 422, "validation_failed"),
        (await office.hand_in(b"\x00\xff" * 999), 422, "no_delivery_report"),
        (
            await office.hand_in(b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n" * 9_000),
            422,
            "no_delivery_report",
        ),
        (await office.hand_in(report + b"x" * LARGEST_REPORT), 413, "body_too_large"),
        (await office.hand_in(report, "application/json"), 400, "malformed_json"),
        (await office.hand_in(report, "text/plain"), 415, "unsupported_media_type"),
        (await office.hand_in(report.replace(envelope_id.encode(), b"guessed")), 404, "message_not_found"),
        (await office.hand_in(a_postfix_report("failed")), 404, "message_not_found"),
        (await office.team.owner.send("POST", REPORTS, report, "message/rfc822"), 401, "token_refused"),
    ]

    for answer, status, code in answers:
        assert (answer.status_code, answer.json()["error_code"]) == (status, code), answer.text
    (group,) = (await office.team.sales.get(f"{path}/deliveries")).json()["items"]
    assert group["outcome"] == "handed_over"


async def test_a_gateways_key_opens_nothing_else(office: Office) -> None:
    organizations = "/platform/v1/organizations"
    slug = office.team.organization.organization.slug

    answers = [
        await office.gate.get(organizations),
        await office.gate.post(f"{organizations}/{slug}/suspend", {"reason": "Because."}),
        await office.gate.post(f"{organizations}/{slug}/restore"),
        await office.gate.put(f"{organizations}/{slug}/domains", {"domains": []}),
        await office.gate.post(organizations, {"slug": "x", "party": {"name": "x"}}),
    ]

    made = await office.command("operator", "add-key", "gate", "--only-mail-reports")
    by_command = Caller(office.gate.client, made.stdout.decode().strip())
    answers.insert(0, await by_command.get(organizations))

    for answer in answers[:5]:
        assert (answer.status_code, answer.json()["error_code"]) == (403, "permission_missing"), answer.text
    assert answers[5].status_code in {403, 422}
    unknown = await by_command.send("POST", REPORTS, a_postfix_report("failed"), "message/rfc822")
    assert unknown.json()["error_code"] == "message_not_found"
    assert (await office.gate.get("/api/v1/quotes")).status_code == 401


async def test_reports_come_through_a_pipe_as_well(office: Office, tmp_path: Path) -> None:
    path = await office.sent()
    (group,) = await office.settled(path, 1)
    header = f"<{group['messages'][0]['id']}@proffer.invalid>"
    bounce, away = tmp_path / "bounce.eml", tmp_path / "away.eml"
    bounce.write_bytes(an_exchange_report(header) + b"x" * LARGEST_REPORT)
    away.write_bytes(b"Subject: Away\r\n\r\nOn holiday.\r\n")

    delayed = await office.command("mail", "report", stdin=a_postfix_report("delayed", message_id=header))
    both = await office.command("mail", "report", str(away), str(bounce))
    ignored = await office.command("mail", "report", "--ignore-others", stdin=away.read_bytes())
    stranger = await office.command("mail", "report", stdin=a_postfix_report("failed"))

    assert (delayed.returncode, both.returncode, ignored.returncode, stranger.returncode) == (0, 3, 0, 4), both.stderr
    assert delayed.stdout.decode() == f"report: delayed; message {group['messages'][0]['id']} is handed_over.\n"
    assert both.stdout.decode().startswith(f"{bounce}: failed; message {group['messages'][0]['id']} is bounced.")
    assert f"{away}: proffer: This mail is no delivery report" in both.stderr.decode()
    (group,) = (await office.team.sales.get(f"{path}/deliveries")).json()["items"]
    assert group["outcome"] == "bounced"
    assert "RecipientNotFound" in group["messages"][0]["answer"]


async def test_a_mail_server_is_asked_to_come_back_while_the_database_is_away_or_the_mail_not_known_to_have_left(
    office: Office,
) -> None:
    office.sink.refused[KATRIN] = "451 4.3.0 Not now."
    path = await office.sent()
    (message,) = (await office.team.sales.get(f"{path}/deliveries")).json()["items"][0]["messages"]
    content = a_postfix_report("delivered", message_id=f"<{message['id']}@proffer.invalid>")
    nowhere = f"postgresql://nobody:nothing@127.0.0.1:{free_port()}/nowhere"

    early = await office.command("mail", "report", stdin=content)
    over_http = await office.hand_in(content)
    away = await office.command("mail", "report", stdin=content, PROFFER_DATABASE_URL=nowhere)
    unfit = await office.command("mail", "report", stdin=content, PROFFER_MAIL_RETURN_PATH="bounces")

    assert (early.returncode, away.returncode) == (75, 75), (early.stderr, away.stderr)
    told = b"proffer: PROFFER_MAIL_RETURN_PATH is 'bounces'; it must be one address, like bounces@example.com.\n"
    assert (unfit.returncode, unfit.stderr) == (75, told)
    assert (over_http.status_code, over_http.json()["error_code"]) == (409, "report_too_early")
    assert b"Traceback" not in early.stderr + away.stderr
    cancelled = await office.team.sales.post(f"{path}/cancel", {"reason": "mistake"})  # No mail in other tests.
    assert cancelled.status_code == 200, cancelled.text


def _text(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")
