"""Reports: sums over what is kept, read only."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from src.domain.quoting.states import QuoteStatus


class RevenueBy(StrEnum):
    CUSTOMER = "customer"
    CATEGORY = "category"


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenueRow:
    """*amount* without tax, in the organisation's currency, not rounded. *id* None: lines of no product, or of no category."""

    id: UUID | None
    name: str
    quotes: int
    amount: Decimal


class Reports(Protocol):
    @abstractmethod
    async def revenue(
        self,
        by: RevenueBy,
        statuses: Sequence[QuoteStatus],
        sent_from: datetime | None,
        sent_before: datetime | None,
    ) -> Sequence[RevenueRow]:
        """Of revisions in one of these states that were sent in that time: totals without tax by the rate frozen with each.

        A document's total is apportioned to its counting lines by their nets with their part of the document's discounts
        and charges. The largest first.
        """
