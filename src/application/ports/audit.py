"""The audit chain in the store. Writing it is the unit of work's own business."""

from abc import abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Protocol
from uuid import UUID

from src.application.ports.paging import Page, Paging
from src.domain.audit.chain import ChainHead
from src.domain.audit.entry import AuditEntry
from src.domain.audit.retention import RetentionAnchor
from src.domain.audit.signed_head import SignedHead
from src.domain.audit.verification import AuditLink, Extent
from src.domain.identity.actor import ActorKind
from src.domain.shared.ids import OrganizationId, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Conditions that must all hold; an absent one does not count. *since* is included, *before* is not (UTC).

    An entry whose time ran ahead of the store's clock is not found *since* a month that is later than the one it is kept in.
    """

    action: str | None = None
    resource_type: str | None = None
    resource_id: UUID | None = None
    user_id: UserId | None = None
    actor_kind: ActorKind | None = None
    trace_id: str | None = None
    since: datetime | None = None
    before: datetime | None = None

    def told(self) -> tuple[str, ...]:
        """The conditions on texts and ids, as ``name=value``."""
        names = ("action", "resource_type", "resource_id", "user_id", "actor_kind", "trace_id")
        return tuple(f"{name}={getattr(self, name)}" for name in names if getattr(self, name) is not None)


class AuditLog(Protocol):
    @abstractmethod
    async def head(self) -> ChainHead:
        """The stored head: what the chain must end with."""

    @abstractmethod
    async def page(self, criteria: AuditFilter, paging: Paging) -> Page[AuditEntry]:
        """Entries that meet *criteria*, newest first."""

    @abstractmethod
    async def of_resource(self, resource_type: str, resource_id: UUID) -> Sequence[AuditEntry]:
        """Everything that was told about one thing, oldest first."""

    @abstractmethod
    def stream(self, criteria: AuditFilter) -> AsyncIterator[AuditEntry]:
        """Entries that meet *criteria*, oldest first, in flat memory."""

    @abstractmethod
    async def count(self, criteria: AuditFilter, at_most: int) -> int:
        """How many rows ``stream`` has; *at_most* for more."""

    @abstractmethod
    async def extent(self) -> Extent:
        """Head, first and last entry, as they are at one instant."""

    @abstractmethod
    def links(self, after: int, upto: int) -> AsyncGenerator[Sequence[AuditLink], None]:
        """The entries behind sequence *after*, up to and with *upto*, in their order; some thousands at a time.

        Close it before the next question where it is left early.
        """

    @abstractmethod
    async def hash_at(self, sequence: int) -> str | None:
        """The stored hash of one entry."""

    @abstractmethod
    async def successor_of(self, previous_hash: str) -> int | None:
        """Where the entry stands that says to follow *previous_hash*."""

    @abstractmethod
    async def signed_heads(self) -> Sequence[SignedHead]:
        """The heads that were signed and that are kept here too, by sequence."""

    @abstractmethod
    async def keep_head(self, signed: SignedHead) -> None:
        """Add *signed* to the kept ones. The same one again is no error."""

    @abstractmethod
    async def anchors(self) -> Sequence[RetentionAnchor]:
        """What retention has left out, by sequence, whoever has signed it."""

    @abstractmethod
    async def keep_anchor(self, anchor: RetentionAnchor) -> None:
        """Add *anchor*. Only operators may. Raises AnchorTaken where there is one of this sequence."""

    @abstractmethod
    async def last_before(self, month: date, vouched: int) -> ChainHead | None:
        """The last entry of the months before *month*; None where there is none.

        Behind sequence *vouched* it ends before the first one whose own time is not before *month*: that it is kept in an
        earlier one is only what the store says.
        """

    @abstractmethod
    async def remove(self, upto: int, most: int) -> int:
        """Remove the oldest entries, up to and with sequence *upto*, at most *most* of them; how many. Only operators may.

        The store refuses what no anchor covers.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class EmptyMonths:
    """Which were given up, and why others could not be looked at this time."""

    dropped: Sequence[date]
    left: Mapping[date, str]


class AuditPartitions(Protocol):
    """Where the store keeps the entries of a month, of all organisations."""

    @abstractmethod
    async def drop_empty(self, before: date) -> EmptyMonths:
        """Give up the months before *before* that hold no entry any more. One that cannot be does not keep the others."""


class AuditArchives(Protocol):
    """Files with entries that were exported as JSON Lines."""

    @abstractmethod
    def read(self, path: Path) -> Iterator[AuditLink]:
        """The entries in their order. Raises ArchiveRefused."""

    @abstractmethod
    def keep(self, written: Path, path: Path) -> str:
        """Make the file *written* last, on the disk, under its name *path*; its SHA-256, 64 hexadecimal digits."""


class HeadSigner(Protocol):
    """Signs heads and anchors with the installation's key, which the database does not know."""

    @abstractmethod
    def sign(self, organization_id: OrganizationId, head: ChainHead, signed_at: datetime) -> SignedHead: ...

    @abstractmethod
    def sign_anchor(
        self, organization_id: OrganizationId, head: ChainHead, entries: int, before: date, retained_at: datetime
    ) -> RetentionAnchor: ...

    @abstractmethod
    def is_ours(self, signed: SignedHead | RetentionAnchor) -> bool:
        """Whether it was signed with the installation's key, or with one of its earlier keys."""

    @abstractmethod
    def public_keys(self) -> Mapping[str, str]:
        """Every key that is known, the newest first: its Ed25519 public key (64 hexadecimal digits) by its id."""


class HeadStore(Protocol):
    """Where heads are kept out of the database's reach."""

    @abstractmethod
    async def put(self, signed: SignedHead) -> str:
        """Keep *signed*, and never anything else in its place; the name it has there. Raises StorageUnavailable."""

    @abstractmethod
    def kept(self, organization_id: OrganizationId) -> AsyncGenerator[SignedHead, None]:
        """What is kept of one organisation, whoever has signed it: the greatest sequence first, and one read at a time.

        Close it where it is left early. Raises StorageUnavailable, HeadRefused for what is no head.
        """
