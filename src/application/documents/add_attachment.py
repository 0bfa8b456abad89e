"""Put a file with a quote, a customer or an approval request."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from src.application.documents.attachment_subjects import RIGHTS, check_still_takes_files, check_takes_files
from src.application.documents.erase_attachment import erasure_of
from src.application.ports.clock import Clock, IdFactory
from src.application.ports.storage import ObjectStorage
from src.application.ports.unit_of_work import UnitOfWork
from src.application.transactions import Transactions
from src.domain.documents.attachment import (
    Attachment,
    QuotaExceeded,
    SubjectKind,
    TooManyAttachments,
    TooManyUploads,
)
from src.domain.documents.file_names import clean_file_name
from src.domain.documents.file_types import Content, ContentCheck, check_size, type_of
from src.domain.identity.actor import Actor
from src.domain.shared.ids import AttachmentId
from src.domain.shared.once import KeyReused, Replayed
from src.domain.shared.storage_keys import attachment_key

MIB: Final = 1024 * 1024
LONGEST_UPLOAD: Final = timedelta(minutes=15)  # More than a request may take: what is older has died.
_LOOK_AGAIN: Final = 10  # Seconds.


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentLimits:
    """*largest* file and *quota* of an organisation in bytes; *per_subject*: files of one quote, customer or request;
    *at_once*: uploads of an organisation that are under way.
    """

    largest: int = 25 * MIB
    quota: int = 5 * 1024 * MIB
    per_subject: int = 100
    at_once: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class AddAttachmentCommand:
    """*declared_type* is the media type that the sender says, or empty; *announced_size* in bytes, where it says one."""

    subject_kind: SubjectKind
    subject_id: UUID
    file_name: str
    declared_type: str = ""
    announced_size: int | None = None


class AddAttachment:
    """Streams the file into the storage, between two short transactions. Whatever fails, nothing is half kept: a worker
    takes away what a broken upload has left.

    Raises what ``check_takes_files`` raises, PermissionMissing, FileTypeRefused, FileTooLarge, Invalid, QuotaExceeded,
    TooManyAttachments, TooManyUploads, StorageUnavailable.
    """

    def __init__(
        self,
        transactions: Transactions,
        storage: ObjectStorage,
        limits: AttachmentLimits,
        clock: Clock,
        ids: IdFactory,
    ) -> None:
        self._transactions, self._storage, self._limits = transactions, storage, limits
        self._clock, self._ids = clock, ids

    async def __call__(self, actor: Actor, command: AddAttachmentCommand, chunks: AsyncIterable[bytes]) -> Attachment:
        actor.require(RIGHTS[command.subject_kind].edit)
        file_name = clean_file_name(command.file_name)
        file_type = type_of(file_name, command.declared_type)
        check_size(command.announced_size or 0, self._limits.largest)
        now = self._clock.now()
        attachment = Attachment(
            id=AttachmentId(self._ids.new()),
            subject_kind=command.subject_kind,
            subject_id=command.subject_id,
            file_name=file_name,
            content_type=file_type.media_type,
            uploaded_by=actor.person,
            created_at=now,
            changed_at=now,
        )
        # A request that happens once happens with the transaction that says it is whole.
        preparing = replace(actor, origin=replace(actor.origin, once=None))
        await self._begin(preparing, attachment, command, early=not await self._is_answered(actor, attachment))
        try:
            content = await self._keep(actor, attachment, ContentCheck(file_type, self._limits.largest), chunks)
            return await self._finish(actor, attachment, content)
        except BaseException:
            await asyncio.shield(self._discard(preparing, attachment))
            raise

    async def _is_answered(self, actor: Actor, attachment: Attachment) -> bool:
        """Whether its key has been used: the file may be stored already, and must be read to be compared."""
        if actor.origin.once is None:
            return False
        try:
            async with self._transactions.begin(actor, RIGHTS[attachment.subject_kind].edit):
                return False
        except (Replayed, KeyReused):
            return True

    async def _begin(self, actor: Actor, attachment: Attachment, command: AddAttachmentCommand, *, early: bool) -> None:
        """*early*: look for room before the file is sent; not for one that may have been stored the first time."""
        async with self._transactions.begin(actor, RIGHTS[attachment.subject_kind].edit) as uow:
            await check_takes_files(uow, attachment.subject_kind, attachment.subject_id)
            if await uow.attachments.uploading(attachment.created_at - LONGEST_UPLOAD) >= self._limits.at_once:
                message = (
                    f"{self._limits.at_once} files are being sent already, as many as may be at once; wait for one."
                )
                raise TooManyUploads(message, retry_after=_LOOK_AGAIN)
            if early:
                quota, used = self._limits.quota, (await uow.attachments.use()).size
                if used + (command.announced_size or 1) > quota:
                    raise QuotaExceeded("There is no room left for this file.", quota=quota, used=used)
                await self._check_count(uow, attachment, more=1)
            await uow.attachments.save(attachment.begin())
            await uow.commit()

    async def _keep(
        self, actor: Actor, attachment: Attachment, check: ContentCheck, chunks: AsyncIterable[bytes]
    ) -> Content:
        """Looked at on the way: what is refused in the middle, or at the very end, is not kept."""
        looked_at = _LookedAt(chunks, check)
        key = attachment_key(actor.organization_id, attachment.id)
        await self._storage.put_stream(key, looked_at.pieces(), content_type=attachment.content_type)
        return looked_at.content

    async def _finish(self, actor: Actor, attachment: Attachment, content: Content) -> Attachment:
        if actor.origin.once is not None:
            actor.origin.once.cover(content.sha256)
        async with self._transactions.begin(actor, RIGHTS[attachment.subject_kind].edit) as uow:
            uploading = await uow.attachments.get(attachment.id, lock=True)
            await check_still_takes_files(uow, uploading.subject_kind, uploading.subject_id)
            stored = await uow.attachments.save(uploading.store(content, self._clock.now()))
            await uow.attachments.take_room(content.size, self._limits.quota)
            # Counted after that, because whoever adds another waits there.
            await self._check_count(uow, stored, more=0)
            await uow.commit()
        return stored

    async def _check_count(self, uow: UnitOfWork, attachment: Attachment, *, more: int) -> None:
        limit = self._limits.per_subject
        if await uow.attachments.count(attachment.subject_kind, attachment.subject_id) + more > limit:
            raise TooManyAttachments(f"There are {limit} files here already, as many as may be.", limit=limit)

    async def _discard(self, actor: Actor, attachment: Attachment) -> None:
        """Whatever goes wrong here as well is no news to the sender; ``SweepAttachments`` comes by later."""
        with suppress(Exception):
            async with self._transactions.begin(actor, RIGHTS[attachment.subject_kind].edit) as uow:
                uploading = await uow.attachments.get(attachment.id, lock=True)
                await uow.attachments.save(uploading.discard(self._clock.now()))
                await uow.jobs.enqueue(erasure_of(attachment.id, actor, self._ids))
                await uow.commit()


class _LookedAt:
    """*content* is known when the last of the pieces has been asked for."""

    content: Content

    def __init__(self, chunks: AsyncIterable[bytes], check: ContentCheck) -> None:
        self._chunks, self._check = chunks, check

    async def pieces(self) -> AsyncIterator[bytes]:
        async for chunk in self._chunks:
            self._check.feed(chunk)
            yield chunk
        self.content = self._check.done()
