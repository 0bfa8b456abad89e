"""What retention has removed from a chain, and under which signature: where its verification begins."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from src.domain.audit.chain import ChainHead
from src.domain.shared.canonical import plain
from src.domain.shared.errors import Conflict, Invalid
from src.domain.shared.events import DomainEvent
from src.domain.shared.ids import OrganizationId

ANCHOR_FORMAT: Final = "proffer-audit-anchor-1"
LEAST_MONTHS: Final = 12  # Shorter than what any bookkeeping asks for, and more than one closing of the books.


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionAnchor:
    """The entries up to *head* were removed, *entries* of them now, all of months before *before* (its first day).

    *signature* is Ed25519 over :func:`anchor_text`, 128 hexadecimal digits; *key_id* names the public key.
    """

    organization_id: OrganizationId
    head: ChainHead
    entries: int
    before: date
    retained_at: datetime
    key_id: str
    signature: str

    @property
    def text(self) -> bytes:
        return anchor_text(self.organization_id, self.head, self.entries, self.before, self.retained_at)

    def sentence(self) -> str:
        """What a reader of a verification is told."""
        return (
            f"Entries 1 to {self.head.sequence}, of months before {self.before:%Y-%m}, were removed by retention on "
            f"{self.retained_at:%Y-%m-%d}, as the key {self.key_id} has signed."
        )


def anchor_text(
    organization_id: OrganizationId, head: ChainHead, entries: int, before: date, retained_at: datetime
) -> bytes:
    """What is signed: format, organisation, sequence, hash, number of entries, month and instant, each on a line of its own."""
    lines = (
        ANCHOR_FORMAT,
        organization_id,
        head.sequence,
        head.hash,
        entries,
        f"{before:%Y-%m}",
        plain(retained_at),
    )
    return "".join(f"{line}\n" for line in lines).encode()


def first_month_kept(today: date, months: int) -> date:
    """The first day of the first month that stays, where whole months are kept for *months* of them. Raises RetentionTooShort."""
    if months < LEAST_MONTHS:
        raise RetentionTooShort(f"Audit entries are kept for {LEAST_MONTHS} months at least.", months=months)
    count = today.year * 12 + today.month - 1 - months
    return date(max(count // 12, 1), count % 12 + 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntriesRemoved(DomainEvent):
    action = "audit.entries_removed"
    resource_type: str = "organization"
    sequence: int
    hash: str
    entries: int
    before: str
    archive_sha256: str
    key_id: str


class RetentionTooShort(Invalid):
    code = "audit_retention_too_short"


class AnchorTaken(Conflict):
    """Somebody else has just removed the same entries."""

    code = "audit_anchor_taken"


class NotCovered(Conflict):
    """No signed head covers what would be removed."""

    code = "audit_not_covered"


class ArchiveRefused(Invalid):
    """A file that is no archive of this chain."""

    code = "audit_archive_refused"
