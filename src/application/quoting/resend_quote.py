"""Mail a sent offer once more."""

from collections.abc import Sequence
from dataclasses import dataclass

from src.application.delivery_jobs import queue_mails
from src.application.ports.clock import Clock, IdFactory
from src.application.ports.unit_of_work import UnitOfWork
from src.application.quoting.send_quote import LONGEST_NOTE
from src.application.transactions import Transactions
from src.domain.customers.contact import ContactNotFound
from src.domain.identity.actor import Actor, Permission
from src.domain.messaging.message import (
    MOST_ATTEMPT_GROUPS,
    AttemptGroup,
    DeliveryOutcome,
    DeliveryStatus,
    Message,
    StillUnderWay,
    TooManyAttempts,
    attempt_groups,
)
from src.domain.quoting.content import QuoteContent, Recipient, each_address_once
from src.domain.quoting.errors import RecipientMissing
from src.domain.quoting.events import QuoteResent
from src.domain.shared.errors import FieldError, Invalid
from src.domain.shared.ids import ContactId, QuoteId
from src.domain.shared.text import TextChecks


@dataclass(frozen=True, slots=True, kw_only=True)
class ResendQuoteCommand:
    """*contact_ids* are some of those whom the offer names as recipient or for a copy; None: all of them.

    *content_digest* is what the sender looked at (None does not ask); *note* is a sentence of theirs in the mail.
    """

    quote_id: QuoteId
    contact_ids: tuple[ContactId, ...] | None = None
    content_digest: str | None = None
    note: str = ""
    expected_version: int | None = None


class ResendQuote:
    """Opens a new attempt group for the revision that is sent, also while a successor is under way. The mails go to the
    addresses that the contacts have now, for a wrong one is why offers are sent again; the offer itself stays as it is.

    Raises QuoteNotFound, QuoteChangedMeanwhile, InvalidTransition, CustomerNotApproved, CustomerDeleted, ContentChanged,
    ValidityOver, StillUnderWay, TooManyAttempts, RecipientMissing when nobody of them is left, Invalid.
    """

    def __init__(self, transactions: Transactions, clock: Clock, ids: IdFactory) -> None:
        self._transactions, self._clock, self._ids = transactions, clock, ids

    async def __call__(self, actor: Actor, command: ResendQuoteCommand) -> AttemptGroup:
        checks = TextChecks()
        checks.paragraphs("note", command.note, longest=LONGEST_NOTE)
        checks.done()
        now = self._clock.now()
        async with self._transactions.begin(actor, Permission.SEND_QUOTES) as uow:
            quote = await uow.quotes.lock(command.quote_id)
            quote.check_version(command.expected_version)
            revision = quote.to_resend(at=now, expected_digest=command.content_digest)
            (await uow.customers.get(quote.customer_id)).check_may_be_sent_to()
            people = await _addressed(uow, revision.content, command.contact_ids)
            known = [one for one in await uow.messages.of_quote(quote.id) if one.revision == revision.number]
            number = _next_group(known, people)
            queued = await queue_mails(
                uow,
                actor,
                self._ids,
                quote.id,
                revision.number,
                people,
                note=command.note,
                at=now,
                attempt_group=number,
            )
            uow.record(
                QuoteResent(
                    resource_id=quote.id,
                    at=now,
                    revision=revision.number,
                    attempt_group=number,
                    recipients=len(queued),
                )
            )
            await uow.commit()
        (group,) = attempt_groups(queued)
        return group


def _next_group(known: Sequence[Message], people: Sequence[Recipient]) -> int:
    """Raises StillUnderWay, TooManyAttempts."""
    addresses = {one.email.casefold() for one in people}
    groups = attempt_groups(known)
    for group in groups:
        waiting = {one.recipient.casefold() for one in group.messages if one.status is DeliveryStatus.QUEUED}
        if group.outcome is DeliveryOutcome.QUEUED and waiting & addresses:
            message = "A mail to one of the recipients still waits to be handed over."
            raise StillUnderWay(message, attempt_group=group.number)
    if len(groups) >= MOST_ATTEMPT_GROUPS:
        message = f"This revision has been mailed {MOST_ATTEMPT_GROUPS} times; something else must be wrong."
        raise TooManyAttempts(message, most=MOST_ATTEMPT_GROUPS)
    return 1 + max((group.number for group in groups), default=0)


async def _addressed(uow: UnitOfWork, content: QuoteContent, chosen: Sequence[ContactId] | None) -> list[Recipient]:
    """The people, by their contacts as they are now. Who has been deleted gets nothing.

    Raises RecipientMissing when nobody is left, Invalid for a chosen one whom the offer does not name.
    """
    named = {one.contact_id for one in content.addressed}
    wrong = tuple(
        FieldError(f"contact_ids[{index}]", "The offer names no such contact as recipient or for a copy.")
        for index, contact_id in enumerate(chosen or ())
        if contact_id not in named
    )
    if wrong:
        raise Invalid("Some fields are not valid.", fields=wrong)
    wanted = [one for one in content.addressed if chosen is None or one.contact_id in chosen]
    found = [person for one in wanted if (person := await _as_they_are_now(uow, one)) is not None]
    if not found:
        message = (
            "None of the contacts that this offer names is left to send it to. Restore one, or revise the offer and set "
            "its contact_id to another."
        )
        raise RecipientMissing(message)
    return each_address_once(found)


async def _as_they_are_now(uow: UnitOfWork, person: Recipient) -> Recipient | None:
    """None for who is no longer there; whoever was merged goes on in another."""
    try:
        contact = await uow.contacts.get(person.contact_id)
        while contact.merged_into_id is not None:
            contact = await uow.contacts.get(contact.merged_into_id)
    except ContactNotFound:
        return None
    return None if contact.deleted else Recipient(contact_id=contact.id, name=contact.name, email=contact.email)
