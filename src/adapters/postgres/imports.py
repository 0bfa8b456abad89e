"""Imports in PostgreSQL."""

from sqlalchemy import select

from src.adapters.postgres.pages import newest_first
from src.adapters.postgres.records import Records
from src.adapters.postgres.tables import imports
from src.adapters.postgres.transaction import Transaction
from src.application.ports.imports import ImportRepository
from src.application.ports.paging import Page, Paging
from src.domain.documents.catalog_import import CatalogImport, ImportKind, ImportNotFound, ImportStatus
from src.domain.shared.change import Change
from src.domain.shared.ids import ImportId


class PostgresImports(ImportRepository):
    def __init__(self, transaction: Transaction) -> None:
        self._records = Records(transaction, imports, CatalogImport, ImportNotFound("There is no such import."))
        self._transaction = transaction

    async def get(self, import_id: ImportId) -> CatalogImport:
        return await self._records.get(import_id)

    async def lock(self, import_id: ImportId) -> CatalogImport:
        return await self._records.get(import_id, lock=True)

    async def unfinished(self, kind: ImportKind, sha256: str) -> CatalogImport | None:
        columns = imports.c
        statement = (
            select(imports)
            .where(
                columns.organization_id == self._transaction.organization_id,
                columns.kind == kind.value,
                columns.sha256 == sha256,
                columns.dry_run.is_(False),
                columns.status.in_([ImportStatus.QUEUED.value, ImportStatus.RUNNING.value]),
            )
            .order_by(columns.created_at.desc(), columns.id.desc())
            .limit(1)
        )
        return next(iter(await self._records.read(statement)), None)

    async def save(self, change: Change[CatalogImport]) -> CatalogImport:
        return await self._records.save(change)

    async def page(self, paging: Paging) -> Page[CatalogImport]:
        conditions = [imports.c.organization_id == self._transaction.organization_id]
        return await newest_first(self._transaction.connection, imports, conditions, paging, self._records.item)
