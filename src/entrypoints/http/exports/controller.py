"""Exports over HTTP: quotes, their lines, customers and products as files."""

from datetime import date
from typing import Annotated
from uuid import UUID

from dishka.integrations.litestar import FromDishka
from litestar import Controller, get
from litestar.params import QueryParameter
from litestar.response import File

from src.application.documents.export_sources import ExportRequest
from src.domain.customers.customer import CustomerStatus
from src.domain.documents.export import ExportFilters, ExportFormat, ExportKind
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.ids import CustomerId, UserId
from src.entrypoints.http.exports.files import PDF, XLSX, SheetFormat, SmallExports
from src.entrypoints.http.quotes.parameters import CustomerParameter, OwnerParameter, Statuses

StartDate = Annotated[date | None, QueryParameter(name="start_date", description="First day of creation, included.")]
EndDate = Annotated[date | None, QueryParameter(name="end_date", description="Last day of creation, included.")]
Format = Annotated[SheetFormat, QueryParameter(name="format")]
CustomerStatuses = Annotated[
    list[CustomerStatus] | None,
    QueryParameter(name="status", description="Only these states; may be given several times."),
]
Archived = Annotated[bool | None, QueryParameter(name="archived", description="Both when absent.")]


class ExportController(Controller):
    """Days are those of the organisation's time zone; 404 `nothing_to_export` when nothing meets the conditions.

    422 `export_too_large` for more rows than are written at once: `POST /exports` has a job write them.
    """

    path = "/api/v1"
    tags = ("exports",)

    @get("/quotes/export", media_type=XLSX, permission=Permission.EXPORT_QUOTES)
    async def export_quotes(
        self,
        actor: FromDishka[Actor],
        exported: FromDishka[SmallExports],
        format: Format = "xlsx",  # noqa: A002 — the name of the query parameter.
        start_date: StartDate = None,
        end_date: EndDate = None,
        status: Statuses = None,
        customer_id: CustomerParameter = None,
        owner_id: OwnerParameter = None,
    ) -> File:
        """Quotes with their totals as XLSX, CSV or JSON Lines; 404 when there are none."""
        filters = _of_quotes(start_date, end_date, status, customer_id, owner_id)
        request = ExportRequest(kind=ExportKind.QUOTES, file_format=ExportFormat(format), filters=filters)
        return await exported(actor, request)

    @get("/quotes/lines/export", media_type=XLSX, permission=Permission.EXPORT_QUOTES)
    async def export_lines(
        self,
        actor: FromDishka[Actor],
        exported: FromDishka[SmallExports],
        format: Format = "xlsx",  # noqa: A002 — as above.
        start_date: StartDate = None,
        end_date: EndDate = None,
        status: Statuses = None,
        customer_id: CustomerParameter = None,
        owner_id: OwnerParameter = None,
    ) -> File:
        """The lines of the quotes' current revisions, with costs for those who may see them; 404 when there are none."""
        filters = _of_quotes(start_date, end_date, status, customer_id, owner_id)
        request = ExportRequest(kind=ExportKind.QUOTE_LINES, file_format=ExportFormat(format), filters=filters)
        return await exported(actor, request)

    @get("/quotes/summary/export", media_type=PDF, permission=Permission.EXPORT_QUOTES)
    async def export_summary(
        self,
        actor: FromDishka[Actor],
        exported: FromDishka[SmallExports],
        start_date: StartDate = None,
        end_date: EndDate = None,
        status: Statuses = None,
        customer_id: CustomerParameter = None,
        owner_id: OwnerParameter = None,
    ) -> File:
        """A report on quotes as PDF: by state, month, customer and owner, with the win rate; 404 when there are none.

        Needs `reports.view` too.
        """
        filters = _of_quotes(start_date, end_date, status, customer_id, owner_id)
        request = ExportRequest(kind=ExportKind.SUMMARY, file_format=ExportFormat.PDF, filters=filters)
        return await exported(actor, request)

    @get("/customers/export", media_type=XLSX, permission=Permission.EXPORT_CUSTOMERS)
    async def export_customers(
        self,
        actor: FromDishka[Actor],
        exported: FromDishka[SmallExports],
        format: Format = "xlsx",  # noqa: A002 — as above.
        start_date: StartDate = None,
        end_date: EndDate = None,
        status: CustomerStatuses = None,
    ) -> File:
        """Customers that are not deleted; 404 when there are none."""
        filters = ExportFilters(start=start_date, end=end_date, statuses=tuple(status or ()))
        request = ExportRequest(kind=ExportKind.CUSTOMERS, file_format=ExportFormat(format), filters=filters)
        return await exported(actor, request)

    @get("/products/export", media_type=XLSX, permission=Permission.EXPORT_PRODUCTS)
    async def export_products(
        self,
        actor: FromDishka[Actor],
        exported: FromDishka[SmallExports],
        format: Format = "xlsx",  # noqa: A002 — as above.
        start_date: StartDate = None,
        end_date: EndDate = None,
        archived: Archived = None,
    ) -> File:
        """Products, with costs for those who may see them; 404 when there are none."""
        filters = ExportFilters(start=start_date, end=end_date, archived=archived)
        request = ExportRequest(kind=ExportKind.PRODUCTS, file_format=ExportFormat(format), filters=filters)
        return await exported(actor, request)


def _of_quotes(
    start: date | None, end: date | None, status: Statuses, customer_id: UUID | None, owner_id: UUID | None
) -> ExportFilters:
    return ExportFilters(
        start=start,
        end=end,
        statuses=tuple(status or ()),
        customer_id=None if customer_id is None else CustomerId(customer_id),
        owner_id=None if owner_id is None else UserId(owner_id),
    )
