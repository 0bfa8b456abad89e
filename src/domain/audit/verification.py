"""Proving a chain: that it is what was written, up to its head and through every head that was kept elsewhere."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple

from src.domain.audit.chain import CHAIN_FORMAT, ChainHead, link_hash
from src.domain.audit.entry import AuditEntry
from src.domain.audit.retention import RetentionAnchor
from src.domain.shared.canonical import plain
from src.domain.shared.ids import OrganizationId

_EMPTY = ChainHead()
_NEAR = 5_000  # How far from its place an entry is looked for, in entries.


class AuditLink(NamedTuple):
    """An entry as stored: what the hash covers, and the fields that are searched and shown, as the text writes them."""

    sequence: int
    previous_hash: str
    text: str
    hash: str
    at: str
    action: str
    resource_type: str
    resource_id: str
    actor_kind: str
    user_id: str | None
    month: str  # Such as 2026-11.

    @classmethod
    def of(cls, entry: AuditEntry) -> "AuditLink":
        record = entry.record
        return cls(
            entry.sequence,
            entry.previous_hash,
            record.text,
            entry.hash,
            str(plain(record.at)),
            record.action,
            record.resource_type,
            str(record.resource_id),
            record.actor_kind,
            None if record.user_id is None else str(record.user_id),
            f"{entry.month:%Y-%m}",
        )


class Tampering(StrEnum):
    """What was done to a chain."""

    CHANGED = "changed"
    REMOVED = "removed"
    INSERTED = "inserted"
    REORDERED = "reordered"
    MOVED = "moved"  # From another organisation's chain.
    REWRITTEN = "rewritten"  # With hashes that fit, so that only a head kept elsewhere can tell.
    FORGED = "forged"  # An anchor of retention that this installation has not signed.


@dataclass(frozen=True, slots=True)
class Finding:
    """*first_bad* is the first entry that is not what was written there; *problem* says it in a sentence."""

    tampering: Tampering
    first_bad: int
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """What is stored beside the chain, all read at one instant.

    *base* is the last entry that retention has removed; *first* and *last* are the sequences of the first and the last entry
    that are there (None and 0 for none).
    """

    head: ChainHead
    last: int
    first: int | None = None
    base: ChainHead = _EMPTY


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """*entries* that follow from each other, up to *head*.

    *complete*: up to the stored head, and not only as far as was asked. *kept_heads* were held against the chain and agree;
    *older_heads* lie before what retention has left, so that only their signatures could be checked. *anchor* says under
    which signature the entries before were removed.
    """

    entries: int
    head: ChainHead
    total: int
    complete: bool
    finding: Finding | None = None
    kept_heads: int = 0
    older_heads: int = 0
    anchor: RetentionAnchor | None = None

    @property
    def intact(self) -> bool:
        return self.finding is None

    @property
    def first_bad(self) -> int | None:
        return None if self.finding is None else self.finding.first_bad

    @property
    def problem(self) -> str:
        return "" if self.finding is None else self.finding.problem


class Verifier:
    """Checks a chain as it streams by; the first wrong entry ends the check.

    *begin* is a head that is already trusted, to resume from. *kept* are heads from elsewhere: their hashes by sequence.
    *anchor* is told with the result.
    """

    def __init__(
        self,
        organization_id: OrganizationId,
        extent: Extent,
        begin: ChainHead,
        kept: Mapping[int, str],
        anchor: RetentionAnchor | None = None,
    ) -> None:
        self._organization_id, self._extent, self._begin = organization_id, extent, begin
        self._anchor = anchor
        self._kept = {sequence: kept[sequence] for sequence in sorted(kept)}
        self._ahead = [sequence for sequence in self._kept if sequence > begin.sequence]
        self._agreed = begin
        self._sequence, self._hash = begin.sequence, begin.hash
        self._month = ""  # Of the entry before; nothing is known of it where the check begins.
        self._last: AuditLink | None = None  # The one that was taken last.
        self._suspect: AuditLink | None = None
        self._finding: Finding | None = None

    @property
    def head(self) -> ChainHead:
        """What is proven so far."""
        return ChainHead(self._sequence, self._hash)

    @property
    def failed(self) -> bool:
        return self._finding is not None

    def take(self, links: Iterable[AuditLink]) -> bool:
        """Take the next entries; False when one of them does not follow."""
        before, sequence, current = f"{CHAIN_FORMAT}\n{self._organization_id}\n", self._sequence, self._hash
        awaited = self._ahead[0] if self._ahead else None
        last, month = self._last, self._month
        for link in links:
            place, previous, text, stored = link[:4]
            covered = f"{before}{place}\n{previous}\n{text}"
            if (
                place != sequence + 1
                or previous != current
                or sha256(covered.encode()).hexdigest() != stored
                or not shows_what_was_written(link)
                or not ((month and link[10] == month) or _is_later_month(link, month, sequence))
            ):
                self._note(sequence, current, last)
                self._suspect = _readable(AuditLink._make(link))
                self._finding = self._diagnose(self._suspect, None, ())
                return False
            sequence, current, last, month = place, stored, link, link[10]
            if place == awaited:
                self._note(sequence, current, last)
                if not self._meet_kept_head():
                    return False
                awaited = self._ahead[0] if self._ahead else None
        self._note(sequence, current, last)
        return True

    def _note(self, sequence: int, entry_hash: str, last: AuditLink | None) -> None:
        """A store may tell its own rows, in the order of the fields: making links of all would double the time."""
        self._sequence, self._hash = sequence, entry_hash
        self._month = "" if last is None else last[10]
        self._last = None if last is None else AuditLink._make(last)

    def explain(self, successor: int | None, others: Sequence[OrganizationId] = ()) -> None:
        """Tell more of what was found: *successor* is where the entry that should have come stands, if it does.

        *others* are organisations from whose chains an entry could have been moved.
        """
        if self._suspect is not None:
            self._finding = self._diagnose(self._suspect, successor, others)

    def unled(self, first: int) -> None:
        """What stands at *first* and behind it, where retention has removed everything, does not lead to the anchor."""
        base = self._extent.base
        why = f"retention has removed everything up to {base.sequence}" if base.sequence else "the chain begins at 1"
        self._finding = Finding(Tampering.INSERTED, first, f"Entry {first} was inserted: {why}.")

    def forged(self, anchor: RetentionAnchor) -> None:
        """There is an anchor that the installation has not signed."""
        first = self._extent.base.sequence + 1
        self._finding = Finding(
            Tampering.FORGED,
            first,
            f"An anchor says that retention has removed the entries up to {anchor.head.sequence}, and this installation "
            f"has not signed it: nothing tells what became of entry {first}.",
        )

    def finish(self, upto: int | None = None) -> Verification:
        """The result, after everything was taken up to the head, or up to *upto* where only a part was asked for.

        At the end of the chain, what was taken is held against the stored head and the kept ones.
        """
        wanted = self._extent.head.sequence if upto is None else upto
        complete = wanted >= self._extent.head.sequence
        if self._finding is None and self._sequence < wanted:
            self._finding = self._missing(wanted)
        if self._finding is None and complete:
            self._finding = self._end()
        return self.result(complete=complete)

    def result(self, *, complete: bool) -> Verification:
        """What is known so far."""
        return Verification(
            entries=self._sequence - self._begin.sequence,
            head=self.head,
            total=self._extent.head.sequence,
            complete=complete and self._finding is None,
            finding=self._finding,
            kept_heads=sum(
                sequence <= self._agreed.sequence for sequence in self._kept if self._is_checkable(sequence)
            ),
            older_heads=sum(not self._is_checkable(sequence) for sequence in self._kept),
            anchor=self._anchor,
        )

    def differs_at(self, sequence: int) -> None:
        """A head that was kept says something else than the chain, before the entries that are taken here."""
        if sequence > self._extent.head.sequence:
            self._sequence, self._hash = self._extent.head.sequence, self._extent.head.hash
            self._finding = self._missing(sequence, f"the chain is shorter than the kept head {sequence}")
        else:
            self._finding = self._rewritten(sequence)

    def _is_checkable(self, sequence: int) -> bool:
        return sequence >= self._extent.base.sequence

    def _meet_kept_head(self) -> bool:
        sequence = self._ahead.pop(0)
        if self._kept[sequence] != self._hash:
            self._finding = self._rewritten(sequence)
            return False
        self._agreed = self.head
        return True

    def _rewritten(self, sequence: int) -> Finding:
        first = self._agreed.sequence + 1 if sequence > self._agreed.sequence else sequence
        place = f"entry {sequence}" if first == sequence else f"an entry from {first} to {sequence}"
        return Finding(
            Tampering.REWRITTEN, first, f"The chain differs from the kept head {sequence}: {place} was written anew."
        )

    def _end(self) -> Finding | None:
        last, head = self.head, self._extent.head
        if last != head:
            return Finding(
                Tampering.CHANGED,
                last.sequence,
                f"Entry {last.sequence} is not what the chain's head says: either of them was changed.",
            )
        if self._extent.last > head.sequence:
            return Finding(
                Tampering.INSERTED,
                head.sequence + 1,
                f"Entry {head.sequence + 1} was inserted: the chain's head is entry {head.sequence}.",
            )
        if self._ahead:
            return self._missing(self._ahead[-1], f"the chain is shorter than the kept head {self._ahead[-1]}")
        return None

    def _missing(self, head: int, why: str = "") -> Finding:
        first = self._sequence + 1
        return Finding(
            Tampering.REMOVED,
            first,
            f"Entry {first} is missing: {why or f'the chain ends before its head, entry {head}'}.",
        )

    def _diagnose(self, link: AuditLink, successor: int | None, others: Sequence[OrganizationId]) -> Finding:
        expected = self._sequence + 1
        if link.sequence < expected:
            return Finding(Tampering.INSERTED, link.sequence, f"Entry {link.sequence} is there twice.")
        if link.sequence > expected:
            return Finding(Tampering.REMOVED, expected, f"Entry {expected} is missing: {link.sequence} follows.")
        written = self._written_at(link)
        if written == expected:
            return self._diagnose_genuine(link)
        if written is not None:
            return self._diagnose_misplaced(link, written, successor)
        for other in others:
            if _is_of(other, link):
                return Finding(Tampering.MOVED, expected, f"Entry {expected} was moved here from organisation {other}.")
        return Finding(Tampering.CHANGED, expected, f"Entry {expected} is not what was written.")

    def _diagnose_genuine(self, link: AuditLink) -> Finding:
        """It was written here: so what is wrong is what is shown of it, or the entry before it."""
        if link.previous_hash == self._hash:
            return Finding(
                Tampering.CHANGED,
                link.sequence,
                f"Entry {link.sequence} is shown with fields that are not what was written.",
            )
        if self._last is None:
            return Finding(
                Tampering.CHANGED, link.sequence, f"Entry {link.sequence} does not follow from entry {self._sequence}."
            )
        return Finding(
            Tampering.CHANGED,
            self._sequence,
            f"Entry {self._sequence} is not what was written: entry {link.sequence} follows from another one.",
        )

    def _diagnose_misplaced(self, link: AuditLink, written: int, successor: int | None) -> Finding:
        place = link.sequence
        before = self._last
        if before is not None and link.previous_hash == before.previous_hash and link.hash != before.hash:
            return Finding(
                Tampering.INSERTED,
                place - 1,
                f"Entry {place - 1} was inserted: entry {place} was written in its place.",
            )
        if written < place:
            return Finding(Tampering.INSERTED, place, f"Entry {place} was inserted: it is entry {written} once more.")
        if successor is None:
            return Finding(Tampering.REMOVED, place, f"Entry {place} is missing: entry {written} stands in its place.")
        return Finding(Tampering.REORDERED, place, f"Entry {place} was exchanged: entry {written} stands in its place.")

    def _written_at(self, link: AuditLink) -> int | None:
        """The place that the entry was written for, if it is genuine and near."""
        for distance in range(_NEAR):
            for sequence in {link.sequence + distance, link.sequence - distance}:
                if _hashes_to(self._organization_id, sequence, link):
                    return sequence
        return None


def shows_what_was_written(link: AuditLink) -> bool:
    """Whether the fields that are searched and shown say what the text says.

    Compared as text where the layout is the usual one. That is safe because inside of a JSON text every quotation mark has
    a backslash before it, so that ``,"user_id":`` is a key wherever it stands. Whatever fits less is read in full.
    """
    _, _, text, _, at, action, resource_type, resource_id, actor_kind, user_id, _ = link
    if None in (text, at, action, resource_type, resource_id, actor_kind):  # Somebody has dropped what forbids it.
        return False
    if '"' in action or '"' in resource_type or '"' in actor_kind:
        return False
    user = "null" if user_id is None else f'"{user_id}"'
    if (
        text.startswith(f'{{"action":"{action}","actor":{{')
        and text.startswith(f'"kind":"{actor_kind}","name":', text.find('"kind":'))
        and text.startswith(f',"user_id":{user}}},"at":"{at}","changes":[', text.find(',"user_id":'))
        and text.startswith(
            f',"resource_id":"{resource_id}","resource_type":"{resource_type}","trace_id":"',
            text.rfind(',"resource_id":'),
        )
    ):
        return True
    return _shows_when_read(AuditLink._make(link))


def _is_later_month(link: AuditLink, before: str, sequence: int) -> bool:
    """Whether its month is later than *before* and not later than that of its time; or, where the check begins, is any.

    Earlier than that of its time it is where that ran ahead of the store's clock, which no entry tells.
    """
    month, own = link[10], link[4][:7]
    if not before and sequence:
        return bool(month)
    return bool(month and before < month <= own)


def _shows_when_read(link: AuditLink) -> bool:
    try:
        told = json.loads(link.text)
        return bool(
            told["at"] == link.at
            and told["action"] == link.action
            and told["resource_type"] == link.resource_type
            and told["resource_id"] == link.resource_id
            and told["actor"]["kind"] == link.actor_kind
            and told["actor"]["user_id"] == link.user_id
        )
    except (ValueError, KeyError, TypeError):
        return False


def _readable(link: AuditLink) -> AuditLink:
    """*link* with empty texts for what should never be missing."""
    missing = [name for name, value in link._asdict().items() if value is None and name != "user_id"]
    return AuditLink._make((link._asdict() | dict.fromkeys(missing, "")).values()) if missing else link


def _hashes_to(organization_id: OrganizationId, sequence: int, link: AuditLink) -> bool:
    return link_hash(organization_id, sequence, link.previous_hash, link.text) == link.hash


def _is_of(organization_id: OrganizationId, link: AuditLink) -> bool:
    near = range(max(1, link.sequence - _NEAR), link.sequence + _NEAR)
    first = range(1, min(_NEAR, near.start))
    return any(_hashes_to(organization_id, sequence, link) for places in (near, first) for sequence in places)
