"""Exports on the wire."""

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from msgspec import Meta, Struct

from src.application.documents.export_sources import ExportRequest
from src.domain.documents.export import DataExport, ExportFilters, ExportFormat, ExportKind
from src.domain.identity.actor import ActorKind
from src.domain.shared.ids import CustomerId, UserId
from src.entrypoints.schemas.instants import Instant, in_utc
from src.entrypoints.schemas.places import below

Text = Annotated[str, Meta(min_length=1, max_length=60)]


class FiltersSchema(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Those of the export's kind; all must hold.

    Every kind: *start_date*, *end_date* (days of creation in the organisation's time zone, both included). Quotes, lines and summary:
    *status*, *customer_id*, *owner_id*. Customers: *status*. Products: *archived*. Audit: all others; *since* is included,
    *before* is not.
    """

    start_date: date | None = None
    end_date: date | None = None
    status: Annotated[list[Text], Meta(max_length=20)] = []
    customer_id: UUID | None = None
    owner_id: UUID | None = None
    archived: bool | None = None
    action: Text | None = None
    resource_type: Text | None = None
    resource_id: UUID | None = None
    user_id: UUID | None = None
    actor_kind: ActorKind | None = None
    trace_id: Annotated[str, Meta(pattern="^[0-9a-f]{32}$")] | None = None
    since: Instant | None = None
    before: Instant | None = None

    @classmethod
    def of(cls, filters: ExportFilters) -> Self:
        return cls(
            start_date=filters.start,
            end_date=filters.end,
            status=list(filters.statuses),
            customer_id=filters.customer_id,
            owner_id=filters.owner_id,
            archived=filters.archived,
            action=filters.action,
            resource_type=filters.resource_type,
            resource_id=filters.resource_id,
            user_id=filters.user_id,
            actor_kind=filters.actor_kind,
            trace_id=filters.trace_id,
            since=filters.since,
            before=filters.before,
        )

    def filters(self) -> ExportFilters:
        return ExportFilters(
            start=self.start_date,
            end=self.end_date,
            statuses=tuple(self.status),
            customer_id=None if self.customer_id is None else CustomerId(self.customer_id),
            owner_id=None if self.owner_id is None else UserId(self.owner_id),
            archived=self.archived,
            action=self.action,
            resource_type=self.resource_type,
            resource_id=self.resource_id,
            user_id=None if self.user_id is None else UserId(self.user_id),
            actor_kind=self.actor_kind,
            trace_id=self.trace_id,
            since=in_utc(self.since),
            before=in_utc(self.before),
        )


class CreateExportRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """What is wanted. *format* null: xlsx, and pdf for a summary, which is nothing else."""

    kind: ExportKind
    format: ExportFormat | None = None
    filters: FiltersSchema | None = None

    def request(self) -> ExportRequest:
        """Raises Invalid."""
        filters = ExportFilters() if self.filters is None else self.filters.filters()
        usual = ExportFormat.PDF if self.kind is ExportKind.SUMMARY else ExportFormat.XLSX
        request = ExportRequest(kind=self.kind, file_format=self.format or usual, filters=filters)
        with below("filters"):
            request.check_filters()
        return request


class ExportResponse(Struct, frozen=True):
    """*state*: preparing, ready, empty (nothing met the conditions), failed, cancelled, expired (the file is gone).

    `GET /jobs/{job_id}` says how far it has got. *size* is in bytes; *file_name* has the moment in the organisation's time
    zone; *message* says why there is no file. The file is there until *expires_at*.
    """

    id: UUID
    job_id: UUID
    kind: str
    format: str
    filters: FiltersSchema
    state: str
    rows: int
    size: int
    sha256: str
    file_name: str
    message: str
    created_at: datetime
    ended_at: datetime | None
    expires_at: datetime | None

    @classmethod
    def of(cls, export: DataExport) -> Self:
        return cls(
            id=export.id,
            job_id=export.job_id,
            kind=export.kind.value,
            format=export.file_format.value,
            filters=FiltersSchema.of(export.filters),
            state=export.state.value,
            rows=export.rows,
            size=export.size,
            sha256=export.sha256,
            file_name=export.file_name,
            message=export.message,
            created_at=export.created_at,
            ended_at=export.ended_at,
            expires_at=export.expires_at,
        )


class ExportLinkResponse(Struct, frozen=True):
    """*url* opens the file until *expires_at*, whoever has it: 15 minutes, or until the file goes."""

    url: str
    expires_at: datetime
