"""Exports over HTTP: quotes, their lines, customers and products as files."""

import shutil
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated, Final

from dishka.integrations.litestar import FromDishka
from litestar import Controller, get
from litestar.background_tasks import BackgroundTask
from litestar.params import QueryParameter
from litestar.response import File

from src.application.documents.export_data import (
    ExportCustomers,
    ExportCustomersCommand,
    ExportProducts,
    ExportProductsCommand,
    ExportQuoteLines,
    ExportQuotes,
    ExportQuotesCommand,
    Target,
)
from src.application.ports.clock import Clock
from src.application.ports.documents import SpreadsheetFormat
from src.domain.customers.customer import CustomerStatus
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.ids import CustomerId, UserId
from src.entrypoints.http.quotes.parameters import CustomerParameter, OwnerParameter, Statuses

MEDIA_TYPES: Final = {
    SpreadsheetFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    SpreadsheetFormat.CSV: "text/csv",
    SpreadsheetFormat.JSON_LINES: "application/jsonl",
}

StartDate = Annotated[date | None, QueryParameter(name="start_date", description="First day of creation, included.")]
EndDate = Annotated[date | None, QueryParameter(name="end_date", description="Last day of creation, included.")]
Format = Annotated[SpreadsheetFormat, QueryParameter(name="format")]
CustomerStatuses = Annotated[
    list[CustomerStatus] | None,
    QueryParameter(name="status", description="Only these states; may be given several times."),
]
Archived = Annotated[bool | None, QueryParameter(name="archived", description="Both when absent.")]
_XLSX: Final = MEDIA_TYPES[SpreadsheetFormat.XLSX]


class ExportController(Controller):
    """Days are those of the organisation's time zone; 404 `nothing_to_export` when nothing meets the conditions."""

    path = "/api/v1"
    tags = ("exports",)

    @get("/quotes/export", media_type=_XLSX, permission=Permission.EXPORT_QUOTES)
    async def export_quotes(
        self,
        actor: FromDishka[Actor],
        export: FromDishka[ExportQuotes],
        clock: FromDishka[Clock],
        format: Format = SpreadsheetFormat.XLSX,  # noqa: A002 — the name of the query parameter.
        start_date: StartDate = None,
        end_date: EndDate = None,
        status: Statuses = None,
        customer_id: CustomerParameter = None,
        owner_id: OwnerParameter = None,
    ) -> File:
        """Quotes with their totals as XLSX, CSV or JSON Lines; 404 when there are none."""
        target_of = _target(format, start_date, end_date)
        return await export_file(
            "quotes",
            format,
            clock,
            lambda path: export(
                actor,
                _of_quotes(target_of(path), status, customer_id, owner_id),
            ),
        )

    @get("/quotes/lines/export", media_type=_XLSX, permission=Permission.EXPORT_QUOTES)
    async def export_lines(
        self,
        actor: FromDishka[Actor],
        export: FromDishka[ExportQuoteLines],
        clock: FromDishka[Clock],
        format: Format = SpreadsheetFormat.XLSX,  # noqa: A002 — as above.
        start_date: StartDate = None,
        end_date: EndDate = None,
        status: Statuses = None,
        customer_id: CustomerParameter = None,
        owner_id: OwnerParameter = None,
    ) -> File:
        """The lines of the quotes' current revisions, with costs for those who may see them; 404 when there are none."""
        target_of = _target(format, start_date, end_date)
        return await export_file(
            "quote-lines",
            format,
            clock,
            lambda path: export(
                actor,
                _of_quotes(target_of(path), status, customer_id, owner_id),
            ),
        )

    @get("/customers/export", media_type=_XLSX, permission=Permission.EXPORT_CUSTOMERS)
    async def export_customers(
        self,
        actor: FromDishka[Actor],
        export: FromDishka[ExportCustomers],
        clock: FromDishka[Clock],
        format: Format = SpreadsheetFormat.XLSX,  # noqa: A002 — as above.
        start_date: StartDate = None,
        end_date: EndDate = None,
        status: CustomerStatuses = None,
    ) -> File:
        """Customers that are not deleted; 404 when there are none."""
        target_of = _target(format, start_date, end_date)
        return await export_file(
            "customers",
            format,
            clock,
            lambda path: export(actor, ExportCustomersCommand(target=target_of(path), statuses=tuple(status or ()))),
        )

    @get("/products/export", media_type=_XLSX, permission=Permission.EXPORT_PRODUCTS)
    async def export_products(
        self,
        actor: FromDishka[Actor],
        export: FromDishka[ExportProducts],
        clock: FromDishka[Clock],
        format: Format = SpreadsheetFormat.XLSX,  # noqa: A002 — as above.
        start_date: StartDate = None,
        end_date: EndDate = None,
        archived: Archived = None,
    ) -> File:
        """Products, with costs for those who may see them; 404 when there are none."""
        target_of = _target(format, start_date, end_date)
        return await export_file(
            "products",
            format,
            clock,
            lambda path: export(actor, ExportProductsCommand(target=target_of(path), archived=archived)),
        )


def _of_quotes(
    target: Target, status: Statuses, customer_id: CustomerParameter, owner_id: OwnerParameter
) -> ExportQuotesCommand:
    return ExportQuotesCommand(
        target=target,
        statuses=tuple(status or ()),
        customer_id=None if customer_id is None else CustomerId(customer_id),
        owner_id=None if owner_id is None else UserId(owner_id),
    )


def _target(file_format: SpreadsheetFormat, start: date | None, end: date | None) -> Callable[[Path], Target]:
    return lambda path: Target(path=path, file_format=file_format, start=start, end=end)


async def export_file(
    name: str, file_format: SpreadsheetFormat, clock: Clock, write: Callable[[Path], Awaitable[int]]
) -> File:
    """What *write* writes, under a name with the moment in UTC; the file goes when it has been sent."""
    folder = Path(mkdtemp(prefix="proffer-export-"))
    path = folder / name
    try:
        await write(path)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return File(
        path=path,
        filename=f"{name}-{clock.now():%Y%m%d-%H%M%S}.{file_format.value}",
        media_type=MEDIA_TYPES[file_format],
        content_disposition_type="attachment",
        background=BackgroundTask(shutil.rmtree, folder, ignore_errors=True),
    )
