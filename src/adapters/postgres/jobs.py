"""Jobs are added inside the transaction that makes them necessary."""

from typing import Final

import msgspec
from sqlalchemy import text

from src.adapters.postgres.connection import Connection
from src.application.ports.jobs import Job, JobQueue

_ENQUEUE: Final = text("SELECT jobs.enqueue(:id, :name, :payload, coalesce(:not_before, now()))")


class PostgresJobQueue(JobQueue):
    """Through a function, because the application may not look into the queue."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def enqueue(self, job: Job) -> None:
        payload = msgspec.json.encode(job).decode()
        row = {"id": job.id, "name": job.name, "payload": payload, "not_before": job.not_before}
        await self._connection.execute(_ENQUEUE, row)
