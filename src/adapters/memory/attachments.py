"""Attachments in memory."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from src.adapters.memory.records import MemoryRecords
from src.adapters.memory.state import MemoryTransaction, page_of
from src.application.ports.attachments import AttachmentRepository, StorageUse
from src.application.ports.paging import Page, Paging
from src.domain.documents.attachment import (
    Attachment,
    AttachmentStatus,
    QuotaExceeded,
    SubjectKind,
    attachment_not_found,
)
from src.domain.shared.change import Change
from src.domain.shared.ids import AttachmentId

_MOST_UNFINISHED = 1000


class MemoryAttachments(AttachmentRepository):
    def __init__(self, transaction: MemoryTransaction) -> None:
        self._records = MemoryRecords(transaction, transaction.state.attachments, attachment_not_found())
        self._transaction = transaction

    async def get(self, attachment_id: AttachmentId, *, lock: bool = False) -> Attachment:
        return self._records.get(attachment_id)

    async def page(self, kind: SubjectKind, subject_id: UUID, paging: Paging) -> Page[Attachment]:
        return page_of(self._of(kind, subject_id), paging, lambda one: one)

    async def count(self, kind: SubjectKind, subject_id: UUID) -> int:
        return len(self._of(kind, subject_id))

    def _of(self, kind: SubjectKind, subject_id: UUID) -> list[Attachment]:
        return [one for one in self._stored() if (one.subject_kind, one.subject_id) == (kind, subject_id)]

    def _stored(self) -> list[Attachment]:
        return [one for one in self._records.items.values() if one.status is AttachmentStatus.STORED]

    async def save(self, change: Change[Attachment]) -> Attachment:
        return self._records.save(change)

    async def remove(self, change: Change[Attachment]) -> None:
        self._records.delete(change)

    async def unfinished(self, before: datetime) -> Sequence[Attachment]:
        found = [
            one
            for one in self._records.items.values()
            if one.status is not AttachmentStatus.STORED and one.changed_at < before
        ]
        return sorted(found, key=lambda one: (one.changed_at, one.id))[:_MOST_UNFINISHED]

    async def uploading(self, since: datetime) -> int:
        found = self._records.items.values()
        return sum(one.status is AttachmentStatus.UPLOADING and one.changed_at > since for one in found)

    async def known(self, ids: Sequence[UUID]) -> frozenset[UUID]:
        return frozenset(ids) & self._records.items.keys()

    async def use(self) -> StorageUse:
        return self._transaction.state.storage_use

    async def take_room(self, size: int, quota: int) -> None:
        used = await self.use()
        if used.size + size > quota:
            raise QuotaExceeded("There is no room left for this file.", quota=quota, used=used.size)
        self._transaction.state.storage_use = StorageUse(used.size + size, used.count + 1)

    async def free_room(self, size: int) -> None:
        used = await self.use()
        self._transaction.state.storage_use = StorageUse(used.size - size, used.count - 1)
