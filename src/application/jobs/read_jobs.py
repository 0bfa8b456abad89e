"""See the jobs of one's organisation."""

from uuid import UUID

from src.application.ports.jobs import JobFilter
from src.application.ports.paging import Page, Paging
from src.application.transactions import Transactions
from src.domain.identity.actor import Actor, Permission
from src.domain.jobs.record import JobRecord


class ListJobs:
    """Newest first. Raises CursorRefused."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, criteria: JobFilter, paging: Paging) -> Page[JobRecord]:
        async with self._transactions.begin(actor, Permission.VIEW_JOBS) as uow:
            return await uow.jobs.page(criteria, paging)


class GetJob:
    """Raises JobNotFound."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, job_id: UUID) -> JobRecord:
        async with self._transactions.begin(actor, Permission.VIEW_JOBS) as uow:
            return await uow.jobs.get(job_id)
