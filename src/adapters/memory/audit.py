"""The audit chain in memory."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from datetime import UTC, date, datetime
from itertools import takewhile
from uuid import UUID

from src.adapters.memory.state import MemoryTransaction
from src.application.ports.audit import AuditFilter, AuditLog, AuditPartitions, EmptyMonths
from src.application.ports.paging import CursorRefused, Page, Paging
from src.domain.audit.chain import ChainHead, append, latest_month, month_of
from src.domain.audit.entry import AuditEntry, AuditRecord
from src.domain.audit.retention import AnchorTaken, RetentionAnchor
from src.domain.audit.signed_head import SignedHead
from src.domain.audit.verification import AuditLink, Extent


class MemoryAudit(AuditLog):
    def __init__(self, transaction: MemoryTransaction) -> None:
        self._transaction = transaction

    async def head(self) -> ChainHead:
        return self._transaction.state.head

    def append(self, records: Iterable[AuditRecord]) -> None:
        state = self._transaction.state
        latest = latest_month(datetime.now(UTC))
        added = list(append(self._transaction.organization_id, state.head, records, state.head_month, latest))
        state.entries.extend(added)
        if added:
            state.head, state.head_month = ChainHead(added[-1].sequence, added[-1].hash), added[-1].month

    async def page(self, criteria: AuditFilter, paging: Paging) -> Page[AuditEntry]:
        found = [entry for entry in reversed(self._transaction.state.entries) if _meets(entry, criteria)]
        start = paging.skip
        if paging.cursor is not None:
            if not (paging.cursor.isascii() and paging.cursor.isdigit()):
                raise CursorRefused
            start = sum(entry.sequence >= int(paging.cursor) for entry in found)
        shown = found[start : start + paging.limit]
        more = len(found) > start + paging.limit
        return Page(
            items=tuple(shown), total=len(found), next_cursor=str(shown[-1].sequence) if more and shown else None
        )

    async def of_resource(self, resource_type: str, resource_id: UUID) -> Sequence[AuditEntry]:
        criteria = AuditFilter(resource_type=resource_type, resource_id=resource_id)
        return [entry for entry in self._transaction.state.entries if _meets(entry, criteria)]

    async def stream(self, criteria: AuditFilter) -> AsyncIterator[AuditEntry]:
        for entry in self._transaction.state.entries:
            if _meets(entry, criteria):
                yield entry

    async def count(self, criteria: AuditFilter, at_most: int) -> int:
        return min(sum(_meets(entry, criteria) for entry in self._transaction.state.entries), at_most)

    async def extent(self) -> Extent:
        state = self._transaction.state
        if not state.entries:
            return Extent(head=state.head, last=0)
        return Extent(head=state.head, last=state.entries[-1].sequence, first=state.entries[0].sequence)

    async def links(self, after: int, upto: int) -> AsyncGenerator[Sequence[AuditLink], None]:
        yield [AuditLink.of(entry) for entry in self._transaction.state.entries if after < entry.sequence <= upto]

    async def hash_at(self, sequence: int) -> str | None:
        found = (entry.hash for entry in self._transaction.state.entries if entry.sequence == sequence)
        return next(found, None)

    async def successor_of(self, previous_hash: str) -> int | None:
        entries = self._transaction.state.entries
        return next((entry.sequence for entry in entries if entry.previous_hash == previous_hash), None)

    async def signed_heads(self) -> Sequence[SignedHead]:
        return sorted(self._transaction.state.signed_heads, key=lambda signed: (signed.head.sequence, signed.signed_at))

    async def keep_head(self, signed: SignedHead) -> None:
        if signed not in self._transaction.state.signed_heads:
            self._transaction.state.signed_heads.append(signed)

    async def anchors(self) -> Sequence[RetentionAnchor]:
        return sorted(self._transaction.state.anchors, key=lambda anchor: anchor.head.sequence)

    async def keep_anchor(self, anchor: RetentionAnchor) -> None:
        kept = self._transaction.state.anchors
        if any(one.head.sequence == anchor.head.sequence for one in kept):
            raise AnchorTaken("These entries are being removed already.")
        kept.append(anchor)

    async def last_before(self, month: date, vouched: int) -> ChainHead | None:
        earlier = list(
            takewhile(
                lambda entry: entry.month < month and (entry.sequence <= vouched or month_of(entry.record.at) < month),
                self._transaction.state.entries,
            )
        )
        return ChainHead(earlier[-1].sequence, earlier[-1].hash) if earlier else None

    async def remove(self, upto: int, most: int) -> int:
        state = self._transaction.state
        gone = [entry for entry in state.entries if entry.sequence <= upto][:most]
        covered = max((anchor.head.sequence for anchor in state.anchors), default=0)
        if gone and gone[-1].sequence > covered:
            message = f"No anchor covers entry {covered + 1}."
            raise RuntimeError(message)
        del state.entries[: len(gone)]
        return len(gone)


class MemoryAuditPartitions(AuditPartitions):
    """There are none."""

    async def drop_empty(self, _: date) -> EmptyMonths:
        return EmptyMonths(dropped=(), left={})


def _meets(entry: AuditEntry, criteria: AuditFilter) -> bool:
    record = entry.record
    return (
        criteria.action in {None, record.action}
        and criteria.resource_type in {None, record.resource_type}
        and criteria.resource_id in {None, record.resource_id}
        and (criteria.user_id is None or criteria.user_id == record.user_id)
        and criteria.actor_kind in {None, record.actor_kind}
        and (criteria.trace_id is None or json.loads(record.text)["trace_id"] == criteria.trace_id)
        and (criteria.since is None or (record.at >= criteria.since and entry.month >= month_of(criteria.since)))
        and (criteria.before is None or record.at < criteria.before)
    )
