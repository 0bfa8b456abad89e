"""The audit chain in PostgreSQL."""

import asyncio
import base64
import binascii
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Final, cast
from uuid import UUID

import msgspec
from sqlalchemy import TextClause, func, insert, select, text
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.sql.elements import ColumnElement

from src.adapters.postgres.connection import Row, lent
from src.adapters.postgres.pages import counted, for_counting
from src.adapters.postgres.tables import audit_anchors, audit_entries, audit_heads, audit_signed_heads
from src.adapters.postgres.transaction import Transaction
from src.application.ports.audit import AuditFilter, AuditLog, AuditPartitions, EmptyMonths
from src.application.ports.paging import CursorRefused, Page, Paging
from src.domain.audit.chain import ChainHead, month_of
from src.domain.audit.entry import AuditEntry, AuditRecord
from src.domain.audit.retention import AnchorTaken, RetentionAnchor
from src.domain.audit.signed_head import SignedHead
from src.domain.audit.verification import AuditLink, Extent
from src.domain.shared.ids import OrganizationId

_BATCH: Final = 1000
_LINK_BATCH: Final = 2000
# Places and hashes are made where the head is locked: the server's work on one message is all that others wait for.
APPEND: Final = "SELECT proffer.append_audit(current_setting('app.document')::json)"
_REMOVE: Final = text("SELECT proffer.remove_audit_entries(:upto, :most)")
_MONTHS: Final = text(
    "SELECT to_date(right(c.relname, 7), 'YYYY_MM') AS month FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
    "WHERE i.inhparent = 'proffer.audit_entries'::regclass AND c.relname ~ '^audit_entries_[0-9]{4}_[0-9]{2}$' "
    "AND to_date(right(c.relname, 7), 'YYYY_MM') < CAST(:before AS date) ORDER BY 1"
)
_DROP_EMPTY: Final = text("SELECT proffer.drop_empty_audit_partition(CAST(:month AS date))")
_NOBODY: Final = UUID(int=0)  # Months are of no organisation.
# Head and last entry in one statement: one snapshot, so that what others append meanwhile is in both or in neither.
_EXTENT: Final = text(
    "SELECT coalesce(max(sequence), 0) AS sequence, coalesce(max(hash), '') AS hash, "  # A missing head proves nothing.
    "(SELECT coalesce(max(sequence), 0) FROM proffer.audit_entries WHERE organization_id = :tenant) AS last, "
    "(SELECT min(sequence) FROM proffer.audit_entries WHERE organization_id = :tenant) AS first "
    "FROM proffer.audit_heads WHERE organization_id = :tenant"
)
# The shown fields as the canonical text writes them.
_LINKS: Final = """
    SELECT sequence, previous_hash, text, hash, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at,
           action, resource_type, resource_id::text AS resource_id, actor_kind, user_id::text AS user_id,
           to_char(month, 'YYYY-MM') AS month
    FROM proffer.audit_entries WHERE organization_id = $1 AND sequence > $2 AND sequence <= $3
    ORDER BY sequence LIMIT $4
"""


class AuditedCommit:
    """The end of *transaction*, and *records* of what was done in it. After ``prepare`` only what has no record may be done."""

    def __init__(self, transaction: Transaction, records: Sequence[AuditRecord]) -> None:
        self._transaction, self._records = transaction, records

    async def prepare(self) -> str:
        """Hand the records to the server, without a lock yet; the tenant whose chain it would add them to."""
        return await self._transaction.connection.prepare(_document_of(self._records) if self._records else "")

    async def run(self) -> None:
        """Add the records to the chain, and commit. Raises as ``Connection.commit``."""
        await self._transaction.connection.commit(APPEND if self._records else "")


def _document_of(records: Sequence[AuditRecord]) -> str:
    """Column by column, as ``append_audit`` takes them."""
    document = msgspec.json.encode(
        {
            "ats": [record.at for record in records],
            "actions": [record.action for record in records],
            "resource_types": [record.resource_type for record in records],
            "resource_ids": [record.resource_id for record in records],
            "actor_kinds": [record.actor_kind for record in records],
            "user_ids": [record.user_id for record in records],
            "texts": [record.text for record in records],
        }
    )
    return document.decode()


class PostgresAudit(AuditLog):
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def head(self) -> ChainHead:
        condition = audit_heads.c.organization_id == self._transaction.organization_id
        row = (await self._transaction.connection.execute(select(audit_heads).where(condition))).one()
        return ChainHead(row.sequence, row.hash)

    async def page(self, criteria: AuditFilter, paging: Paging) -> Page[AuditEntry]:
        conditions = self._conditions(criteria)
        columns = audit_entries.c
        counting = select(func.count()).select_from(audit_entries).where(*for_counting(conditions))
        statement = select(audit_entries).where(*conditions).order_by(columns.sequence.desc()).limit(paging.limit + 1)
        if paging.cursor is None:
            statement = statement.offset(paging.skip)
        else:
            statement = statement.where(columns.sequence < _read_cursor(paging.cursor))
        total = (await self._transaction.connection.execute(counting)).scalar_one()
        rows = (await self._transaction.connection.execute(statement)).all()
        shown = rows[: paging.limit]
        more = len(rows) > paging.limit
        return Page(
            items=tuple(_to_entry(row) for row in shown),
            total=total,
            next_cursor=_write_cursor(shown[-1].sequence) if more else None,
        )

    async def of_resource(self, resource_type: str, resource_id: UUID) -> Sequence[AuditEntry]:
        criteria = AuditFilter(resource_type=resource_type, resource_id=resource_id)
        statement = select(audit_entries).where(*self._conditions(criteria)).order_by(audit_entries.c.sequence)
        return [_to_entry(row) for row in await self._transaction.connection.execute(statement)]

    async def stream(self, criteria: AuditFilter) -> AsyncIterator[AuditEntry]:
        statement = select(audit_entries).where(*self._conditions(criteria)).order_by(audit_entries.c.sequence)
        async for row in self._transaction.connection.stream(statement, _BATCH):
            yield _to_entry(row)

    async def count(self, criteria: AuditFilter, at_most: int) -> int:
        return await counted(self._transaction.connection, audit_entries, self._conditions(criteria), at_most)

    async def extent(self) -> Extent:
        row = (await self._transaction.connection.execute(_EXTENT, {"tenant": self._transaction.organization_id})).one()
        return Extent(head=ChainHead(row.sequence, row.hash), last=row.last, first=row.first)

    async def links(self, after: int, upto: int) -> AsyncGenerator[Sequence[AuditLink], None]:
        """The driver's own rows, which take half the time; the next batch is under way while one is looked at."""
        fetch = self._transaction.connection.fetch
        tenant, asked = self._transaction.organization_id, after
        coming = asyncio.ensure_future(fetch(_LINKS, tenant, asked, upto, _LINK_BATCH))
        try:
            while rows := await coming:
                # The last one comes again with the next batch: a place that is taken twice must not fall between two.
                if len(rows) == _LINK_BATCH and rows[0]["sequence"] != rows[-1]["sequence"]:
                    ended = rows[-1]["sequence"]
                    while rows[-1]["sequence"] == ended:
                        rows.pop()
                asked = rows[-1]["sequence"]
                coming = asyncio.ensure_future(fetch(_LINKS, tenant, asked, upto, _LINK_BATCH))
                await asyncio.sleep(0)  # Sends the question.
                yield cast("Sequence[AuditLink]", rows)  # Records are read like links.
        finally:
            with suppress(asyncio.CancelledError):
                await coming  # A connection answers one question at a time.

    async def hash_at(self, sequence: int) -> str | None:
        columns = audit_entries.c
        own = columns.organization_id == self._transaction.organization_id
        statement = select(columns.hash).where(own, columns.sequence == sequence).limit(1)
        found: str | None = (await self._transaction.connection.execute(statement)).scalar_one_or_none()
        return found

    async def successor_of(self, previous_hash: str) -> int | None:
        columns = audit_entries.c
        own = columns.organization_id == self._transaction.organization_id
        statement = select(columns.sequence).where(own, columns.previous_hash == previous_hash).limit(1)
        found: int | None = (await self._transaction.connection.execute(statement)).scalar_one_or_none()
        return found

    async def signed_heads(self) -> Sequence[SignedHead]:
        columns = audit_signed_heads.c
        own = columns.organization_id == self._transaction.organization_id
        statement = select(audit_signed_heads).where(own).order_by(columns.sequence, columns.signed_at)
        return [_to_signed(row) for row in await self._transaction.connection.execute(statement)]

    async def keep_head(self, signed: SignedHead) -> None:
        values = {
            "organization_id": signed.organization_id,
            "sequence": signed.head.sequence,
            "hash": signed.head.hash,
            "signed_at": signed.signed_at,
            "key_id": signed.key_id,
            "signature": signed.signature,
        }
        await self._transaction.connection.execute(
            postgresql_insert(audit_signed_heads).values(values).on_conflict_do_nothing()
        )

    async def anchors(self) -> Sequence[RetentionAnchor]:
        columns = audit_anchors.c
        own = columns.organization_id == self._transaction.organization_id
        statement = select(audit_anchors).where(own).order_by(columns.sequence)
        return [_to_anchor(row) for row in await self._transaction.connection.execute(statement)]

    async def keep_anchor(self, anchor: RetentionAnchor) -> None:
        values = {
            "organization_id": anchor.organization_id,
            "sequence": anchor.head.sequence,
            "hash": anchor.head.hash,
            "entries": anchor.entries,
            "before": anchor.before,
            "retained_at": anchor.retained_at,
            "key_id": anchor.key_id,
            "signature": anchor.signature,
        }
        try:
            await self._transaction.connection.execute(insert(audit_anchors), values)
        except IntegrityError as error:
            raise AnchorTaken("These entries are being removed already.") from error

    async def last_before(self, month: date, vouched: int) -> ChainHead | None:
        columns = audit_entries.c
        own = columns.organization_id == self._transaction.organization_id
        begin = datetime(month.year, month.month, 1, tzinfo=UTC)
        ahead = select(func.min(columns.sequence)).where(
            own, columns.month < month, columns.sequence > vouched, columns.at >= begin
        )
        first = (await self._transaction.connection.execute(ahead)).scalar_one()
        statement = (
            select(columns.sequence, columns.hash)
            .where(own, columns.month < month, *(() if first is None else (columns.sequence < first,)))
            .order_by(columns.sequence.desc())
            .limit(1)
        )
        row = (await self._transaction.connection.execute(statement)).one_or_none()
        return None if row is None else ChainHead(row.sequence, row.hash)

    async def remove(self, upto: int, most: int) -> int:
        return int((await self._transaction.connection.execute(_REMOVE, {"upto": upto, "most": most})).scalar_one())

    def _conditions(self, criteria: AuditFilter) -> list[ColumnElement[bool]]:
        columns = audit_entries.c
        conditions: list[ColumnElement[bool]] = [columns.organization_id == self._transaction.organization_id]
        for column, wanted in (
            (columns.action, criteria.action),
            (columns.resource_type, criteria.resource_type),
            (columns.resource_id, criteria.resource_id),
            (columns.user_id, criteria.user_id),
            (columns.actor_kind, criteria.actor_kind),
            (columns.trace_id, criteria.trace_id),
        ):
            if wanted is not None:
                conditions.append(column == wanted)
        if criteria.since is not None:
            # Earlier months need no look: see AuditFilter.
            conditions += [columns.at >= criteria.since, columns.month >= month_of(criteria.since)]
        if criteria.before is not None:
            conditions.append(columns.at < criteria.before)
        return conditions


# A month that has just been emptied is still full of dead rows, which are looked through; afterwards it is vacuumed.
_A_MINUTE: Final = text("SET LOCAL statement_timeout = '1min'")


class PostgresAuditPartitions(AuditPartitions):
    """With the operators' *engine*. A month is given *patience*: meanwhile nobody reads in it, nor in the whole."""

    def __init__(self, engine: AsyncEngine, patience: TextClause = _A_MINUTE) -> None:
        self._engine, self._patience = engine, patience

    async def drop_empty(self, before: date) -> EmptyMonths:
        dropped, left = list[date](), dict[date, str]()
        async with lent(self._engine) as connection:
            for month in (await connection.execute(_MONTHS, {"before": before})).scalars():
                await connection.begin(_NOBODY)
                await connection.execute(self._patience)
                became = (await connection.execute(_DROP_EMPTY, {"month": month})).scalar_one()
                await connection.commit()  # One at a time: while it is dropped, nobody reads or writes any entry.
                if became == "dropped":
                    dropped.append(month)
                elif became != "kept":
                    left[month] = became
        return EmptyMonths(dropped=dropped, left=left)


def _write_cursor(sequence: int) -> str:
    return base64.urlsafe_b64encode(str(sequence).encode()).decode()


def _read_cursor(cursor: str) -> int:
    try:
        text = base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, UnicodeError):
        raise CursorRefused from None
    if not text.isdigit() or len(text) > 18:
        raise CursorRefused
    return int(text)


def _to_entry(row: Row) -> AuditEntry:
    record = AuditRecord(
        at=row.at,
        action=row.action,
        resource_type=row.resource_type,
        resource_id=row.resource_id,
        actor_kind=row.actor_kind,
        user_id=row.user_id,
        text=row.text,
    )
    return AuditEntry(
        sequence=row.sequence, record=record, previous_hash=row.previous_hash, hash=row.hash, month=row.month
    )


def _to_signed(row: Row) -> SignedHead:
    return SignedHead(
        organization_id=OrganizationId(row.organization_id),
        head=ChainHead(row.sequence, row.hash),
        signed_at=row.signed_at,
        key_id=row.key_id,
        signature=row.signature,
    )


def _to_anchor(row: Row) -> RetentionAnchor:
    return RetentionAnchor(
        organization_id=OrganizationId(row.organization_id),
        head=ChainHead(row.sequence, row.hash),
        entries=row.entries,
        before=row.before,
        retained_at=row.retained_at,
        key_id=row.key_id,
        signature=row.signature,
    )
