"""Sums over offers, in memory and in PostgreSQL."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from src.application.ports.reporting import RevenueBy
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.application.reporting.revenue import ReportRevenue, ReportRevenueCommand
from src.application.transactions import Transactions
from src.domain.catalog.category import Category
from src.domain.identity.actor import Role
from src.domain.quoting.content import FrozenRate, LineItem
from src.domain.quoting.pricing import DocumentDiscount
from src.domain.quoting.states import QuoteStatus
from src.domain.shared.currency import Currency
from src.domain.shared.errors import Invalid
from src.domain.shared.ids import CategoryId
from tests.builders.quotes import NOON, a_content, a_customer, a_line, a_new_quote, a_product
from tests.organizations import TestOrganization

pytestmark = pytest.mark.asyncio

D = Decimal


async def _sent(open_uow: OpenUnitOfWork, made: TestOrganization) -> None:
    """Two customers; desks and a line of no product; one offer in dollars, one with a document discount, one unsent."""
    actor = made.actor(Role.SALES)
    async with open_uow(made.actor(Role.OWNER)) as uow:
        category = await uow.categories.save(
            Category(id=CategoryId(uuid4()), name="Desks", parent_id=None, created_at=NOON).create()
        )
        product = await uow.products.save(replace(a_product(), category_id=category.id).create())
        small = await uow.customers.save(a_customer(party=replace(a_customer().party, name="Small")).create())
        large = await uow.customers.save(a_customer(party=replace(a_customer().party, name="Large")).create())
        await uow.commit()
    desk = replace(a_line(), product_id=product.id)
    loose = replace(a_line(), product_id=None)

    def priced(line: LineItem, quantity: str, price: str, **more: Any) -> LineItem:
        return replace(line, pricing=replace(line.pricing, quantity=D(quantity), unit_price=D(price), **more))

    usd = FrozenRate(base=Currency.of("USD"), target=Currency.of("EUR"), rate=D("0.5"), source="ECB", as_of=NOON.date())
    offers = (
        (small, {"lines": (priced(desk, "1", "100"), priced(loose, "1", "50", optional=True))}, None),
        (
            large,
            {
                "lines": (priced(desk, "2", "100"), priced(loose, "1", "200")),
                "discounts": (DocumentDiscount(percent=D(10)),),
            },
            None,
        ),
        (large, {"lines": (priced(loose, "1", "300"),), "currency": Currency.of("USD")}, usd),
    )
    for customer, content, rate in offers:
        async with open_uow(actor) as uow:
            quote = await uow.quotes.save(
                a_new_quote(customer_id=customer.id, by=actor.person, content=a_content(**content))
            )
            submitted = await uow.quotes.save(
                quote.submit(by=actor.person, at=NOON, needs_approval=False, exchange_rate=rate)
            )
            await uow.quotes.save(submitted.send(at=NOON, expected_digest=None))
            await uow.quotes.save(a_new_quote(customer_id=customer.id, by=actor.person, content=a_content()))
            await uow.commit()


async def test_revenue_by_customer_and_category(open_uow: OpenUnitOfWork, organization: TestOrganization) -> None:
    await _sent(open_uow, organization)
    report, actor = ReportRevenue(Transactions(open_uow)), organization.actor(Role.SALES)

    customers = await report(actor, ReportRevenueCommand(by=RevenueBy.CUSTOMER))
    categories = await report(actor, ReportRevenueCommand(by=RevenueBy.CATEGORY))

    assert [(row.name, row.quotes, row.amount) for row in customers.rows] == [
        ("Large", 2, D("510.00")),
        ("Small", 1, D("100.00")),
    ]
    assert [(row.name, row.quotes, row.amount) for row in categories.rows] == [
        ("", 2, D("330.00")),
        ("Desks", 2, D("280.00")),
    ]
    assert customers.total == categories.total == D("610.00")


async def test_revenue_of_days_and_states(open_uow: OpenUnitOfWork, organization: TestOrganization) -> None:
    await _sent(open_uow, organization)
    report, actor, day = ReportRevenue(Transactions(open_uow)), organization.actor(Role.SALES), NOON.date()

    async def total(**more: Any) -> Decimal:
        return (await report(actor, ReportRevenueCommand(by=RevenueBy.CUSTOMER, **more))).total

    assert await total(start=day, end=day) == D("610.00")
    assert await total(start=day + timedelta(days=1)) == 0
    assert await total(end=day - timedelta(days=1)) == 0
    assert await total(statuses=(QuoteStatus.ACCEPTED,)) == 0
    wrongs: tuple[dict[str, Any], ...] = (
        {"statuses": (QuoteStatus.DRAFT,)},
        {"start": day, "end": day - timedelta(days=1)},
    )
    for wrong in wrongs:
        with pytest.raises(Invalid):
            await total(**wrong)
