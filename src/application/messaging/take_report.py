"""Reports of other mail servers: what became of a mail after ours had taken it."""

import asyncio
from dataclasses import dataclass

from src.application.delivery_jobs import after_failures
from src.application.ports.clock import Clock, IdFactory
from src.application.ports.mail import ReportReader
from src.application.ports.messaging import MessageDirectory
from src.application.ports.security import Envelopes
from src.application.transactions import Transactions
from src.domain.identity.actor import MailGate, Permission
from src.domain.messaging.message import (
    DeliveryStatus,
    Evidence,
    Message,
    MessageNotFound,
    message_named_by,
)
from src.domain.messaging.report import DeliveryReport, ReportedAction
from src.domain.shared.ids import MessageId


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenReport:
    """*status* is the message's now; *changed*: whether this report told anything new."""

    message_id: MessageId
    action: ReportedAction
    status: DeliveryStatus
    changed: bool


class TakeDeliveryReport:
    """Keep what a report says of the message that it names, in the organisation whose message it is and in no other.

    An envelope id has to be ours; where a server sends none back, the returned mail's Message-ID names the message. It may
    be repeated, and reports may come in any order: see ``Message.reported``.
    Raises NoDeliveryReport, MessageNotFound for mails that are none of ours, ReportTooEarly.
    """

    def __init__(
        self,
        transactions: Transactions,
        directory: MessageDirectory,
        reader: ReportReader,
        envelopes: Envelopes,
        clock: Clock,
        ids: IdFactory,
    ) -> None:
        self._transactions, self._directory = transactions, directory
        self._reader, self._envelopes, self._clock, self._ids = reader, envelopes, clock, ids

    async def __call__(self, gate: MailGate, content: bytes) -> TakenReport:
        report = await asyncio.to_thread(self._reader.read, content)
        message_id, evidence = self._named_by(report)
        organization_id = await self._directory.organization_of(message_id)
        if organization_id is None:
            raise _unknown()
        actor, now = gate.actor(organization_id), self._clock.now()
        async with self._transactions.begin(actor, Permission.REPORT_DELIVERIES) as uow:
            await uow.quotes.lock((await uow.messages.find(message_id)).quote_id)
            message = await uow.messages.get(message_id)
            change = message.reported(report, evidence=evidence, at=now)
            if change is None:
                return _taken(report, message, changed=False)
            stored = await uow.messages.save(change)
            if stored.status is DeliveryStatus.BOUNCED:
                await after_failures(uow, actor, self._ids, [stored], now)
            await uow.commit()
        return _taken(report, stored, changed=True)

    def _named_by(self, report: DeliveryReport) -> tuple[MessageId, Evidence]:
        """One that comes with an envelope id which is not ours is of another house, or forged."""
        if report.envelope_id:
            return self._envelopes.message_of(report.envelope_id), Evidence.ENVELOPE_ID
        message_id = message_named_by(report.message_id)
        if message_id is None:
            raise _unknown()
        return message_id, Evidence.MESSAGE_ID


def _taken(report: DeliveryReport, message: Message, *, changed: bool) -> TakenReport:
    return TakenReport(message_id=message.id, action=report.strongest.action, status=message.status, changed=changed)


def _unknown() -> MessageNotFound:
    return MessageNotFound("There is no such message.")
