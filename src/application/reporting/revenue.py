"""What offers bring, by customer or by category."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal

from src.application.ports.reporting import RevenueBy, RevenueRow
from src.application.transactions import Transactions
from src.domain.identity.actor import Actor, Permission
from src.domain.quoting.states import QuoteStatus
from src.domain.shared.currency import Currency
from src.domain.shared.errors import invalid_field

COUNTED = (QuoteStatus.SENT, QuoteStatus.ACCEPTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRevenueCommand:
    """*start* and *end* are days in the organisation's time zone, both included; an absent one does not count."""

    by: RevenueBy
    start: date | None = None
    end: date | None = None
    statuses: tuple[QuoteStatus, ...] = COUNTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Revenue:
    """Rows in *currency*, each rounded to its minor units; *total* is rounded once, from what the rows exactly are."""

    currency: Currency
    rows: tuple[RevenueRow, ...]
    total: Decimal


class ReportRevenue:
    """Raises Invalid for states in which nothing has been sent, and for days that end before they begin."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, command: ReportRevenueCommand) -> Revenue:
        async with self._transactions.begin(actor, Permission.VIEW_REPORTS) as uow:
            if not set(command.statuses) <= set(COUNTED):
                raise invalid_field("status", "Revenue is of offers that are sent or accepted.")
            if command.start and command.end and command.end < command.start:
                raise invalid_field("to", "The last day lies before the first.")
            organization = await uow.organizations.current()

            def instant(day: date | None, later: int) -> datetime | None:
                if day is None:
                    return None
                begun = datetime.combine(day + timedelta(days=later), time(), organization.zone)
                return begun.astimezone(UTC)

            statuses = command.statuses or COUNTED
            rows = await uow.reports.revenue(command.by, statuses, instant(command.start, 0), instant(command.end, 1))
        return _rounded(rows, organization.default_currency)


def _rounded(rows: Sequence[RevenueRow], currency: Currency) -> Revenue:
    unit = Decimal(1).scaleb(-currency.minor_digits)
    total = sum((row.amount for row in rows), Decimal(0)).quantize(unit, ROUND_HALF_UP)
    rounded = tuple(replace(row, amount=row.amount.quantize(unit, ROUND_HALF_UP)) for row in rows)
    return Revenue(currency=currency, rows=rounded, total=total)
