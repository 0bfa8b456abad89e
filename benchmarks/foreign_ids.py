"""Whether the time of an answer tells if an id that is not ours is somebody's: each address that reads one thing is asked,
by turns, with another organisation's id and with one that nobody has.

``python -m benchmarks.foreign_ids [PAIRS]``. P is the chance that the answer for an id that exists is the slower of two: 0.50
tells nothing, and 0.40 to 0.60 is wanted.
"""

import asyncio
import os
import re
import sys
from statistics import median
from time import perf_counter
from uuid import uuid4

from httpx import AsyncClient

from benchmarks.server import HttpClient, a_home, chance, log_in, prepare, serving
from src.adapters.postgres.engine import make_engine
from src.adapters.postgres.unit_of_work import OpenPostgresUnitOfWork
from src.domain.identity.actor import Role
from src.entrypoints.database import Database
from src.entrypoints.demo import EMAILS
from src.entrypoints.settings import read_settings
from tests.e2e.conftest import Team, log_in_all
from tests.e2e.identities import FACTORIES
from tests.organizations import new_organization

PAIRS = 200
WARM_UP = 20  # Of each address, which are not counted.


async def compare(client: HttpClient, addresses: tuple[str, str], pairs: int) -> tuple[float, float, float]:
    """Medians in milliseconds for the id that exists and for the other one, and P."""
    times: dict[str, list[float]] = {address: [] for address in addresses}
    for turn in range(WARM_UP + pairs):
        for address in addresses if turn % 2 else reversed(addresses):
            begin = perf_counter()
            status = await client.status("GET", address, b"")
            times[address].append(perf_counter() - begin)
            assert status == 404, (address, status)
    known, unknown = (times[address][WARM_UP:] for address in addresses)
    return 1000 * median(known), 1000 * median(unknown), chance(known, unknown)


async def main(pairs: int) -> None:
    with Database(read_settings()) as database:
        await prepare(database)
        app, operator = make_engine(database.urls.app, pool_size=4), make_engine(database.urls.operator, pool_size=1)
        url = f"http://127.0.0.1:{os.environ['PROFFER_PORT']}"
        async with serving(), AsyncClient(base_url=url) as asking:
            client = HttpClient(await log_in(EMAILS[Role.ADMIN]))
            await client.open()
            strangers = await log_in_all(asking, await new_organization(OpenPostgresUnitOfWork(app, operator)))
            print(f"medians of {pairs} each\n{'':60}{'foreign':>12}{'unknown':>12}{'P':>8}")
            for path in await _reading(asking):
                addresses = await _addresses(path, strangers)
                known, unknown, p = await compare(client, addresses, pairs)
                print(f"{path:60}{known:>9.2f} ms{unknown:>9.2f} ms{p:>8.2f}", flush=True)
            client.close()
        await app.dispose()
        await operator.dispose()


async def _reading(client: AsyncClient) -> list[str]:
    """All addresses of the OpenAPI document that name one thing of an organisation and read."""
    paths = (await client.get("/openapi.json")).json()["paths"]
    return [path for path, item in paths.items() if "get" in item and "_id}" in path and "/platform/" not in path]


async def _addresses(path: str, strangers: Team) -> tuple[str, str]:
    names = re.findall(r"{(\w+)}", path)
    known = {name: await FACTORIES[name](strangers) for name in names}
    unknown = {name: str(uuid4()) if name.endswith("_id") else known[name] for name in names}
    return path.format(**known), path.format(**unknown)


if __name__ == "__main__":
    with a_home():
        asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else PAIRS))
