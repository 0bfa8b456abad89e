"""Mails of offers that wait to be handed over."""

from typing import Any
from uuid import uuid4

from src.application.ports.unit_of_work import UnitOfWork
from src.domain.identity.actor import Actor
from src.domain.messaging.message import Message
from src.domain.shared.change import Change
from src.domain.shared.ids import MessageId, QuoteId
from tests.builders.quotes import NOON, a_customer, a_new_quote


def a_queued_message(quote_id: QuoteId, **changes: Any) -> Change[Message]:
    """Of the first revision, to Ann."""
    values: dict[str, Any] = {
        "message_id": MessageId(uuid4()),
        "quote_id": quote_id,
        "revision": 1,
        "recipient": "ann@example.com",
        "recipient_name": "Ann",
        "note": "",
        "at": NOON,
    }
    return Message.queue(**values | changes)


async def add_a_queued_message(uow: UnitOfWork, actor: Actor) -> Message:
    """About a new offer of the actor's to a new customer."""
    customer = await uow.customers.save(a_customer().create())
    quote = await uow.quotes.save(a_new_quote(customer_id=customer.id, by=actor.person))
    return await uow.messages.save(a_queued_message(quote.id))
