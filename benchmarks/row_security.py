"""What row-level security costs each hot query: the statements of use cases, as the application and as somebody whom no
policy binds, by turns.

``python -m benchmarks.row_security``. Thirty-one organisations with 200,000 quotes, one of them with 50,000.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from statistics import median
from time import perf_counter
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from benchmarks.server import a_home, prepare
from benchmarks.statements import Recorded, recorded
from src.adapters.postgres.engine import make_engine
from src.adapters.postgres.unit_of_work import OpenPostgresUnitOfWork
from src.application.ports.audit import AuditFilter
from src.application.ports.catalog import ProductFilter
from src.application.ports.customers import CustomerFilter
from src.application.ports.paging import Paging
from src.application.ports.quoting import QuoteFilter
from src.application.ports.reporting import RevenueBy
from src.application.ports.unit_of_work import OpenUnitOfWork, UnitOfWork
from src.domain.identity.actor import Actor, Role
from src.domain.quoting.states import QuoteStatus
from src.domain.shared.ids import OrganizationId, UserId
from src.entrypoints.database import Database
from src.entrypoints.settings import read_settings
from tests.builders.crowd import multiply
from tests.builders.everything import a_full_organization
from tests.builders.quotes import a_content, a_line, a_new_quote
from tests.organizations import ORIGIN

LARGE, USUAL, FEW, ORGANIZATIONS = 50_000, 5_000, 100, 30
ROUNDS = 300
HOT: Mapping[str, Callable[[UnitOfWork, Mapping[str, Any]], Awaitable[object]]] = {
    "get a quote": lambda uow, known: uow.quotes.get(known["quote"]),
    "page of quotes": lambda uow, _: uow.quotes.page(QuoteFilter(), Paging()),
    "page in a state": lambda uow, _: uow.quotes.page(QuoteFilter(statuses=(QuoteStatus.SENT,)), Paging()),
    "page of a customer": lambda uow, known: uow.quotes.page(QuoteFilter(customer_id=known["customer"]), Paging()),
    "page of products": lambda uow, _: uow.products.page(ProductFilter(), Paging()),
    "page of customers": lambda uow, _: uow.customers.page(CustomerFilter(), Paging()),
    "page of the audit": lambda uow, _: uow.audit.page(AuditFilter(), Paging()),
    "products of 20 lines": lambda uow, known: uow.products.find(known["products"]),
    "revenue by customer": lambda uow, _: uow.reports.revenue(RevenueBy.CUSTOMER, [QuoteStatus.SENT], None, None),
    "create, 20 lines": lambda uow, known: uow.quotes.save(
        a_new_quote(
            customer_id=known["customer"], by=known["user"], content=a_content(lines=tuple(map(_line, range(20))))
        )
    ),
}


def _line(number: int) -> Any:
    return a_line(description=f"Desk {number}")


async def statements_of(engine: AsyncEngine, open_uow: OpenUnitOfWork, actor: Actor) -> dict[str, list[Recorded]]:
    """What each hot query says, without the setting of the tenant. Nothing is committed."""
    known = await _known(engine, actor.organization_id)
    said = {}
    for name, query in HOT.items():
        async with open_uow(actor) as uow:
            with recorded(engine) as said[name]:
                await query(uow, known)
    return said


async def _known(engine: AsyncEngine, tenant: UUID) -> dict[str, Any]:
    async with engine.begin() as connection:
        await connection.execute(text("SELECT set_config('app.tenant_id', :t, true)"), {"t": str(tenant)})
        row = (await connection.execute(text("SELECT * FROM proffer.quotes ORDER BY created_at LIMIT 1"))).one()
        products = await connection.execute(text("SELECT id FROM proffer.products LIMIT 20"))
        return {
            "quote": row.id,
            "customer": row.customer_id,
            "user": row.owner_id,
            "products": list(products.scalars()),
        }


async def compare(addresses: tuple[str, str], tenant: UUID, said: dict[str, list[Recorded]]) -> None:
    print(f"medians of {ROUNDS}, milliseconds in an open transaction\n{'':22}{'free':>9}{'guarded':>9}{'ratio':>7}")
    guarded, free = [await asyncpg.connect(address) for address in addresses]
    for connection in (guarded, free):
        await connection.execute("SELECT set_config('app.tenant_id', $1, false)", str(tenant))
    order = random.Random(7)
    for name, statements in said.items():
        times: dict[object, list[float]] = {guarded: [], free: []}
        for _ in range(ROUNDS):
            # Guarded and free by turns, at random, so that what disturbs the machine disturbs both.
            for connection in order.sample([guarded, free], 2):
                transaction = connection.transaction()
                await transaction.start()
                begin = perf_counter()
                for one in statements:
                    await one.run(connection)
                times[connection].append(perf_counter() - begin)
                await transaction.rollback()
        slow, quick = (1000 * median(times[connection]) for connection in (guarded, free))
        print(f"{name:22}{quick:>9.2f}{slow:>9.2f}{slow / quick:>7.2f}", flush=True)
    await guarded.close()
    await free.close()


async def main() -> None:
    with Database(read_settings()) as database:
        await prepare(database)
        engine, operator = make_engine(database.urls.app, pool_size=2), make_engine(database.urls.operator, pool_size=1)
        admin = create_async_engine(database.admin_url)
        open_uow = OpenPostgresUnitOfWork(engine, operator)
        model = await a_full_organization(open_uow)
        tenant = OrganizationId(uuid4())
        sizes = {model.organization.id: LARGE, tenant: USUAL} | {uuid4(): USUAL for _ in range(ORGANIZATIONS - 1)}
        async with admin.begin() as connection:
            await multiply(connection, model.organization.id, sizes, FEW)
        async with admin.connect() as connection:  # As the server does by itself, sooner or later.
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            await connection.execute(text("VACUUM ANALYZE"))
        actor = Actor.user(organization_id=tenant, user_id=UserId(uuid4()), role=Role.OWNER, name="Olga", origin=ORIGIN)
        said = await statements_of(engine, open_uow, actor)
        addresses = [
            make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
            for url in (database.urls.app, database.admin_url)
        ]
        await compare((addresses[0], addresses[1]), tenant, said)
        for made in (engine, operator, admin):
            await made.dispose()


if __name__ == "__main__":
    with a_home():
        asyncio.run(main())
