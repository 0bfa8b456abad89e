"""Contacts: people at a customer."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Final

from src.domain.shared.change import Change
from src.domain.shared.errors import Conflict, NotFound
from src.domain.shared.events import DomainEvent
from src.domain.shared.ids import ContactId, CustomerId
from src.domain.shared.tags import check_tags
from src.domain.shared.text import TextChecks

MOST_KEY_DATES: Final = 20
ERASED_NAME: Final = "Erased person"
ERASED_EMAIL: Final = "erased@erased.invalid"
_PERSONAL: Final = {"personal": True}


class ContactNotFound(NotFound):
    code = "contact_not_found"


class ContactStateConflict(Conflict):
    code = "contact_state"


class ContactDeleted(Conflict):
    code = "contact_deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactEvent(DomainEvent):
    resource_type: str = "contact"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactCreated(ContactEvent):
    action = "contact.created"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactChanged(ContactEvent):
    action = "contact.changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactWasDeleted(ContactEvent):
    action = "contact.deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRestored(ContactEvent):
    action = "contact.restored"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactMerged(ContactEvent):
    action = "contact.merged"
    into_id: ContactId


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactTookOver(ContactEvent):
    action = "contact.took_over"
    from_id: ContactId


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactErased(ContactEvent):
    """All that told who it was is gone; what the audit kept of it never told it."""

    action = "contact.erased"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactExported(ContactEvent):
    action = "contact.exported"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDate:
    """A day that comes back every year, such as «contract since»."""

    label: str
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A person at a customer, who receives offers. *language* is a BCP 47 tag or empty: the customer's."""

    id: ContactId
    customer_id: CustomerId
    name: str = field(metadata=_PERSONAL)
    email: str = field(metadata=_PERSONAL)
    phone: str = field(metadata=_PERSONAL)
    job_title: str = field(metadata=_PERSONAL)
    created_at: datetime
    language: str = ""
    birthday: date | None = field(default=None, metadata=_PERSONAL)
    key_dates: tuple[KeyDate, ...] = field(default=(), metadata=_PERSONAL)
    tags: tuple[str, ...] = ()
    deleted_at: datetime | None = None
    merged_into_id: ContactId | None = None
    erased_at: datetime | None = None
    version: int = 0

    def __post_init__(self) -> None:
        checks = TextChecks()
        checks.line("name", self.name, required=True)
        checks.email("email", self.email)
        checks.line("phone", self.phone, longest=50)
        checks.line("job_title", self.job_title)
        checks.line("language", self.language, longest=35)
        if self.birthday is not None and not 1900 <= self.birthday.year <= 2100:
            checks.refuse("birthday", "A year from 1900 to 2100 is needed.")
        if len(self.key_dates) > MOST_KEY_DATES:
            checks.refuse("key_dates", f"At most {MOST_KEY_DATES} are kept.")
        for position, one in enumerate(self.key_dates[:MOST_KEY_DATES]):
            checks.line(f"key_dates[{position}].label", one.label, required=True, longest=60)
        check_tags(checks, self.tags)
        checks.done()

    @property
    def deleted(self) -> bool:
        return self.deleted_at is not None

    def create(self) -> Change["Contact"]:
        return Change(None, self, (ContactCreated(resource_id=self.id, at=self.created_at),))

    def become(self, changed: "Contact", at: datetime) -> Change["Contact"]:
        """*changed* is this one with other particulars. Raises ContactDeleted."""
        self.check_here()
        kept = replace(changed, id=self.id, customer_id=self.customer_id)
        return Change(self, kept, (ContactChanged(resource_id=self.id, at=at),))

    def delete(self, at: datetime) -> Change["Contact"]:
        """Out of sight; offers to them stay. Raises ContactDeleted."""
        self.check_here()
        return Change(self, replace(self, deleted_at=at), (ContactWasDeleted(resource_id=self.id, at=at),))

    def restore(self, at: datetime) -> Change["Contact"]:
        """Raises ContactStateConflict, also for who was erased or goes on in another."""
        if self.erased_at is not None or self.merged_into_id is not None or not self.deleted:
            raise ContactStateConflict("There is nothing to restore.")
        return Change(self, replace(self, deleted_at=None), (ContactRestored(resource_id=self.id, at=at),))

    def merge_into(self, survivor: "Contact", at: datetime) -> tuple[Change["Contact"], Change["Contact"]]:
        """Both changes: of this one, which ends, and of *survivor*. Raises ContactDeleted, ContactStateConflict."""
        self.check_here()
        survivor.check_here()
        if survivor.id == self.id or survivor.customer_id != self.customer_id:
            raise ContactStateConflict("Two contacts of one customer can be merged.")
        ended = replace(self, deleted_at=at, merged_into_id=survivor.id)
        merged = ContactMerged(resource_id=self.id, at=at, into_id=survivor.id)
        known = {(one.label, one.day) for one in survivor.key_dates}
        taken = replace(
            survivor,
            phone=survivor.phone or self.phone,
            job_title=survivor.job_title or self.job_title,
            birthday=survivor.birthday or self.birthday,
            key_dates=(*survivor.key_dates, *(one for one in self.key_dates if (one.label, one.day) not in known))[
                :MOST_KEY_DATES
            ],
            tags=tuple(sorted({*survivor.tags, *self.tags})),
        )
        took_over = ContactTookOver(resource_id=survivor.id, at=at, from_id=self.id)
        return Change(self, ended, (merged,)), Change(survivor, taken, (took_over,))

    def erase(self, at: datetime) -> Change["Contact"]:
        """Nothing of the person is left (GDPR, article 17). Raises ContactStateConflict for the second time."""
        if self.erased_at is not None:
            raise ContactStateConflict("This person has been erased already.")
        erased = replace(
            self,
            name=ERASED_NAME,
            email=ERASED_EMAIL,
            phone="",
            job_title="",
            language="",
            birthday=None,
            key_dates=(),
            tags=(),
            deleted_at=self.deleted_at or at,
            erased_at=at,
        )
        return Change(self, erased, (ContactErased(resource_id=self.id, at=at),))

    def check_here(self) -> None:
        """Raises ContactDeleted."""
        if self.deleted:
            raise ContactDeleted("This contact is deleted.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """A day of somebody that comes up. *years* since the first one; *label* is ``birthday`` or the key date's."""

    contact: Contact
    label: str
    day: date
    first: date
    years: int


def reminders(contacts: "tuple[Contact, ...] | list[Contact]", today: date, days: int) -> list[Reminder]:
    """What comes up from *today* on within *days* days, the nearest first. The 29th of February is the 28th in common years."""
    found = [
        Reminder(contact=contact, label=label, day=day, first=first, years=day.year - first.year)
        for contact in contacts
        for label, first in _days_of(contact)
        if (day := next_occurrence(first, today)) is not None and (day - today).days < days
    ]
    return sorted(found, key=lambda one: (one.day, one.contact.name, one.label, str(one.contact.id)))


def next_occurrence(first: date, today: date) -> date | None:
    """The first day from *today* on, and not before *first*, that is *first*'s day of a year; None beyond the calendar."""
    for year in range(max(today.year, first.year), min(max(today.year, first.year) + 2, 10_000)):
        day = _in_year(first, year)
        if day >= today and day >= first:
            return day
    return None


def _in_year(first: date, year: int) -> date:
    try:
        return first.replace(year=year)
    except ValueError:
        return date(year, 2, 28)


def _days_of(contact: Contact) -> list[tuple[str, date]]:
    born = [] if contact.birthday is None else [("birthday", contact.birthday)]
    return born + [(one.label, one.day) for one in contact.key_dates]
