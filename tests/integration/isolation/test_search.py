"""Searching products looks into one organisation only, takes every character as it is, and goes by an index."""

from uuid import uuid4

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from src.application.ports.catalog import ProductFilter
from src.application.ports.paging import Paging
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.domain.identity.actor import Role
from tests.builders.quotes import a_product
from tests.organizations import TestOrganization, new_organization

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture(scope="module")
async def two(open_postgres: OpenUnitOfWork) -> tuple[TestOrganization, TestOrganization]:
    """Each with a product «Zebra desk» and a hundred others."""
    made = await new_organization(open_postgres), await new_organization(open_postgres)
    for organization in made:
        async with open_postgres(organization.actor(Role.ADMIN)) as uow:
            for name in ["Zebra desk", "100% wool_rug", *(f"Chair {uuid4().hex}" for _ in range(100))]:
                await uow.products.save(a_product(name=name).create())
            await uow.commit()
    return made


async def _names(open_uow: OpenUnitOfWork, organization: TestOrganization, search: str, limit: int = 100) -> list[str]:
    async with open_uow(organization.actor(Role.SALES)) as uow:
        page = await uow.products.page(ProductFilter(search=search), Paging(limit=limit))
    assert page.total >= len(page.items)
    return [product.name for product in page.items]


async def test_a_search_finds_and_counts_own_products_only(
    two: tuple[TestOrganization, TestOrganization], open_postgres: OpenUnitOfWork
) -> None:
    async with open_postgres(two[0].actor(Role.SALES)) as uow:
        page = await uow.products.page(ProductFilter(search="ZEBRA"), Paging())
    assert [product.name for product in page.items] == ["Zebra desk"]
    assert page.total == 1


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("100%", ["100% wool_rug"]),
        ("wool_r", ["100% wool_rug"]),
        ("woolxr", []),
        ("%desk%", []),
        ("ze%ra", []),
        ("\\", []),
    ],
)
async def test_every_character_is_taken_as_it_is(
    search: str, found: list[str], two: tuple[TestOrganization, TestOrganization], open_postgres: OpenUnitOfWork
) -> None:
    assert await _names(open_postgres, two[0], search) == found


async def test_short_needles_find_too(
    two: tuple[TestOrganization, TestOrganization], open_postgres: OpenUnitOfWork
) -> None:
    assert await _names(open_postgres, two[0], "ze") == ["Zebra desk"]


async def test_pages_of_a_search_show_everything_once(
    two: tuple[TestOrganization, TestOrganization], open_postgres: OpenUnitOfWork
) -> None:
    seen: list[str] = []
    paging = Paging(limit=30)
    async with open_postgres(two[0].actor(Role.SALES)) as uow:
        while True:
            page = await uow.products.page(ProductFilter(search="chair"), paging)
            seen += [product.name for product in page.items]
            if page.next_cursor is None:
                break
            paging = Paging(limit=30, cursor=page.next_cursor)
    assert len(seen) == len(set(seen)) == page.total == 100


@pytest.mark.parametrize("tenant", [None, ""])
async def test_without_a_tenant_the_functions_find_nothing(
    tenant: str | None, two: tuple[TestOrganization, TestOrganization], app_engine: AsyncEngine
) -> None:
    assert two
    async with app_engine.connect() as connection:
        if tenant is not None:
            await connection.execute(text("SELECT set_config('app.tenant_id', :t, true)"), {"t": tenant})
        found = await connection.execute(
            text("SELECT proffer.find_products('%zebra%', NULL, NULL, NULL, NULL, 10, 0, false)")
        )
        counted = await connection.execute(text("SELECT proffer.count_products('%zebra%', NULL, NULL)"))

        assert found.all() == []
        assert counted.scalar_one() == 0


async def test_a_rare_needle_goes_by_its_trigrams(
    two: tuple[TestOrganization, TestOrganization], admin_engine: AsyncEngine
) -> None:
    """What the functions run, as their owner runs it: row security leaves it the index on thirty thousand products."""
    tenant = two[0].organization.id
    async with admin_engine.connect() as connection:
        await connection.execute(
            text(
                "INSERT INTO proffer.products (organization_id, id, sku, name, description, unit, list_price, currency, "
                "tax_category, searched, created_at, version) SELECT :tenant, gen_random_uuid(), 'N' || i, 'N', '', 'C62', "
                "1, 'EUR', 'VAT', md5(i::text), now(), 1 FROM generate_series(1, 30000) i"
            ),
            {"tenant": tenant},
        )
        await connection.execute(text("ANALYZE proffer.products"))
        await connection.execute(text("SET LOCAL enable_seqscan = off"))
        await connection.execute(text("SET LOCAL ROLE proffer_door"))
        plan = await connection.execute(
            text(
                "EXPLAIN SELECT count(*) FROM proffer.products "
                f"WHERE organization_id = '{tenant}' AND searched LIKE '%zebra desk%'"
            )
        )
        lines = "\n".join(plan.scalars())
        await connection.rollback()
    assert "products_searched" in lines
    assert "Index Cond: ((organization_id =" in lines
    assert "searched ~~" in lines
