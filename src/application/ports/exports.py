"""Exports in the store."""

from abc import abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from src.application.ports.paging import Page, Paging
from src.domain.documents.export import DataExport
from src.domain.shared.change import Change
from src.domain.shared.ids import ExportId, UserId


class ExportRepository(Protocol):
    @abstractmethod
    async def get(self, export_id: ExportId) -> DataExport:
        """Raises ExportNotFound."""

    @abstractmethod
    async def lock(self, export_id: ExportId) -> DataExport:
        """As ``get``, and nobody else ends it until this unit of work does. Raises ExportNotFound."""

    @abstractmethod
    async def save(self, change: Change[DataExport]) -> DataExport: ...

    @abstractmethod
    async def page(self, created_by: UserId, paging: Paging) -> Page[DataExport]:
        """Those of one person, newest first. Raises CursorRefused."""

    @abstractmethod
    async def preparing(self, created_by: UserId) -> int:
        """How many of one person's are being prepared. Until this unit of work ends nobody else can ask it about them."""

    @abstractmethod
    async def over(self, at: datetime, limit: int) -> Sequence[DataExport]:
        """Up to *limit* that are ready and whose time is over, locked; those that end first come first."""

    @abstractmethod
    async def unended(self, before: datetime, limit: int) -> Sequence[DataExport]:
        """Up to *limit* that are being prepared and were asked for before that, locked; the oldest first."""

    @abstractmethod
    async def forget(self, before: datetime, limit: int) -> int:
        """Keep nothing of up to *limit* that ended before that, have no file, and whose job is gone too; how many."""

    @abstractmethod
    async def kept(self, storage_keys: Sequence[str]) -> frozenset[str]:
        """Which of these keys some export still needs."""
