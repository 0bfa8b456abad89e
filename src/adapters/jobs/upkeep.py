"""What the clock asks for: jobs that are due, and an end to what was kept long enough."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

import asyncpg
import structlog

from src.adapters.jobs.worker import LOST, libpq_address

EVERY: Final = timedelta(hours=1)
SCHEDULES_EVERY: Final = timedelta(minutes=1)
_logger = structlog.stdlib.get_logger("proffer.worker")


async def purge(url: str) -> int:
    """Remove what was kept long enough, of all organisations; how many rows. *url* is the worker role's.

    Answers for repeated requests and counts of attempts: a day. The queue's log: a week. Jobs that ended well: 30 days.
    """
    return await _ask(url, "SELECT proffer.purge() + jobs.purge()")


async def keep_audit_partitions(url: str) -> int:
    """Make the partitions of this month and the next three for the audit; how many. Until then, the default one takes all."""
    return await _ask(url, "SELECT proffer.keep_audit_partitions()")


async def run_schedules(url: str) -> int:
    """Make the jobs that are due, of all organisations: offers that are over or end soon, each night's deletion of exports."""
    return await _ask(url, "SELECT jobs.run_schedules() + jobs.schedule_deletion_of_exports(now())")


async def _ask(url: str, question: str) -> int:
    connection = await asyncpg.connect(libpq_address(url), timeout=5)
    try:
        return int(await connection.fetchval(question))
    finally:
        await connection.close(timeout=5)


async def purge_until(url: str, stop: asyncio.Event, every: timedelta = EVERY) -> None:
    """``purge`` now and then, see ``repeat_until``."""
    await repeat_until("purged", lambda: purge(url), stop, every)


async def keep_audit_partitions_until(url: str, stop: asyncio.Event, every: timedelta = EVERY) -> None:
    """``keep_audit_partitions`` now and then, see ``repeat_until``."""
    await repeat_until("audit_partitions_made", lambda: keep_audit_partitions(url), stop, every)


async def run_schedules_until(url: str, stop: asyncio.Event, every: timedelta = SCHEDULES_EVERY) -> None:
    """``run_schedules`` now and then, see ``repeat_until``."""
    await repeat_until("scheduled", lambda: run_schedules(url), stop, every)


async def repeat_until(what: str, do: Callable[[], Awaitable[int]], stop: asyncio.Event, every: timedelta) -> None:
    """Now and then until *stop* is set. Several workers may do so at once; a database that is away is asked again later."""
    while not stop.is_set():
        try:
            if count := await do():
                _logger.info(what, count=count)
        except LOST as error:
            _logger.warning("upkeep_lost_database", task=what, error=type(error).__name__)
        try:
            async with asyncio.timeout(every.total_seconds()):
                await stop.wait()
        except TimeoutError:
            continue
