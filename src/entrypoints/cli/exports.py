"""``proffer export``: quotes, their lines, customers and products into files."""

from datetime import date
from pathlib import Path
from typing import Annotated
from uuid import UUID

from cyclopts import Parameter

from src.application.documents.export_data import ExportData, ExportDataCommand
from src.application.documents.export_sources import ExportRequest
from src.domain.customers.customer import CustomerStatus
from src.domain.documents.export import FORMATS, ExportFilters, ExportKind
from src.domain.quoting.states import QuoteStatus
from src.domain.shared.ids import CustomerId, UserId
from src.entrypoints.cli.files import format_of, written_whole
from src.entrypoints.cli.output import ExportBar, progress
from src.entrypoints.cli.session import As, Organization, session_of

File = Annotated[Path, Parameter(help="Where to write; .xlsx, .csv or .jsonl decides the format.")]
StartDate = Annotated[date | None, Parameter(help="First day of creation, YYYY-MM-DD.")]
EndDate = Annotated[date | None, Parameter(help="Last day of creation, included.")]
Force = Annotated[bool, Parameter(help="Write over a file that is there.", negative="")]
Status = Annotated[
    list[QuoteStatus],
    Parameter(name="--status", help="Only quotes in this state; may be given several times.", negative=""),
]
Customer = Annotated[UUID | None, Parameter(name="--customer", help="Only of the customer with this id.")]
Owner = Annotated[UUID | None, Parameter(name="--owner", help="Only of the salesperson with this id.")]


async def quotes(
    file: File,
    *,
    user: As,
    organization: Organization = None,
    start_date: StartDate = None,
    end_date: EndDate = None,
    status: Status = [],  # noqa: B006 — cyclopts reads the default; nobody changes it.
    customer: Customer = None,
    owner: Owner = None,
    force: Force = False,
) -> int:
    """Export quotes with their totals.

    Example: proffer export quotes offers.xlsx --as sales@nordlicht.example --start-date 2026-01-01
    """
    filters = _of_quotes(start_date, end_date, status, customer, owner)
    return await export_to(file, ExportKind.QUOTES, filters, "quotes", user, organization, force=force)


async def lines(
    file: File,
    *,
    user: As,
    organization: Organization = None,
    start_date: StartDate = None,
    end_date: EndDate = None,
    status: Status = [],  # noqa: B006 — as above.
    customer: Customer = None,
    owner: Owner = None,
    force: Force = False,
) -> int:
    """Export the lines of quotes.

    Example: proffer export lines lines.csv --as sales@nordlicht.example --status sent
    """
    filters = _of_quotes(start_date, end_date, status, customer, owner)
    return await export_to(file, ExportKind.QUOTE_LINES, filters, "lines", user, organization, force=force)


async def summary(
    file: Annotated[Path, Parameter(help="Where to write; it ends in .pdf.")],
    *,
    user: As,
    organization: Organization = None,
    start_date: StartDate = None,
    end_date: EndDate = None,
    status: Status = [],  # noqa: B006 — as above.
    customer: Customer = None,
    owner: Owner = None,
    force: Force = False,
) -> int:
    """Write a report on quotes as PDF: by state, month, customer and owner, with the win rate.

    Example: proffer export summary year.pdf --as sales@nordlicht.example --start-date 2026-01-01
    """
    filters = _of_quotes(start_date, end_date, status, customer, owner)
    return await export_to(file, ExportKind.SUMMARY, filters, "quotes", user, organization, force=force)


async def customers(
    file: File,
    *,
    user: As,
    organization: Organization = None,
    start_date: StartDate = None,
    end_date: EndDate = None,
    status: Annotated[
        list[CustomerStatus],
        Parameter(name="--status", help="Only customers in this state; may be given several times.", negative=""),
    ] = [],  # noqa: B006 — as above.
    force: Force = False,
) -> int:
    """Export customers.

    Example: proffer export customers customers.xlsx --as sales@nordlicht.example
    """
    filters = ExportFilters(start=start_date, end=end_date, statuses=tuple(status))
    return await export_to(file, ExportKind.CUSTOMERS, filters, "customers", user, organization, force=force)


async def products(
    file: File,
    *,
    user: As,
    organization: Organization = None,
    start_date: StartDate = None,
    end_date: EndDate = None,
    archived: Annotated[bool | None, Parameter(help="Only archived ones, or only those that are not.")] = None,
    force: Force = False,
) -> int:
    """Export products.

    Example: proffer export products products.jsonl --as owner@nordlicht.example --no-archived
    """
    filters = ExportFilters(start=start_date, end=end_date, archived=archived)
    return await export_to(file, ExportKind.PRODUCTS, filters, "products", user, organization, force=force)


def _of_quotes(
    start: date | None, end: date | None, statuses: list[QuoteStatus], customer: UUID | None, owner: UUID | None
) -> ExportFilters:
    return ExportFilters(
        start=start,
        end=end,
        statuses=tuple(statuses),
        customer_id=None if customer is None else CustomerId(customer),
        owner_id=None if owner is None else UserId(owner),
    )


async def export_to(
    file: Path, kind: ExportKind, filters: ExportFilters, what: str, user: str, organization: str | None, *, force: bool
) -> int:
    """Straight into *file*, however many rows there are: nobody waits for this machine but who asked it."""
    request = ExportRequest(kind=kind, file_format=format_of(file, FORMATS[kind], force=force), filters=filters)
    async with session_of(user, organization) as session, written_whole(file) as path:
        export = await session.get(ExportData)
        with progress() as bar:
            command = ExportDataCommand(request=request, path=path)
            written = await export(session.actor, command, ExportBar(bar, f"Exporting {what}"))
    print(f"{written.rows} {what} written to {file}.")
    return 0
