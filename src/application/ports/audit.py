"""The audit chain in the store. Writing it is the unit of work's own business."""

from abc import abstractmethod
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from src.application.ports.paging import Page, Paging
from src.domain.audit.chain import ChainHead
from src.domain.audit.entry import AuditEntry
from src.domain.shared.ids import UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Conditions that must all hold; an absent one does not count. *since* is included, *before* is not (UTC)."""

    action: str | None = None
    resource_type: str | None = None
    resource_id: UUID | None = None
    user_id: UserId | None = None
    since: datetime | None = None
    before: datetime | None = None


class AuditLog(Protocol):
    @abstractmethod
    async def head(self) -> ChainHead:
        """The stored head: what the chain must end with."""

    @abstractmethod
    async def page(self, criteria: AuditFilter, paging: Paging) -> Page[AuditEntry]:
        """Entries that meet *criteria*, newest first."""

    @abstractmethod
    async def of_resource(self, resource_type: str, resource_id: UUID) -> Sequence[AuditEntry]:
        """Everything that was told about one thing, oldest first."""

    @abstractmethod
    def stream(self) -> AsyncIterator[AuditEntry]:
        """The whole chain in its order, in flat memory."""
