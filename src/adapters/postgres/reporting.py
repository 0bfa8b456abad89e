"""Reports in PostgreSQL: sums are the database's work."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    JSON,
    Boolean,
    ColumnElement,
    DateTime,
    Numeric,
    Select,
    Text,
    bindparam,
    case,
    cast,
    collate,
    distinct,
    func,
    literal,
    or_,
    select,
    text,
    true,
)

from src.adapters.postgres.quoting import wanted_of
from src.adapters.postgres.tables import categories, customers, line_items, products, quote_revisions, quotes, users
from src.adapters.postgres.transaction import Transaction
from src.application.ports.quoting import QuoteFilter
from src.application.ports.reporting import Reports, RevenueBy, RevenueRow, SummaryBy, SummaryRow
from src.domain.quoting.states import QuoteStatus
from src.domain.shared.currency import Currency

_calculation: Final = cast(quote_revisions.c.calculation, JSON)
# Each document once, its total without tax in the organisation's currency.
_DOCUMENTS: Final = (
    select(
        quote_revisions.c.organization_id,
        quote_revisions.c.quote_id,
        quote_revisions.c.number,
        quotes.c.customer_id,
        _calculation.label("calculation"),
        (
            cast(func.json_extract_path_text(_calculation, "total_without_tax"), Numeric)
            * func.coalesce(
                cast(
                    func.json_extract_path_text(cast(quote_revisions.c.content, JSON), "exchange_rate", "rate"), Numeric
                ),
                1,
            )
        ).label("amount"),
    )
    .join(
        quotes,
        (quotes.c.organization_id == quote_revisions.c.organization_id) & (quotes.c.id == quote_revisions.c.quote_id),
    )
    .where(
        quote_revisions.c.organization_id == bindparam("tenant"),
        quote_revisions.c.status == func.any(bindparam("statuses", type_=ARRAY(Text))),
        or_(
            bindparam("sent_from", type_=DateTime(timezone=True)).is_(None),
            quote_revisions.c.sent_at >= bindparam("sent_from", type_=DateTime(timezone=True)),
        ),
        or_(
            bindparam("sent_before", type_=DateTime(timezone=True)).is_(None),
            quote_revisions.c.sent_at < bindparam("sent_before", type_=DateTime(timezone=True)),
        ),
    )
    .cte("documents")
)


def _by_customer() -> Select[Any]:
    documents, columns = _DOCUMENTS.c, customers.c
    amount = func.sum(documents.amount)
    return (
        select(
            columns.id, columns.name, func.count(distinct(documents.quote_id)).label("quotes"), amount.label("amount")
        )
        .join(
            _DOCUMENTS, (columns.organization_id == documents.organization_id) & (columns.id == documents.customer_id)
        )
        .group_by(columns.id, columns.name)
        .order_by(amount.desc(), columns.name, columns.id)
    )


def _by_category() -> Select[Any]:
    """Each document's amount on its counting lines, by their nets with their part of what the document takes off or adds."""
    documents = _DOCUMENTS.c
    elements = func.json_array_elements(func.json_extract_path(documents.calculation, "lines"))
    told = elements.table_valued("told", with_ordinality="place", name="items").render_derived()

    def figure(name: str) -> ColumnElement[Any]:
        return cast(func.json_extract_path_text(told.c.told, name), Numeric)

    weight = figure("net") + figure("document_share")
    lines = (
        select(
            documents.quote_id,
            products.c.category_id,
            documents.amount,
            weight.label("weight"),
            func.sum(weight).over(partition_by=(documents.quote_id, documents.number)).label("whole"),
        )
        .select_from(_DOCUMENTS)
        .join(told, true())
        .join(
            line_items,
            (line_items.c.organization_id == documents.organization_id)
            & (line_items.c.quote_id == documents.quote_id)
            & (line_items.c.revision == documents.number)
            & (line_items.c.position == told.c.place - 1),
        )
        .outerjoin(
            products,
            (products.c.organization_id == line_items.c.organization_id) & (products.c.id == line_items.c.product_id),
        )
        .where(cast(func.json_extract_path_text(told.c.told, "counts"), Boolean))
        .cte("lines")
    )
    amount = func.sum(case((lines.c.whole == 0, 0), else_=lines.c.amount * lines.c.weight / lines.c.whole))
    columns = categories.c
    return (
        select(
            columns.id,
            func.coalesce(columns.name, "").label("name"),
            func.count(distinct(lines.c.quote_id)).label("quotes"),
            amount.label("amount"),
        )
        .select_from(lines)
        .outerjoin(categories, (columns.organization_id == bindparam("tenant")) & (columns.id == lines.c.category_id))
        .group_by(columns.id, columns.name)
        .order_by(amount.desc(), columns.name, columns.id)
    )


_STATEMENTS: Final = {RevenueBy.CUSTOMER: _by_customer(), RevenueBy.CATEGORY: _by_category()}


_WON: Final = quotes.c.status == QuoteStatus.ACCEPTED.value
_LOST: Final = quotes.c.status.in_([QuoteStatus.DECLINED.value, QuoteStatus.EXPIRED.value])
_NAMED: Final = quotes.outerjoin(
    users, (users.c.organization_id == quotes.c.organization_id) & (users.c.id == quotes.c.owner_id)
).outerjoin(
    customers,
    (customers.c.organization_id == quotes.c.organization_id) & (customers.c.id == quotes.c.customer_id),
)


# A plan that suits all alike touches four times the pages of a large organisation; to plan takes a hundredth of a report.
_PLANNED_ANEW: Final = text("SET LOCAL plan_cache_mode = force_custom_plan")


class PostgresReports(Reports):
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def summary(self, by: SummaryBy, criteria: QuoteFilter, time_zone: str, largest: int) -> Sequence[SummaryRow]:
        key, name = _key_of(by, time_zone)
        wanted = wanted_of(self._transaction.organization_id, criteria)
        amount = func.sum(quotes.c.total_without_tax)
        grouped = (
            select(
                key.label("group_key"),
                func.coalesce(name, "").label("name"),
                quotes.c.currency,
                func.count().label("quotes"),
                amount.label("amount"),
                func.count().filter(_WON).label("won_quotes"),
                func.coalesce(func.sum(quotes.c.total_without_tax).filter(_WON), 0).label("won_amount"),
                func.count().filter(_LOST).label("lost_quotes"),
            )
            .select_from(_NAMED)
            .where(*wanted.conditions)
            .group_by(text("group_key"), quotes.c.currency)
            .subquery()
        )
        columns = grouped.c
        if by in {SummaryBy.STATUS, SummaryBy.MONTH}:
            statement = select(grouped).order_by(columns.currency, columns.group_key)
        else:
            # By code points, as Python orders texts, whatever the server's locale.
            order = (columns.amount.desc(), collate(columns.name, "C"), columns.group_key)
            place = func.row_number().over(partition_by=columns.currency, order_by=order).label("place")
            ranked = select(grouped, place).subquery()
            statement = select(ranked).where(ranked.c.place <= largest).order_by(ranked.c.currency, ranked.c.place)
        await self._transaction.connection.execute(_PLANNED_ANEW)
        rows = await self._transaction.connection.execute(statement, wanted.values)
        return [
            SummaryRow(
                key=row.group_key,
                name=row.name,
                currency=Currency.of(row.currency),
                quotes=row.quotes,
                amount=row.amount,
                won_quotes=row.won_quotes,
                won_amount=row.won_amount,
                lost_quotes=row.lost_quotes,
            )
            for row in rows
        ]

    async def revenue(
        self,
        by: RevenueBy,
        statuses: Sequence[QuoteStatus],
        sent_from: datetime | None,
        sent_before: datetime | None,
    ) -> Sequence[RevenueRow]:
        parameters = {
            "tenant": self._transaction.organization_id,
            "statuses": [status.value for status in statuses],
            "sent_from": sent_from,
            "sent_before": sent_before,
        }
        await self._transaction.connection.execute(_PLANNED_ANEW)
        rows = await self._transaction.connection.execute(_STATEMENTS[by], parameters)
        return [RevenueRow(id=row.id, name=row.name, quotes=row.quotes, amount=row.amount) for row in rows]


def _key_of(by: SummaryBy, time_zone: str) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """The key, and the name that belongs to it: one for each key, compared by code points as Python does it."""
    match by:
        case SummaryBy.STATUS:
            return quotes.c.status, literal("", Text)
        case SummaryBy.MONTH:
            return func.to_char(func.timezone(time_zone, quotes.c.created_at), "YYYY-MM"), literal("", Text)
        case SummaryBy.CUSTOMER:
            return cast(quotes.c.customer_id, Text), func.max(collate(customers.c.name, "C"))
        case SummaryBy.OWNER:
            return cast(quotes.c.owner_id, Text), func.max(collate(users.c.name, "C"))
