"""Take away the bytes of attachments that are deleted, and whatever broken uploads have left. Jobs: they may run again."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Final
from uuid import UUID

from src.application.documents.strays import delete_strays
from src.application.ports.clock import Clock, IdFactory
from src.application.ports.jobs import Job
from src.application.ports.storage import ObjectStorage
from src.application.transactions import Transactions
from src.domain.documents.attachment import (
    AttachmentNotFound,
    AttachmentStatus,
)
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.ids import AttachmentId
from src.domain.shared.storage_keys import attachment_key, attachments_folder

ERASE_ATTACHMENT: Final = "erase_attachment"
# Longer than any upload takes, and long enough to notice a database that was restored from too old a backup.
GRACE: Final = timedelta(days=1)


def erasure_of(attachment_id: AttachmentId, actor: Actor, ids: IdFactory) -> Job:
    """The job that takes its bytes away."""
    return Job.asked_by(actor, ids.new(), ERASE_ATTACHMENT, attachment_id)


class EraseAttachment:
    """First the bytes, then the row: who dies in between has lost nothing to find the bytes by. Raises StorageUnavailable."""

    def __init__(self, transactions: Transactions, storage: ObjectStorage, clock: Clock) -> None:
        self._transactions, self._storage, self._clock = transactions, storage, clock

    async def __call__(self, actor: Actor, attachment_id: AttachmentId) -> None:
        try:
            async with self._transactions.begin(actor, Permission.KEEP_FILES) as uow:
                attachment = await uow.attachments.get(attachment_id)
            if attachment.status is not AttachmentStatus.DELETED:
                return
            await self._storage.delete(attachment_key(actor.organization_id, attachment_id))
            async with self._transactions.begin(actor, Permission.KEEP_FILES) as uow:
                attachment = await uow.attachments.get(attachment_id, lock=True)
                await uow.attachments.remove(attachment.erase(self._clock.now()))
                await uow.commit()
        except AttachmentNotFound:
            return  # Another run of this job was first.


class SweepAttachments:
    """Uploads that broke off a day ago, deleted files whose job was given up, bytes that belong to no row, and what dead
    writers of any file of the organisation have left unfinished; how many.

    Bytes are always younger than their row, and gone before it: those without one belong to nobody.
    Raises StorageUnavailable.
    """

    def __init__(
        self, transactions: Transactions, storage: ObjectStorage, erase: EraseAttachment, clock: Clock
    ) -> None:
        self._transactions, self._storage, self._erase, self._clock = transactions, storage, erase, clock

    async def __call__(self, actor: Actor) -> int:
        before = self._clock.now() - GRACE
        async with self._transactions.begin(actor, Permission.KEEP_FILES) as uow:
            left = await uow.attachments.unfinished(before)
        for attachment in left:
            if attachment.status is AttachmentStatus.UPLOADING:
                await self._give_up(actor, attachment.id)
            await self._erase(actor, attachment.id)
        folder, known = attachments_folder(actor.organization_id), partial(self._known, actor)
        # Whatever was being written: exports and PDFs too.
        unfinished = await self._storage.discard_unfinished(str(actor.organization_id), before)
        return len(left) + unfinished + await delete_strays(self._storage, folder, before, known)

    async def _give_up(self, actor: Actor, attachment_id: AttachmentId) -> None:
        """So that an upload that is still under way, however slowly, finds that it has ended."""
        async with self._transactions.begin(actor, Permission.KEEP_FILES) as uow:
            uploading = await uow.attachments.get(attachment_id, lock=True)
            if uploading.status is AttachmentStatus.UPLOADING:
                await uow.attachments.save(uploading.discard(self._clock.now()))
                await uow.commit()

    async def _known(self, actor: Actor, keys: Sequence[str]) -> frozenset[str]:
        ids = {key: _id_in(key) for key in keys}
        async with self._transactions.begin(actor, Permission.KEEP_FILES) as uow:
            known = await uow.attachments.known([one for one in ids.values() if one is not None])
        return frozenset(key for key, one in ids.items() if one in known)


def _id_in(key: str) -> UUID | None:
    try:
        return UUID(key.rpartition("/")[2])
    except ValueError:
        return None
