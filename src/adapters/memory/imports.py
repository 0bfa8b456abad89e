"""Imports in memory."""

from src.adapters.memory.records import MemoryRecords
from src.adapters.memory.state import MemoryTransaction, page_of
from src.application.ports.imports import ImportRepository
from src.application.ports.paging import Page, Paging
from src.domain.documents.catalog_import import CatalogImport, ImportKind, ImportNotFound, ImportStatus
from src.domain.shared.change import Change
from src.domain.shared.ids import ImportId


class MemoryImports(ImportRepository):
    def __init__(self, transaction: MemoryTransaction) -> None:
        missing = ImportNotFound("There is no such import.")
        self._records = MemoryRecords(transaction, transaction.state.imports, missing)

    async def get(self, import_id: ImportId) -> CatalogImport:
        return self._records.get(import_id)

    async def lock(self, import_id: ImportId) -> CatalogImport:
        return self._records.get(import_id)

    async def unfinished(self, kind: ImportKind, sha256: str) -> CatalogImport | None:
        ended = {ImportStatus.DONE, ImportStatus.REFUSED}
        found = [
            one
            for one in self._records.items.values()
            if (one.kind, one.sha256, one.dry_run) == (kind, sha256, False) and one.status not in ended
        ]
        return max(found, key=lambda one: (one.created_at, one.id), default=None)

    async def save(self, change: Change[CatalogImport]) -> CatalogImport:
        return self._records.save(change)

    async def page(self, paging: Paging) -> Page[CatalogImport]:
        return page_of(self._records.items.values(), paging, lambda one: one)
