"""Signed links: the file that one names, for whoever carries it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from src.application.documents.attachment_subjects import check_sees
from src.application.documents.requesters import RequesterGone, actor_now
from src.application.ports.clock import Clock
from src.application.ports.security import DownloadLinks
from src.application.ports.storage import ObjectStorage
from src.application.ports.unit_of_work import UnitOfWork
from src.application.transactions import Transactions
from src.domain.documents.attachment import AttachmentStatus, attachment_not_found
from src.domain.identity.actor import Actor, Origin, Permission
from src.domain.identity.organization import OrganizationNotFound
from src.domain.shared.errors import NotFound
from src.domain.shared.events import DomainEvent
from src.domain.shared.ids import AttachmentId, UserId
from src.domain.shared.storage_keys import attachment_key


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadableFile:
    """Where a file lies and what is said of it. *size* is in bytes. It is about the resource that the audit knows."""

    storage_key: str
    file_name: str
    content_type: str
    size: int
    sha256: str
    resource_type: str
    resource_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """*content* is read from the storage piece by piece; its first piece raises StorageUnavailable."""

    file: DownloadableFile
    content: AsyncIterator[bytes]


FindFile = Callable[[UnitOfWork, Actor, UUID], Awaitable[DownloadableFile]]
"""One kind of file: by its id, in the unit of work of whoever downloads, for whoever was given the link, with the rights that
they have now. Raises NotFound, also when these do not suffice.
"""


@dataclass(frozen=True, slots=True)
class DownloadKinds:
    """What links may lead to: one entry for each kind of file."""

    finders: Mapping[str, FindFile]


ATTACHMENT: Final = "attachment"


async def found_attachment(uow: UnitOfWork, giver: Actor, attachment_id: UUID) -> DownloadableFile:
    """Raises AttachmentNotFound."""
    attachment = await uow.attachments.get(AttachmentId(attachment_id))
    if attachment.status is not AttachmentStatus.STORED or not giver.may(Permission.VIEW_ATTACHMENTS):
        raise attachment_not_found()
    check_sees(giver, attachment)
    organization = await uow.organizations.current()
    return DownloadableFile(
        storage_key=attachment_key(organization.id, attachment_id),
        file_name=attachment.file_name,
        content_type=attachment.content_type,
        size=attachment.size,
        sha256=attachment.sha256,
        resource_type=attachment.subject_kind.value,
        resource_id=attachment.subject_id,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDownloaded(DomainEvent):
    """*issued_to*: the user to whom the link was given that was followed; None for a download of one's own."""

    action = "file.downloaded"
    kind: str
    file_id: UUID
    sha256: str
    issued_to: UUID | None = None

    @classmethod
    def of(
        cls, file: DownloadableFile, *, kind: str, file_id: UUID, at: datetime, issued_to: UUID | None = None
    ) -> "FileDownloaded":
        return cls(
            resource_type=file.resource_type,
            resource_id=file.resource_id,
            at=at,
            kind=kind,
            file_id=file_id,
            sha256=file.sha256,
            issued_to=issued_to,
        )


class OpenDownload:
    """The file behind a signed link, for whoever carries it. Audited, because it leaves the house.

    Raises NotFound, always in the same words, also when the organisation is suspended, whoever was given the link is
    locked out or may not see the file any more, or the API key by which they asked for it has ended.
    """

    def __init__(
        self,
        transactions: Transactions,
        links: DownloadLinks,
        kinds: DownloadKinds,
        storage: ObjectStorage,
        clock: Clock,
    ) -> None:
        self._transactions, self._links, self._kinds = transactions, links, kinds
        self._storage, self._clock = storage, clock

    async def __call__(self, token: str, origin: Origin) -> Download:
        now = self._clock.now()
        grant = self._links.read(token, now)
        find = self._kinds.finders.get(grant.kind)
        if find is None:
            raise link_refused()
        actor = Actor.by_link(organization_id=grant.organization_id, origin=origin)
        try:
            async with self._transactions.begin(actor, Permission.FOLLOW_LINKS) as uow:
                giver = await actor_now(uow, UserId(grant.issued_to), grant.api_key_id, origin, now)
                file = await find(uow, giver, grant.file_id)
                uow.record(
                    FileDownloaded.of(file, kind=grant.kind, file_id=grant.file_id, at=now, issued_to=grant.issued_to)
                )
                await uow.commit()
        except (NotFound, OrganizationNotFound, RequesterGone):
            raise link_refused() from None
        return Download(file=file, content=self._storage.stream(file.storage_key))


def link_refused() -> NotFound:
    return NotFound("This link is wrong or has expired: ask for a new one.")
