"""Quotes in PostgreSQL: a header, its revisions, and the lines of each."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from itertools import zip_longest
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import (
    ARRAY,
    BindParameter,
    FromClause,
    Select,
    String,
    Text,
    bindparam,
    cast,
    delete,
    func,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert
from sqlalchemy.sql.elements import ColumnElement

from src.adapters.postgres.connection import Row
from src.adapters.postgres.copied_rows import copy_rows, rows_of_lines, rows_of_quotes
from src.adapters.postgres.custom_fields import stored_value
from src.adapters.postgres.json_columns import from_json, to_json
from src.adapters.postgres.pages import BATCH, Wanted, counted, folded, newest_wanted, searched
from src.adapters.postgres.records import insert_or_update
from src.adapters.postgres.tables import (
    line_items,
    messages,
    quote_counters,
    quote_explanations,
    quote_revisions,
    quotes,
)
from src.adapters.postgres.transaction import ChangedMeanwhile, Transaction
from src.application.ports.documents import Column, CopiedRows
from src.application.ports.paging import Page, Paging
from src.application.ports.quoting import QuoteFilter, QuoteLine, QuoteRepository, QuoteSummary
from src.domain.messaging.message import UNREACHED
from src.domain.quoting.calculation import Calculation
from src.domain.quoting.content import LineItem, QuoteContent
from src.domain.quoting.errors import ExplanationNotFound, ExplanationTampered, QuoteChangedMeanwhile, QuoteNotFound
from src.domain.quoting.explanation import Explanation
from src.domain.quoting.pricing import Charge, Discount, LinePricing, Tax
from src.domain.quoting.quote import Quote
from src.domain.quoting.revision import Revision
from src.domain.quoting.states import OPEN_STATUSES, QuoteStatus
from src.domain.quoting.validity import end_of_validity
from src.domain.shared.canonical import digest_of_text
from src.domain.shared.change import Change
from src.domain.shared.currency import Currency
from src.domain.shared.custom_fields import Values
from src.domain.shared.ids import ContactId, LineItemId, ProductId, QuoteId
from src.domain.shared.price_source import PriceSource

_KNOWN: Final = 1000
_UNREACHED: Final = sorted(status.value for status in UNREACHED)
_EXPORTED_LINE: Final = tuple(
    column.label(f"line_{column.name}")
    for column in (
        line_items.c.position,
        line_items.c.sku,
        line_items.c.description,
        line_items.c.unit,
        line_items.c.quantity,
        line_items.c.unit_price,
        line_items.c.price_base_quantity,
        line_items.c.net,
        line_items.c.optional,
        line_items.c.chosen,
        line_items.c.section,
        line_items.c.unit_cost,
    )
)
# Those of the current revisions.
_WITH_LINES: Final = quotes.join(
    line_items,
    (line_items.c.organization_id == quotes.c.organization_id)
    & (line_items.c.quote_id == quotes.c.id)
    & (line_items.c.revision == quotes.c.revision),
)
_LINE_COLUMNS: Final = (
    line_items.c.id,
    line_items.c.product_id,
    line_items.c.sku,
    line_items.c.description,
    line_items.c.unit,
    cast(line_items.c.quantity, Text),
    cast(line_items.c.unit_price, Text),
    cast(line_items.c.price_base_quantity, Text),
    line_items.c.discounts,
    line_items.c.charges,
    line_items.c.taxes,
    line_items.c.optional,
    line_items.c.chosen,
    line_items.c.section,
    cast(line_items.c.unit_cost, Text),
    line_items.c.price_source,
    line_items.c.taxes_typed,
)
_LineTexts = tuple[
    LineItemId,
    ProductId | None,
    str,
    str,
    str,
    Decimal,
    Decimal,
    Decimal,
    str,
    str,
    str,
    bool,
    bool,
    str,
    Decimal | None,
    str,
    bool,
]


def _whole_quote() -> Select[Any]:
    """The whole quote in one statement, each revision with its lines as JSON."""
    organization_id: BindParameter[UUID] = bindparam("organization")
    quote_id: BindParameter[UUID] = bindparam("quote")
    lines = (
        select(
            cast(
                func.json_agg(aggregate_order_by(func.json_build_array(*_LINE_COLUMNS), line_items.c.position)),
                Text,
            )
        )
        .where(
            line_items.c.organization_id == organization_id,
            line_items.c.quote_id == quote_id,
            line_items.c.revision == quote_revisions.c.number,
        )
        .correlate(quote_revisions)
        .scalar_subquery()
    )
    header, revisions = quotes.c, quote_revisions.c
    return (
        select(
            header.id,
            header.number.label("quote_number"),
            header.customer_id,
            header.owner_id,
            header.created_at.label("quote_created_at"),
            header.version,
            quote_revisions,
            lines.label("lines"),
        )
        .join(
            quote_revisions,
            (revisions.organization_id == header.organization_id) & (revisions.quote_id == header.id),
        )
        .where(
            header.organization_id == organization_id,
            header.id == quote_id,
            revisions.organization_id == organization_id,
        )
        .order_by(revisions.number)
    )


# Built once: building the first took a fifth of a read, building another takes three times as long as sending it.
_WHOLE: Final = _whole_quote()
_LOCK: Final = (
    select(quotes.c.id)
    .where(quotes.c.organization_id == bindparam("organization"), quotes.c.id == bindparam("quote"))
    .with_for_update(key_share=True)
)
_CHANGE_REVISION: Final = update(quote_revisions).where(
    quote_revisions.c.organization_id == bindparam("own_organization"),
    quote_revisions.c.quote_id == bindparam("own_quote"),
    quote_revisions.c.number == bindparam("own_number"),
)
# Recalled and submitted again without a change, it is the same explanation.
_KEEP_EXPLANATION: Final = insert(quote_explanations).on_conflict_do_nothing()
_COUNT_ON: Final = (
    insert(quote_counters)
    .on_conflict_do_update(
        index_elements=[quote_counters.c.organization_id, quote_counters.c.year],
        set_={"counter": quote_counters.c.counter + 1},
    )
    .returning(quote_counters.c.counter)
)


def _failed_deliveries() -> Select[Any]:
    """The quotes of which the newest mail to each recipient of the revision that was mailed last has failed or bounced."""
    organization_id: BindParameter[UUID] = bindparam("organization")
    one, other, later = messages.alias("one"), messages.alias("other"), messages.alias("later")
    superseded = (
        select(1)
        .where(
            later.c.organization_id == organization_id,
            later.c.quote_id == other.c.quote_id,
            later.c.revision == other.c.revision,
            _recipient_of(later) == _recipient_of(other),
            tuple_(later.c.attempt_group, later.c.id) > tuple_(other.c.attempt_group, other.c.id),
        )
        .correlate(other)
    )
    reached = other.c.status.not_in(_UNREACHED) & ~superseded.exists()
    disproof = (
        select(1)
        .where(
            other.c.organization_id == organization_id,
            other.c.quote_id == one.c.quote_id,
            (other.c.revision > one.c.revision) | (other.c.revision == one.c.revision) & reached,
        )
        .correlate(one)
    )
    return select(one.c.quote_id).where(
        one.c.organization_id == organization_id,
        one.c.status.in_(_UNREACHED),
        ~disproof.exists(),
    )


def _recipient_of(table: FromClause) -> ColumnElement[str]:
    """As ``newest_to_each`` tells them apart."""
    return func.coalesce(cast(table.c.contact_id, Text), func.lower(table.c.recipient))


# What a filter may ask for, each by the name of its value.
_ASKED: Final[Mapping[str, ColumnElement[bool]]] = {
    "organization": quotes.c.organization_id == bindparam("organization"),
    "statuses": quotes.c.status == func.any(bindparam("statuses", type_=ARRAY(Text))),
    "customer": quotes.c.customer_id == bindparam("customer"),
    "owner": quotes.c.owner_id == bindparam("owner"),
    "created_from": quotes.c.created_at >= bindparam("created_from"),
    "created_before": quotes.c.created_at < bindparam("created_before"),
    # None where nothing can be found: then neither is true.
    "search": func.strpos(quotes.c.searched, bindparam("search", type_=String)) > 0,
    "custom": func.strpos(quotes.c.custom, bindparam("custom", type_=String)) > 0,
}
_DELIVERY_FAILED: Final = quotes.c.id.in_(_failed_deliveries())
_OF_DELIVERY: Final = {True: _DELIVERY_FAILED, False: ~_DELIVERY_FAILED}


def wanted_of(organization_id: UUID, criteria: QuoteFilter) -> Wanted:
    """Rows of ``quotes``."""
    asked: dict[str, Any] = {"organization": organization_id}
    if criteria.statuses:
        asked["statuses"] = [status.value for status in criteria.statuses]
    if criteria.customer_id is not None:
        asked["customer"] = criteria.customer_id
    if criteria.owner_id is not None:
        asked["owner"] = criteria.owner_id
    if criteria.created_from is not None:
        asked["created_from"] = criteria.created_from
    if criteria.created_before is not None:
        asked["created_before"] = criteria.created_before
    if criteria.search:
        asked["search"] = folded(criteria.search)
    if criteria.custom is not None:
        asked["custom"] = stored_value(criteria.custom)
    conditions = tuple(_ASKED[name] for name in asked)
    if criteria.delivery_failed is not None:
        conditions = (*conditions, _OF_DELIVERY[criteria.delivery_failed])
    return Wanted(conditions, asked)


class PostgresQuotes(QuoteRepository):
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._added: dict[QuoteId, Revision] = {}

    async def drafts_to(self, contact_id: ContactId) -> Sequence[QuoteId]:
        columns = quote_revisions.c
        statement = (
            select(columns.quote_id)
            .where(
                columns.organization_id == self._transaction.organization_id,
                columns.status == QuoteStatus.DRAFT.value,
                func.strpos(columns.content, f'"contact_id":"{contact_id}"') > 0,
            )
            .order_by(columns.quote_id)
        )
        return [QuoteId(one) for one in (await self._transaction.connection.execute(statement)).scalars()]

    async def get(self, quote_id: QuoteId) -> Quote:
        parameters = {"organization": self._transaction.organization_id, "quote": quote_id}
        return self._read((await self._transaction.connection.execute(_WHOLE, parameters)).all())

    async def lock(self, quote_id: QuoteId) -> Quote:
        # First the lock alone: a joined read that waits for it would show the revisions as they were before.
        parameters = {"organization": self._transaction.organization_id, "quote": quote_id}
        await self._transaction.connection.execute(_LOCK, parameters)
        return await self.get(quote_id)

    async def add_draft(self, quote_id: QuoteId, draft: Revision) -> None:
        await self._save_revision(quote_id, None, draft)
        self._added[quote_id] = draft

    async def save(self, change: Change[Quote]) -> Quote:
        before, after = change.before, change.after
        version = self._transaction.next_version(after.id, before.version if before else 0)
        stored = replace(after, version=version)
        if before is None:
            await self._transaction.add(quotes, _to_row(stored))
        else:
            row = {"version": version, **_changed(_to_row(stored), _to_row(before))}
            try:
                await self._transaction.change(quotes, stored.id, before.version, row)
            except ChangedMeanwhile:
                raise QuoteChangedMeanwhile("Someone else changed this quote meanwhile; read it again.") from None
        await self._save_revisions(before, stored)
        self._transaction.changes.append(replace(change, after=stored))
        return stored

    async def keep_explanation(self, quote_id: QuoteId, revision: int, explanation: str) -> None:
        row = {
            "organization_id": self._transaction.organization_id,
            "quote_id": quote_id,
            "revision": revision,
            "digest": digest_of_text(explanation),
            "explanation": explanation,
        }
        await self._transaction.connection.execute(_KEEP_EXPLANATION, row)

    async def explanation(self, quote_id: QuoteId, revision: int, digest: str) -> Explanation:
        columns = quote_explanations.c
        statement = select(columns.explanation).where(
            columns.organization_id == self._transaction.organization_id,
            columns.quote_id == quote_id,
            columns.revision == revision,
            columns.digest == digest,
        )
        text = (await self._transaction.connection.execute(statement)).scalar_one_or_none()
        if text is None:
            raise ExplanationNotFound("This revision has no stored explanation.")
        if digest_of_text(text) != digest:
            raise ExplanationTampered("The stored explanation is not the one that was frozen with the revision.")
        return from_json(Explanation, text)

    async def next_number(self, year: int) -> int:
        row = {"organization_id": self._transaction.organization_id, "year": year, "counter": 1}
        return int((await self._transaction.connection.execute(_COUNT_ON, row)).scalar_one())

    async def page(self, criteria: QuoteFilter, paging: Paging) -> Page[QuoteSummary]:
        return await newest_wanted(self._transaction.connection, quotes, self._wanted(criteria), paging, _to_summary)

    async def stream(self, criteria: QuoteFilter) -> AsyncIterator[QuoteSummary]:
        wanted = self._wanted(criteria)
        statement = select(quotes).where(*wanted.conditions).order_by(quotes.c.created_at, quotes.c.id)
        async for row in self._transaction.connection.stream(statement, BATCH, wanted.values):
            yield _to_summary(row)

    def copied(
        self, criteria: QuoteFilter, columns: Sequence[Column], on_rows: Callable[[int], None], *, lines: bool
    ) -> CopiedRows | None:
        wanted, rows = self._wanted(criteria), (rows_of_lines if lines else rows_of_quotes)(columns)
        order = (quotes.c.created_at, quotes.c.id, *((line_items.c.position,) if lines else ()))
        statement = rows.where(*wanted.conditions).order_by(*order)
        return lambda sink: copy_rows(self._transaction.connection, statement, wanted.values, sink, on_rows)

    async def count(self, criteria: QuoteFilter, at_most: int, *, lines: bool) -> int:
        table, wanted = _WITH_LINES if lines else quotes, self._wanted(criteria)
        return await counted(self._transaction.connection, table, wanted.conditions, at_most, wanted.values)

    async def stream_lines(self, criteria: QuoteFilter) -> AsyncIterator[QuoteLine]:
        wanted = self._wanted(criteria)
        statement = (
            select(*quotes.c, *_EXPORTED_LINE)
            .select_from(_WITH_LINES)
            .where(*wanted.conditions)
            .order_by(quotes.c.created_at, quotes.c.id, line_items.c.position)
        )
        quote: QuoteSummary | None = None
        async for row in self._transaction.connection.stream(statement, BATCH, wanted.values):
            if quote is None or quote.id != row.id:
                quote = _to_summary(row)
            yield _to_quote_line(quote, row)

    def _read(self, rows: Sequence[Row]) -> Quote:
        if not rows:
            raise QuoteNotFound("There is no such quote.")
        header = rows[0]
        return Quote(
            id=header.id,
            number=header.quote_number,
            customer_id=header.customer_id,
            owner_id=header.owner_id,
            created_at=header.quote_created_at,
            revisions=tuple(_to_revision(row) for row in rows),
            version=header.version,
        )

    def _wanted(self, criteria: QuoteFilter) -> Wanted:
        return wanted_of(self._transaction.organization_id, criteria)

    async def _save_revisions(self, before: Quote | None, after: Quote) -> None:
        """Write the revisions that changed; those that make room come first, for at most one may be open or sent."""
        known = {revision.number: revision for revision in before.revisions} if before else {}
        written = self._added.pop(after.id, None)
        changed = [one for one in after.revisions if one is not known.get(one.number) and one is not written]
        for revision in sorted(changed, key=lambda one: one.status in OPEN_STATUSES | {QuoteStatus.SENT}):
            await self._save_revision(after.id, known.get(revision.number), revision)

    async def _save_revision(self, quote_id: QuoteId, before: Revision | None, after: Revision) -> None:
        row = _to_revision_row(after, before)
        if before is None:
            await self._transaction.add(quote_revisions, {"quote_id": quote_id, **row})
        elif row:
            own = {
                "own_organization": self._transaction.organization_id,
                "own_quote": quote_id,
                "own_number": after.number,
            }
            await self._transaction.connection.execute(_CHANGE_REVISION, {**own, **row})
        if before is None or before.content is not after.content:
            await self._save_lines(quote_id, before, after)

    async def _save_lines(self, quote_id: QuoteId, before: Revision | None, after: Revision) -> None:
        old = list(_priced_lines(before)) if before else []
        new = list(_priced_lines(after))
        key = {
            "organization_id": self._transaction.organization_id,
            "quote_id": quote_id,
            "revision": after.number,
        }
        rows = [
            {**key, "position": position, **_to_line_row(*priced)}
            for position, (was, priced) in enumerate(zip_longest(old, new))
            if priced is not None and was != priced
        ]
        if rows:
            primary = (*key, "position")
            written = tuple(name for name in rows[0] if name not in primary)
            await self._transaction.connection.execute_many(insert_or_update(line_items, primary, written), rows)
        if len(old) > len(new):
            columns = line_items.c
            await self._transaction.connection.execute(
                delete(line_items).where(
                    columns.organization_id == self._transaction.organization_id,
                    columns.quote_id == quote_id,
                    columns.revision == after.number,
                    columns.position >= len(new),
                )
            )


def _priced_lines(revision: Revision) -> Iterator[tuple[LineItem, Decimal]]:
    for line, amounts in zip(revision.content.lines, revision.calculation.lines, strict=True):
        yield line, amounts.net


def _to_row(quote: Quote) -> dict[str, Any]:
    current = quote.current
    calculation, content = current.calculation, current.content
    return {
        "id": quote.id,
        "number": quote.number,
        "customer_id": quote.customer_id,
        "owner_id": quote.owner_id,
        "created_at": quote.created_at,
        "version": quote.version,
        "revision": current.number,
        "status": current.status.value,
        "title": content.title,
        "customer_name": content.buyer.name,
        "currency": content.currency.code,
        "total_without_tax": calculation.total_without_tax,
        "tax_total": calculation.tax_total,
        "payable": calculation.payable,
        "valid_until": content.valid_until,
        "searched": searched(quote.number, content.title, content.buyer.name),
        "custom": to_json(content.custom),
    }


def _changed(row: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """What of *row* must be written. Amounts that are equal may have other digits."""
    return {
        name: value
        for name, value in row.items()
        if value is not before[name] and (value != before[name] or isinstance(value, Decimal))
    }


def _to_revision_row(revision: Revision, before: Revision | None) -> dict[str, Any]:
    """What of it must be written: content and figures are long, and most verbs leave them alone."""
    row = _to_state_row(revision)
    if before is not None:
        row = _changed(row, _to_state_row(before))
    content = revision.content
    if before is None or content is not before.content:
        row["content"] = to_json(replace(content, lines=()))
        # For the database's own look at what is over; the domain asks the content.
        row["ends_at"] = end_of_validity(content.valid_until, content.time_zone)
    if before is None or revision.calculation is not before.calculation:
        row["calculation"] = to_json(revision.calculation)
    return row


def _to_state_row(revision: Revision) -> dict[str, Any]:
    return {
        "number": revision.number,
        "status": revision.status.value,
        "content_digest": revision.content_digest,
        "created_at": revision.created_at,
        "last_edited_by": revision.last_edited_by,
        "submitted_by": revision.submitted_by,
        "submitted_at": revision.submitted_at,
        "sent_at": revision.sent_at,
        "end_reason": revision.end_reason,
        "explanation_digest": revision.explanation_digest,
    }


def _to_line_row(line: LineItem, net: Decimal) -> Mapping[str, Any]:
    pricing = line.pricing
    return {
        "id": line.id,
        "product_id": line.product_id,
        "sku": line.sku,
        "description": line.description,
        "unit": line.unit,
        "quantity": pricing.quantity,
        "unit_price": pricing.unit_price,
        "price_base_quantity": pricing.price_base_quantity,
        "discounts": to_json(pricing.discounts),
        "charges": to_json(pricing.charges),
        "taxes": to_json(pricing.taxes),
        "net": net,
        "optional": pricing.optional,
        "chosen": pricing.chosen,
        "section": pricing.section,
        "unit_cost": pricing.unit_cost,
        "price_source": to_json(line.price_source),
        "taxes_typed": line.taxes_typed,
    }


def _to_revision(row: Row) -> Revision:
    lines = msgspec.json.decode(row.lines, type=list[_LineTexts]) if row.lines else []
    return Revision(
        number=row.number,
        status=QuoteStatus(row.status),
        content=replace(from_json(QuoteContent, row.content), lines=tuple(_to_line(line) for line in lines)),
        calculation=from_json(Calculation, row.calculation),
        created_at=row.created_at,
        last_edited_by=row.last_edited_by,
        content_digest=row.content_digest,
        submitted_by=row.submitted_by,
        submitted_at=row.submitted_at,
        sent_at=row.sent_at,
        end_reason=row.end_reason,
        explanation_digest=row.explanation_digest,
    )


def _to_line(texts: _LineTexts) -> LineItem:
    identity, product_id, sku, description, unit, quantity, unit_price, base, discounts, charges, taxes = texts[:11]
    optional, chosen, section, unit_cost, price_source, taxes_typed = texts[11:]
    return LineItem(
        id=identity,
        product_id=product_id,
        sku=sku,
        description=description,
        unit=unit,
        pricing=LinePricing(
            quantity=quantity,
            unit_price=unit_price,
            price_base_quantity=base,
            discounts=_discounts(discounts),
            charges=_charges(charges),
            taxes=_taxes(taxes),
            optional=optional,
            chosen=chosen,
            section=section,
            unit_cost=unit_cost,
        ),
        price_source=None if price_source == "null" else from_json(PriceSource, price_source),
        taxes_typed=taxes_typed,
    )


# The lines of an offer say the same again and again. What is made of it cannot be changed, so it may be shared.
@lru_cache(_KNOWN)
def _discounts(text: str) -> tuple[Discount, ...]:
    return from_json(tuple[Discount, ...], text)


@lru_cache(_KNOWN)
def _charges(text: str) -> tuple[Charge, ...]:
    return from_json(tuple[Charge, ...], text)


@lru_cache(_KNOWN)
def _taxes(text: str) -> tuple[Tax, ...]:
    return from_json(tuple[Tax, ...], text)


@lru_cache(_KNOWN)
def _custom(text: str) -> Values:
    return from_json(Values, text)


def _to_summary(row: Row) -> QuoteSummary:
    return QuoteSummary(
        id=row.id,
        number=row.number,
        revision=row.revision,
        status=QuoteStatus(row.status),
        title=row.title,
        customer_id=row.customer_id,
        customer_name=row.customer_name,
        owner_id=row.owner_id,
        currency=Currency.of(row.currency),
        total_without_tax=row.total_without_tax,
        tax_total=row.tax_total,
        payable=row.payable,
        valid_until=row.valid_until,
        created_at=row.created_at,
        version=row.version,
        custom=_custom(row.custom),
    )


def _to_quote_line(quote: QuoteSummary, row: Row) -> QuoteLine:
    return QuoteLine(
        quote=quote,
        position=row.line_position + 1,
        sku=row.line_sku,
        description=row.line_description,
        unit=row.line_unit,
        quantity=row.line_quantity,
        unit_price=row.line_unit_price,
        price_base_quantity=row.line_price_base_quantity,
        net=row.line_net,
        optional=row.line_optional,
        chosen=row.line_chosen,
        section=row.line_section,
        unit_cost=row.line_unit_cost,
    )
