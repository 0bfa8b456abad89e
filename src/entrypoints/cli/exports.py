"""``proffer export``: quotes, their lines, customers and products into files."""

from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from src.application.documents.export_data import ExportData, ExportDataCommand
from src.application.documents.export_sources import ExportRequest
from src.domain.customers.customer import CustomerStatus
from src.domain.documents.export import FORMATS, ExportFilters, ExportKind
from src.domain.quoting.states import QuoteStatus
from src.entrypoints.cli.files import format_of, written_whole
from src.entrypoints.cli.naming import customer_of, user_of
from src.entrypoints.cli.output import ExportBar, counted, progress
from src.entrypoints.cli.session import As, CliSession, Organization, session_of

File = Annotated[Path, Parameter(help="Where to write; .xlsx, .csv or .jsonl decides the format.")]
StartDate = Annotated[date | None, Parameter(help="First day of creation, YYYY-MM-DD.")]
EndDate = Annotated[date | None, Parameter(help="Last day of creation, included.")]
Force = Annotated[bool, Parameter(help="Write over a file that is there.", negative="")]
Status = Annotated[
    list[QuoteStatus],
    Parameter(name="--status", help="Only quotes in this state; may be given several times.", negative=""),
]
Customer = Annotated[str, Parameter(name="--customer", help="Only of this customer: part of its name, or its id.")]
Owner = Annotated[str, Parameter(name="--owner", help="Only of this salesperson: e-mail or id.")]
Filters = Callable[[CliSession], Awaitable[ExportFilters]]


async def quotes(
    file: File,
    *,
    user: As,
    organization: Organization = None,
    start_date: StartDate = None,
    end_date: EndDate = None,
    status: Status = [],  # noqa: B006 — cyclopts reads the default; nobody changes it.
    customer: Customer = "",
    owner: Owner = "",
    force: Force = False,
) -> int:
    """Export quotes with their totals.

    Example: proffer export quotes offers.xlsx --as sales@nordlicht.example --start-date 2026-01-01
    """
    filters = _of_quotes(start_date, end_date, status, customer, owner)
    return await export_to(file, ExportKind.QUOTES, filters, "quote", user, organization, force=force)


async def lines(
    file: File,
    *,
    user: As,
    organization: Organization = None,
    start_date: StartDate = None,
    end_date: EndDate = None,
    status: Status = [],  # noqa: B006 — as above.
    customer: Customer = "",
    owner: Owner = "",
    force: Force = False,
) -> int:
    """Export the lines of quotes.

    Example: proffer export lines lines.csv --as sales@nordlicht.example --status sent
    """
    filters = _of_quotes(start_date, end_date, status, customer, owner)
    return await export_to(file, ExportKind.QUOTE_LINES, filters, "line", user, organization, force=force)


async def summary(
    file: Annotated[Path, Parameter(help="Where to write; it ends in .pdf.")],
    *,
    user: As,
    organization: Organization = None,
    start_date: StartDate = None,
    end_date: EndDate = None,
    status: Status = [],  # noqa: B006 — as above.
    customer: Customer = "",
    owner: Owner = "",
    force: Force = False,
) -> int:
    """Write a report on quotes as PDF: by state, month, customer and owner, with the win rate.

    Example: proffer export summary year.pdf --as sales@nordlicht.example --start-date 2026-01-01
    """
    filters = _of_quotes(start_date, end_date, status, customer, owner)
    return await export_to(file, ExportKind.SUMMARY, filters, "quote", user, organization, force=force)


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
    filters = _settled(ExportFilters(start=start_date, end=end_date, statuses=tuple(status)))
    return await export_to(file, ExportKind.CUSTOMERS, filters, "customer", user, organization, force=force)


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
    filters = _settled(ExportFilters(start=start_date, end=end_date, archived=archived))
    return await export_to(file, ExportKind.PRODUCTS, filters, "product", user, organization, force=force)


def _of_quotes(start: date | None, end: date | None, statuses: list[QuoteStatus], customer: str, owner: str) -> Filters:
    async def found(session: CliSession) -> ExportFilters:
        return ExportFilters(
            start=start,
            end=end,
            statuses=tuple(statuses),
            customer_id=await customer_of(session, customer) if customer else None,
            owner_id=(await user_of(session, owner)).id if owner else None,
        )

    return found


def _settled(filters: ExportFilters) -> Filters:
    async def found(_: CliSession) -> ExportFilters:
        return filters

    return found


async def export_to(
    file: Path,
    kind: ExportKind,
    filters: Filters,
    what: str,
    user: str,
    organization: str | None,
    *,
    force: bool,
    plural: str = "",
) -> int:
    """Straight into *file*, however many rows there are: nobody waits for this machine but who asked it."""
    file_format = format_of(file, FORMATS[kind], force=force)
    async with session_of(user, organization) as session, written_whole(file) as path:
        request = ExportRequest(kind=kind, file_format=file_format, filters=await filters(session))
        export = await session.get(ExportData)
        with progress() as bar:
            command = ExportDataCommand(request=request, path=path)
            written = await export(session.actor, command, ExportBar(bar, f"Exporting {plural or what + 's'}"))
    print(f"{counted(written.rows, what, plural)} written to {file}.")
    return 0
