"""The mails of offers: queueing them, and what follows when none of them leaves the house."""

from collections.abc import Iterable
from datetime import datetime

from src.application.ports.clock import IdFactory
from src.application.ports.jobs import DELIVER_QUOTE, TELL_OF_FAILED_DELIVERY, Job
from src.application.ports.unit_of_work import UnitOfWork
from src.domain.identity.actor import Actor
from src.domain.messaging.message import AttemptGroup, DeliveryOutcome, Message, attempt_groups
from src.domain.shared.ids import QuoteId


async def enqueue_delivery(uow: UnitOfWork, actor: Actor, ids: IdFactory, message: Message) -> None:
    """The job that hands *message* over."""
    job = Job(
        id=ids.new(),
        name=DELIVER_QUOTE,
        organization_id=actor.organization_id,
        subject_id=message.id,
        trace_id=actor.origin.trace_id,
    )
    await uow.jobs.enqueue(job)


async def after_failures(
    uow: UnitOfWork, actor: Actor, ids: IdFactory, failed: Iterable[Message], at: datetime
) -> None:
    """To be called once *failed* are saved, with their quotes locked since before: of mails that fail at one instant each
    would see the other waiting. Where nothing of an attempt group has left the house, its quote says so, and its owner
    is told by a job.
    """
    places = {(message.quote_id, message.revision, message.attempt_group) for message in failed}
    for quote_id, revision, number in sorted(places):
        for group in attempt_groups(await uow.messages.of_quote(quote_id)):
            if (group.revision, group.number) == (revision, number) and group.outcome is DeliveryOutcome.FAILED:
                uow.record(group.delivery_failed(quote_id, at=at))
                await _enqueue_notice(uow, actor, ids, quote_id, group)


async def _enqueue_notice(
    uow: UnitOfWork, actor: Actor, ids: IdFactory, quote_id: QuoteId, group: AttemptGroup
) -> None:
    job = Job(
        id=ids.new(),
        name=TELL_OF_FAILED_DELIVERY,
        organization_id=actor.organization_id,
        subject_id=quote_id,
        trace_id=actor.origin.trace_id,
        detail=f"{group.revision}#{group.number}",
    )
    await uow.jobs.enqueue(job)
