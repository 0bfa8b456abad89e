"""Reports about the mails of one offer that come in at one instant, doubled."""

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from src.adapters.postgres.directories import PostgresMessageDirectory
from src.adapters.smtp import EmailReportReader
from src.adapters.system import SystemClock, Uuid7Ids
from src.application.messaging.take_report import TakeDeliveryReport
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.application.transactions import Transactions
from src.domain.identity.actor import MailGate
from src.domain.messaging.message import DeliveryOutcome, DeliveryStatus
from tests.builders.delivery_reports import a_postfix_report
from tests.builders.mail import ENVELOPES
from tests.builders.sent_offers import KATRIN, PAUL, Offer, a_sent_offer
from tests.organizations import ORIGIN, new_organization

pytestmark = pytest.mark.asyncio

ROUNDS = 8


async def _told_at_once(offer: Offer, engine: AsyncEngine, *actions: str) -> None:
    """Each action of each mail, each twice, all at one instant."""
    take = TakeDeliveryReport(
        Transactions(offer.open),
        PostgresMessageDirectory(engine),
        EmailReportReader(),
        ENVELOPES,
        SystemClock(),
        Uuid7Ids(),
    )
    (group,) = await offer.groups()
    await offer.settle(group, taken=[KATRIN, PAUL])
    gate = MailGate(name="mailgate", origin=ORIGIN)
    reports = [
        a_postfix_report(action, envelope_id=ENVELOPES.envelope_id(message.id))
        for action in actions
        for message in group.messages
    ]
    await asyncio.gather(*(take(gate, report) for report in (*reports, *reports)))


async def test_that_nobody_was_reached_is_told_once(
    open_postgres: OpenUnitOfWork, operator_engine: AsyncEngine
) -> None:
    """Each would see the other under way, did they not wait for the quote."""
    for _ in range(ROUNDS):
        offer = await a_sent_offer(open_postgres, await new_organization(open_postgres))

        await _told_at_once(offer, operator_engine, "failed")

        (group,) = await offer.groups()
        assert group.outcome is DeliveryOutcome.BOUNCED
        assert await offer.actions("message.bounced") == 2
        assert await offer.actions("quote.delivery_failed") == 1


async def test_what_arrived_has_arrived_whoever_comes_first(
    open_postgres: OpenUnitOfWork, operator_engine: AsyncEngine
) -> None:
    for _ in range(ROUNDS):
        offer = await a_sent_offer(open_postgres, await new_organization(open_postgres))

        await _told_at_once(offer, operator_engine, "failed", "delayed", "delivered")

        (group,) = await offer.groups()
        assert {message.status for message in group.messages} == {DeliveryStatus.DELIVERED}
        assert await offer.actions("message.delivered") == 2
