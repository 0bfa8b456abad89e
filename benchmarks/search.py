"""How long a search takes in an organisation with 200,000 products: as the application under row-level security, through
the search functions, against the same statement of somebody whom no policy binds.

``python -m benchmarks.search [PRODUCTS]``. Twenty small organisations stand beside the large one.
"""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from tempfile import mkdtemp
from time import perf_counter

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from src.adapters.postgres.catalog import WIDESPREAD
from src.entrypoints.database import Database
from src.entrypoints.settings import read_settings

RUNS, MANY, SMALL = 15, 200_000, 20
NEEDLES = {"rare": "kx19999", "common": "desk 7", "none": "zzzqqq", "two letters": "q7"}
FIND = "SELECT proffer.find_products(:pattern, NULL, NULL, NULL, NULL, 21, 0, :widespread)"
COUNT = "SELECT proffer.count_products(:pattern, NULL, NULL)"
PLAIN_FIND = (
    "SELECT id FROM proffer.products WHERE organization_id = '{tenant}' AND searched LIKE '{pattern}' "
    "ORDER BY created_at DESC, id DESC LIMIT 21"
)
PLAIN_COUNT = "SELECT count(*) FROM proffer.products WHERE organization_id = '{tenant}' AND searched LIKE '{pattern}'"


async def fill(connection: AsyncConnection, count: int) -> str:
    """The large organisation's id."""
    tenant = str((await connection.execute(text("SELECT organization_id FROM proffer.organizations"))).scalar_one())
    copies = [
        *((f"gen_random_uuid() AS tenant, {n}", 500) for n in range(SMALL)),
        (f"'{tenant}'::uuid AS tenant, 99", count),
    ]
    for source, products in copies:
        await connection.execute(
            text(
                "WITH t AS MATERIALIZED (SELECT " + source + " AS n), o AS (INSERT INTO proffer.organizations "
                "SELECT t.tenant, 'bench-' || t.n, party, default_currency, time_zone, locale, settings, "
                "prices_include_tax, created_at, version FROM proffer.organizations, t LIMIT 1 ON CONFLICT DO NOTHING) "
                "INSERT INTO proffer.products (organization_id, id, sku, name, description, unit, list_price, currency, "
                "tax_category, tax_rate_percent, searched, created_at, version) "
                "SELECT t.tenant, gen_random_uuid(), 'KX' || i, 'Desk ' || i % 977, '', 'C62', i, 'EUR', 'VAT', 19, "
                "'kx' || i || chr(31) || 'desk ' || i % 977 || chr(31) || md5(i::text), now() + i * interval '1 s', 1 "
                "FROM t, generate_series(1, :products) i"
            ),
            {"products": products},
        )
    await connection.execute(text("ANALYZE proffer.products"))
    return tenant


async def milliseconds(work: Callable[[], Awaitable[object]]) -> float:
    times = []
    for _ in range(RUNS):
        begun = perf_counter()
        await work()
        times.append(perf_counter() - begun)
    return median(times) * 1000


async def main(count: int) -> None:
    with Database(read_settings()) as database:
        await database.prepare()
        command = [sys.executable, "-m", "src.entrypoints.cli", "demo"]
        await asyncio.to_thread(subprocess.run, command, check=True, stdout=subprocess.DEVNULL)
        admin, app = create_async_engine(database.admin_url), create_async_engine(database.urls.app)
        async with admin.begin() as connection:
            tenant = await fill(connection, count)
        print(f"{count:,} products; medians of {RUNS}, milliseconds; finding 21 and counting all")
        async with admin.connect() as free, app.connect() as bound:
            await bound.execute(text("SELECT set_config('app.tenant_id', :t, false)"), {"t": tenant})
            for name, needle in NEEDLES.items():
                found = await bound.execute(text(COUNT), {"pattern": f"%{needle}%"})
                widespread = found.scalar_one() > WIDESPREAD
                for what, guarded, plain in (("find", FIND, PLAIN_FIND), ("count", COUNT, PLAIN_COUNT)):
                    pattern = f"%{needle}%"
                    statement = plain.format(tenant=tenant, pattern=pattern)
                    free_ms = await milliseconds(lambda s=statement: free.execute(text(s)))  # type: ignore[misc]  # Mypy loses the default's type.
                    bound_ms = await milliseconds(
                        lambda g=guarded, p=pattern, w=widespread if what == "find" else None: bound.execute(
                            text(g), {"pattern": p, "widespread": w} if w is not None else {"pattern": p}
                        )  # type: ignore[misc]  # As above.
                    )
                    print(
                        f"{name:>12} {what:6} free {free_ms:8.2f}  guarded {bound_ms:8.2f}  ratio {bound_ms / free_ms:.2f}"
                    )
        await admin.dispose()
        await app.dispose()


if __name__ == "__main__":
    home = Path(mkdtemp(prefix="proffer-bench-"))
    home.chmod(0o755)
    os.environ["PROFFER_HOME"] = str(home / "var")
    try:
        asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else MANY))
    finally:
        shutil.rmtree(home, ignore_errors=True)
