"""The rows of exports as PostgreSQL's COPY writes them: it obeys row-level security, and nothing is made of a row here.

Texts go out as they are; whoever writes a file guards them, see ``src.adapters.spreadsheets.copied_csv``. The rows are read
in the order of an index: those of a large organisation the planner would rather sort, on disk and in several processes.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, Text, case, cast, func, select, text

from src.adapters.postgres.connection import Connection
from src.adapters.postgres.statements import Values
from src.adapters.postgres.tables import line_items, quotes, users
from src.application.ports.documents import Column

Sink = Callable[[bytes], Awaitable[None]]

_CUSTOM: Final = "custom."
_LONGER: Final = text("SET LOCAL statement_timeout = '15min'")
_UNSORTED: Final = text("SET LOCAL enable_sort = off")
_AS_EVER: Final = (  # What the connection was opened with.
    text("SET LOCAL statement_timeout TO DEFAULT"),
    text("SET LOCAL enable_sort TO DEFAULT"),
)

_WITH_OWNERS: Final = quotes.outerjoin(
    users, (users.c.organization_id == quotes.c.organization_id) & (users.c.id == quotes.c.owner_id)
)


def _instant(value: ColumnElement[Any]) -> ColumnElement[Any]:
    """ISO 8601 out of PostgreSQL's own text for it, in half the time of ``to_char``."""
    whole_seconds = func.date_trunc("second", func.timezone("UTC", value))
    return func.replace(cast(whole_seconds, Text), " ", "T").concat("Z")


# Numbers and days are as PostgreSQL writes them: no exponent, no grouping, ISO 8601.
_OF_QUOTES: Final[Mapping[str, ColumnElement[Any]]] = {
    "number": quotes.c.number,
    "revision": quotes.c.revision,
    "status": quotes.c.status,
    "customer": quotes.c.customer_name,
    "title": quotes.c.title,
    "currency": quotes.c.currency,
    "total_without_tax": quotes.c.total_without_tax,
    "tax_total": quotes.c.tax_total,
    "payable": quotes.c.payable,
    "valid_until": quotes.c.valid_until,
    "created_at": _instant(quotes.c.created_at),
    "owner": users.c.name,
}
_OF_LINES: Final[Mapping[str, ColumnElement[Any]]] = {
    **_OF_QUOTES,
    "position": line_items.c.position + 1,
    "section": line_items.c.section,
    "sku": line_items.c.sku,
    "description": line_items.c.description,
    "quantity": line_items.c.quantity,
    "unit": line_items.c.unit,
    "unit_price": line_items.c.unit_price,
    "price_base_quantity": line_items.c.price_base_quantity,
    "net": line_items.c.net,
    "counts": case((line_items.c.chosen | ~line_items.c.optional, "yes"), else_="no"),
    "unit_cost": line_items.c.unit_cost,
}


def rows_of_quotes(columns: Sequence[Column]) -> Select[Any]:
    """The statement, to be narrowed and ordered."""
    return select(*_fields(columns, _OF_QUOTES)).select_from(_WITH_OWNERS)


def rows_of_lines(columns: Sequence[Column]) -> Select[Any]:
    """As ``rows_of_quotes``, for the lines of the current revisions."""
    joined = _WITH_OWNERS.join(
        line_items,
        (line_items.c.organization_id == quotes.c.organization_id)
        & (line_items.c.quote_id == quotes.c.id)
        & (line_items.c.revision == quotes.c.revision),
    )
    return select(*_fields(columns, _OF_LINES)).select_from(joined)


def _fields(columns: Sequence[Column], known: Mapping[str, ColumnElement[Any]]) -> list[ColumnElement[Any]]:
    return [
        (_custom(one) if one.name.startswith(_CUSTOM) else known[one.name]).label(f"c{place}")
        for place, one in enumerate(columns)
    ]


def _custom(column: Column) -> ColumnElement[Any]:
    """One value of ``quotes.custom``, pairs of key and value as JSON text."""
    pairs = func.jsonb_array_elements(text("quotes.custom::jsonb")).column_valued("pair")
    value = pairs.op("->>")(text("1"))
    key = pairs.op("->>")(text("0"))
    return select(value).where(key == column.name.removeprefix(_CUSTOM)).scalar_subquery()


async def copy_rows(
    connection: Connection, statement: Select[Any], values: Values, sink: Sink, on_rows: Callable[[int], None]
) -> int:
    """Send the rows to *sink*; how many there were. *on_rows* is told how many have come, now and then."""

    async def hand_on(piece: bytes) -> None:
        on_rows(piece.count(b"\n"))  # Those within texts are escaped.
        await sink(piece)

    # One statement for all rows, where a cursor has one for each batch: the limit for statements is not meant for it.
    await connection.execute(_LONGER)
    await connection.execute(_UNSORTED)
    count = await connection.copy_out(statement, hand_on, values)
    for setting in _AS_EVER:
        await connection.execute(setting)
    return count
