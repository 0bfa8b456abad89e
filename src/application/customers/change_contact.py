"""Change a contact's particulars; delete, restore, merge; give a person their data, or erase it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TypedDict

from src.application.delivery_jobs import after_failures
from src.application.ports.clock import Clock, IdFactory
from src.application.ports.unit_of_work import UnitOfWork
from src.application.prices.coupons import save_quote
from src.application.transactions import Transactions
from src.application.versions import check_version
from src.domain.customers.contact import Contact, ContactExported, KeyDate
from src.domain.customers.customer import Customer
from src.domain.identity.actor import Actor, Permission
from src.domain.messaging.message import Message
from src.domain.quoting.quote import Quote
from src.domain.shared.ids import ContactId
from src.domain.shared.tags import normal_tags


class ContactChanges(TypedDict, total=False):
    name: str
    email: str
    phone: str
    job_title: str
    language: str
    birthday: date | None
    key_dates: tuple[KeyDate, ...]
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeContactCommand:
    contact_id: ContactId
    changes: ContactChanges
    expected_version: int | None = None


class ChangeContact:
    """Raises ContactNotFound, ContactDeleted, VersionChanged, Invalid."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions, self._clock = transactions, clock

    async def __call__(self, actor: Actor, command: ChangeContactCommand) -> Contact:
        async with self._transactions.begin(actor, Permission.EDIT_CUSTOMERS) as uow:
            contact = await uow.contacts.lock(command.contact_id)
            check_version(contact, command.expected_version)
            changed = replace(contact, **command.changes)
            changed = replace(changed, tags=normal_tags(changed.tags))
            stored = await uow.contacts.save(contact.become(changed, self._clock.now()))
            await uow.commit()
        return stored


class DeleteContact:
    """Out of sight, for no new offers. Raises ContactNotFound, ContactDeleted, VersionChanged."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions, self._clock = transactions, clock

    async def __call__(self, actor: Actor, contact_id: ContactId, expected_version: int | None = None) -> Contact:
        async with self._transactions.begin(actor, Permission.EDIT_CUSTOMERS) as uow:
            contact = await uow.contacts.lock(contact_id)
            check_version(contact, expected_version)
            stored = await uow.contacts.save(contact.delete(self._clock.now()))
            await uow.commit()
        return stored


class RestoreContact:
    """Raises ContactNotFound, ContactStateConflict."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions, self._clock = transactions, clock

    async def __call__(self, actor: Actor, contact_id: ContactId) -> Contact:
        async with self._transactions.begin(actor, Permission.EDIT_CUSTOMERS) as uow:
            contact = await uow.contacts.lock(contact_id)
            stored = await uow.contacts.save(contact.restore(self._clock.now()))
            await uow.commit()
        return stored


class MergeContacts:
    """Two of one customer. What the survivor lacks comes from the duplicate, which stays, deleted, and says so.

    Raises ContactNotFound, ContactDeleted, ContactStateConflict.
    """

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions, self._clock = transactions, clock

    async def __call__(self, actor: Actor, survivor_id: ContactId, duplicate_id: ContactId) -> Contact:
        async with self._transactions.begin(actor, Permission.MERGE_CUSTOMERS) as uow:
            locked = {one: await uow.contacts.lock(one) for one in sorted({survivor_id, duplicate_id})}
            ended, taken = locked[duplicate_id].merge_into(locked[survivor_id], self._clock.now())
            await uow.contacts.save(ended)
            stored = await uow.contacts.save(taken)
            await uow.commit()
        return stored


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalData:
    """All that is kept about one person (GDPR, article 15). *same_person*: the other contacts that were merged with this
    one, either way; *correspondence*: the offers and mails that went to any of them.
    """

    contact: Contact
    same_person: tuple[Contact, ...]
    customer: Customer
    correspondence: tuple[Message, ...]


class ExportContact:
    """It is audited that somebody looked. Raises ContactNotFound."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions, self._clock = transactions, clock

    async def __call__(self, actor: Actor, contact_id: ContactId) -> PersonalData:
        async with self._transactions.begin(actor, Permission.ERASE_PERSONS) as uow:
            contact, person = await uow.contacts.get(contact_id), await _person(uow, contact_id)
            told = PersonalData(
                contact=contact,
                same_person=tuple(one for one in person if one.id != contact_id),
                customer=await uow.customers.get(contact.customer_id),
                correspondence=tuple(await uow.messages.to_person(person[0].id)),
            )
            uow.record(ContactExported(resource_id=contact_id, at=self._clock.now()))
            await uow.commit()
        return told


class EraseContact:
    """Nothing of the person is left but in offers that were issued, which are business records (GDPR, article 17, 3 b):
    not in the contact, nor in those that were merged with it, either way.

    The audit never held what is erased, so that its chain stays valid. Raises ContactNotFound, ContactStateConflict.
    """

    def __init__(self, transactions: Transactions, clock: Clock, ids: IdFactory) -> None:
        self._transactions, self._clock, self._ids = transactions, clock, ids

    async def __call__(self, actor: Actor, contact_id: ContactId) -> Contact:
        while True:
            erased = await self._erase(actor, contact_id)
            if erased is not None:
                return erased

    async def _erase(self, actor: Actor, contact_id: ContactId) -> Contact | None:
        """None when somebody was merged meanwhile: it is to be begun anew, for what is locked already is out of order then."""
        now = self._clock.now()
        async with self._transactions.begin(actor, Permission.ERASE_PERSONS) as uow:
            person = await _lock_person(uow, contact_id)
            if person is None:
                return None
            left = [one for one in person if one.erased_at is None]
            erasures = [one.erase(now) for one in left or person]  # Refused where nobody is left.
            drafts = sorted({quote_id for one in person for quote_id in await uow.quotes.drafts_to(one.id)})
            mailed = {message.quote_id for message in await uow.messages.to_person(person[0].id)}
            # Quotes before their messages, as everybody locks them.
            quotes = {quote_id: await uow.quotes.lock(quote_id) for quote_id in sorted({*drafts, *mailed})}
            await after_failures(uow, actor, self._ids, await uow.messages.erase_person(person[0].id), now)
            for erasure in erasures:
                await uow.contacts.save(erasure)
            for quote_id in drafts:
                await _take_out(uow, quotes[quote_id], person, actor, now)
            stored = await uow.contacts.get(contact_id)
            await uow.commit()
        return stored


async def _lock_person(uow: UnitOfWork, contact_id: ContactId) -> tuple[Contact, ...] | None:
    """As ``_person``; None when others belong to it by the time that those are locked who did before."""
    before = sorted(one.id for one in await _person(uow, contact_id))
    for one in before:  # In the order of those who merge, so that nobody waits for each other.
        await uow.contacts.lock(one)
    person = await _person(uow, contact_id)
    return person if sorted(one.id for one in person) == before else None


async def _person(uow: UnitOfWork, contact_id: ContactId) -> tuple[Contact, ...]:
    """Who goes on, then those who were merged into them."""
    survivor = await _goes_on_as(uow, await uow.contacts.get(contact_id))
    return survivor, *await uow.contacts.merged_into(survivor.id)


async def _take_out(uow: UnitOfWork, draft: Quote, person: Sequence[Contact], actor: Actor, at: datetime) -> None:
    content = draft.current.content
    for one in person:
        content = content.without_person(one.id)
    await save_quote(uow, draft.edit(content, by=actor.person, at=at))


async def _goes_on_as(uow: UnitOfWork, contact: Contact) -> Contact:
    """Who *contact* was merged into, and they in turn: one person."""
    while contact.merged_into_id is not None:
        contact = await uow.contacts.get(contact.merged_into_id)
    return contact
