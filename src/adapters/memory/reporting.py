"""Reports in memory."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby, islice
from uuid import UUID
from zoneinfo import ZoneInfo

from src.adapters.memory.quoting import meets
from src.adapters.memory.state import MemoryTransaction
from src.application.ports.quoting import QuoteFilter
from src.application.ports.reporting import Reports, RevenueBy, RevenueRow, SummaryBy, SummaryRow
from src.domain.quoting.quote import Quote
from src.domain.quoting.revision import Revision
from src.domain.quoting.states import QuoteStatus


class MemoryReports(Reports):
    def __init__(self, transaction: MemoryTransaction) -> None:
        self._state = transaction.state

    async def summary(self, by: SummaryBy, criteria: QuoteFilter, time_zone: str, largest: int) -> Sequence[SummaryRow]:
        groups: defaultdict[tuple[str, str], list[Quote]] = defaultdict(list)
        for quote in self._state.quotes.values():
            if meets(quote, criteria):
                groups[quote.current.content.currency.code, self._key(by, quote, time_zone)].append(quote)
        rows = [self._row(by, key, found) for (_, key), found in groups.items()]
        if by in {SummaryBy.STATUS, SummaryBy.MONTH}:
            return sorted(rows, key=lambda row: (row.currency.code, row.key))
        rows.sort(key=lambda row: (row.currency.code, -row.amount, row.name, row.key))
        each = groupby(rows, key=lambda row: row.currency.code)
        return [row for _, ranked in each for row in islice(ranked, largest)]

    def _key(self, by: SummaryBy, quote: Quote, time_zone: str) -> str:
        match by:
            case SummaryBy.STATUS:
                return quote.current.status.value
            case SummaryBy.MONTH:
                return f"{quote.created_at.astimezone(ZoneInfo(time_zone)):%Y-%m}"
            case SummaryBy.CUSTOMER:
                return str(quote.customer_id)
            case SummaryBy.OWNER:
                return str(quote.owner_id)

    def _row(self, by: SummaryBy, key: str, found: Sequence[Quote]) -> SummaryRow:
        won = [one for one in found if one.current.status is QuoteStatus.ACCEPTED]
        lost = {QuoteStatus.DECLINED, QuoteStatus.EXPIRED}
        names = {
            SummaryBy.CUSTOMER: lambda: self._state.customers[UUID(key)].party.name,
            SummaryBy.OWNER: lambda: self._state.users[UUID(key)].name,
        }
        return SummaryRow(
            key=key,
            name=names[by]() if by in names else "",
            currency=found[0].current.content.currency,
            quotes=len(found),
            amount=_sum(found),
            won_quotes=len(won),
            won_amount=_sum(won),
            lost_quotes=sum(one.current.status in lost for one in found),
        )

    async def revenue(
        self,
        by: RevenueBy,
        statuses: Sequence[QuoteStatus],
        sent_from: datetime | None,
        sent_before: datetime | None,
    ) -> Sequence[RevenueRow]:
        amounts: defaultdict[UUID | None, Decimal] = defaultdict(Decimal)
        quotes: defaultdict[UUID | None, set[UUID]] = defaultdict(set)
        for quote in self._state.quotes.values():
            for revision in quote.revisions:
                sent = revision.sent_at
                if (
                    revision.status in statuses
                    and sent is not None
                    and (sent_from is None or sent >= sent_from)
                    and (sent_before is None or sent < sent_before)
                ):
                    for key, amount in self._parts(by, quote, revision):
                        amounts[key] += amount
                        quotes[key].add(quote.id)
        rows = [
            RevenueRow(id=key, name=self._name(by, key), quotes=len(quotes[key]), amount=amount)
            for key, amount in amounts.items()
        ]
        return sorted(rows, key=lambda row: (-row.amount, row.name, str(row.id)))

    def _parts(self, by: RevenueBy, quote: Quote, revision: Revision) -> Iterator[tuple[UUID | None, Decimal]]:
        content, calculation = revision.content, revision.calculation
        rate = Decimal(1) if content.exchange_rate is None else content.exchange_rate.rate
        amount = calculation.total_without_tax * rate
        if by is RevenueBy.CUSTOMER:
            yield quote.customer_id, amount
            return
        counting = [
            (item, line.net + line.document_share)
            for item, line in zip(content.lines, calculation.lines, strict=True)
            if line.counts
        ]
        whole = sum((weight for _, weight in counting), Decimal(0))
        for item, weight in counting:
            product = None if item.product_id is None else self._state.products[item.product_id]
            yield (None if product is None else product.category_id), amount * weight / whole if whole else Decimal(0)

    def _name(self, by: RevenueBy, key: UUID | None) -> str:
        if key is None:
            return ""
        if by is RevenueBy.CUSTOMER:
            return self._state.customers[key].party.name
        return self._state.categories[key].name


def _sum(quotes: Sequence[Quote]) -> Decimal:
    return sum((one.current.calculation.total_without_tax for one in quotes), Decimal(0))
