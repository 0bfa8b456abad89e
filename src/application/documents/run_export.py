"""The job that makes an export's file."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from src.application.documents.export_sources import ExportRequest, NobodyAsks, Progress
from src.application.documents.export_writer import ExportWriter, WrittenExport
from src.application.documents.exports import MEDIA_TYPES
from src.application.documents.requesters import actor_now
from src.application.ports.clock import Clock, IdFactory
from src.application.ports.documents import NothingToExport
from src.application.ports.scratch import ScratchFiles
from src.application.ports.storage import ObjectStorage
from src.application.ports.unit_of_work import UnitOfWork
from src.application.transactions import Transactions
from src.domain.documents.export import DataExport, ExportState, StoredFile
from src.domain.identity.actor import Actor, Origin, Permission
from src.domain.shared.errors import Forbidden, Invalid
from src.domain.shared.ids import ExportId
from src.domain.shared.storage_keys import export_key

_LONGEST_MESSAGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class RunExportCommand:
    export_id: ExportId


class RunExport:
    """Write the file in the name of whoever asked, with the rights that they have now, and keep it.

    It may be run again at any time: each attempt keeps a file of its own, and the first that ends counts. Nothing is
    written while a row of the export is locked. Raises ExportNotFound, and whatever may go better the next time: an export
    whose attempts have all failed is settled by what follows a failed job, see ``ClearUpAfterJob``.
    """

    def __init__(
        self,
        writer: ExportWriter,
        transactions: Transactions,
        storage: ObjectStorage,
        scratch: ScratchFiles,
        clock: Clock,
        ids: IdFactory,
    ) -> None:
        self._writer, self._transactions = writer, transactions
        self._storage, self._scratch = storage, scratch
        self._clock, self._ids = clock, ids

    async def __call__(self, actor: Actor, command: RunExportCommand, progress: Progress | None = None) -> None:
        try:
            await self._make(actor, command.export_id, progress or NobodyAsks())
        except NothingToExport as error:
            await self._end(actor, command.export_id, ExportState.EMPTY, error.message)
        except (Forbidden, Invalid) as error:  # Another attempt would end alike.
            await self._end(actor, command.export_id, ExportState.FAILED, error.message)

    async def _make(self, actor: Actor, export_id: ExportId, progress: Progress) -> None:
        async with self._transactions.begin(actor, Permission.RUN_EXPORTS) as uow:
            export = await uow.exports.get(export_id)
            if not export.is_preparing:
                return
            person = await self._requester(uow, export, actor.origin)
        request = ExportRequest(kind=export.kind, file_format=export.file_format, filters=export.filters)
        async with self._scratch.open() as path:
            written = await self._writer.write(person, request, path, progress)
            file = await self._store(actor, export, path)
        await self._finish(actor, export_id, written, file)

    async def _store(self, actor: Actor, export: DataExport, path: Path) -> StoredFile:
        """Under a key that no other attempt has."""
        key = export_key(actor.organization_id, export.id, self._ids.new())
        digest = sha256()

        async def pieces() -> AsyncIterator[bytes]:
            async for piece in self._scratch.read(path):
                digest.update(piece)
                yield piece

        size = await self._storage.put_stream(key, pieces(), content_type=MEDIA_TYPES[export.file_format])
        return StoredFile(storage_key=key, size=size, sha256=digest.hexdigest())

    async def _finish(self, actor: Actor, export_id: ExportId, written: WrittenExport, file: StoredFile) -> None:
        """Raises Forbidden when whoever asked has lost the right meanwhile."""
        async with self._transactions.begin(actor, Permission.RUN_EXPORTS) as uow:
            export = await uow.exports.lock(export_id)
            if export.is_preparing:
                change = export.made(
                    rows=written.rows,
                    file=file,
                    with_costs=written.with_costs,
                    file_name=written.file_name,
                    at=self._clock.now(),
                )
                person = await self._requester(uow, export, actor.origin)
                for permission in change.after.needed:
                    person.require(permission)
                await uow.exports.save(change)
                await uow.commit()
                return
        await self._storage.delete(file.storage_key)

    async def _end(self, actor: Actor, export_id: ExportId, state: ExportState, message: str) -> None:
        async with self._transactions.begin(actor, Permission.RUN_EXPORTS) as uow:
            export = await uow.exports.lock(export_id)
            if export.is_preparing:
                told = message.replace("\0", "\ufffd")[:_LONGEST_MESSAGE]
                await uow.exports.save(export.ended(state, message=told, at=self._clock.now()))
                await uow.commit()

    async def _requester(self, uow: UnitOfWork, export: DataExport, origin: Origin) -> Actor:
        """Whoever asked, as they are now. Raises RequesterGone."""
        return await actor_now(uow, export.created_by, export.api_key_id, origin, self._clock.now())
