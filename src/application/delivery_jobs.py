"""The jobs about the mails of offers: that each is delivered, and that somebody is told when none has reached anybody."""

from collections.abc import Iterable
from datetime import datetime

from src.application.ports.clock import IdFactory
from src.application.ports.jobs import DELIVER_QUOTE, TELL_OF_FAILED_DELIVERY, Job
from src.application.ports.unit_of_work import UnitOfWork
from src.domain.identity.actor import Actor
from src.domain.messaging.message import DeliveryFailed, Message, newest_to_each, reached_nobody
from src.domain.quoting.content import Recipient
from src.domain.shared.ids import MessageId, QuoteId


async def queue_mails(
    uow: UnitOfWork,
    actor: Actor,
    ids: IdFactory,
    quote_id: QuoteId,
    revision: int,
    people: Iterable[Recipient],
    *,
    note: str,
    at: datetime,
    attempt_group: int = 1,
) -> list[Message]:
    """A mail to each of *people*, with the job that hands it over."""
    queued: list[Message] = []
    for person in people:
        change = Message.queue(
            message_id=MessageId(ids.new()),
            quote_id=quote_id,
            revision=revision,
            recipient=person.email,
            recipient_name=person.name,
            note=note,
            at=at,
            attempt_group=attempt_group,
            contact_id=person.contact_id,
        )
        queued.append(await uow.messages.save(change))
        await uow.jobs.enqueue(Job.asked_by(actor, ids.new(), DELIVER_QUOTE, queued[-1].id))
    return queued


async def after_failures(
    uow: UnitOfWork, actor: Actor, ids: IdFactory, failed: Iterable[Message], at: datetime
) -> None:
    """To be called once *failed* are saved, with their quotes locked since before: of mails that fail at one instant each
    would see the other waiting. Where the last mail to each recipient of a revision has failed, its quote says so, and its
    owner is told by a job.
    """
    places = {(message.quote_id, message.revision): message.attempt_group for message in sorted(failed, key=_group)}
    for (quote_id, revision), group in sorted(places.items()):
        messages = [one for one in await uow.messages.of_quote(quote_id) if one.revision == revision]
        if reached_nobody(messages):
            recipients = len(newest_to_each(messages))
            event = DeliveryFailed(
                resource_id=quote_id, at=at, revision=revision, attempt_group=group, recipients=recipients
            )
            uow.record(event)
            await _enqueue_notice(uow, actor, ids, event)


def _group(message: Message) -> int:
    return message.attempt_group


async def _enqueue_notice(uow: UnitOfWork, actor: Actor, ids: IdFactory, event: DeliveryFailed) -> None:
    job = Job.asked_by(
        actor, ids.new(), TELL_OF_FAILED_DELIVERY, event.resource_id, detail=f"{event.revision}#{event.attempt_group}"
    )
    await uow.jobs.enqueue(job)
