"""The unit of work on PostgreSQL: one transaction, one tenant, one actor."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Generic, TypeVar, cast

from sqlalchemy.ext.asyncio import AsyncEngine

from src.adapters.postgres.approvals import (
    PostgresApprovalRequests,
    PostgresDelegations,
    PostgresFactRecords,
    PostgresPolicies,
)
from src.adapters.postgres.attachments import PostgresAttachments
from src.adapters.postgres.audit import AuditedCommit, PostgresAudit
from src.adapters.postgres.catalog import (
    PostgresCategories,
    PostgresExchangeRates,
    PostgresProducts,
    PostgresTaxRates,
)
from src.adapters.postgres.connection import Connection
from src.adapters.postgres.custom_fields import PostgresCustomFields
from src.adapters.postgres.customers import PostgresContacts, PostgresCustomerGroups, PostgresCustomers
from src.adapters.postgres.exports import PostgresExports
from src.adapters.postgres.fence import check_fence
from src.adapters.postgres.idempotency import HeldPostgresCommit, claim_of, take_claim
from src.adapters.postgres.identity import (
    PostgresApiKeys,
    PostgresChallenges,
    PostgresIdentityProviders,
    PostgresOrganizations,
    PostgresSecondFactors,
    PostgresSessions,
    PostgresUsers,
)
from src.adapters.postgres.imports import PostgresImports
from src.adapters.postgres.jobs import PostgresJobQueue
from src.adapters.postgres.messaging import PostgresMailTemplates, PostgresMessages, PostgresStoredDocuments
from src.adapters.postgres.prices import PostgresCoupons, PostgresPriceLists, PostgresPrices
from src.adapters.postgres.quoting import PostgresQuotes
from src.adapters.postgres.reporting import PostgresReports
from src.adapters.postgres.transaction import Transaction
from src.application.ports.unit_of_work import OpenUnitOfWork, UnitOfWork
from src.domain.audit.entry import AuditRecord
from src.domain.identity.actor import Actor, ActorKind
from src.domain.shared.events import DomainEvent

Repository = TypeVar("Repository")


class _WhenAsked(Generic[Repository]):
    """An attribute that is made when it is asked for, and kept: a use case needs few repositories of many."""

    def __init__(self, make: Callable[[Transaction], Repository]) -> None:
        self._make = make

    def __set_name__(self, _: type, name: str) -> None:
        self._name = name

    def __get__(self, uow: "PostgresUnitOfWork", _: type) -> Repository:
        made = uow.__dict__[self._name] = self._make(uow._transaction)  # noqa: SLF001 — a part of the unit of work itself.
        return made


def when_asked(make: Callable[[Transaction], Repository]) -> Repository:
    """To the type checker it is what it will be."""
    return cast("Repository", _WhenAsked(make))


class PostgresUnitOfWork(UnitOfWork):
    organizations = when_asked(PostgresOrganizations)
    users = when_asked(PostgresUsers)
    sessions = when_asked(PostgresSessions)
    challenges = when_asked(PostgresChallenges)
    second_factors = when_asked(PostgresSecondFactors)
    api_keys = when_asked(PostgresApiKeys)
    identity_providers = when_asked(PostgresIdentityProviders)
    customers = when_asked(PostgresCustomers)
    contacts = when_asked(PostgresContacts)
    customer_groups = when_asked(PostgresCustomerGroups)
    products = when_asked(PostgresProducts)
    categories = when_asked(PostgresCategories)
    tax_rates = when_asked(PostgresTaxRates)
    price_lists = when_asked(PostgresPriceLists)
    prices = when_asked(PostgresPrices)
    coupons = when_asked(PostgresCoupons)
    exchange_rates = when_asked(PostgresExchangeRates)
    quotes = when_asked(PostgresQuotes)
    policies = when_asked(PostgresPolicies)
    approvals = when_asked(PostgresApprovalRequests)
    delegations = when_asked(PostgresDelegations)
    fact_records = when_asked(PostgresFactRecords)
    documents = when_asked(PostgresStoredDocuments)
    attachments = when_asked(PostgresAttachments)
    messages = when_asked(PostgresMessages)
    mail_templates = when_asked(PostgresMailTemplates)
    imports = when_asked(PostgresImports)
    exports = when_asked(PostgresExports)
    custom_fields = when_asked(PostgresCustomFields)
    reports = when_asked(PostgresReports)
    jobs = when_asked(PostgresJobQueue)
    audit = when_asked(PostgresAudit)

    def __init__(self, transaction: Transaction, actor: Actor) -> None:
        self._transaction, self._actor = transaction, actor
        self._recorded: list[DomainEvent] = []
        self._ended = False
        self.is_held = False  # Whether the last step is somebody else's.

    def record(self, event: DomainEvent) -> None:
        self._check_open()
        self._recorded.append(event)

    async def commit(self) -> None:
        self._check_open()
        records = AuditRecord.all_of(self._transaction.changes, self._recorded, self._actor)
        commit = AuditedCommit(self._transaction, records)
        # Nobody may have changed the tenant in between: a released savepoint, say, would keep another one.
        if await commit.prepare() != str(self._transaction.organization_id):
            raise RuntimeError("The tenant changed within a transaction.")
        await check_fence(self._transaction)
        self._ended = True
        once = self._actor.origin.once
        if once is not None:
            once.held = HeldPostgresCommit(self._transaction, claim_of(self._actor, once), commit)
            self.is_held = True
            return
        await commit.run()
        # Whatever came now would run without a tenant in a transaction that nobody commits.
        await self._transaction.connection.close()

    async def settle(self) -> None:
        self._check_open()
        if self._transaction.changes or self._recorded:
            raise RuntimeError("A unit of work that changes something is committed.")
        self._ended = True
        await self._transaction.connection.commit()
        await self._transaction.connection.reach_disk()
        await self._transaction.connection.close()

    def _check_open(self) -> None:
        if self._ended:
            raise RuntimeError("This unit of work has been committed already.")


class OpenPostgresUnitOfWork(OpenUnitOfWork):
    """Opens units of work, in the operators' own pool for operators."""

    def __init__(self, app: AsyncEngine, operator: AsyncEngine) -> None:
        self._app, self._operator = app, operator

    def __call__(self, actor: Actor) -> AbstractAsyncContextManager[UnitOfWork]:
        return self._open(actor)

    @asynccontextmanager
    async def _open(self, actor: Actor) -> AsyncIterator[UnitOfWork]:
        once = actor.origin.once
        if once is not None and once.held is not None:
            message = "A request that happens once has one transaction, and that is done."
            raise RuntimeError(message)
        engine = self._operator if actor.kind is ActorKind.OPERATOR else self._app
        connection = await Connection.lend(engine)
        held = False
        try:
            await connection.begin(actor.organization_id)
            transaction = Transaction(connection, actor.organization_id)
            if once is not None:
                await take_claim(transaction, claim_of(actor, once))
            uow = PostgresUnitOfWork(transaction, actor)
            yield uow
            held = uow.is_held
        finally:
            if not held:
                await connection.close()  # Undoes whatever was not committed.
