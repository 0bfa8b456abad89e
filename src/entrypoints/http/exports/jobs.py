"""Large exports over HTTP: a job writes the file, a signed link opens it."""

from typing import Annotated
from uuid import UUID

from dishka.integrations.litestar import FromDishka
from litestar import Controller, get, post
from litestar.params import Body, FromPath
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED

from src.application.documents.exports import CancelExport, GetExport, ListExports, MakeExportLink, RequestExport
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.ids import ExportId
from src.entrypoints.http.exports.schemas import CreateExportRequest, ExportLinkResponse, ExportResponse
from src.entrypoints.http.paging import Cursor, Limit, PageResponse, Skip, paging_of
from src.entrypoints.settings import Settings


class ExportJobController(Controller):
    """Each export is its person's alone: for all others it is not there."""

    path = "/api/v1/exports"
    tags = ("exports",)

    @post(status_code=HTTP_202_ACCEPTED, permission=Permission.RUN_EXPORTS)
    async def request_export(
        self,
        data: Annotated[CreateExportRequest, Body()],
        actor: FromDishka[Actor],
        request_export: FromDishka[RequestExport],
    ) -> ExportResponse:
        """Have a job write an export of any size; its kind needs the permission to export that. 409 `too_many_exports` while
        five of yours are being prepared.

        The rights that count are those that you have when it is written, and when it is fetched.
        """
        return ExportResponse.of(await request_export(actor, data.request()))

    @get(permission=Permission.RUN_EXPORTS)
    async def list_exports(
        self,
        actor: FromDishka[Actor],
        list_exports: FromDishka[ListExports],
        skip: Skip = 0,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> PageResponse[ExportResponse]:
        """Your exports, newest first."""
        paging = paging_of(skip, limit, cursor)
        return PageResponse.of(await list_exports(actor, paging), paging, ExportResponse.of)

    @get("/{export_id:uuid}", permission=Permission.RUN_EXPORTS)
    async def get_export(
        self, export_id: FromPath[UUID], actor: FromDishka[Actor], get_export: FromDishka[GetExport]
    ) -> ExportResponse:
        """One of your exports."""
        return ExportResponse.of(await get_export(actor, ExportId(export_id)))

    @post("/{export_id:uuid}/link", status_code=HTTP_200_OK, permission=Permission.RUN_EXPORTS)
    async def make_link(
        self,
        export_id: FromPath[UUID],
        actor: FromDishka[Actor],
        make_link: FromDishka[MakeExportLink],
        settings: FromDishka[Settings],
    ) -> ExportLinkResponse:
        """A link that opens the file without a login, for 15 minutes; 409 `export_state_conflict` while there is no file."""
        link = await make_link(actor, ExportId(export_id))
        url = f"{settings.public_url}/api/v1/downloads/{link.token}"
        return ExportLinkResponse(url=url, expires_at=link.expires_at)

    @post("/{export_id:uuid}/cancel", status_code=HTTP_200_OK, permission=Permission.RUN_EXPORTS)
    async def cancel_export(
        self, export_id: FromPath[UUID], actor: FromDishka[Actor], cancel_export: FromDishka[CancelExport]
    ) -> ExportResponse:
        """Give an export up that is being prepared."""
        return ExportResponse.of(await cancel_export(actor, ExportId(export_id)))
