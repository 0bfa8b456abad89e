"""Quotes in memory."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

import msgspec

from src.adapters.memory.state import MemoryTransaction, contains, page_of
from src.application.ports.documents import Column, CopiedRows
from src.application.ports.paging import Page, Paging
from src.application.ports.quoting import QuoteFilter, QuoteLine, QuoteRepository, QuoteSummary
from src.domain.messaging.message import reached_nobody
from src.domain.quoting.errors import ExplanationNotFound, QuoteChangedMeanwhile, QuoteNotFound
from src.domain.quoting.explanation import Explanation
from src.domain.quoting.quote import Quote
from src.domain.quoting.revision import Revision
from src.domain.quoting.states import OPEN_STATUSES, QuoteStatus
from src.domain.shared.canonical import digest_of_text
from src.domain.shared.change import Change
from src.domain.shared.ids import ContactId, QuoteId


class MemoryQuotes(QuoteRepository):
    def __init__(self, transaction: MemoryTransaction) -> None:
        self._transaction = transaction

    async def drafts_to(self, contact_id: ContactId) -> Sequence[QuoteId]:
        return [
            quote.id
            for quote in self._transaction.state.quotes.values()
            if quote.current.status is QuoteStatus.DRAFT
            and quote.current.content.without_person(contact_id) != quote.current.content
        ]

    async def get(self, quote_id: QuoteId) -> Quote:
        quote = self._transaction.state.quotes.get(quote_id)
        if quote is None:
            raise QuoteNotFound("There is no such quote.")
        return quote

    async def lock(self, quote_id: QuoteId) -> Quote:
        return await self.get(quote_id)  # The unit of work has the whole organisation to itself.

    async def add_draft(self, quote_id: QuoteId, draft: Revision) -> None:
        self._transaction.drafts[quote_id] = draft

    async def save(self, change: Change[Quote]) -> Quote:
        before, after = change.before, change.after
        known = self._transaction.state.quotes
        if before is not None and (after.id not in known or known[after.id].version != before.version):
            raise QuoteChangedMeanwhile("Someone else changed this quote meanwhile; read it again.")
        stored = replace(after, version=self._transaction.next_version(after.id, before.version if before else 0))
        _check(stored, known)
        draft = self._transaction.drafts.pop(stored.id, None)
        assert draft is None or draft is stored.revisions[0], "a first revision twice"
        known[stored.id] = stored
        self._transaction.changes.append(replace(change, after=stored))
        return stored

    async def keep_explanation(self, quote_id: QuoteId, revision: int, explanation: str) -> None:
        self._transaction.state.explanations[quote_id, revision, digest_of_text(explanation)] = explanation

    async def explanation(self, quote_id: QuoteId, revision: int, digest: str) -> Explanation:
        explanation = self._transaction.state.explanations.get((quote_id, revision, digest))
        if explanation is None:
            raise ExplanationNotFound("This revision has no stored explanation.")
        return msgspec.json.decode(explanation, type=Explanation)

    async def next_number(self, year: int) -> int:
        counters = self._transaction.state.counters
        counters[year] = counters.get(year, 0) + 1
        return counters[year]

    async def page(self, criteria: QuoteFilter, paging: Paging) -> Page[QuoteSummary]:
        return page_of(self._found(criteria), paging, _summary)

    async def stream(self, criteria: QuoteFilter) -> AsyncIterator[QuoteSummary]:
        for quote in sorted(self._found(criteria), key=lambda one: (one.created_at, one.id)):
            yield _summary(quote)

    def copied(
        self, criteria: QuoteFilter, columns: Sequence[Column], on_rows: Callable[[int], None], *, lines: bool
    ) -> CopiedRows | None:
        return None

    async def count(self, criteria: QuoteFilter, at_most: int, *, lines: bool) -> int:
        found = self._found(criteria)
        return min(sum(len(one.current.content.lines) for one in found) if lines else len(found), at_most)

    async def stream_lines(self, criteria: QuoteFilter) -> AsyncIterator[QuoteLine]:
        for quote in sorted(self._found(criteria), key=lambda one: (one.created_at, one.id)):
            for line in _lines(quote):
                yield line

    def _found(self, criteria: QuoteFilter) -> list[Quote]:
        return [
            quote
            for quote in self._transaction.state.quotes.values()
            if meets(quote, criteria) and self._delivered(quote.id, criteria)
        ]

    def _delivered(self, quote_id: QuoteId, criteria: QuoteFilter) -> bool:
        if criteria.delivery_failed is None:
            return True
        messages = [one for one in self._transaction.state.messages.values() if one.quote_id == quote_id]
        newest = max((one.revision for one in messages), default=0)
        return criteria.delivery_failed is reached_nobody(one for one in messages if one.revision == newest)


def _check(quote: Quote, known: Mapping[UUID, Quote]) -> None:
    """What the database's constraints hold."""
    statuses = [revision.status for revision in quote.revisions]
    assert sum(status in OPEN_STATUSES for status in statuses) <= 1, "two open revisions"
    assert statuses.count(QuoteStatus.SENT) <= 1, "two sent revisions"
    assert all(other.number != quote.number for other in known.values() if other.id != quote.id), "a number twice"


def meets(quote: Quote, criteria: QuoteFilter) -> bool:
    current = quote.current
    return (
        (not criteria.statuses or current.status in criteria.statuses)
        and criteria.customer_id in {None, quote.customer_id}
        and criteria.owner_id in {None, quote.owner_id}
        and (criteria.created_from is None or quote.created_at >= criteria.created_from)
        and (criteria.created_before is None or quote.created_at < criteria.created_before)
        and (criteria.custom is None or criteria.custom in current.content.custom)
        and contains(criteria.search, quote.number, current.content.title, current.content.buyer.name)
    )


def _summary(quote: Quote) -> QuoteSummary:
    current = quote.current
    content, calculation = current.content, current.calculation
    return QuoteSummary(
        id=quote.id,
        number=quote.number,
        revision=current.number,
        status=current.status,
        title=content.title,
        customer_id=quote.customer_id,
        customer_name=content.buyer.name,
        owner_id=quote.owner_id,
        currency=content.currency,
        total_without_tax=calculation.total_without_tax,
        tax_total=calculation.tax_total,
        payable=calculation.payable,
        valid_until=content.valid_until,
        created_at=quote.created_at,
        version=quote.version,
        custom=content.custom,
    )


def _lines(quote: Quote) -> Iterator[QuoteLine]:
    summary, current = _summary(quote), quote.current
    for position, (line, amounts) in enumerate(
        zip(current.content.lines, current.calculation.lines, strict=True), start=1
    ):
        yield QuoteLine(
            quote=summary,
            position=position,
            sku=line.sku,
            description=line.description,
            unit=line.unit,
            quantity=line.pricing.quantity,
            unit_price=line.pricing.unit_price,
            price_base_quantity=line.pricing.price_base_quantity,
            net=amounts.net,
            optional=line.pricing.optional,
            chosen=line.pricing.chosen,
            section=line.pricing.section,
            unit_cost=line.pricing.unit_cost,
        )
