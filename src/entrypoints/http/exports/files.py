"""Small exports, written while the client waits."""

import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from litestar.background_tasks import BackgroundTask
from litestar.response import File

from src.application.documents.export_data import ExportData, ExportDataCommand
from src.application.documents.export_sources import ExportRequest
from src.application.documents.exports import MEDIA_TYPES
from src.domain.documents.export import ExportFormat
from src.domain.identity.actor import Actor
from src.entrypoints.settings import Settings

XLSX: Final = MEDIA_TYPES[ExportFormat.XLSX]
JSON_LINES: Final = MEDIA_TYPES[ExportFormat.JSON_LINES]
PDF: Final = MEDIA_TYPES[ExportFormat.PDF]


async def exported(export: ExportData, settings: Settings, actor: Actor, request: ExportRequest) -> File:
    """The file, which goes when it has been sent; no transaction waits for that. Raises ExportTooLarge, NothingToExport."""
    folder = Path(mkdtemp(prefix="proffer-export-"))
    path = folder / "file"
    try:
        command = ExportDataCommand(request=request, path=path, most_rows=settings.export_rows_at_once)
        written = await export(actor, command)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return File(
        path=path,
        filename=written.file_name,
        media_type=MEDIA_TYPES[request.file_format],
        content_disposition_type="attachment",
        background=BackgroundTask(shutil.rmtree, folder, ignore_errors=True),
    )
