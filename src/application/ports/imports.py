"""Imports in the store."""

from abc import abstractmethod
from typing import Protocol

from src.application.ports.paging import Page, Paging
from src.domain.documents.catalog_import import CatalogImport, ImportKind
from src.domain.shared.change import Change
from src.domain.shared.ids import ImportId


class ImportRepository(Protocol):
    @abstractmethod
    async def get(self, import_id: ImportId) -> CatalogImport:
        """Raises ImportNotFound."""

    @abstractmethod
    async def lock(self, import_id: ImportId) -> CatalogImport:
        """As ``get``, and nobody else goes on with it until this unit of work ends. Raises ImportNotFound."""

    @abstractmethod
    async def unfinished(self, kind: ImportKind, sha256: str) -> CatalogImport | None:
        """The latest import of this very file that has not ended and was no dry run."""

    @abstractmethod
    async def save(self, change: Change[CatalogImport]) -> CatalogImport: ...

    @abstractmethod
    async def page(self, paging: Paging) -> Page[CatalogImport]:
        """Newest first."""
