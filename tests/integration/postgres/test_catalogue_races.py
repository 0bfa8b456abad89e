"""Several people at the catalogue at the same instant, on the real database."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from src.adapters.system import SystemClock, Uuid7Ids
from src.application.catalog.categories import (
    ChangeCategory,
    ChangeCategoryCommand,
    CreateCategory,
    CreateCategoryCommand,
)
from src.application.catalog.coupons import CreateCoupon, CreateCouponCommand
from src.application.catalog.price_lists import CreatePriceList, CreatePriceListCommand
from src.application.catalog.set_price import SetPrice, SetPriceCommand
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.application.prices.lines import LineInput
from src.application.quoting.create_quote import CreateQuote, CreateQuoteCommand
from src.application.quoting.drafting import DraftInput
from src.application.quoting.submit_quote import SubmitQuote, SubmitQuoteCommand
from src.application.transactions import Transactions
from src.domain.catalog.category import CategoryCycle, lineage
from src.domain.catalog.coupon import CouponExhausted
from src.domain.catalog.price_list import AmbiguousPrice, PriceTier, TierRange
from src.domain.identity.actor import Role
from src.domain.quoting.quote import Quote
from tests.builders.quotes import a_contact, a_customer, a_product
from tests.organizations import new_organization

pytestmark = pytest.mark.asyncio
D = Decimal
ROUNDS, CROWD = 6, 6


@pytest.mark.parametrize(("total", "of_customer", "wins"), [(2, None, 2), (None, 1, 1)], ids=["in all", "per customer"])
async def test_a_coupon_is_never_used_once_too_often(
    open_postgres: OpenUnitOfWork, total: int | None, of_customer: int | None, wins: int
) -> None:
    team = await new_organization(open_postgres)
    sales, clock, ids, transactions = team.actor(Role.SALES), SystemClock(), Uuid7Ids(), Transactions(open_postgres)
    async with open_postgres(sales) as uow:
        customer = await uow.customers.save(a_customer().create())
        contact = await uow.contacts.save(a_contact(customer.id).create())
        await uow.commit()
    for _ in range(ROUNDS):
        code = uuid4().hex.upper()
        await CreateCoupon(transactions, clock, ids)(
            team.actor(Role.ADMIN),
            CreateCouponCommand(code=code, percent=D(5), total_limit=total, customer_limit=of_customer),
        )
        draft = DraftInput(
            contact_id=contact.id,
            valid_until=datetime.now(UTC).date() + timedelta(days=9),
            lines=(LineInput(quantity=D(1), description="Desk", unit_price=D(100)),),
            coupons=(code,),
        )
        create, submit = CreateQuote(transactions, clock, ids), SubmitQuote(transactions, clock, ids)
        quotes = [await create(sales, CreateQuoteCommand(customer_id=customer.id, draft=draft)) for _ in range(CROWD)]

        outcomes = await asyncio.gather(
            *(submit(sales, SubmitQuoteCommand(quote_id=quote.id)) for quote in quotes), return_exceptions=True
        )

        assert sum(isinstance(outcome, Quote) for outcome in outcomes) == wins
        assert sum(isinstance(outcome, CouponExhausted) for outcome in outcomes) == CROWD - wins


async def test_two_moves_never_make_a_circle(open_postgres: OpenUnitOfWork) -> None:
    team = await new_organization(open_postgres)
    admin, clock, transactions = team.actor(Role.ADMIN), SystemClock(), Transactions(open_postgres)
    create, change = CreateCategory(transactions, clock, Uuid7Ids()), ChangeCategory(transactions, clock)
    for number in range(ROUNDS):
        first = await create(admin, CreateCategoryCommand(name=f"A{number}"))
        second = await create(admin, CreateCategoryCommand(name=f"B{number}"))

        outcomes = await asyncio.gather(
            change(admin, ChangeCategoryCommand(category_id=first.id, changes={"parent_id": second.id})),
            change(admin, ChangeCategoryCommand(category_id=second.id, changes={"parent_id": first.id})),
            return_exceptions=True,
        )

        assert sum(isinstance(outcome, CategoryCycle) for outcome in outcomes) == 1
    async with open_postgres(admin) as uow:
        tree = await uow.categories.tree()
    assert all(lineage(category, tree) for category in tree)


async def test_two_lists_never_get_prices_that_nothing_tells_apart(open_postgres: OpenUnitOfWork) -> None:
    team = await new_organization(open_postgres)
    admin, clock, ids, transactions = team.actor(Role.ADMIN), SystemClock(), Uuid7Ids(), Transactions(open_postgres)
    lists = [await CreatePriceList(transactions, clock, ids)(admin, CreatePriceListCommand(name=name)) for name in "AB"]
    set_price = SetPrice(transactions, clock, ids)
    tier = TierRange(tier=PriceTier(min_quantity=D(0), unit_price=D(9)))
    for _ in range(ROUNDS):
        async with open_postgres(admin) as uow:
            product = await uow.products.save(a_product().create())
            await uow.commit()

        outcomes = await asyncio.gather(
            *(
                set_price(admin, SetPriceCommand(price_list_id=one.id, product_id=product.id, tiers=(tier,)))
                for one in lists
            ),
            return_exceptions=True,
        )

        assert sum(isinstance(outcome, AmbiguousPrice) for outcome in outcomes) == 1
