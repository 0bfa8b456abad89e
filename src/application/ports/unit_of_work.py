"""One organisation's transaction."""

from abc import abstractmethod
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from src.application.ports.approvals import (
    ApprovalRequestRepository,
    DelegationRepository,
    FactRecordRepository,
    PolicyRepository,
)
from src.application.ports.attachments import AttachmentRepository
from src.application.ports.audit import AuditLog
from src.application.ports.catalog import (
    CategoryRepository,
    CouponRepository,
    ExchangeRateRepository,
    PriceListRepository,
    PriceRepository,
    ProductRepository,
    TaxRateRepository,
)
from src.application.ports.custom_fields import CustomFieldRepository
from src.application.ports.customers import ContactRepository, CustomerGroupRepository, CustomerRepository
from src.application.ports.exports import ExportRepository
from src.application.ports.identity import (
    ApiKeyRepository,
    ChallengeRepository,
    IdentityProviderRepository,
    OrganizationRepository,
    SecondFactorRepository,
    SessionRepository,
    UserRepository,
)
from src.application.ports.imports import ImportRepository
from src.application.ports.jobs import JobQueue
from src.application.ports.messaging import MailTemplateRepository, MessageRepository, StoredDocumentRepository
from src.application.ports.quoting import QuoteRepository
from src.application.ports.reporting import Reports
from src.domain.identity.actor import Actor
from src.domain.shared.events import DomainEvent


class UnitOfWork(Protocol):
    """State, audit entries and jobs of one transaction of one organisation: all or nothing.

    Leaving it without ``commit`` undoes everything. It sees and changes that organisation's rows only.
    """

    organizations: OrganizationRepository
    users: UserRepository
    sessions: SessionRepository
    challenges: ChallengeRepository
    second_factors: SecondFactorRepository
    api_keys: ApiKeyRepository
    identity_providers: IdentityProviderRepository
    customers: CustomerRepository
    contacts: ContactRepository
    customer_groups: CustomerGroupRepository
    products: ProductRepository
    categories: CategoryRepository
    tax_rates: TaxRateRepository
    price_lists: PriceListRepository
    prices: PriceRepository
    coupons: CouponRepository
    exchange_rates: ExchangeRateRepository
    quotes: QuoteRepository
    policies: PolicyRepository
    approvals: ApprovalRequestRepository
    delegations: DelegationRepository
    fact_records: FactRecordRepository
    documents: StoredDocumentRepository
    attachments: AttachmentRepository
    messages: MessageRepository
    mail_templates: MailTemplateRepository
    imports: ImportRepository
    exports: ExportRepository
    custom_fields: CustomFieldRepository
    reports: Reports
    audit: AuditLog
    jobs: JobQueue

    @abstractmethod
    def record(self, event: DomainEvent) -> None:
        """Audit something that changed no aggregate: a failed login, an export."""

    @abstractmethod
    async def commit(self) -> None:
        """Append the audit entries of all saved changes and recorded events to the chain, and make everything last."""

    @abstractmethod
    async def settle(self) -> None:
        """End it where it has only read; when this returns, no crash takes back what it could read."""


class OpenUnitOfWork(Protocol):
    @abstractmethod
    def __call__(self, actor: Actor) -> AbstractAsyncContextManager[UnitOfWork]:
        """The unit of work of the actor's organisation, in the actor's name.

        Raises Replayed, KeyReused, KeyInProgress where the actor's request carries a key (see WriteOnce).
        """
