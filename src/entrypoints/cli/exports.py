"""``proffer export``: quotes, their lines, customers and products into files."""

from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Annotated
from uuid import UUID

from cyclopts import Parameter

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
from src.domain.customers.customer import CustomerStatus
from src.domain.quoting.states import QuoteStatus
from src.domain.shared.ids import CustomerId, UserId
from src.entrypoints.cli.files import format_of, written_whole
from src.entrypoints.cli.output import progress
from src.entrypoints.cli.session import As, CliSession, Organization, session_of

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
Write = Callable[[CliSession, Target, Callable[[], None]], Awaitable[int]]


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

    async def write(session: CliSession, target: Target, on_row: Callable[[], None]) -> int:
        export = await session.get(ExportQuotes)
        return await export(session.actor, _of_quotes(target, status, customer, owner), on_row)

    return await _export("quotes", file, user, organization, start_date, end_date, write, force=force)


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

    async def write(session: CliSession, target: Target, on_row: Callable[[], None]) -> int:
        export = await session.get(ExportQuoteLines)
        return await export(session.actor, _of_quotes(target, status, customer, owner), on_row)

    return await _export("lines", file, user, organization, start_date, end_date, write, force=force)


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

    async def write(session: CliSession, target: Target, on_row: Callable[[], None]) -> int:
        export = await session.get(ExportCustomers)
        return await export(session.actor, ExportCustomersCommand(target=target, statuses=tuple(status)), on_row)

    return await _export("customers", file, user, organization, start_date, end_date, write, force=force)


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

    async def write(session: CliSession, target: Target, on_row: Callable[[], None]) -> int:
        export = await session.get(ExportProducts)
        return await export(session.actor, ExportProductsCommand(target=target, archived=archived), on_row)

    return await _export("products", file, user, organization, start_date, end_date, write, force=force)


def _of_quotes(
    target: Target, statuses: list[QuoteStatus], customer: UUID | None, owner: UUID | None
) -> ExportQuotesCommand:
    return ExportQuotesCommand(
        target=target,
        statuses=tuple(statuses),
        customer_id=None if customer is None else CustomerId(customer),
        owner_id=None if owner is None else UserId(owner),
    )


async def _export(
    what: str,
    file: Path,
    user: str,
    organization: str | None,
    start: date | None,
    end: date | None,
    write: Write,
    *,
    force: bool,
) -> int:
    file_format = format_of(file, force=force)
    async with session_of(user, organization) as session, written_whole(file) as path:
        with progress() as bar:
            task = bar.add_task(f"Exporting {what}", total=None)
            target = Target(path=path, file_format=file_format, start=start, end=end)
            count = await write(session, target, lambda: bar.advance(task))
    print(f"{count} {what} written to {file}.")
    return 0
