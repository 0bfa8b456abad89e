"""Small exports, written while the client waits."""

from contextlib import AsyncExitStack
from typing import Final, Literal

from litestar.background_tasks import BackgroundTask
from litestar.response import File

from src.application.documents.export_data import ExportData, ExportDataCommand
from src.application.documents.export_sources import ExportRequest
from src.application.documents.exports import MEDIA_TYPES
from src.application.ports.scratch import ScratchFiles
from src.domain.documents.export import ExportFormat
from src.domain.identity.actor import Actor
from src.entrypoints.http.downloads.answers import content_disposition
from src.entrypoints.settings import Settings

XLSX: Final = MEDIA_TYPES[ExportFormat.XLSX]
JSON_LINES: Final = MEDIA_TYPES[ExportFormat.JSON_LINES]
PDF: Final = MEDIA_TYPES[ExportFormat.PDF]

# What the routes of spreadsheets take: words, so that a refusal names these and not the PDF of summaries.
SheetFormat = Literal["xlsx", "csv", "jsonl"]


class SmallExports:
    """The file, which goes when it has been sent; no transaction waits for that. Raises ExportTooLarge, NothingToExport."""

    def __init__(self, export: ExportData, scratch: ScratchFiles, settings: Settings) -> None:
        self._export, self._scratch, self._most_rows = export, scratch, settings.export_rows_at_once

    async def __call__(self, actor: Actor, request: ExportRequest) -> File:
        async with AsyncExitStack() as stack:
            path = await stack.enter_async_context(self._scratch.open())
            command = ExportDataCommand(request=request, path=path, most_rows=self._most_rows)
            written = await self._export(actor, command)
            sent = stack.pop_all()
        return File(
            path=path,
            media_type=MEDIA_TYPES[request.file_format],
            headers={"content-disposition": content_disposition(written.file_name)},
            background=BackgroundTask(sent.aclose),
        )
