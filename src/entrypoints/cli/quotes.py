"""``proffer quote list`` and ``proffer quote export``."""

import asyncio
from datetime import date
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated

from cyclopts import Parameter

from src.application.ports.documents import SpreadsheetFormat
from src.application.ports.paging import LARGEST_PAGE, Paging
from src.application.ports.quoting import QuoteFilter, QuoteSummary
from src.application.quoting.export_quotes import ExportQuotes, ExportQuotesCommand
from src.application.quoting.read_quotes import ListQuotes
from src.domain.quoting.states import QuoteStatus
from src.domain.shared.errors import Invalid
from src.entrypoints.cli.output import print_json, print_table, progress
from src.entrypoints.cli.session import As, Organization, session_of
from src.entrypoints.schemas.pricing import amount_text


class FileRefused(Invalid):
    """A file that cannot be written as asked."""

    code = "file_refused"


Status = Annotated[
    list[QuoteStatus],
    Parameter(name="--status", help="Only quotes in this state; may be given several times.", negative=""),
]


async def list_quotes(
    *,
    user: As,
    organization: Organization = None,
    status: Status = [],  # noqa: B006 — cyclopts reads the default; nobody changes it.
    search: Annotated[str, Parameter(help="Text in number, title or customer.")] = "",
    limit: Annotated[int, Parameter(help="At most so many, from 1 to 100.")] = 20,
    json: Annotated[bool, Parameter(help="Print JSON instead of a table.", negative="")] = False,
) -> int:
    """List quotes, newest first.

    Example: proffer quote list --as sales@nordlicht.example --status sent
    """
    criteria = QuoteFilter(statuses=tuple(status), search=search)
    paging = Paging(limit=min(max(limit, 1), LARGEST_PAGE))
    async with session_of(user, organization) as session:
        page = await (await session.get(ListQuotes))(session.actor, criteria, paging)
    if json:
        print_json([_as_json(quote) for quote in page.items])
        return 0
    columns = (
        ("Number", "left"),
        ("Rev.", "right"),
        ("Status", "left"),
        ("Customer", "left"),
        ("Title", "left"),
        ("Payable", "right"),
        ("Valid until", "left"),
    )
    print_table(columns, [_as_row(quote) for quote in page.items])
    print(f"{len(page.items)} of {page.total} quotes.")
    return 0


async def export_quotes(
    file: Annotated[Path, Parameter(help="Where to write; .xlsx or .csv decides the format.")],
    *,
    user: As,
    organization: Organization = None,
    start_date: Annotated[date | None, Parameter(help="First day of creation, YYYY-MM-DD.")] = None,
    end_date: Annotated[date | None, Parameter(help="Last day of creation, included.")] = None,
    status: Status = [],  # noqa: B006 — as above.
    force: Annotated[bool, Parameter(help="Write over a file that is there.", negative="")] = False,
) -> int:
    """Export quotes to a spreadsheet.

    Example: proffer quote export offers.xlsx --as sales@nordlicht.example --start-date 2026-01-01
    """
    file_format = _format_of(file)
    if file.exists() and not force:
        raise FileRefused(f"{file} is there already; --force writes over it.")
    if not file.parent.is_dir():
        raise FileRefused(f"The folder {file.parent} does not exist.")
    async with session_of(user, organization) as session:
        export = await session.get(ExportQuotes)
        # Written beside it and then renamed: a broken export leaves no half file.
        with NamedTemporaryFile(dir=file.parent, prefix=".export-", suffix=file.suffix, delete=False) as unfinished:
            path = Path(unfinished.name)
        try:
            with progress() as bar:
                task = bar.add_task("Exporting quotes", total=None)
                command = ExportQuotesCommand(
                    path=path, file_format=file_format, start=start_date, end=end_date, statuses=tuple(status)
                )
                count = await export(session.actor, command, lambda: bar.advance(task))
            await asyncio.to_thread(path.replace, file)
        finally:
            await asyncio.to_thread(path.unlink, missing_ok=True)
    print(f"{count} quotes written to {file}.")
    return 0


def _format_of(file: Path) -> SpreadsheetFormat:
    try:
        return SpreadsheetFormat(file.suffix.lower().removeprefix("."))
    except ValueError:
        raise FileRefused(f"{file.name} must end in .xlsx or .csv.") from None


def _as_row(quote: QuoteSummary) -> tuple[str, ...]:
    return (
        quote.number,
        str(quote.revision),
        quote.status.value,
        quote.customer_name,
        quote.title,
        f"{amount_text(quote.payable, quote.currency.minor_digits)} {quote.currency}",
        quote.valid_until.isoformat(),
    )


def _as_json(quote: QuoteSummary) -> dict[str, object]:
    digits = quote.currency.minor_digits
    return {
        "id": str(quote.id),
        "number": quote.number,
        "revision": quote.revision,
        "status": quote.status.value,
        "customer": quote.customer_name,
        "title": quote.title,
        "currency": quote.currency.code,
        "total_without_tax": amount_text(quote.total_without_tax, digits),
        "tax_total": amount_text(quote.tax_total, digits),
        "payable": amount_text(quote.payable, digits),
        "valid_until": quote.valid_until.isoformat(),
        "created_at": quote.created_at.isoformat(),
    }
