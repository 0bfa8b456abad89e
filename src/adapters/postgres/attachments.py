"""Attachments in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, text

from src.adapters.postgres.pages import newest_first
from src.adapters.postgres.records import Records
from src.adapters.postgres.tables import attachment_use, attachments
from src.adapters.postgres.transaction import Transaction
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

_MOST_UNFINISHED: Final = 1000
# One row of the organisation, which whoever comes second waits for: so that two files never pass the quota together, nor
# two uploads the number of those under way.
_TAKE: Final = text(
    """
    INSERT INTO proffer.attachment_use AS held (organization_id, size, count)
    SELECT CAST(:organization AS uuid), CAST(:size AS bigint), 1 WHERE CAST(:size AS bigint) <= CAST(:quota AS bigint)
    ON CONFLICT (organization_id) DO UPDATE SET size = held.size + excluded.size, count = held.count + 1
    WHERE held.size + excluded.size <= CAST(:quota AS bigint)
    RETURNING held.size
    """
)
_MAKE: Final = text(
    "INSERT INTO proffer.attachment_use (organization_id, size, count) VALUES (CAST(:organization AS uuid), 0, 0) "
    "ON CONFLICT (organization_id) DO NOTHING"
)
_LOCK: Final = text(
    "SELECT size FROM proffer.attachment_use WHERE organization_id = CAST(:organization AS uuid) FOR NO KEY UPDATE"
)
_FREE: Final = text(
    "UPDATE proffer.attachment_use SET size = size - CAST(:size AS bigint), count = count - 1 "
    "WHERE organization_id = CAST(:organization AS uuid)"
)


class PostgresAttachments(AttachmentRepository):
    def __init__(self, transaction: Transaction) -> None:
        self._records = Records(transaction, attachments, Attachment, attachment_not_found())
        self._transaction = transaction
        self._own = attachments.c.organization_id == transaction.organization_id

    async def get(self, attachment_id: AttachmentId, *, lock: bool = False) -> Attachment:
        return await self._records.get(attachment_id, lock=lock)

    async def page(self, kind: SubjectKind, subject_id: UUID, paging: Paging) -> Page[Attachment]:
        conditions = self._of(kind, subject_id)
        return await newest_first(self._transaction.connection, attachments, conditions, paging, self._records.item)

    async def count(self, kind: SubjectKind, subject_id: UUID) -> int:
        statement = select(func.count()).select_from(attachments).where(*self._of(kind, subject_id))
        return int((await self._transaction.connection.execute(statement)).scalar_one())

    def _of(self, kind: SubjectKind, subject_id: UUID) -> list[ColumnElement[bool]]:
        columns = attachments.c
        return [
            self._own,
            columns.subject_kind == kind.value,
            columns.subject_id == subject_id,
            columns.status == AttachmentStatus.STORED.value,
        ]

    async def save(self, change: Change[Attachment]) -> Attachment:
        return await self._records.save(change)

    async def remove(self, change: Change[Attachment]) -> None:
        await self._records.delete(change)

    async def unfinished(self, before: datetime) -> Sequence[Attachment]:
        columns = attachments.c
        statement = (
            select(attachments)
            .where(self._own, columns.status != AttachmentStatus.STORED.value, columns.changed_at < before)
            .order_by(columns.changed_at, columns.id)
            .limit(_MOST_UNFINISHED)
        )
        return await self._records.read(statement)

    async def uploading(self, since: datetime) -> int:
        await self._lock_use()
        columns = attachments.c
        statement = (
            select(func.count())
            .select_from(attachments)
            .where(self._own, columns.status == AttachmentStatus.UPLOADING.value)
            # Said apart, so that the index of what is unfinished is used.
            .where(columns.status != AttachmentStatus.STORED.value, columns.changed_at > since)
        )
        return int((await self._transaction.connection.execute(statement)).scalar_one())

    async def _lock_use(self) -> None:
        """Make sure of the organisation's row, then wait for it."""
        connection, own = self._transaction.connection, {"organization": self._transaction.organization_id}
        await connection.execute(_MAKE, own)
        await connection.execute(_LOCK, own)

    async def known(self, ids: Sequence[UUID]) -> frozenset[UUID]:
        found: Any = select(attachments.c.id).where(self._own, attachments.c.id == func.any(list(ids)))
        return frozenset(row.id for row in await self._transaction.connection.execute(found))

    async def use(self) -> StorageUse:
        own = attachment_use.c.organization_id == self._transaction.organization_id
        row = (await self._transaction.connection.execute(select(attachment_use).where(own))).one_or_none()
        return StorageUse(0, 0) if row is None else StorageUse(row.size, row.count)

    async def take_room(self, size: int, quota: int) -> None:
        values = {"organization": self._transaction.organization_id, "size": size, "quota": quota}
        taken = (await self._transaction.connection.execute(_TAKE, values)).one_or_none()
        if taken is None:
            used = (await self.use()).size
            raise QuotaExceeded("There is no room left for this file.", quota=quota, used=used)

    async def free_room(self, size: int) -> None:
        values = {"organization": self._transaction.organization_id, "size": size}
        await self._transaction.connection.execute(_FREE, values)
