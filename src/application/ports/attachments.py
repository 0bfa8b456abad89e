"""Attachments in the store. Their bytes are the storage's."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from src.application.ports.paging import Page, Paging
from src.domain.documents.attachment import Attachment, SubjectKind
from src.domain.shared.change import Change
from src.domain.shared.ids import AttachmentId


@dataclass(frozen=True, slots=True)
class StorageUse:
    """What the stored attachments of the organisation take: *size* in bytes."""

    size: int
    count: int


class AttachmentRepository(Protocol):
    @abstractmethod
    async def get(self, attachment_id: AttachmentId, *, lock: bool = False) -> Attachment:
        """Of whatever status. *lock*: nobody else can change it until this unit of work ends. Raises AttachmentNotFound."""

    @abstractmethod
    async def page(self, kind: SubjectKind, subject_id: UUID, paging: Paging) -> Page[Attachment]:
        """Those of one subject that are stored, the newest first. Raises CursorRefused."""

    @abstractmethod
    async def count(self, kind: SubjectKind, subject_id: UUID) -> int:
        """How many of them there are."""

    @abstractmethod
    async def save(self, change: Change[Attachment]) -> Attachment:
        """Raises ChangedMeanwhile when someone else saved it first."""

    @abstractmethod
    async def remove(self, change: Change[Attachment]) -> None:
        """Keep nothing of it but the audit's entries. Raises ChangedMeanwhile when someone else changed or removed it first."""

    @abstractmethod
    async def unfinished(self, before: datetime) -> Sequence[Attachment]:
        """Those that have been uploading or deleted since before that instant, the oldest first; a thousand at most."""

    @abstractmethod
    async def uploading(self, since: datetime) -> int:
        """How many uploads have begun since that instant and are under way.

        Until this unit of work ends nobody else of the organisation can ask.
        """

    @abstractmethod
    async def known(self, ids: Sequence[UUID]) -> frozenset[UUID]:
        """Those of *ids* that are here, of whatever status."""

    @abstractmethod
    async def use(self) -> StorageUse: ...

    @abstractmethod
    async def take_room(self, size: int, quota: int) -> None:
        """Count one more file of *size* bytes. Until this unit of work ends nobody else of the organisation can.

        Raises QuotaExceeded when all of them would have more than *quota* bytes.
        """

    @abstractmethod
    async def free_room(self, size: int) -> None:
        """Count one file of *size* bytes less."""
