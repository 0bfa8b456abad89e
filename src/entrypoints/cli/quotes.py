"""``proffer quote list``."""

from typing import Annotated

from cyclopts import Parameter

from src.application.ports.paging import LARGEST_PAGE, Paging
from src.application.ports.quoting import QuoteFilter, QuoteSummary
from src.application.quoting.read_quotes import ListQuotes
from src.entrypoints.cli.exports import Status
from src.entrypoints.cli.output import print_json, print_table
from src.entrypoints.cli.session import As, Organization, session_of
from src.entrypoints.schemas.pricing import amount_text


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
