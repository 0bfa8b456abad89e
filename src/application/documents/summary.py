"""What the summary of quotes says: read in one transaction, printed after it."""

from typing import Final

from src.application.documents.export_sources import ExportRequest, quotes_of
from src.application.ports.clock import Clock
from src.application.ports.reporting import SummaryBy
from src.application.ports.summaries import SummaryDocument
from src.application.ports.unit_of_work import UnitOfWork
from src.domain.customers.customer import CustomerNotFound
from src.domain.identity.user import UserNotFound

LARGEST: Final = 8  # Customers and owners of each currency that are named.


async def summary_of(uow: UnitOfWork, request: ExportRequest, clock: Clock) -> SummaryDocument:
    organization, filters = await uow.organizations.current(), request.filters
    criteria, zone = await quotes_of(uow, filters), organization.time_zone
    by_status = await uow.reports.summary(SummaryBy.STATUS, criteria, zone, LARGEST)
    by_month = await uow.reports.summary(SummaryBy.MONTH, criteria, zone, LARGEST)
    by_customer = await uow.reports.summary(SummaryBy.CUSTOMER, criteria, zone, LARGEST)
    by_owner = await uow.reports.summary(SummaryBy.OWNER, criteria, zone, LARGEST)
    return SummaryDocument(
        organization=organization.party.name,
        locale=organization.locale,
        time_zone=zone,
        made_at=clock.now().astimezone(organization.zone),
        start=filters.start,
        end=filters.end,
        statuses=filters.statuses,
        customer=await _customer(uow, request),
        owner=await _owner(uow, request),
        by_status=by_status,
        by_month=by_month,
        by_customer=by_customer,
        by_owner=by_owner,
    )


async def _customer(uow: UnitOfWork, request: ExportRequest) -> str:
    if request.filters.customer_id is None:
        return ""
    try:
        return (await uow.customers.get(request.filters.customer_id)).party.name
    except CustomerNotFound:
        return str(request.filters.customer_id)


async def _owner(uow: UnitOfWork, request: ExportRequest) -> str:
    if request.filters.owner_id is None:
        return ""
    try:
        return (await uow.users.get(request.filters.owner_id)).name
    except UserNotFound:
        return str(request.filters.owner_id)
