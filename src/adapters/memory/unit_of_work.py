"""The unit of work in memory: one at a time for each organisation, on a snapshot that replaces the state at commit."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from src.adapters.memory.approvals import MemoryApprovalRequests, MemoryPolicies
from src.adapters.memory.audit import MemoryAudit
from src.adapters.memory.catalog import MemoryCategories, MemoryExchangeRates, MemoryProducts, MemoryTaxRates
from src.adapters.memory.customers import MemoryContacts, MemoryCustomerGroups, MemoryCustomers
from src.adapters.memory.identity import MemoryOrganizations, MemorySessions, MemoryUsers
from src.adapters.memory.imports import MemoryImports
from src.adapters.memory.messaging import MemoryMessages, MemoryStoredDocuments
from src.adapters.memory.prices import MemoryCoupons, MemoryPriceLists, MemoryPrices
from src.adapters.memory.quoting import MemoryQuotes
from src.adapters.memory.state import MemoryTransaction, OrganizationState
from src.application.ports.identity import Account, AccountDirectory
from src.application.ports.jobs import Job, JobQueue
from src.application.ports.unit_of_work import OpenUnitOfWork, UnitOfWork
from src.domain.audit.entry import AuditRecord
from src.domain.identity.actor import Actor, ActorKind
from src.domain.identity.organization import OrganizationNotFound, SlugTaken
from src.domain.shared.events import DomainEvent
from src.domain.shared.ids import OrganizationId


class MemoryStore:
    """The state of all organisations, and the jobs that wait."""

    def __init__(self) -> None:
        self.states: defaultdict[OrganizationId, OrganizationState] = defaultdict(OrganizationState)
        self.locks: defaultdict[OrganizationId, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._jobs: list[Job] = []

    def put(self, transaction: MemoryTransaction) -> None:
        """Make a unit of work last. Raises SlugTaken."""
        for organization in transaction.state.organizations.values():
            for identity, state in self.states.items():
                taken = {known.slug for known in state.organizations.values()}
                if identity != organization.id and organization.slug in taken:
                    raise SlugTaken("This slug is taken.")
        self.states[transaction.organization_id] = transaction.state
        self._jobs.extend(transaction.jobs)

    def take_jobs(self) -> Sequence[Job]:
        """What has been enqueued and committed since the last time."""
        taken, self._jobs = self._jobs, []
        return taken


class MemoryJobQueue(JobQueue):
    def __init__(self, transaction: MemoryTransaction) -> None:
        self._transaction = transaction

    async def enqueue(self, job: Job) -> None:
        self._transaction.jobs.append(job)


class MemoryUnitOfWork(UnitOfWork):
    def __init__(self, store: MemoryStore, transaction: MemoryTransaction, actor: Actor) -> None:
        self._store, self._transaction, self._actor = store, transaction, actor
        self._recorded: list[DomainEvent] = []
        self._ended = False
        self.organizations = MemoryOrganizations(transaction)
        self.users = MemoryUsers(transaction)
        self.sessions = MemorySessions(transaction)
        self.customers = MemoryCustomers(transaction)
        self.contacts = MemoryContacts(transaction)
        self.customer_groups = MemoryCustomerGroups(transaction)
        self.products = MemoryProducts(transaction)
        self.categories = MemoryCategories(transaction)
        self.tax_rates = MemoryTaxRates(transaction)
        self.price_lists = MemoryPriceLists(transaction)
        self.prices = MemoryPrices(transaction)
        self.coupons = MemoryCoupons(transaction)
        self.exchange_rates = MemoryExchangeRates(transaction)
        self.quotes = MemoryQuotes(transaction)
        self.policies = MemoryPolicies(transaction)
        self.approvals = MemoryApprovalRequests(transaction)
        self.documents = MemoryStoredDocuments(transaction)
        self.messages = MemoryMessages(transaction)
        self.imports = MemoryImports(transaction)
        self.jobs = MemoryJobQueue(transaction)
        self.audit = MemoryAudit(transaction)

    def record(self, event: DomainEvent) -> None:
        self._recorded.append(event)

    async def commit(self) -> None:
        if self._ended:
            raise RuntimeError("This unit of work has been committed already.")
        self.audit.append(AuditRecord.all_of(self._transaction.changes, self._recorded, self._actor))
        self._store.put(self._transaction)
        self._ended = True


class OpenMemoryUnitOfWork(OpenUnitOfWork):
    """Opens units of work on *store*. A unit of work inside another of the same organisation would wait forever."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def __call__(self, actor: Actor) -> AbstractAsyncContextManager[UnitOfWork]:
        return self._open(actor)

    @asynccontextmanager
    async def _open(self, actor: Actor) -> AsyncIterator[UnitOfWork]:
        organization_id = actor.organization_id
        async with self._store.locks[organization_id]:
            known = self._store.states.get(organization_id)
            if known is None and actor.kind is not ActorKind.OPERATOR:
                raise OrganizationNotFound("This organisation is not here.")
            state = OrganizationState() if known is None else known.snapshot()
            yield MemoryUnitOfWork(self._store, MemoryTransaction(organization_id, state), actor)


class MemoryAccountDirectory(AccountDirectory):
    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def find(self, email: str) -> Sequence[Account]:
        accounts = [
            Account(
                organization_id=organization_id,
                organization_slug=state.organizations[organization_id].slug,
                user_id=user.id,
                email=user.email,
                name=user.name,
                role=user.role,
                password_hash=user.password_hash,
            )
            for organization_id, state in self._store.states.items()
            for user in state.users.values()
            if user.email == email and user.active
        ]
        return sorted(accounts, key=lambda account: account.organization_slug)[:20]
