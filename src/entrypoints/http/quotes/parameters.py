"""Query parameters and headers of the quotes' routes."""

from typing import Annotated
from uuid import UUID

from litestar.params import PathParameter, QueryParameter

from src.domain.quoting.states import QuoteStatus

Statuses = Annotated[
    list[QuoteStatus] | None,
    QueryParameter(name="status", description="Only these states; may be given several times."),
]
CustomerParameter = Annotated[UUID | None, QueryParameter(name="customer_id")]
OwnerParameter = Annotated[UUID | None, QueryParameter(name="owner_id")]
DeliveryFailed = Annotated[
    bool | None,
    QueryParameter(
        name="delivery_failed",
        description="Only those whose newest mail to each recipient has failed; or only the others.",
    ),
]
Explain = Annotated[bool, QueryParameter(name="explain", description="Say how every amount came about.")]
RevisionNumber = Annotated[int, PathParameter(ge=1, le=1_000_000)]
