"""Reports over HTTP."""

from datetime import date
from typing import Annotated, Self
from uuid import UUID

from dishka.integrations.litestar import FromDishka
from litestar import Controller, get
from litestar.params import QueryParameter
from msgspec import Struct

from src.application.ports.reporting import RevenueBy
from src.application.reporting.revenue import COUNTED, ReportRevenue, ReportRevenueCommand, Revenue
from src.domain.identity.actor import Actor, Permission
from src.domain.quoting.states import QuoteStatus
from src.entrypoints.schemas.pricing import amount_text

By = Annotated[RevenueBy, QueryParameter(name="by", description="What the rows are.")]
FirstDay = Annotated[date | None, QueryParameter(name="from", description="First day of sending, in your time zone.")]
LastDay = Annotated[date | None, QueryParameter(name="to", description="Last day of sending, included.")]
Statuses = Annotated[
    list[QuoteStatus] | None, QueryParameter(name="status", description="`sent`, `accepted`; both when absent.")
]


class RevenueRowSchema(Struct, frozen=True):
    """*id* and *name* are those of the customer or category; null: lines of no product, or of none with a category."""

    id: UUID | None
    name: str | None
    quotes: int
    amount: str


class RevenueResponse(Struct, frozen=True):
    """Without tax, in the organisation's *currency*. Each amount is rounded by itself, the total as well."""

    currency: str
    total: str
    rows: list[RevenueRowSchema]

    @classmethod
    def of(cls, revenue: Revenue) -> Self:
        digits = revenue.currency.minor_digits
        return cls(
            currency=revenue.currency.code,
            total=amount_text(revenue.total, digits),
            rows=[
                RevenueRowSchema(
                    id=row.id, name=row.name or None, quotes=row.quotes, amount=amount_text(row.amount, digits)
                )
                for row in revenue.rows
            ],
        )


class ReportController(Controller):
    path = "/api/v1/reports"
    tags = ("reports",)

    @get("/revenue", permission=Permission.VIEW_REPORTS)
    async def revenue(
        self,
        actor: FromDishka[Actor],
        report_revenue: FromDishka[ReportRevenue],
        by: By,
        start: FirstDay = None,
        end: LastDay = None,
        status: Statuses = None,
    ) -> RevenueResponse:
        """What offers bring that were sent or accepted, by customer or product category, the largest first."""
        command = ReportRevenueCommand(by=by, start=start, end=end, statuses=tuple(status or COUNTED))
        return RevenueResponse.of(await report_revenue(actor, command))
