"""A worker that is killed in the middle of a job loses nothing: the job runs again."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from src.adapters.jobs.attempts import Attempt
from src.application.ports.jobs import Job
from tests.job_queue import HURRIED, Queue, until

ROOT = Path(__file__).resolve().parents[3]

# Says which attempt of which job has begun, and never ends it: the process dies, or waits to be killed.
_STUCK_WORKER = """
import asyncio, os, sys
from src.adapters.jobs.worker import run_worker
from tests.job_queue import HURRIED

async def stuck(job, attempt):
    print(job.id, attempt.number, flush=True)
    if sys.argv[3] == "dies":
        os._exit(1)
    await asyncio.Event().wait()

asyncio.run(run_worker(sys.argv[1], {sys.argv[2]: stuck}, asyncio.Event(), HURRIED))
"""


async def _start_victim(queue: Queue, fate: str) -> tuple[asyncio.subprocess.Process, str]:
    """A worker's process, and what it said when it had begun with a job."""
    victim = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _STUCK_WORKER, queue.urls.worker, queue.name, fate), cwd=ROOT, stdout=subprocess.PIPE
    )
    assert victim.stdout is not None
    return victim, (await victim.stdout.readline()).decode().strip()


@pytest.mark.asyncio
async def test_a_job_whose_worker_is_killed_runs_again(queue: Queue) -> None:
    job = queue.a_job()
    await queue.add(job)

    victim, begun = await _start_victim(queue, "waits")
    victim.kill()
    await victim.wait()
    assert begun == f"{job.id} 1"
    assert await queue.statuses() == ["picked"]

    done: list[tuple[Job, Attempt]] = []

    async def finish(found: Job, attempt: Attempt) -> None:
        done.append((found, attempt))

    async with queue.worker(finish):
        await until(lambda: bool(done))

    assert done == [(job, Attempt(2, last=False))]
    assert await queue.statuses() == []


@pytest.mark.asyncio
async def test_a_job_that_kills_its_workers_is_given_up(queue: Queue) -> None:
    job = queue.a_job()
    await queue.add(job)
    for number in range(1, HURRIED.attempts + 1):
        victim, begun = await _start_victim(queue, "dies")
        await victim.wait()
        assert begun == f"{job.id} {number}"

    survived: list[Attempt] = []

    async def note(_: Job, attempt: Attempt) -> None:
        survived.append(attempt)

    async def is_given_up() -> bool:
        return await queue.statuses() == ["failed"]

    async with queue.worker(note):
        await until(is_given_up)
        assert survived == []
        await queue.retry(job)
        await until(lambda: bool(survived))

    assert survived == [Attempt(1, last=False)]  # By hand, once it was mended.
