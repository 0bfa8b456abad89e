"""Rows are locked so that nobody else changes them, and so that whatever refers to them need not wait."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from src.adapters.embedded_postgres import ServerAddress
from src.adapters.jobs.worker import libpq_address
from src.adapters.postgres.engine import make_engine
from src.adapters.postgres.tables import metadata
from src.adapters.postgres.unit_of_work import OpenPostgresUnitOfWork
from src.adapters.system import SystemClock, Uuid7Ids
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.application.prices.lines import LineInput
from src.application.quoting.create_quote import CreateQuote, CreateQuoteCommand
from src.application.quoting.drafting import DraftInput
from src.application.transactions import Transactions
from src.domain.identity.actor import Role
from tests.builders.everything import a_full_organization
from tests.builders.postgres import statements_of
from tests.builders.quotes import a_customer, a_product
from tests.database import drop_database, migrated_clone
from tests.integration.postgres.arguments import ONLY_ADD, REPOSITORIES, Arguments, call, rows_of
from tests.organizations import TestOrganization, new_organization

pytestmark = pytest.mark.asyncio


@dataclass(frozen=True, slots=True)
class House:
    """A database with one organisation, which has a row in every table."""

    engine: AsyncEngine
    admin: "asyncpg.Connection[Any]"
    open_uow: OpenUnitOfWork
    team: TestOrganization
    arguments: Arguments
    referred_to: frozenset[str]  # The tables that a foreign key points to.

    async def refused(self, strength: str, tables: frozenset[str]) -> set[str]:
        """Those of *tables* of which some row cannot be locked so at once, because somebody else holds it."""
        found = set()
        for table in tables:
            try:
                await self.admin.execute(f"SELECT 1 FROM {table} FOR {strength} NOWAIT")
            except asyncpg.LockNotAvailableError:
                found.add(table)
        return found


@pytest_asyncio.fixture(scope="module")
async def house(server: ServerAddress, worker_name: str, test_home: Path) -> AsyncIterator[House]:
    name = f"proffer_locks_{worker_name}"
    urls = await migrated_clone(test_home, server, name)
    engine, operator = make_engine(urls.app, pool_size=2), make_engine(urls.operator, pool_size=1)
    looking = create_async_engine(server.url(name))
    admin = await asyncpg.connect(libpq_address(server.url(name)))
    open_uow = OpenPostgresUnitOfWork(engine, operator)
    team = await a_full_organization(open_uow)
    async with looking.connect() as connection:
        arguments = Arguments(team.organization.id, await rows_of(connection, team.organization.id))
    keys = await admin.fetch(
        "SELECT DISTINCT confrelid::regclass::text AS name FROM pg_constraint "
        "WHERE contype = 'f' AND connamespace = 'proffer'::regnamespace"
    )
    yield House(engine, admin, open_uow, team, arguments, frozenset(row["name"] for row in keys))
    await admin.close()
    for made in (engine, operator, looking):
        await made.dispose()
    await drop_database(server, name)


@pytest.mark.parametrize("method", sorted(REPOSITORIES.keys() - ONLY_ADD - {"coupons.redeem"}))
async def test_no_method_makes_those_wait_who_only_refer_to_its_rows(method: str, house: House) -> None:
    """A foreign key is checked by FOR KEY SHARE: that is what whoever inserts a row asks of the rows it refers to."""
    repository, name = method.split(".")
    actor = house.team.actor(Role.OWNER)
    async with house.open_uow(actor) as uow:
        calls = await house.arguments.of(uow, method, REPOSITORIES[method])
    for arguments in calls:
        async with house.open_uow(actor) as uow:
            with statements_of(house.engine) as said:
                await call(getattr(getattr(uow, repository), name), arguments)
            removed_from = {table for table in metadata.tables if any(f"DELETE FROM {table} " in sql for sql in said)}
            assert await house.refused("KEY SHARE", house.referred_to) <= removed_from, said


@pytest.mark.parametrize(
    ("method", "arguments", "table"),
    [
        ("approvals.get", {"lock": True}, "approval_requests"),
        ("approvals.latest", {}, "approval_requests"),
        ("contacts.lock", {}, "contacts"),
        ("coupons.lock", {}, "coupons"),
        ("customers.lock", {}, "customers"),
        ("fact_records.simulation", {"lock": True}, "approval_simulations"),
        ("identity_providers.current", {}, "identity_providers"),
        ("imports.lock", {}, "imports"),
        ("messages.get", {}, "messages"),
        ("organizations.current", {"lock": True}, "organizations"),
        ("products.find_by_sku", {}, "products"),
        ("quotes.lock", {}, "quotes"),
        ("sessions.get", {}, "sessions"),
        ("users.lock_owners", {}, "users"),
    ],
)
async def test_what_is_locked_nobody_else_changes(
    method: str, arguments: dict[str, Any], table: str, house: House
) -> None:
    repository, name = method.split(".")
    async with house.open_uow(house.team.actor(Role.OWNER)) as uow:
        [given, *_] = await house.arguments.of(uow, method, REPOSITORIES[method])
    async with house.open_uow(house.team.actor(Role.OWNER)) as uow:
        await call(getattr(getattr(uow, repository), name), given | arguments)
        refused = await house.refused("NO KEY UPDATE", frozenset(metadata.tables))

    assert refused == {f"proffer.{table}"}


async def test_offers_of_products_that_are_being_imported_are_made_meanwhile(house: House) -> None:
    """Whoever had to wait here would wait for somebody who waits for it; the database would end that with an error."""
    made = await new_organization(house.open_uow)
    async with house.open_uow(made.actor(Role.ADMIN)) as uow:
        customer = await uow.customers.save(a_customer().create())
        product = await uow.products.save(a_product().create())
        await uow.commit()
    create = CreateQuote(Transactions(house.open_uow), SystemClock(), Uuid7Ids())
    line = LineInput(quantity=Decimal(1), product_id=product.id)
    command = CreateQuoteCommand(customer_id=customer.id, draft=DraftInput(lines=(line,)))

    async with house.open_uow(made.actor(Role.ADMIN)) as uow:
        known = await uow.products.find_by_sku([product.sku])
        await uow.products.put([replace(known[product.sku], name="Renamed")])
        quote = await create(made.actor(Role.SALES), command)
        await uow.commit()

    assert quote.current.content.lines[0].sku == product.sku
