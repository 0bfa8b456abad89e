"""What a job keeps of whoever asked for it."""

from uuid import uuid4

import pytest

from src.adapters.memory.unit_of_work import MemoryStore, OpenMemoryUnitOfWork
from src.adapters.system import SystemClock, Uuid7Ids
from src.application.documents.export_sources import ExportRequest
from src.application.documents.exports import RequestExport
from src.application.ports.jobs import RUN_EXPORT, Job
from src.application.transactions import Transactions
from src.domain.documents.export import ExportFilters, ExportFormat, ExportKind
from src.domain.identity.actor import Role
from tests.organizations import ORIGIN, new_organization


@pytest.mark.asyncio
async def test_an_export_is_made_in_the_trace_and_with_the_address_and_agent_of_its_request() -> None:
    """Its job audits as if the person had read it then and there."""
    store = MemoryStore()
    team = await new_organization(OpenMemoryUnitOfWork(store))
    admin = team.actor(Role.ADMIN)
    asking = RequestExport(Transactions(OpenMemoryUnitOfWork(store)), SystemClock(), Uuid7Ids())

    export = await asking(
        admin, ExportRequest(kind=ExportKind.PRODUCTS, file_format=ExportFormat.CSV, filters=ExportFilters())
    )

    [job] = store.take_jobs()
    assert (job.id, job.name, job.subject_id) == (export.job_id, RUN_EXPORT, export.id)
    assert (job.organization_id, job.trace_id) == (team.organization.id, ORIGIN.trace_id)
    assert (job.ip_address, job.user_agent) == (ORIGIN.ip_address, ORIGIN.user_agent)

    quiet = Job.asked_by(admin, uuid4(), "nobody_does_this", uuid4())
    assert (quiet.organization_id, quiet.trace_id) == (job.organization_id, job.trace_id)
    assert (quiet.ip_address, quiet.user_agent) == ("", "")
