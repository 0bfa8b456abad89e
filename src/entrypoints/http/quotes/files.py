"""Files about quotes over HTTP: the PDF and the export."""

from datetime import date
from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated
from uuid import UUID

from dishka.integrations.litestar import FromDishka
from litestar import Controller, Response, get
from litestar.background_tasks import BackgroundTask
from litestar.params import FromPath, QueryParameter
from litestar.response import File

from src.application.documents.get_quote_document import GetQuoteDocument
from src.application.ports.clock import Clock
from src.application.ports.documents import SpreadsheetFormat
from src.application.quoting.export_quotes import ExportQuotes, ExportQuotesCommand
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.ids import QuoteId
from src.entrypoints.http.quotes.parameters import Statuses

MEDIA_TYPES = {
    SpreadsheetFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    SpreadsheetFormat.CSV: "text/csv",
    SpreadsheetFormat.JSON_LINES: "application/jsonl",
}

StartDate = Annotated[date | None, QueryParameter(name="start_date", description="First day of creation, included.")]
EndDate = Annotated[date | None, QueryParameter(name="end_date", description="Last day of creation, included.")]
Revision = Annotated[int | None, QueryParameter(name="revision", ge=1, description="The current one when absent.")]
Format = Annotated[SpreadsheetFormat, QueryParameter(name="format")]


class QuoteFileController(Controller):
    path = "/api/v1/quotes"
    tags = ("quotes",)

    @get("/export", media_type=MEDIA_TYPES[SpreadsheetFormat.XLSX], permission=Permission.EXPORT_QUOTES)
    async def export(
        self,
        actor: FromDishka[Actor],
        export_quotes: FromDishka[ExportQuotes],
        clock: FromDishka[Clock],
        format: Format = SpreadsheetFormat.XLSX,  # noqa: A002 — the name of the query parameter.
        start_date: StartDate = None,
        end_date: EndDate = None,
        status: Statuses = None,
    ) -> File:
        """Quotes as XLSX, CSV or JSON Lines, by days of creation in the organisation's time zone; 404 when there are none."""
        folder = Path(mkdtemp(prefix="proffer-export-"))
        path = folder / "quotes"
        command = ExportQuotesCommand(
            path=path, file_format=format, start=start_date, end=end_date, statuses=tuple(status or ())
        )
        try:
            await export_quotes(actor, command)
        except BaseException:
            remove_folder(folder)
            raise
        return File(
            path=path,
            filename=f"quotes-{clock.now():%Y%m%d-%H%M%S}.{format.value}",
            media_type=MEDIA_TYPES[format],
            content_disposition_type="attachment",
            background=BackgroundTask(remove_folder, folder),
        )

    @get("/{quote_id:uuid}/pdf", media_type="application/pdf", permission=Permission.VIEW_QUOTES)
    async def pdf(
        self,
        quote_id: FromPath[UUID],
        actor: FromDishka[Actor],
        get_document: FromDishka[GetQuoteDocument],
        revision: Revision = None,
    ) -> Response[bytes]:
        """The PDF of a sent revision, exactly as it went to the buyer."""
        file = await get_document(actor, QuoteId(quote_id), revision)
        headers = {
            "Content-Disposition": f'attachment; filename="{file.file_name}"',
            "ETag": f'"{file.document.sha256}"',
        }
        return Response(file.content, media_type="application/pdf", headers=headers)


def remove_folder(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
