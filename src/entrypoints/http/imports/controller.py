"""Imports over HTTP: a file in, a job that brings its rows in, and how far it has got."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from dishka.integrations.litestar import FromDishka
from litestar import Controller, Request, get, post
from litestar.params import FromPath, QueryParameter
from litestar.status_codes import HTTP_202_ACCEPTED
from msgspec import Struct

from src.application.catalog.import_catalog import GetImport, ListImports, StartImport, StartImportCommand
from src.domain.documents.catalog_import import CatalogImport, ImportKind, ImportMode, RowError
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.errors import invalid_field
from src.domain.shared.ids import ImportId
from src.entrypoints.http.paging import Cursor, Limit, PageResponse, Skip, paging_of

Kind = Annotated[ImportKind, QueryParameter(name="kind", description="What the rows are.")]
Mode = Annotated[ImportMode, QueryParameter(name="mode", description="Whether one bad row keeps all others out.")]
DryRun = Annotated[bool, QueryParameter(name="dry_run", description="Check every row and store none.")]
FileName = Annotated[str, QueryParameter(name="file_name", max_length=200, description="What you call the file.")]


class RowErrorSchema(Struct, frozen=True):
    """*row* is what a spreadsheet shows beside it; null: the file itself."""

    row: int | None
    column: str
    message: str

    @classmethod
    def of(cls, error: RowError) -> Self:
        return cls(row=error.row, column=error.column, message=error.message)


class ImportResponse(Struct, frozen=True):
    """*created*, *updated* and *skipped* count; of the errors the first thousand are told."""

    id: UUID
    kind: str
    mode: str
    dry_run: bool
    file_name: str
    sha256: str
    status: str
    last_row: int
    created: int
    updated: int
    skipped: int
    errors: list[RowErrorSchema]
    created_at: datetime
    version: int

    @classmethod
    def of(cls, one: CatalogImport) -> Self:
        return cls(
            id=one.id,
            kind=one.kind.value,
            mode=one.mode.value,
            dry_run=one.dry_run,
            file_name=one.file_name,
            sha256=one.sha256,
            status=one.status.value,
            last_row=one.last_row,
            created=one.created,
            updated=one.updated,
            skipped=one.skipped,
            errors=[RowErrorSchema.of(error) for error in one.errors],
            created_at=one.created_at,
            version=one.version,
        )


class ImportController(Controller):
    path = "/api/v1/imports"
    tags = ("imports",)

    @get(permission=Permission.VIEW_PRODUCTS)
    async def list_imports(
        self,
        actor: FromDishka[Actor],
        list_imports: FromDishka[ListImports],
        skip: Skip = 0,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> PageResponse[ImportResponse]:
        """Imports, newest first."""
        paging = paging_of(skip, limit, cursor)
        return PageResponse.of(await list_imports(actor, paging), paging, ImportResponse.of)

    @post(status_code=HTTP_202_ACCEPTED, permission=Permission.RUN_IMPORTS)
    async def start_import(
        self,
        request: Request[Any, Any, Any],
        actor: FromDishka[Actor],
        start_import: FromDishka[StartImport],
        kind: Kind,
        mode: Mode = ImportMode.ALL_OR_NOTHING,
        dry_run: DryRun = False,
        file_name: FileName = "upload",
    ) -> ImportResponse:
        """Import products, prices or exchange rates; the body is the CSV or XLSX file itself, up to 10 MB.

        A job brings the rows in; `GET /imports/{id}` says how far it has got. The same file again, while it has not
        ended, is the same import.
        """
        content = await request.body()
        if not content:
            raise invalid_field("body", "Send the file as the body, with Content-Type text/csv or that of XLSX.")
        command = StartImportCommand(kind=kind, file_name=file_name, content=content, mode=mode, dry_run=dry_run)
        return ImportResponse.of(await start_import(actor, command))

    @get("/{import_id:uuid}", permission=Permission.VIEW_PRODUCTS)
    async def get_import(
        self, import_id: FromPath[UUID], actor: FromDishka[Actor], get_import: FromDishka[GetImport]
    ) -> ImportResponse:
        """One import, with what was wrong with its rows."""
        return ImportResponse.of(await get_import(actor, ImportId(import_id)))
