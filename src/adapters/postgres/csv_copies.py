"""Rows as CSV made by PostgreSQL itself: COPY obeys row-level security, and no row passes through Python.

The texts are guarded as the spreadsheets' own writer does it; a test holds the two against each other.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from secrets import token_hex
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, Text, case, cast, func, literal, select, text

from src.adapters.postgres.connection import Connection
from src.adapters.postgres.tables import line_items, quotes, users
from src.application.ports.documents import Column, ColumnKind

Sink = Callable[[bytes], Awaitable[None]]

# Everything that Python takes for a blank, spelled out: what PostgreSQL's \s means depends on the locale.
_BLANKS: Final = " \t\n\r\f\v\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
_SIGNS: Final = "=+@|＝＋－＠-"  # The last one stands last so that it is no range.
_BEFORE: Final = f"[{_BLANKS}'\"\u200b\ufeff]*"
_AHEAD: Final = f"(?=[{_SIGNS}]|[{{]=)"
_INSIDE: Final = f"([;|\t\r\n]{_BEFORE}){_AHEAD}"
_DANGEROUS: Final = f"((?:^|[;|\t\r\n]){_BEFORE}){_AHEAD}"
# The one sign that also separates. Of two ways to match, PostgreSQL takes the longer and would pass over the first one.
_BEGINS_WITH_A_BAR: Final = f"^({_BEFORE})([|].*)$"
# Neither begins with something dangerous nor has what could begin a field again: nearly every text, found at once.
_SURELY_HARMLESS: Final = f"^[^{_BLANKS}'\"\u200b\ufeff{{;{_SIGNS}][^;|\t\r\n]*$"
_INSTANT: Final = 'YYYY-MM-DD"T"HH24:MI:SS"Z"'
_CUSTOM: Final = "custom."
_LONGER: Final = text("SET LOCAL statement_timeout = '15min'")
_AS_EVER: Final = text("SET LOCAL statement_timeout TO DEFAULT")  # What the connection was opened with.

_WITH_OWNERS: Final = quotes.outerjoin(
    users, (users.c.organization_id == quotes.c.organization_id) & (users.c.id == quotes.c.owner_id)
)


def guarded(value: ColumnElement[Any]) -> ColumnElement[Any]:
    """*value*, a text, with a ``'`` before whatever begins a formula."""
    marked = func.regexp_replace(value, _DANGEROUS, r"\1'", "g")
    leading = func.left(marked, 1).in_(["\t", "\r", "\n"])
    slow = case((leading, literal("'", Text).concat(marked)), else_=marked)
    head = func.regexp_replace(value, _BEGINS_WITH_A_BAR, r"\1'")
    tail = func.regexp_replace(value, _BEGINS_WITH_A_BAR, r"\2")
    barred = head.concat(func.regexp_replace(tail, _INSIDE, r"\1'", "g"))
    kept = case((func.left(barred, 1).in_(["\t", "\r", "\n"]), literal("'", Text).concat(barred)), else_=barred)
    return case(
        (value.regexp_match(_SURELY_HARMLESS), value),
        (value.regexp_match(_BEGINS_WITH_A_BAR), kept),
        else_=slow,
    )


def _plain(value: ColumnElement[Any]) -> ColumnElement[Any]:
    return cast(value, Text)


def _day(value: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.to_char(value, "YYYY-MM-DD")


def _instant(value: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.to_char(func.timezone("UTC", value), _INSTANT)


_OF_QUOTES: Final[Mapping[str, ColumnElement[Any]]] = {
    "number": guarded(quotes.c.number),
    "revision": _plain(quotes.c.revision),
    "status": quotes.c.status,
    "customer": guarded(quotes.c.customer_name),
    "title": guarded(quotes.c.title),
    "currency": quotes.c.currency,
    "total_without_tax": _plain(quotes.c.total_without_tax),
    "tax_total": _plain(quotes.c.tax_total),
    "payable": _plain(quotes.c.payable),
    "valid_until": _day(quotes.c.valid_until),
    "created_at": _instant(quotes.c.created_at),
    "owner": guarded(users.c.name),
}
_OF_LINES: Final[Mapping[str, ColumnElement[Any]]] = {
    **_OF_QUOTES,
    "position": _plain(line_items.c.position + 1),
    "section": guarded(line_items.c.section),
    "sku": guarded(line_items.c.sku),
    "description": guarded(line_items.c.description),
    "quantity": _plain(line_items.c.quantity),
    "unit": guarded(line_items.c.unit),
    "unit_price": _plain(line_items.c.unit_price),
    "price_base_quantity": _plain(line_items.c.price_base_quantity),
    "net": _plain(line_items.c.net),
    "counts": case((line_items.c.chosen | ~line_items.c.optional, "yes"), else_="no"),
    "unit_cost": _plain(line_items.c.unit_cost),
}


def rows_of_quotes(columns: Sequence[Column]) -> tuple[Select[Any], str]:
    """The statement, to be narrowed and ordered, and the mark at the end of each of its rows."""
    mark = token_hex(16)
    return select(*_fields(columns, _OF_QUOTES, mark)).select_from(_WITH_OWNERS), mark


def rows_of_lines(columns: Sequence[Column]) -> tuple[Select[Any], str]:
    """As ``rows_of_quotes``, for the lines of the current revisions."""
    mark = token_hex(16)
    joined = _WITH_OWNERS.join(
        line_items,
        (line_items.c.organization_id == quotes.c.organization_id)
        & (line_items.c.quote_id == quotes.c.id)
        & (line_items.c.revision == quotes.c.revision),
    )
    return select(*_fields(columns, _OF_LINES, mark)).select_from(joined), mark


def _fields(columns: Sequence[Column], known: Mapping[str, ColumnElement[Any]], mark: str) -> list[ColumnElement[Any]]:
    fields = [
        func.coalesce(_custom(one) if one.name.startswith(_CUSTOM) else known[one.name], "").label(f"c{place}")
        for place, one in enumerate(columns)
    ]
    # COPY ends its rows with a line feed alone. A mark that nobody can know says where that is, and not within a text.
    return [*fields[:-1], fields[-1].element.concat(literal(mark, Text)).label("last")]


def _custom(column: Column) -> ColumnElement[Any]:
    """One value of ``quotes.custom``, pairs of key and value as JSON text."""
    pairs = func.jsonb_array_elements(text("quotes.custom::jsonb")).column_valued("pair")
    value = pairs.op("->>")(text("1"))
    key = pairs.op("->>")(text("0"))
    found: ColumnElement[Any] = select(value).where(key == column.name.removeprefix(_CUSTOM)).scalar_subquery()
    return guarded(found) if column.kind is ColumnKind.TEXT else found


async def copy_rows(
    connection: Connection, statement: Select[Any], mark: str, sink: Sink, on_rows: Callable[[int], None]
) -> int:
    """Send the rows to *sink*, every field quoted, each row ended as RFC 4180 says; how many there were.

    *on_rows* is told how many have come, now and then.
    """
    ends, kept = f'{mark}"\n'.encode(), b""

    async def hand_on(chunk: bytes) -> None:
        nonlocal kept
        came = kept + chunk
        on_rows(came.count(ends))
        rows = came.replace(ends, b'"\r\n')
        # The last of it may be the beginning of an end.
        kept = rows[-len(ends) :]
        await sink(rows[: -len(ends)])

    # One statement for all rows, where a cursor has one for each batch: the limit for statements is not meant for it.
    await connection.execute(_LONGER)
    count = await connection.copy_out(statement, hand_on)
    await connection.execute(_AS_EVER)
    await sink(kept)
    return count
