"""Reports in PostgreSQL: sums are the database's work."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import text

from src.adapters.postgres.transaction import Transaction
from src.application.ports.reporting import Reports, RevenueBy, RevenueRow
from src.domain.quoting.states import QuoteStatus

# Each document once, its total without tax in the organisation's currency.
_DOCUMENTS: Final = """
    SELECT r.organization_id, r.quote_id, r.number, q.customer_id, r.calculation,
        (CAST(r.calculation AS json) ->> 'total_without_tax')::numeric
            * coalesce((CAST(r.content AS json) -> 'exchange_rate' ->> 'rate')::numeric, 1) AS amount
    FROM proffer.quote_revisions r
    JOIN proffer.quotes q ON q.organization_id = r.organization_id AND q.id = r.quote_id
    WHERE r.organization_id = :tenant AND r.status = ANY (:statuses)
        AND (CAST(:sent_from AS timestamptz) IS NULL OR r.sent_at >= :sent_from)
        AND (CAST(:sent_before AS timestamptz) IS NULL OR r.sent_at < :sent_before)
"""
_BY_CUSTOMER: Final = text(f"""
    WITH documents AS ({_DOCUMENTS})
    SELECT c.id, c.name, count(DISTINCT d.quote_id) AS quotes, sum(d.amount) AS amount
    FROM documents d JOIN proffer.customers c ON c.organization_id = d.organization_id AND c.id = d.customer_id
    GROUP BY c.id, c.name ORDER BY 4 DESC, 2, 1
""")  # noqa: S608 — two constants.
_BY_CATEGORY: Final = text(f"""
    WITH documents AS ({_DOCUMENTS}),
    lines AS (
        SELECT d.quote_id, p.category_id, d.amount, one.weight,
            sum(one.weight) OVER (PARTITION BY d.quote_id, d.number) AS whole
        FROM documents d
        CROSS JOIN LATERAL (
            SELECT place - 1 AS place, (told ->> 'net')::numeric + (told ->> 'document_share')::numeric AS weight
            FROM json_array_elements(CAST(d.calculation AS json) -> 'lines') WITH ORDINALITY AS t (told, place)
            WHERE (told ->> 'counts')::boolean
        ) one
        JOIN proffer.line_items l ON l.organization_id = d.organization_id AND l.quote_id = d.quote_id
            AND l.revision = d.number AND l.position = one.place
        LEFT JOIN proffer.products p ON p.organization_id = l.organization_id AND p.id = l.product_id
    )
    SELECT c.id, coalesce(c.name, '') AS name, count(DISTINCT l.quote_id) AS quotes,
        sum(CASE WHEN l.whole = 0 THEN 0 ELSE l.amount * l.weight / l.whole END) AS amount
    FROM lines l LEFT JOIN proffer.categories c ON c.organization_id = :tenant AND c.id = l.category_id
    GROUP BY c.id, c.name ORDER BY 4 DESC, 2, 1
""")  # noqa: S608 — as above.


class PostgresReports(Reports):
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

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
        statement = _BY_CUSTOMER if by is RevenueBy.CUSTOMER else _BY_CATEGORY
        rows = await self._transaction.connection.execute(statement, parameters)
        return [RevenueRow(id=row.id, name=row.name, quotes=row.quotes, amount=row.amount) for row in rows]
