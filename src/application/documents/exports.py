"""Exports that jobs make: asked for, looked at, given up, fetched. Each is its person's alone."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from src.application.documents.export_sources import ExportRequest
from src.application.documents.open_download import DownloadableFile
from src.application.ports.clock import Clock, IdFactory
from src.application.ports.jobs import RUN_EXPORT, Job
from src.application.ports.paging import Page, Paging
from src.application.ports.security import DownloadGrant, DownloadLinks
from src.application.ports.unit_of_work import UnitOfWork
from src.application.transactions import Transactions
from src.domain.documents.export import (
    NEEDED,
    DataExport,
    ExportFormat,
    ExportLinkMade,
    ExportNotFound,
    ExportState,
    check_may_prepare,
)
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.ids import ExportId

EXPORT_LINK: Final = "export"
MEDIA_TYPES: Final = {
    ExportFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ExportFormat.CSV: "text/csv",
    ExportFormat.JSON_LINES: "application/jsonl",
    ExportFormat.PDF: "application/pdf",
}


class RequestExport:
    """Raises PermissionMissing, Invalid, TooManyExports."""

    def __init__(self, transactions: Transactions, clock: Clock, ids: IdFactory) -> None:
        self._transactions, self._clock, self._ids = transactions, clock, ids

    async def __call__(self, actor: Actor, request: ExportRequest) -> DataExport:
        request.check()
        async with self._transactions.begin(actor, Permission.RUN_EXPORTS) as uow:
            for permission in NEEDED[request.kind]:
                actor.require(permission)
            check_may_prepare(await uow.exports.preparing(actor.person))
            wanted = DataExport(
                id=ExportId(self._ids.new()),
                kind=request.kind,
                file_format=request.file_format,
                filters=request.filters,
                created_by=actor.person,
                api_key_id=actor.api_key_id,
                job_id=self._ids.new(),
                created_at=self._clock.now(),
            )
            stored = await uow.exports.save(wanted.request())
            job = Job.asked_by(actor, wanted.job_id, RUN_EXPORT, wanted.id, audited=True)
            await uow.jobs.enqueue(job)
            await uow.commit()
        return stored


class GetExport:
    """Raises ExportNotFound."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, export_id: ExportId) -> DataExport:
        async with self._transactions.begin(actor, Permission.RUN_EXPORTS) as uow:
            return _own(await uow.exports.get(export_id), actor)


class ListExports:
    """One's own, newest first. Raises CursorRefused."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, paging: Paging) -> Page[DataExport]:
        async with self._transactions.begin(actor, Permission.RUN_EXPORTS) as uow:
            return await uow.exports.page(actor.person, paging)


class CancelExport:
    """Its job is never run (again); one under way is interrupted. Raises ExportNotFound, ExportStateConflict."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions, self._clock = transactions, clock

    async def __call__(self, actor: Actor, export_id: ExportId) -> DataExport:
        now = self._clock.now()
        async with self._transactions.begin(actor, Permission.RUN_EXPORTS) as uow:
            export = _own(await uow.exports.get(export_id), actor)
            job = await uow.jobs.lock(export.job_id)  # Before what it is about, as everybody does who needs both.
            export = await uow.exports.lock(export_id)
            cancelled = await uow.exports.save(export.ended(ExportState.CANCELLED, message="It was given up.", at=now))
            await uow.jobs.save(job.cancel(at=now))
            await uow.commit()
        return cancelled


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportLink:
    """*token* opens the file until *expires_at* (exclusive, UTC), whoever carries it."""

    token: str
    expires_at: datetime


class MakeExportLink:
    """For those who still may have what is in the file. Audited.

    Raises ExportNotFound, PermissionMissing, ExportStateConflict.
    """

    def __init__(self, transactions: Transactions, links: DownloadLinks, clock: Clock) -> None:
        self._transactions, self._links, self._clock = transactions, links, clock

    async def __call__(self, actor: Actor, export_id: ExportId) -> ExportLink:
        now = self._clock.now()
        async with self._transactions.begin(actor, Permission.RUN_EXPORTS) as uow:
            export = _own(await uow.exports.get(export_id), actor)
            for permission in export.needed:
                actor.require(permission)
            expires_at = export.link_until(now)
            uow.record(ExportLinkMade(resource_id=export.id, at=now, expires_at=expires_at))
            await uow.commit()
        grant = DownloadGrant(
            organization_id=actor.organization_id,
            kind=EXPORT_LINK,
            file_id=export.id,
            issued_to=actor.person,
            api_key_id=actor.api_key_id,
            expires_at=expires_at,
        )
        return ExportLink(token=self._links.token(grant), expires_at=expires_at)


async def find_export(uow: UnitOfWork, giver: Actor, file_id: UUID) -> DownloadableFile:
    """Raises ExportNotFound, also when *giver* may not (any more) have what is in the file."""
    export = _own(await uow.exports.get(ExportId(file_id)), giver)
    if export.state is not ExportState.READY or not all(giver.may(permission) for permission in export.needed):
        raise ExportNotFound("There is no such file, or no longer.")
    return DownloadableFile(
        storage_key=export.storage_key,
        file_name=export.file_name,
        content_type=MEDIA_TYPES[export.file_format],
        size=export.size,
        sha256=export.sha256,
        resource_type="export",
        resource_id=export.id,
    )


def _own(export: DataExport, actor: Actor) -> DataExport:
    """Raises ExportNotFound."""
    if export.created_by != actor.person:
        raise ExportNotFound("There is no such export.")
    return export
