"""The summary of quotes that leaves the house as a PDF."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Protocol

from src.application.ports.reporting import SummaryRow


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryDocument:
    """All that the report says. *made_at* is in the organisation's time zone, whose IANA name is *time_zone*.

    *locale* is a BCP 47 tag. *start* and *end* are days, both included; None: no limit. *statuses*, *customer* and *owner* are
    the filters that were asked for, empty for none. Rows are as ``Reports.summary`` gives them.
    """

    organization: str
    locale: str
    time_zone: str
    made_at: datetime
    start: date | None
    end: date | None
    statuses: tuple[str, ...]
    customer: str
    owner: str
    by_status: Sequence[SummaryRow]
    by_month: Sequence[SummaryRow]
    by_customer: Sequence[SummaryRow]
    by_owner: Sequence[SummaryRow]

    @property
    def quotes(self) -> int:
        return sum(row.quotes for row in self.by_status)


class SummaryRenderer(Protocol):
    @abstractmethod
    def render(self, document: SummaryDocument) -> bytes:
        """A report on A4. Same input, same bytes; text is text, never markup. Holds a core for some 10 ms."""

    @abstractmethod
    async def write(self, document: SummaryDocument, path: Path) -> None:
        """Render beside the event loop, into the file at *path*."""
