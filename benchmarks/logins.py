"""Whether the time of an answer tells if an account exists: a wrong password, a code and a reset are asked for, by turns
for an account that is there and for one that is not.

``python -m benchmarks.logins [PAIRS]``. P is the chance that a known account's answer is the slower of two: 0.50 tells nothing.
"""

import asyncio
import json
import sys
from statistics import median
from time import perf_counter

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from benchmarks.server import HttpClient, a_home, chance, log_in, prepare, serving
from src.domain.identity.actor import Role
from src.entrypoints.database import Database
from src.entrypoints.demo import EMAILS
from src.entrypoints.settings import read_settings

PAIRS = 1000
KNOWN, UNKNOWN = EMAILS[Role.VIEWER], "nobody@nordlicht.example"  # Equally long.
ASKED = {
    "wrong password": ("/api/v1/login", {"password": "certainly not it"}, 401),
    "code by e-mail": ("/api/v1/login", {}, 202),
    "password reset": ("/api/v1/password-resets", {}, 202),
}


async def compare(what: str, pairs: int, connection: AsyncConnection) -> None:
    path, more, expected = ASKED[what]
    client = HttpClient("")
    await client.open()
    times: dict[str, list[float]] = {KNOWN: [], UNKNOWN: []}
    for turn in range(pairs):
        # So that the account's limit is never met; for both at once, and by turns which of the two comes first.
        await connection.execute(text("DELETE FROM proffer.throttles"))
        for email in (KNOWN, UNKNOWN) if turn % 2 else (UNKNOWN, KNOWN):
            body = json.dumps({"email": email, **more}).encode()
            begin = perf_counter()
            status = await client.status("POST", path, body)
            times[email].append(perf_counter() - begin)
            assert status == expected, (what, email, status)
    client.close()
    known, unknown = (1000 * median(times[email]) for email in (KNOWN, UNKNOWN))
    print(f"{what:16}{known:>9.2f} ms{unknown:>9.2f} ms{chance(times[KNOWN], times[UNKNOWN]):>8.2f}", flush=True)


async def main(pairs: int) -> None:
    with Database(read_settings()) as database:
        await prepare(database)
        admin = create_async_engine(database.admin_url, isolation_level="AUTOCOMMIT")
        async with serving(), admin.connect() as connection:
            await log_in(KNOWN)
            print(f"medians of {pairs} each\n{'':16}{'known':>12}{'unknown':>12}{'P':>8}")
            for what in ASKED:
                await compare(what, pairs, connection)
        await admin.dispose()


if __name__ == "__main__":
    with a_home():
        asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else PAIRS))
