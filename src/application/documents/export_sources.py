"""Where the rows of an export come from: which of them meet its conditions, and the columns that they fill."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final, Protocol, TypeVar
from zoneinfo import ZoneInfo

from src.application.audit_table import AUDIT, audit_row
from src.application.documents.export_tables import (
    COST,
    CUSTOMERS,
    LINES,
    PRODUCTS,
    QUOTES,
    UNIT_COST,
    CustomColumns,
    Row,
    Totals,
    customer_row,
    line_row,
    product_row,
    quote_row,
)
from src.application.ports.audit import AuditFilter
from src.application.ports.catalog import ProductFilter
from src.application.ports.customers import CustomerFilter
from src.application.ports.documents import Column, CopiedRows
from src.application.ports.quoting import QuoteFilter
from src.application.ports.unit_of_work import UnitOfWork
from src.domain.customers.customer import CustomerStatus
from src.domain.documents.export import ExportFilters, ExportFormat, ExportKind, check_form
from src.domain.identity.actor import Actor, Permission
from src.domain.quoting.states import QuoteStatus
from src.domain.shared.custom_fields import FieldSubject
from src.domain.shared.errors import invalid_field

COUNTED: Final = 100_000  # Up to so many it is said beforehand how many there will be: to count more takes too long.
Status = TypeVar("Status", bound=StrEnum)


class Progress(Protocol):
    """Whoever wants to know how far an export has got."""

    def expect(self, rows: int) -> None:
        """So many there will be."""

    def add(self, rows: int) -> None:
        """So many more have come."""


class NobodyAsks(Progress):
    def expect(self, rows: int) -> None:
        return

    def add(self, rows: int) -> None:
        return


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """What is wanted, and in which form."""

    kind: ExportKind
    file_format: ExportFormat
    filters: ExportFilters = field(default_factory=ExportFilters)

    def check(self) -> None:
        """Raises Invalid."""
        check_form(self.kind, self.file_format)
        self.check_filters()

    def check_filters(self) -> None:
        """Raises Invalid naming filters as such."""
        self.filters.check(self.kind)
        _statuses(CustomerStatus if self.kind is ExportKind.CUSTOMERS else QuoteStatus, self.filters)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportTable:
    """*copied* is a quicker way to the same rows as CSV, where there is one. *with_costs*: some column tells costs."""

    sheet: str
    columns: Sequence[Column]
    rows: AsyncIterator[Row]
    totals: Callable[[], Sequence[Row]] = tuple
    copied: CopiedRows | None = None
    with_costs: bool = False


async def table_of(uow: UnitOfWork, actor: Actor, request: ExportRequest, progress: Progress) -> ExportTable:
    """Costs are in it for those who may see them."""
    match request.kind:
        case ExportKind.QUOTES:
            return await _quotes(uow, request, progress)
        case ExportKind.QUOTE_LINES:
            return await _lines(uow, actor, request, progress)
        case ExportKind.CUSTOMERS:
            return await _customers(uow, request, progress)
        case ExportKind.PRODUCTS:
            return await _products(uow, actor, request, progress)
        case ExportKind.AUDIT:
            return await _audit(uow, request, progress)
        case ExportKind.SUMMARY:
            raise ValueError("A summary is no table.")


async def count_of(uow: UnitOfWork, request: ExportRequest, at_most: int) -> int:
    """How many rows there are; *at_most* for more, so that counting takes as long only."""
    match request.kind:
        case ExportKind.QUOTES | ExportKind.SUMMARY:
            return await uow.quotes.count(await quotes_of(uow, request.filters), at_most, lines=False)
        case ExportKind.QUOTE_LINES:
            return await uow.quotes.count(await quotes_of(uow, request.filters), at_most, lines=True)
        case ExportKind.CUSTOMERS:
            return await uow.customers.count(await _of_customers(uow, request.filters), at_most)
        case ExportKind.PRODUCTS:
            return await uow.products.count(await _of_products(uow, request.filters), at_most)
        case ExportKind.AUDIT:
            return await uow.audit.count(await _of_audit(uow, request.filters), at_most)


async def _quotes(uow: UnitOfWork, request: ExportRequest, progress: Progress) -> ExportTable:
    custom = CustomColumns(await uow.custom_fields.all(FieldSubject.QUOTE))
    owners = {user.id: user.name for user in await uow.users.all()}
    columns = (*QUOTES, *custom.columns)
    totals = Totals(columns, "total_without_tax", "tax_total", "payable")
    criteria = await quotes_of(uow, request.filters)

    async def rows() -> AsyncIterator[Row]:
        async for quote in uow.quotes.stream(criteria):
            progress.add(1)
            totals.add(quote.currency, quote.total_without_tax, quote.tax_total, quote.payable)
            yield (*quote_row(quote, owners), *custom.cells(quote.custom))

    copied = uow.quotes.copied(criteria, columns, progress.add, lines=False)
    return ExportTable(sheet="Quotes", columns=columns, rows=rows(), totals=totals.rows, copied=copied)


async def _lines(uow: UnitOfWork, actor: Actor, request: ExportRequest, progress: Progress) -> ExportTable:
    """The lines of the current revisions. Without totals: a line's net is with tax or without, as its offer's prices are."""
    with_costs = actor.may(Permission.VIEW_COSTS)
    custom = CustomColumns(await uow.custom_fields.all(FieldSubject.QUOTE))
    columns = (*LINES, *((UNIT_COST,) if with_costs else ()), *custom.columns)
    criteria = await quotes_of(uow, request.filters)

    async def rows() -> AsyncIterator[Row]:
        async for line in uow.quotes.stream_lines(criteria):
            progress.add(1)
            cost = (line.unit_cost,) if with_costs else ()
            yield (*line_row(line), *cost, *custom.cells(line.quote.custom))

    copied = uow.quotes.copied(criteria, columns, progress.add, lines=True)
    return ExportTable(sheet="Lines", columns=columns, rows=rows(), copied=copied, with_costs=with_costs)


async def _customers(uow: UnitOfWork, request: ExportRequest, progress: Progress) -> ExportTable:
    """Those that are not deleted."""
    custom = CustomColumns(await uow.custom_fields.all(FieldSubject.CUSTOMER))
    criteria = await _of_customers(uow, request.filters)

    async def rows() -> AsyncIterator[Row]:
        async for customer in uow.customers.stream(criteria):
            progress.add(1)
            yield (*customer_row(customer), *custom.cells(customer.custom))

    return ExportTable(sheet="Customers", columns=(*CUSTOMERS, *custom.columns), rows=rows())


async def _products(uow: UnitOfWork, actor: Actor, request: ExportRequest, progress: Progress) -> ExportTable:
    with_costs = actor.may(Permission.VIEW_COSTS)
    custom = CustomColumns(await uow.custom_fields.all(FieldSubject.PRODUCT))
    tree = await uow.categories.tree()
    criteria = await _of_products(uow, request.filters)

    async def rows() -> AsyncIterator[Row]:
        async for product in uow.products.stream(criteria):
            progress.add(1)
            category = "" if product.category_id is None else tree[product.category_id].name
            cost = (product.cost,) if with_costs else ()
            yield (*product_row(product, category), *cost, *custom.cells(product.custom))

    columns = (*PRODUCTS, *((COST,) if with_costs else ()), *custom.columns)
    return ExportTable(sheet="Products", columns=columns, rows=rows(), with_costs=with_costs)


async def _audit(uow: UnitOfWork, request: ExportRequest, progress: Progress) -> ExportTable:
    """Entries, oldest first, with the text that their hashes cover, in which costs may stand."""
    criteria = await _of_audit(uow, request.filters)

    async def rows() -> AsyncIterator[Row]:
        async for entry in uow.audit.stream(criteria):
            progress.add(1)
            yield audit_row(entry, request.file_format)

    return ExportTable(sheet="Audit", columns=AUDIT, rows=rows(), with_costs=True)


async def quotes_of(uow: UnitOfWork, filters: ExportFilters) -> QuoteFilter:
    """Unknown customers and owners have no quotes: that is no data, as for those of another organisation."""
    first, before = await _instants(uow, filters)
    return QuoteFilter(
        statuses=_statuses(QuoteStatus, filters),
        customer_id=filters.customer_id,
        owner_id=filters.owner_id,
        created_from=first,
        created_before=before,
    )


async def _of_customers(uow: UnitOfWork, filters: ExportFilters) -> CustomerFilter:
    first, before = await _instants(uow, filters)
    return CustomerFilter(statuses=_statuses(CustomerStatus, filters), created_from=first, created_before=before)


async def _of_products(uow: UnitOfWork, filters: ExportFilters) -> ProductFilter:
    first, before = await _instants(uow, filters)
    return ProductFilter(archived=filters.archived, created_from=first, created_before=before)


async def _of_audit(uow: UnitOfWork, filters: ExportFilters) -> AuditFilter:
    first, end = await _instants(uow, filters)
    return AuditFilter(
        action=filters.action,
        resource_type=filters.resource_type,
        resource_id=filters.resource_id,
        user_id=filters.user_id,
        actor_kind=filters.actor_kind,
        trace_id=filters.trace_id,
        since=max((one for one in (first, filters.since) if one is not None), default=None),
        before=min((one for one in (end, filters.before) if one is not None), default=None),
    )


def _statuses(kind: type[Status], filters: ExportFilters) -> tuple[Status, ...]:
    """Raises Invalid."""
    try:
        return tuple(kind(text) for text in filters.statuses)
    except ValueError:
        raise invalid_field("status", f"A status is one of {', '.join(kind)}.") from None


async def _instants(uow: UnitOfWork, filters: ExportFilters) -> tuple[datetime | None, datetime | None]:
    """From which instant on, and up to which."""
    zone = (await uow.organizations.current()).zone
    after = None if filters.end is None else filters.end + timedelta(days=1)
    return _start_of(filters.start, zone), _start_of(after, zone)


def _start_of(day: date | None, zone: ZoneInfo) -> datetime | None:
    return None if day is None else datetime.combine(day, time.min, zone)
