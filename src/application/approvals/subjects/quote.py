"""Quotes as a subject of approvals."""

from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from src.application.approvals.subject import ApprovalSubject
from src.application.ports.unit_of_work import UnitOfWork
from src.application.prices.coupons import save_quote
from src.domain.approvals.conditions import FactKind, FactSpec, FactValue
from src.domain.approvals.policy import ApprovalPolicy
from src.domain.approvals.request import ApprovalRequest, Subject
from src.domain.identity.actor import Permission
from src.domain.quoting.content import FrozenRate
from src.domain.quoting.facts import facts_of
from src.domain.quoting.quote import Quote
from src.domain.shared.ids import QuoteId

KIND: Final = "quote"

_NUMBERS = {
    "total": "Total without tax of what counts (options that are chosen), in the organisation's currency.",
    "discount_percent": "All discounts, of lines and document, in percent of what all lines would come to without any.",
    "greatest_line_discount_percent": "The greatest discount of a single line, in percent.",
    "line_count": "Number of lines.",
    "payment_days": "Net days within which the customer pays; unknown where nothing was agreed.",
}
_MARGINS = {
    "margin_percent": "Margin of the whole offer in percent of its total without tax, -1000000000 where it is given away; unknown unless all costs are.",
    "least_line_margin_percent": "The least margin of a single line, in percent of its net; unknown unless all costs are.",
}
_TEXTS = {
    "currency": "Currency of the offer (ISO 4217).",
    "costs_known": "`yes` where every line has a cost, else `no`.",
    "customer_group": "Name of the customer's group; empty for none.",
    "customer_country": "Country of the customer (ISO 3166-1 alpha-2).",
}


class QuoteSubject(ApprovalSubject):
    kind = KIND
    permission = Permission.DECIDE_APPROVALS
    otherwise: ApprovalPolicy | None = None
    facts = (
        *(FactSpec(name=name, kind=FactKind.NUMBER, description=about) for name, about in _NUMBERS.items()),
        *(
            FactSpec(name=name, kind=FactKind.NUMBER, description=about, confidential=True)
            for name, about in _MARGINS.items()
        ),
        *(FactSpec(name=name, kind=FactKind.TEXT, description=about) for name, about in _TEXTS.items()),
        FactSpec(name="customer_tags", kind=FactKind.LIST, description="Tags of the customer."),
    )

    async def lock(self, uow: UnitOfWork, subject_id: UUID) -> str | None:
        return (await uow.quotes.lock(QuoteId(subject_id))).current.content_digest

    async def approve(self, uow: UnitOfWork, request: ApprovalRequest, at: datetime) -> None:
        quote = await uow.quotes.lock(QuoteId(request.subject.id))
        await save_quote(uow, quote.approve(at=at, expected_digest=request.content_digest))

    async def reject(self, uow: UnitOfWork, request: ApprovalRequest, reason: str, at: datetime) -> None:
        quote = await uow.quotes.lock(QuoteId(request.subject.id))
        await save_quote(uow, quote.reject(at=at, expected_digest=request.content_digest, reason=reason))


SUBJECT: Final = QuoteSubject()


def subject_of(quote: Quote) -> Subject:
    """Its current revision."""
    return Subject(kind=KIND, resource_type="quote", id=quote.id, title=quote.number, revision=quote.current.number)


async def facts_about(uow: UnitOfWork, quote: Quote, rate: FrozenRate | None) -> dict[str, FactValue]:
    """All that is known about the current revision; *rate* leads to the organisation's currency."""
    current, customer = quote.current, await uow.customers.get(quote.customer_id)
    group = None if customer.group_id is None else await uow.customer_groups.get(customer.group_id)
    facts: dict[str, FactValue] = {
        **facts_of(current.calculation, current.content.pricing(), current.content, rate),
        "customer_group": "" if group is None else group.name,
        "customer_country": customer.party.address.country,
        "customer_tags": customer.tags,
    }
    if customer.payment_days is not None:
        facts["payment_days"] = Decimal(customer.payment_days)
    return facts
