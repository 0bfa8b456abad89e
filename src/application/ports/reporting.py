"""Reports: sums over what is kept, read only."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from src.application.ports.quoting import QuoteFilter
from src.domain.quoting.states import QuoteStatus
from src.domain.shared.currency import Currency


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


class SummaryBy(StrEnum):
    STATUS = "status"
    MONTH = "month"
    CUSTOMER = "customer"
    OWNER = "owner"


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryRow:
    """Quotes of one *currency* and one key: a status, a month as ``2026-03``, or the id of a customer or owner, with the *name*.

    Amounts are the current revisions' totals without tax. *won*: accepted; *lost*: declined or expired.
    """

    key: str
    name: str
    currency: Currency
    quotes: int
    amount: Decimal
    won_quotes: int
    won_amount: Decimal
    lost_quotes: int


class Reports(Protocol):
    @abstractmethod
    async def summary(self, by: SummaryBy, criteria: QuoteFilter, time_zone: str, largest: int) -> Sequence[SummaryRow]:
        """Quotes that meet *criteria*, by currency and then: states and months (of creation in *time_zone*, an IANA name) by
        key; of customers and owners the *largest* of each currency, by amount, name and key.
        """

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
