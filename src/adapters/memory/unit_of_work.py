"""The unit of work in memory: one at a time for each organisation, on a snapshot that replaces the state at commit."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from uuid import UUID

from src.adapters.memory.approvals import MemoryApprovalRequests, MemoryDelegations, MemoryFactRecords, MemoryPolicies
from src.adapters.memory.attachments import MemoryAttachments
from src.adapters.memory.audit import MemoryAudit
from src.adapters.memory.catalog import MemoryCategories, MemoryExchangeRates, MemoryProducts, MemoryTaxRates
from src.adapters.memory.custom_fields import MemoryCustomFields
from src.adapters.memory.customers import MemoryContacts, MemoryCustomerGroups, MemoryCustomers
from src.adapters.memory.exports import MemoryExports
from src.adapters.memory.identity import (
    MemoryApiKeys,
    MemoryChallenges,
    MemoryIdentityProviders,
    MemoryOrganizations,
    MemorySecondFactors,
    MemorySessions,
    MemoryUsers,
)
from src.adapters.memory.imports import MemoryImports
from src.adapters.memory.jobs import MemoryJobQueue
from src.adapters.memory.messaging import MemoryMailTemplates, MemoryMessages, MemoryStoredDocuments
from src.adapters.memory.prices import MemoryCoupons, MemoryPriceLists, MemoryPrices
from src.adapters.memory.quoting import MemoryQuotes
from src.adapters.memory.reporting import MemoryReports
from src.adapters.memory.state import MemoryTransaction, OrganizationState
from src.application.ports.jobs import Job
from src.application.ports.unit_of_work import OpenUnitOfWork, UnitOfWork
from src.domain.audit.entry import AuditRecord
from src.domain.identity.actor import Actor, ActorKind
from src.domain.identity.organization import OrganizationNotFound, SlugTaken
from src.domain.shared.events import DomainEvent
from src.domain.shared.ids import OrganizationId
from src.domain.shared.once import HeldCommit, Replayed, StoredAnswer, WriteOnce, key_reused


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

    def add_job(self, job: Job) -> None:
        """A job of no unit of work."""
        self._jobs.append(job)

    def take_jobs(self) -> Sequence[Job]:
        """What has been enqueued and committed since the last time."""
        taken, self._jobs = self._jobs, []
        return taken


class MemoryUnitOfWork(UnitOfWork):
    def __init__(self, store: MemoryStore, transaction: MemoryTransaction, actor: Actor) -> None:
        self._store, self._transaction, self._actor = store, transaction, actor
        self._recorded: list[DomainEvent] = []
        self._ended = False
        self.organizations = MemoryOrganizations(transaction)
        self.users = MemoryUsers(transaction)
        self.sessions = MemorySessions(transaction)
        self.challenges = MemoryChallenges(transaction)
        self.second_factors = MemorySecondFactors(transaction)
        self.api_keys = MemoryApiKeys(transaction)
        self.identity_providers = MemoryIdentityProviders(transaction)
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
        self.delegations = MemoryDelegations(transaction)
        self.fact_records = MemoryFactRecords(transaction)
        self.documents = MemoryStoredDocuments(transaction)
        self.attachments = MemoryAttachments(transaction)
        self.messages = MemoryMessages(transaction)
        self.mail_templates = MemoryMailTemplates(transaction)
        self.imports = MemoryImports(transaction)
        self.exports = MemoryExports(transaction)
        self.custom_fields = MemoryCustomFields(transaction)
        self.reports = MemoryReports(transaction)
        self.jobs = MemoryJobQueue(transaction)
        self.audit = MemoryAudit(transaction)

    def record(self, event: DomainEvent) -> None:
        self._recorded.append(event)

    async def commit(self) -> None:
        self._check_open()
        assert not self._transaction.drafts, "a draft without its quote"
        self.audit.append(AuditRecord.all_of(self._transaction.changes, self._recorded, self._actor))
        self._ended = True
        once = self._actor.origin.once
        if once is not None:
            once.held = HeldMemoryCommit(self._store, self._transaction, self._actor, once)
            return
        self._store.put(self._transaction)

    async def settle(self) -> None:
        self._check_open()
        if self._transaction.changes or self._recorded:
            raise RuntimeError("A unit of work that changes something is committed.")
        self._ended = True

    def _check_open(self) -> None:
        if self._ended:
            raise RuntimeError("This unit of work has been committed already.")


class HeldMemoryCommit(HeldCommit):
    """Done but for the last step. The organisation is not locked meanwhile: memory is for one writer at a time."""

    def __init__(self, store: MemoryStore, transaction: MemoryTransaction, actor: Actor, once: WriteOnce) -> None:
        self._store, self._transaction = store, transaction
        self._claim, self._fingerprint = claim_of(actor, once), once.fingerprint

    async def finish(self, answer: StoredAnswer) -> None:
        self._transaction.state.answers[self._claim] = (self._fingerprint, answer)
        self._store.put(self._transaction)

    async def abandon(self) -> None: ...


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
            _take_claim(state, actor)
            yield MemoryUnitOfWork(self._store, MemoryTransaction(organization_id, state), actor)


def claim_of(actor: Actor, once: WriteOnce) -> tuple[UUID, str]:
    return actor.api_key_id or actor.user_id or UUID(int=0), once.key


def _take_claim(state: OrganizationState, actor: Actor) -> None:
    """Raises Replayed, KeyReused; RuntimeError for a second transaction of a request that happens once."""
    once = actor.origin.once
    if once is None:
        return
    if once.held is not None:
        message = "A request that happens once has one transaction, and that is done."
        raise RuntimeError(message)
    known = state.answers.get(claim_of(actor, once))
    if known is not None:
        fingerprint, answer = known
        raise Replayed(answer) if fingerprint == once.fingerprint else key_reused()
