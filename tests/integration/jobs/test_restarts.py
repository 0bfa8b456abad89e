"""A worker that is told to stop finishes what it can, gives back the rest, and does nothing twice.

PROFFER_CRASHES=full has all fifty restarts of the promise; by default ten.
"""

import asyncio
import os
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from src.adapters.jobs.attempts import Attempt
from src.application.ports.jobs import Job
from tests.job_queue import HURRIED, Queue, until

pytestmark = pytest.mark.asyncio
RESTARTS = 50 if os.environ.get("PROFFER_CRASHES") == "full" else 10
AT_LEAST = 5  # Jobs that begin between two stops.
ENDLESS_EVERY = 10


async def test_clean_stops_under_load_lose_nothing_and_double_nothing(queue: Queue) -> None:
    """A tenth of the jobs waits for ever, until the worker that has them is told to stop."""
    jobs = [queue.a_job() for _ in range(RESTARTS * 2 * AT_LEAST)]
    await queue.add(*jobs)
    endless = {job.id for job in jobs[::ENDLESS_EVERY]}
    begun, ended = Counter[UUID](), Counter[UUID]()
    attempts: set[int] = set()

    async def work(job: Job, attempt: Attempt) -> None:
        begun[job.id] += 1
        attempts.add(attempt.number)
        if job.id in endless:
            await asyncio.Event().wait()
        await asyncio.sleep(0.01)
        ended[job.id] += 1

    for _ in range(RESTARTS):
        before = begun.total()
        async with queue.worker(work, replace(HURRIED, grace=timedelta(milliseconds=100))) as stop:
            await until(lambda seen=before: begun.total() >= seen + AT_LEAST)  # type: ignore[misc]  # A default binds it now.
            stop.set()
    given_back = begun.total() - ended.total()
    endless.clear()
    async with queue.worker(work):
        await until(lambda: len(ended) == len(jobs))

    assert set(ended.values()) == {1}
    assert given_back >= RESTARTS  # Each stop found one that could not end.
    assert begun.total() == len(jobs) + given_back
    assert attempts == {1}  # Being given back counts as nothing.
    assert await queue.statuses() == []
