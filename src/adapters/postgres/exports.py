"""Exports in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, exists, func, select

from src.adapters.postgres.pages import newest_first
from src.adapters.postgres.records import Records, row_of
from src.adapters.postgres.tables import exports, jobs, users
from src.adapters.postgres.transaction import Transaction
from src.application.ports.exports import ExportRepository
from src.application.ports.paging import Page, Paging
from src.domain.documents.export import DataExport, ExportNotFound, ExportState
from src.domain.shared.change import Change
from src.domain.shared.ids import ExportId, UserId


class PostgresExports(ExportRepository):
    def __init__(self, transaction: Transaction) -> None:
        self._records = Records(transaction, exports, DataExport, ExportNotFound("There is no such export."))
        self._transaction = transaction

    async def get(self, export_id: ExportId) -> DataExport:
        return await self._records.get(export_id)

    async def lock(self, export_id: ExportId) -> DataExport:
        return await self._records.get(export_id, lock=True)

    async def save(self, change: Change[DataExport]) -> DataExport:
        return await self._records.save(change)

    async def page(self, created_by: UserId, paging: Paging) -> Page[DataExport]:
        conditions = [*self._mine(), exports.c.created_by == created_by]
        return await newest_first(self._transaction.connection, exports, conditions, paging, self._records.item)

    async def preparing(self, created_by: UserId) -> int:
        await row_of(self._transaction, users, created_by, lock=True)
        statement = (
            select(func.count())
            .select_from(exports)
            .where(*self._mine(), exports.c.created_by == created_by, exports.c.state == ExportState.PREPARING.value)
        )
        return int((await self._transaction.connection.execute(statement)).scalar_one())

    async def over(self, at: datetime, limit: int) -> Sequence[DataExport]:
        found = (
            select(exports)
            .where(*self._mine(), exports.c.state == ExportState.READY.value, exports.c.expires_at <= at)
            .order_by(exports.c.expires_at, exports.c.id)
            .limit(limit)
            .with_for_update(key_share=True)
        )
        return await self._records.read(found)

    async def unended(self, before: datetime, limit: int) -> Sequence[DataExport]:
        found = (
            select(exports)
            .where(*self._mine(), exports.c.state == ExportState.PREPARING.value, exports.c.created_at < before)
            .order_by(exports.c.created_at, exports.c.id)
            .limit(limit)
            .with_for_update(key_share=True)
        )
        return await self._records.read(found)

    async def forget(self, before: datetime, limit: int) -> int:
        columns, others = exports.c, exports.alias("ended")
        with_job = exists().where(jobs.c.organization_id == others.c.organization_id, jobs.c.id == others.c.job_id)
        ended = (
            select(others.c.id)
            .where(
                others.c.organization_id == self._transaction.organization_id,
                others.c.ended_at < before,
                others.c.state != ExportState.READY.value,
                ~with_job,
            )
            .order_by(others.c.ended_at, others.c.id)
            .limit(limit)
        )
        statement = delete(exports).where(*self._mine(), columns.id.in_(ended))
        return (await self._transaction.connection.execute(statement)).rowcount

    async def kept(self, storage_keys: Sequence[str]) -> frozenset[str]:
        found = select(exports.c.storage_key).where(
            *self._mine(), exports.c.storage_key != "", exports.c.storage_key == func.any(list(storage_keys))
        )
        return frozenset((await self._transaction.connection.execute(found)).scalars())

    def _mine(self) -> list[ColumnElement[bool]]:
        return [exports.c.organization_id == self._transaction.organization_id]
