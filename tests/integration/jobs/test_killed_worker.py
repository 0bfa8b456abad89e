"""A worker that is killed in the middle of a job loses nothing: the job runs again."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from src.adapters.jobs.worker import Attempt
from src.application.ports.jobs import Job
from tests.job_queue import Queue, until

ROOT = Path(__file__).resolve().parents[3]

# Says that the job has begun, and never ends it.
_STUCK_WORKER = """
import asyncio, sys
from src.adapters.jobs.worker import run_worker
from tests.job_queue import HURRIED

async def stuck(job, attempt):
    print(job.id, flush=True)
    await asyncio.Event().wait()

asyncio.run(run_worker(sys.argv[1], {sys.argv[2]: stuck}, asyncio.Event(), HURRIED))
"""


@pytest.mark.asyncio
async def test_a_job_whose_worker_is_killed_runs_again(queue: Queue) -> None:
    job = queue.a_job()
    await queue.add(job)

    victim = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _STUCK_WORKER, queue.urls.worker, queue.name), cwd=ROOT, stdout=subprocess.PIPE
    )
    assert victim.stdout is not None
    begun = await victim.stdout.readline()
    victim.kill()
    await victim.wait()
    assert begun.decode().strip() == str(job.id)
    assert await queue.statuses() == ["picked"]

    done: list[Job] = []

    async def finish(found: Job, _: Attempt) -> None:
        done.append(found)

    async with queue.worker(finish):
        await until(lambda: bool(done))

    assert done == [job]
    assert await queue.statuses() == []
