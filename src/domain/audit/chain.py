"""The hash chain of one organisation's audit entries, and its verification."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """*entries* that follow from each other; *problem* is empty when all do, else it says what is wrong at *first_bad*."""

    entries: int
    head: ChainHead
    first_bad: int | None = None
    problem: str = ""

    @property
    def intact(self) -> bool:
        return not self.problem


def link_hash(organization_id: OrganizationId, sequence: int, previous_hash: str, text: str) -> str:
    """SHA-256 over format, organisation, sequence, the entry before and the entry's canonical text."""
    place = f"{CHAIN_FORMAT}\n{organization_id}\n{sequence}\n{previous_hash}\n"
    return sha256(place.encode() + text.encode()).hexdigest()


def append(organization_id: OrganizationId, head: ChainHead, records: Iterable[AuditRecord]) -> Iterator[AuditEntry]:
    """*records* as the entries that follow *head*."""
    sequence, previous = head.sequence, head.hash
    for record in records:
        sequence += 1
        current = link_hash(organization_id, sequence, previous, record.text)
        yield AuditEntry(sequence=sequence, record=record, previous_hash=previous, hash=current)
        previous = current


class Verifier:
    """Checks a chain as it streams by; the first wrong entry ends the check.

    *begin* is a head that is already trusted, to resume from.
    """

    def __init__(self, organization_id: OrganizationId, begin: ChainHead | None = None) -> None:
        self._organization_id = organization_id
        self._result = Verification(entries=0, head=begin or ChainHead())

    def take(self, sequence: int, previous_hash: str, text: str, entry_hash: str) -> bool:
        """Take the next entry; False when it does not follow."""
        head = self._result.head
        expected = head.sequence + 1
        if sequence != expected:
            return self._fail(
                min(sequence, expected), f"Entry {expected} is missing or out of order: {sequence} follows."
            )
        if previous_hash != head.hash:
            return self._fail(sequence, f"Entry {sequence} does not follow from entry {head.sequence}.")
        if link_hash(self._organization_id, sequence, previous_hash, text) != entry_hash:
            return self._fail(sequence, f"Entry {sequence} is not what was written.")
        self._result = replace(self._result, entries=self._result.entries + 1, head=ChainHead(sequence, entry_hash))
        return True

    def refuse(self, sequence: int) -> None:
        """An entry whose text follows, but whose searchable fields say something else."""
        self._fail(sequence, f"Entry {sequence} is shown with fields that are not what was written.")

    def finish(self, stored_head: ChainHead) -> Verification:
        """The result, after holding the last entry against the head that is stored beside the chain."""
        if self._result.intact and self._result.head != stored_head:
            last = self._result.head.sequence
            self._fail(last + 1, f"The chain ends at entry {last}, but its head says {stored_head.sequence}.")
        return self._result

    def _fail(self, sequence: int, problem: str) -> bool:
        self._result = replace(self._result, first_bad=sequence, problem=problem)
        return False
