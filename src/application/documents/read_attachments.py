"""List attachments, look at one, download it, give a link to it away, delete it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from src.application.documents.attachment_subjects import RIGHTS, check_may_go, check_sees, check_there
from src.application.documents.erase_attachment import erasure_of
from src.application.documents.open_download import ATTACHMENT, Download, FileDownloaded, found_attachment
from src.application.ports.clock import Clock, IdFactory
from src.application.ports.paging import Page, Paging
from src.application.ports.security import DownloadGrant, DownloadLinks
from src.application.ports.storage import ObjectStorage
from src.application.ports.unit_of_work import UnitOfWork
from src.application.transactions import Transactions
from src.domain.documents.attachment import Attachment, AttachmentStatus, LinkGiven, SubjectKind, attachment_not_found
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.errors import invalid_field
from src.domain.shared.ids import AttachmentId

SHORTEST_LINK: Final = timedelta(minutes=1)
USUAL_LINK: Final = timedelta(minutes=15)
LONGEST_LINK: Final = timedelta(days=1)


class ListAttachments:
    """Of one subject, the newest first. Raises QuoteNotFound, CustomerNotFound, RequestNotFound, CursorRefused."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, kind: SubjectKind, subject_id: UUID, paging: Paging) -> Page[Attachment]:
        async with self._transactions.begin(actor, RIGHTS[kind].view) as uow:
            await check_there(uow, kind, subject_id)
            return await uow.attachments.page(kind, subject_id, paging)


class GetAttachment:
    """Raises AttachmentNotFound."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, attachment_id: AttachmentId) -> Attachment:
        async with self._transactions.begin(actor, Permission.VIEW_ATTACHMENTS) as uow:
            return await _seen(uow, actor, attachment_id)


class OpenAttachment:
    """Its bytes. Audited, because they leave the house. Raises AttachmentNotFound."""

    def __init__(self, transactions: Transactions, storage: ObjectStorage, clock: Clock) -> None:
        self._transactions, self._storage, self._clock = transactions, storage, clock

    async def __call__(self, actor: Actor, attachment_id: AttachmentId) -> Download:
        async with self._transactions.begin(actor, Permission.VIEW_ATTACHMENTS) as uow:
            file = await found_attachment(uow, actor, attachment_id)
            uow.record(FileDownloaded.of(file, kind=ATTACHMENT, file_id=attachment_id, at=self._clock.now()))
            await uow.commit()
        return Download(file=file, content=self._storage.stream(file.storage_key))


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadLink:
    """*token* for ``/api/v1/downloads/``; *expires_at* is exclusive, in UTC."""

    token: str
    expires_at: datetime


class LinkAttachment:
    """A signed link to it, for whoever carries it, for a minute to a day. Audited. Raises AttachmentNotFound, Invalid."""

    def __init__(self, transactions: Transactions, links: DownloadLinks, clock: Clock) -> None:
        self._transactions, self._links, self._clock = transactions, links, clock

    async def __call__(
        self, actor: Actor, attachment_id: AttachmentId, lifetime: timedelta = USUAL_LINK
    ) -> DownloadLink:
        if not SHORTEST_LINK <= lifetime <= LONGEST_LINK:
            raise invalid_field("expires_in", "A link lasts from a minute to a day.")
        now = self._clock.now()
        expires_at = (now + lifetime).replace(microsecond=0)
        async with self._transactions.begin(actor, Permission.VIEW_ATTACHMENTS) as uow:
            attachment = await _seen(uow, actor, attachment_id)
            uow.record(LinkGiven(**attachment.about(now), expires_at=expires_at))
            await uow.commit()
        grant = DownloadGrant(
            organization_id=actor.organization_id,
            kind=ATTACHMENT,
            file_id=attachment_id,
            issued_to=actor.person,
            api_key_id=actor.api_key_id,
            expires_at=expires_at,
        )
        return DownloadLink(token=self._links.token(grant), expires_at=expires_at)


class DeleteAttachment:
    """Out of sight and out of the quota at once; its bytes go by a job. There is no way back.

    Raises AttachmentNotFound and what ``check_may_go`` raises.
    """

    def __init__(self, transactions: Transactions, clock: Clock, ids: IdFactory) -> None:
        self._transactions, self._clock, self._ids = transactions, clock, ids

    async def __call__(self, actor: Actor, attachment_id: AttachmentId) -> None:
        async with self._transactions.begin(actor, Permission.DELETE_ATTACHMENTS) as uow:
            seen = await _seen(uow, actor, attachment_id)
            await check_may_go(uow, actor, seen)
            attachment = await uow.attachments.get(attachment_id, lock=True)
            await uow.attachments.save(attachment.delete(self._clock.now()))
            await uow.attachments.free_room(attachment.size)
            await uow.jobs.enqueue(erasure_of(attachment_id, actor, self._ids))
            await uow.commit()


async def _seen(uow: UnitOfWork, actor: Actor, attachment_id: AttachmentId) -> Attachment:
    """Raises AttachmentNotFound."""
    attachment = await uow.attachments.get(attachment_id)
    if attachment.status is not AttachmentStatus.STORED:
        raise attachment_not_found()
    check_sees(actor, attachment)
    return attachment
