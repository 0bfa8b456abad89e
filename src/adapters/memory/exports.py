"""Exports in memory."""

from collections.abc import Sequence
from datetime import datetime

from src.adapters.memory.records import MemoryRecords
from src.adapters.memory.state import MemoryTransaction, page_of
from src.application.ports.exports import ExportRepository
from src.application.ports.paging import Page, Paging
from src.domain.documents.export import DataExport, ExportNotFound, ExportState
from src.domain.shared.change import Change
from src.domain.shared.ids import ExportId, UserId


class MemoryExports(ExportRepository):
    def __init__(self, transaction: MemoryTransaction) -> None:
        missing = ExportNotFound("There is no such export.")
        self._records = MemoryRecords(transaction, transaction.state.exports, missing)
        self._jobs = transaction.state.jobs

    async def get(self, export_id: ExportId) -> DataExport:
        return self._records.get(export_id)

    async def lock(self, export_id: ExportId) -> DataExport:
        return self._records.get(export_id)

    async def save(self, change: Change[DataExport]) -> DataExport:
        return self._records.save(change)

    async def page(self, created_by: UserId, paging: Paging) -> Page[DataExport]:
        own = (one for one in self._records.items.values() if one.created_by == created_by)
        return page_of(own, paging, lambda one: one)

    async def preparing(self, created_by: UserId) -> int:
        return sum(one.is_preparing and one.created_by == created_by for one in self._records.items.values())

    async def over(self, at: datetime, limit: int) -> Sequence[DataExport]:
        ready = [
            (one.expires_at, one.id, one)
            for one in self._records.items.values()
            if one.state is ExportState.READY and one.expires_at is not None and one.expires_at <= at
        ]
        return [one for _, _, one in sorted(ready, key=lambda found: found[:2])[:limit]]

    async def unended(self, before: datetime, limit: int) -> Sequence[DataExport]:
        waiting = [one for one in self._records.items.values() if one.is_preparing and one.created_at < before]
        return sorted(waiting, key=lambda one: (one.created_at, one.id))[:limit]

    async def forget(self, before: datetime, limit: int) -> int:
        ended = [
            one.id
            for one in self._records.items.values()
            if one.ended_at is not None
            and one.ended_at < before
            and one.state is not ExportState.READY
            and one.job_id not in self._jobs
        ]
        for export_id in ended[:limit]:
            del self._records.items[export_id]
        return len(ended[:limit])

    async def kept(self, storage_keys: Sequence[str]) -> frozenset[str]:
        return frozenset(one.storage_key for one in self._records.items.values()) & frozenset(storage_keys) - {""}
