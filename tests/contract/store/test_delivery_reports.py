"""What other mail servers report of mails, on both stores."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from src.adapters.memory.directories import MemoryMessageDirectory
from src.adapters.memory.unit_of_work import MemoryStore, OpenMemoryUnitOfWork
from src.adapters.postgres.directories import PostgresMessageDirectory
from src.adapters.security import KeyRing, SignedEnvelopes
from src.adapters.smtp import EmailReportReader
from src.adapters.system import SystemClock, Uuid7Ids
from src.application.customers.change_contact import EraseContact
from src.application.messaging.take_report import TakeDeliveryReport, TakenReport
from src.application.ports.audit import AuditFilter
from src.application.ports.messaging import MessageDirectory
from src.application.ports.paging import Paging
from src.application.transactions import Transactions
from src.domain.identity.actor import Actor, MailGate, Permission, PermissionMissing, Role
from src.domain.messaging.message import DeliveryOutcome, DeliveryStatus, Message, MessageNotFound, ReportTooEarly
from src.domain.messaging.report import NoDeliveryReport
from src.domain.shared.ids import MessageId
from tests.builders.delivery_reports import a_postfix_report, an_exchange_report
from tests.builders.mail import ENVELOPES
from tests.builders.sent_offers import KATRIN, PAUL, Offer, a_sent_offer
from tests.organizations import ORIGIN, TestOrganization

pytestmark = pytest.mark.asyncio

GATE = MailGate(name="mailgate", origin=ORIGIN)


@dataclass
class Reports:
    offer: Offer
    directory: MessageDirectory

    async def take(self, content: bytes) -> TakenReport:
        take = TakeDeliveryReport(
            Transactions(self.offer.open), self.directory, EmailReportReader(), ENVELOPES, SystemClock(), Uuid7Ids()
        )
        return await take(GATE, content)

    async def tell(self, action: str, recipient: str = KATRIN) -> TakenReport:
        envelope_id = ENVELOPES.envelope_id((await self.message(recipient)).id)
        return await self.take(a_postfix_report(action, envelope_id=envelope_id, recipient=recipient))

    async def message(self, recipient: str = KATRIN) -> Message:
        (group,) = await self.offer.groups()
        return next(one for one in group.messages if one.recipient == recipient)

    async def outcome(self) -> DeliveryOutcome:
        (group,) = await self.offer.groups()
        return group.outcome

    async def told(self, action: str) -> list[dict[str, Any]]:
        """What the audit chain says, newest first."""
        async with self.offer.open(self.offer.team.actor(Role.OWNER)) as uow:
            page = await uow.audit.page(AuditFilter(action=action), Paging())
        return [json.loads(one.record.text) for one in page.items]


@pytest.fixture
def directory(request: pytest.FixtureRequest, offer: Offer, memory_store: MemoryStore) -> MessageDirectory:
    if isinstance(offer.open, OpenMemoryUnitOfWork):
        return MemoryMessageDirectory(memory_store)
    engine: AsyncEngine = request.getfixturevalue("operator_engine")
    return PostgresMessageDirectory(engine)


@pytest_asyncio.fixture
async def reports(offer: Offer, directory: MessageDirectory) -> Reports:
    (group,) = await offer.groups()
    await offer.settle(group, taken=[KATRIN, PAUL])
    return Reports(offer, directory)


async def test_what_was_delivered_has_arrived(reports: Reports) -> None:
    first = await reports.tell("delivered")
    again = await reports.tell("delivered")
    message = await reports.message()
    await reports.tell("delivered", PAUL)

    assert (first.status, first.changed, again.changed) == (DeliveryStatus.DELIVERED, True, False)
    assert message.status is DeliveryStatus.DELIVERED
    assert message.answer.startswith("delivered 2.0.0: 250 2.0.0 Ok: queued as 4F1")
    assert await reports.outcome() is DeliveryOutcome.DELIVERED
    assert await reports.offer.actions("message.delivered") == 2


async def test_an_offer_of_which_every_mail_came_back_has_reached_nobody(reports: Reports) -> None:
    await reports.tell("failed")
    between = (await reports.outcome(), await reports.offer.found(failed=True))
    await reports.tell("failed", PAUL)
    await reports.tell("failed", PAUL)

    assert between == (DeliveryOutcome.PARTLY_FAILED, False)
    assert await reports.outcome() is DeliveryOutcome.BOUNCED
    assert await reports.offer.found(failed=True)
    assert not await reports.offer.found(failed=False)
    assert await reports.offer.actions("quote.delivery_failed") == 1
    async with reports.offer.open(reports.offer.sales) as uow:
        quote = await uow.quotes.get(reports.offer.quote.id)
    assert (quote.current.status, quote.version) == (
        reports.offer.quote.current.status,
        reports.offer.quote.version,
    )


async def test_one_that_bounced_beside_one_that_failed_reaches_nobody_either(
    offer: Offer, directory: MessageDirectory
) -> None:
    (group,) = await offer.groups()
    await offer.settle(group, taken=[KATRIN])
    reports = Reports(offer, directory)

    await reports.tell("failed")

    assert await reports.outcome() is DeliveryOutcome.FAILED
    assert await offer.actions("quote.delivery_failed") == 1


async def test_who_has_it_after_all_has_been_reached(reports: Reports) -> None:
    await reports.tell("failed")
    await reports.tell("failed", PAUL)

    await reports.tell("delivered", PAUL)
    await reports.tell("failed", PAUL)

    assert (await reports.message(PAUL)).status is DeliveryStatus.DELIVERED
    assert await reports.outcome() is DeliveryOutcome.PARTLY_FAILED
    assert not await reports.offer.found(failed=True)


@pytest.mark.parametrize("action", ["delayed", "relayed", "expanded"])
async def test_what_is_still_under_way_is_noted_and_no_more(reports: Reports, action: str) -> None:
    first, again = await reports.tell(action), await reports.tell(action)

    message = await reports.message()
    (entry,) = await reports.told("message.reported")
    assert (first.changed, again.changed) == (True, False)
    assert (message.status, message.notes) == (DeliveryStatus.HANDED_OVER, 1)
    assert message.answer.startswith(f"{action} ")
    assert entry["details"]["reported"] == action


async def test_the_audit_knows_who_told_and_by_what_evidence_but_nothing_personal(reports: Reports) -> None:
    message = await reports.message(PAUL)
    await reports.tell("failed")
    await reports.take(a_postfix_report("failed", message_id=message.header, recipient=PAUL))

    by_message_id, by_envelope_id = told = await reports.told("message.bounced")
    assert (by_envelope_id["details"]["evidence"], by_message_id["details"]["evidence"]) == (
        "envelope_id",
        "message_id",
    )
    assert {(one["actor"]["kind"], one["actor"]["name"]) for one in told} == {("operator", "mailgate")}
    assert "No such user" not in str(told)


async def test_a_server_without_envelope_ids_is_understood_by_what_it_returns(reports: Reports) -> None:
    taken = await reports.take(an_exchange_report((await reports.message()).header))

    assert taken.status is DeliveryStatus.BOUNCED
    assert "RecipientNotFound" in (await reports.message()).answer


async def test_only_envelope_ids_of_our_own_name_a_message(reports: Reports) -> None:
    message = await reports.message()
    ours, foreign = ENVELOPES.envelope_id(message.id), SignedEnvelopes(KeyRing(["another house's key, long enough"]))
    guesses = (foreign.envelope_id(message.id), ours[:-2] + "AA", str(message.id), ours.upper(), "x")

    for guess in guesses:
        for header in ("", message.header):  # Nor does a right header make up for a wrong envelope id.
            with pytest.raises(MessageNotFound):
                await reports.take(a_postfix_report("failed", envelope_id=guess, message_id=header))

    assert (await reports.message()).status is DeliveryStatus.HANDED_OVER


async def test_mails_that_are_none_of_ours_are_not_found(reports: Reports) -> None:
    unknown = MessageId(uuid4())
    for content in (
        a_postfix_report("failed"),
        a_postfix_report("failed", message_id="<x@elsewhere.example>"),
        a_postfix_report("failed", message_id=f"<{unknown}@proffer.invalid>"),
        a_postfix_report("failed", envelope_id=ENVELOPES.envelope_id(unknown)),
    ):
        with pytest.raises(MessageNotFound):
            await reports.take(content)
    with pytest.raises(NoDeliveryReport):
        await reports.take(b"Subject: Hello\r\n\r\nI am away.\r\n")


async def test_a_report_changes_the_one_message_that_it_names(reports: Reports, other: TestOrganization) -> None:
    theirs = await a_sent_offer(reports.offer.open, other)
    (group,) = await theirs.groups()
    await theirs.settle(group, taken=[KATRIN, PAUL])

    await reports.tell("failed")

    assert (await reports.message(PAUL)).status is DeliveryStatus.HANDED_OVER
    assert {one.status for one in (await theirs.groups())[0].messages} == {DeliveryStatus.HANDED_OVER}
    assert await theirs.actions("message.bounced") == 0


async def test_a_report_before_the_mail_is_known_to_have_left_comes_again(
    offer: Offer, directory: MessageDirectory
) -> None:
    reports = Reports(offer, directory)

    with pytest.raises(ReportTooEarly):
        await reports.tell("delivered")

    assert await reports.outcome() is DeliveryOutcome.QUEUED


async def test_what_failed_here_and_arrived_all_the_same_has_arrived(offer: Offer, directory: MessageDirectory) -> None:
    await offer.settle((await offer.groups())[0])
    reports = Reports(offer, directory)
    before = await offer.found(failed=True)

    taken = [await reports.tell(action) for action in ("failed", "delayed", "delivered", "failed")]

    failed, delivered = DeliveryStatus.FAILED, DeliveryStatus.DELIVERED
    assert [(one.status, one.changed) for one in taken] == [
        (failed, False),
        (failed, False),
        (delivered, True),
        (delivered, False),
    ]
    assert (before, await offer.found(failed=True)) == (True, False)
    assert await reports.outcome() is DeliveryOutcome.PARTLY_FAILED


async def test_nothing_that_a_server_says_brings_the_erased_back(reports: Reports) -> None:
    message = await reports.message()
    erase = EraseContact(Transactions(reports.offer.open), SystemClock(), Uuid7Ids())
    await erase(reports.offer.team.actor(Role.OWNER), reports.offer.katrin.id)
    envelope_id = ENVELOPES.envelope_id(message.id)

    noted = await reports.take(a_postfix_report("delayed", envelope_id=envelope_id))
    taken = await reports.take(a_postfix_report("failed", envelope_id=envelope_id))

    (group,) = await reports.offer.groups()
    stored = next(one for one in group.messages if one.id == message.id)
    assert (noted.changed, taken.status) == (False, DeliveryStatus.BOUNCED)
    assert (stored.status, stored.answer) == (DeliveryStatus.BOUNCED, "")
    assert KATRIN not in str(await reports.told("message.bounced"))


async def test_nobody_else_may_report(reports: Reports) -> None:
    for actor in (
        reports.offer.team.actor(Role.OWNER),
        Actor.operator(organization_id=reports.offer.team.organization.id, name="olga", origin=ORIGIN),
        Actor.job(organization_id=reports.offer.team.organization.id, name="job", origin=ORIGIN),
    ):
        with pytest.raises(PermissionMissing):
            Transactions(reports.offer.open).begin(actor, Permission.REPORT_DELIVERIES)
    gate = GATE.actor(reports.offer.team.organization.id)
    assert gate.permissions == {Permission.REPORT_DELIVERIES}
