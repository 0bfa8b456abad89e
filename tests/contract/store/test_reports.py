"""Sums over offers, in memory and in PostgreSQL."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from src.application.ports.quoting import QuoteFilter
from src.application.ports.reporting import RevenueBy, SummaryBy
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.application.reporting.revenue import ReportRevenue, ReportRevenueCommand
from src.application.transactions import Transactions
from src.domain.catalog.category import Category
from src.domain.customers.customer import Customer
from src.domain.identity.actor import Role
from src.domain.quoting.content import FrozenRate, LineItem
from src.domain.quoting.pricing import DocumentDiscount
from src.domain.quoting.quote import Quote
from src.domain.quoting.revision import CancelReason
from src.domain.quoting.states import QuoteStatus
from src.domain.shared.currency import Currency
from src.domain.shared.errors import Invalid
from src.domain.shared.ids import CategoryId, QuoteId
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


async def _quotes(open_uow: OpenUnitOfWork, made: TestOrganization) -> Customer:
    """Five offers of two customers and two owners, three in euros and two in dollars; the second customer."""
    async with open_uow(made.actor(Role.OWNER)) as uow:
        customers = [
            await uow.customers.save(a_customer(party=replace(a_customer().party, name=name)).create())
            for name in ("Äpfel", "Zander")
        ]
        await uow.commit()
    first, second = customers
    for place, (customer, role, currency, verbs, days) in enumerate(
        (
            (first, Role.SALES, "EUR", ("submit",), 0),
            (first, Role.SALES, "EUR", ("submit", "cancel"), 0),
            (second, Role.ADMIN, "EUR", ("submit",), 29),
            (second, Role.ADMIN, "USD", (), 40),
            (first, Role.ADMIN, "USD", (), 40),
        )
    ):
        actor = made.actor(role)
        content = a_content(
            lines=(a_line(),) * (place + 1), currency=Currency.of(currency), valid_until=date(2027, 1, 1)
        )
        async with open_uow(actor) as uow:
            at = NOON + timedelta(days=days, hours=11)
            change = Quote.create(
                quote_id=QuoteId(uuid4()),
                number=f"Q-{place}",
                customer_id=customer.id,
                content=content,
                by=actor.person,
                at=at,
            )
            quote = await uow.quotes.save(change)
            if "submit" in verbs:
                quote = await uow.quotes.save(quote.submit(by=actor.person, at=at, needs_approval=False))
            if "cancel" in verbs:
                await uow.quotes.save(quote.cancel(at=at, reason=CancelReason.MISTAKE))
            await uow.commit()
    return second


async def test_a_summary_adds_up_by_state_month_customer_and_owner(
    open_uow: OpenUnitOfWork, organization: TestOrganization, other: TestOrganization
) -> None:
    second = await _quotes(open_uow, organization)
    await _quotes(open_uow, other)
    one = D("307.50")

    async def told(by: SummaryBy, largest: int = 9, **criteria: Any) -> list[tuple[str, str, int, Decimal]]:
        async with open_uow(organization.actor(Role.SALES)) as uow:
            rows = await uow.reports.summary(by, QuoteFilter(**criteria), "Asia/Seoul", largest)
        return [(row.currency.code, row.name or row.key, row.quotes, row.amount) for row in rows]

    assert await told(SummaryBy.STATUS) == [
        ("EUR", "approved", 2, 4 * one),
        ("EUR", "cancelled", 1, 2 * one),
        ("USD", "draft", 2, 9 * one),
    ]
    # 2 March at 23:00 UTC is the third in Seoul; 31 March there is the first of April.
    assert await told(SummaryBy.MONTH) == [
        ("EUR", "2026-03", 2, 3 * one),
        ("EUR", "2026-04", 1, 3 * one),
        ("USD", "2026-04", 2, 9 * one),
    ]
    assert await told(SummaryBy.CUSTOMER) == [
        ("EUR", "Zander", 1, 3 * one),
        ("EUR", "Äpfel", 2, 3 * one),
        ("USD", "Äpfel", 1, 5 * one),
        ("USD", "Zander", 1, 4 * one),
    ]
    assert await told(SummaryBy.CUSTOMER, 1) == [("EUR", "Zander", 1, 3 * one), ("USD", "Äpfel", 1, 5 * one)]
    assert await told(SummaryBy.OWNER, statuses=(QuoteStatus.DRAFT,)) == [("USD", "Nick admin", 2, 9 * one)]
    assert await told(SummaryBy.STATUS, customer_id=second.id, owner_id=organization.users[Role.SALES].id) == []


async def test_a_summary_knows_what_was_won_and_lost(open_uow: OpenUnitOfWork, organization: TestOrganization) -> None:
    """Over after it was sent: lost."""
    await _quotes(open_uow, organization)
    actor = organization.actor(Role.SALES)
    async with open_uow(actor) as uow:
        approved = QuoteFilter(statuses=(QuoteStatus.APPROVED,))
        for found in [one async for one in uow.quotes.stream(approved)]:
            sent = (await uow.quotes.lock(found.id)).send(at=NOON, expected_digest=None)
            if found.owner_id == actor.person:
                await uow.quotes.save(sent.then(sent.after.expire(at=NOON + timedelta(days=900))))
            else:  # No verb accepts yet.
                accepted = replace(sent.after.current, status=QuoteStatus.ACCEPTED)
                await uow.quotes.save(replace(sent, after=replace(sent.after, revisions=(accepted,))))
        await uow.commit()
    async with open_uow(actor) as uow:
        rows = await uow.reports.summary(SummaryBy.OWNER, QuoteFilter(), "UTC", 9)

    assert [(row.name, row.currency.code, row.won_quotes, row.won_amount, row.lost_quotes) for row in rows] == [
        ("Nick admin", "EUR", 1, D("922.50"), 0),
        ("Nick sales", "EUR", 0, 0, 1),
        ("Nick admin", "USD", 0, 0, 0),
    ]
