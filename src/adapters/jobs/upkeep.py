"""What is kept for a day only: answers for repeated requests, and counts of attempts."""

import asyncio
from datetime import timedelta
from typing import Final

import asyncpg
import structlog

from src.adapters.jobs.worker import LOST, libpq_address

EVERY: Final = timedelta(hours=1)
_logger = structlog.stdlib.get_logger("proffer.worker")


async def purge(url: str) -> int:
    """Remove what is older than a day, of all organisations; how many rows. *url* is the worker role's."""
    connection = await asyncpg.connect(libpq_address(url), timeout=5)
    try:
        return int(await connection.fetchval("SELECT proffer.purge()"))
    finally:
        await connection.close(timeout=5)


async def purge_until(url: str, stop: asyncio.Event, every: timedelta = EVERY) -> None:
    """Now and then until *stop* is set. Several workers may do so at once; a database that is away is asked again later."""
    while not stop.is_set():
        try:
            _logger.info("purged", rows=await purge(url))
        except LOST as error:
            _logger.warning("purge_lost_database", error=type(error).__name__)
        try:
            async with asyncio.timeout(every.total_seconds()):
                await stop.wait()
        except TimeoutError:
            continue
