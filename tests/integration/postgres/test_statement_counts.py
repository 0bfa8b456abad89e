"""How often a use case asks the database: never once more for a longer offer or a longer list."""

from decimal import Decimal

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from src.adapters.system import SystemClock, Uuid7Ids
from src.application.ports.paging import Paging
from src.application.ports.quoting import QuoteFilter
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.application.prices.lines import LineInput
from src.application.quoting.create_quote import CreateQuote, CreateQuoteCommand
from src.application.quoting.drafting import DraftInput
from src.application.quoting.read_quotes import GetQuote, ListQuotes
from src.application.transactions import Transactions
from src.domain.identity.actor import Role
from src.domain.quoting.quote import Quote
from src.domain.shared.ids import CustomerId, ProductId
from tests.builders.postgres import statements_of
from tests.builders.quotes import a_customer, a_product
from tests.organizations import TestOrganization, new_organization

pytestmark = pytest.mark.asyncio


async def _shop(open_uow: OpenUnitOfWork) -> tuple[TestOrganization, CustomerId, list[ProductId]]:
    made = await new_organization(open_uow)
    async with open_uow(made.actor(Role.ADMIN)) as uow:
        customer = await uow.customers.save(a_customer().create())
        products = [await uow.products.save(a_product().create()) for _ in range(20)]
        await uow.commit()
    return made, customer.id, [product.id for product in products]


async def _create(
    open_uow: OpenUnitOfWork, made: TestOrganization, customer: CustomerId, products: list[ProductId]
) -> Quote:
    lines = tuple(LineInput(quantity=Decimal(1), product_id=product) for product in products)
    create = CreateQuote(Transactions(open_uow), SystemClock(), Uuid7Ids())
    return await create(made.actor(Role.SALES), CreateQuoteCommand(customer_id=customer, draft=DraftInput(lines=lines)))


async def test_twenty_lines_are_created_with_as_many_statements_as_one(
    open_postgres: OpenUnitOfWork, app_engine: AsyncEngine
) -> None:
    made, customer, products = await _shop(open_postgres)

    with statements_of(app_engine) as one:
        await _create(open_postgres, made, customer, products[:1])
    with statements_of(app_engine) as twenty:
        await _create(open_postgres, made, customer, products)

    assert len(twenty) == len(one)
    assert len(one) <= 14


async def test_a_number_is_taken_when_nothing_is_left_but_the_quote_itself(
    open_postgres: OpenUnitOfWork, app_engine: AsyncEngine
) -> None:
    """Whoever of the organisation creates a quote meanwhile waits from there to the end of the transaction."""
    made, customer, products = await _shop(open_postgres)

    with statements_of(app_engine) as seen:
        await _create(open_postgres, made, customer, products)

    counted = next(place for place, sql in enumerate(seen) if "quote_counters" in sql)
    after, *commit = seen[counted + 1 :]
    assert after.startswith("INSERT INTO proffer.quotes ")
    assert [sql.split("(")[0] for sql in commit] == ["SELECT current_setting", "SELECT proffer.append_audit"]


async def test_a_quote_of_twenty_lines_is_read_in_two_round_trips_the_first_of_which_sets_the_tenant(
    open_postgres: OpenUnitOfWork, app_engine: AsyncEngine
) -> None:
    made, customer, products = await _shop(open_postgres)
    quote = await _create(open_postgres, made, customer, products)

    with statements_of(app_engine) as seen:
        read = await GetQuote(Transactions(open_postgres))(made.actor(Role.VIEWER), quote.id)

    assert len(read.current.content.lines) == 20
    assert len(seen) == 2
    assert "set_config('app.tenant_id'" in seen[0]


async def test_a_longer_list_needs_no_more_statements(open_postgres: OpenUnitOfWork, app_engine: AsyncEngine) -> None:
    made, customer, products = await _shop(open_postgres)
    for _ in range(5):
        await _create(open_postgres, made, customer, products[:1])
    list_quotes = ListQuotes(Transactions(open_postgres))

    with statements_of(app_engine) as seen:
        page = await list_quotes(made.actor(Role.VIEWER), QuoteFilter(), Paging())

    assert page.total == 5
    assert len(seen) == 2  # The tenant and the page.
