"""The hash chain of one organisation's audit entries."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256

from src.domain.audit.entry import AuditEntry, AuditRecord
from src.domain.shared.ids import OrganizationId

CHAIN_FORMAT = 1
BEGINNING = "0" * 64  # What stands before the first entry.


@dataclass(frozen=True, slots=True)
class ChainHead:
    """The last entry's place and hash; sequence 0 is an empty chain."""

    sequence: int = 0
    hash: str = BEGINNING


def link_hash(organization_id: OrganizationId, sequence: int, previous_hash: str, text: str) -> str:
    """SHA-256 over format, organisation, sequence, the entry before and the entry's canonical text."""
    place = f"{CHAIN_FORMAT}\n{organization_id}\n{sequence}\n{previous_hash}\n"
    return sha256(place.encode() + text.encode()).hexdigest()


def month_of(at: datetime) -> date:
    """The first day of the month of *at* in UTC."""
    return at.astimezone(UTC).date().replace(day=1)


def latest_month(now: datetime) -> date:
    """The latest month that an entry is kept in, where the store's own clock says *now*: a day ahead is no wrong clock."""
    return month_of(now + timedelta(days=1))


def append(
    organization_id: OrganizationId,
    head: ChainHead,
    records: Iterable[AuditRecord],
    month: date = date.min,
    latest: date = date.max,
) -> Iterator[AuditEntry]:
    """*records* as the entries that follow *head*, whose month is *month*.

    An entry's month is that of its time, and never before that of the entry before it: so the months of a chain are pieces
    of it, one after the other, whatever the clocks say. A time that is further ahead than *latest* is kept in that month,
    or all that follows would have to wait for retention as long as it.
    """
    sequence, previous = head.sequence, head.hash
    for record in records:
        sequence += 1
        current = link_hash(organization_id, sequence, previous, record.text)
        month = max(month, min(month_of(record.at), latest))
        yield AuditEntry(sequence=sequence, record=record, previous_hash=previous, hash=current, month=month)
        previous = current
