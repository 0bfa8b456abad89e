"""What is kept of one organisation. Everything in it is immutable, so that a copy of the dictionaries is a snapshot."""

from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Any, Protocol, Self, TypeVar
from uuid import UUID

from src.application.ports.attachments import StorageUse
from src.application.ports.jobs import Job
from src.application.ports.paging import CursorRefused, Page, Paging
from src.domain.approvals.comment import Comment
from src.domain.approvals.delegation import Delegation
from src.domain.approvals.policy import ApprovalPolicy
from src.domain.approvals.request import ApprovalRequest
from src.domain.approvals.simulation import FactRecord, Simulation
from src.domain.audit.chain import ChainHead
from src.domain.audit.entry import AuditEntry
from src.domain.audit.retention import RetentionAnchor
from src.domain.audit.signed_head import SignedHead
from src.domain.catalog.category import Category
from src.domain.catalog.coupon import Coupon, Redemption
from src.domain.catalog.exchange_rate import ExchangeRate
from src.domain.catalog.price_list import Price, PriceList
from src.domain.catalog.product import Product
from src.domain.catalog.tax_rate import TaxRate
from src.domain.customers.contact import Contact
from src.domain.customers.customer import Customer
from src.domain.customers.group import CustomerGroup
from src.domain.documents.attachment import Attachment
from src.domain.documents.catalog_import import CatalogImport
from src.domain.documents.export import DataExport
from src.domain.documents.stored_document import StoredDocument
from src.domain.identity.api_key import ApiKey
from src.domain.identity.challenge import Challenge
from src.domain.identity.organization import Organization
from src.domain.identity.provider import ExternalIdentity, IdentityProvider, ProviderLogin
from src.domain.identity.second_factor import SecondFactor
from src.domain.identity.session import Session
from src.domain.identity.user import User
from src.domain.jobs.record import JobRecord
from src.domain.messaging.message import Message
from src.domain.messaging.template import MailTemplate
from src.domain.quoting.quote import Quote
from src.domain.quoting.revision import Revision
from src.domain.shared.change import Change
from src.domain.shared.custom_fields import CustomField
from src.domain.shared.ids import OrganizationId
from src.domain.shared.once import StoredAnswer


@dataclass(slots=True)
class OrganizationState:
    """By id, in the order of being added."""

    organizations: dict[UUID, Organization] = field(default_factory=dict)
    users: dict[UUID, User] = field(default_factory=dict)
    sessions: dict[UUID, Session] = field(default_factory=dict)
    challenges: dict[UUID, Challenge] = field(default_factory=dict)
    second_factors: dict[UUID, SecondFactor] = field(default_factory=dict)
    api_keys: dict[UUID, ApiKey] = field(default_factory=dict)
    identity_providers: dict[UUID, IdentityProvider] = field(default_factory=dict)
    provider_logins: dict[UUID, ProviderLogin] = field(default_factory=dict)
    external_identities: dict[UUID, ExternalIdentity] = field(default_factory=dict)
    customers: dict[UUID, Customer] = field(default_factory=dict)
    contacts: dict[UUID, Contact] = field(default_factory=dict)
    customer_groups: dict[UUID, CustomerGroup] = field(default_factory=dict)
    products: dict[UUID, Product] = field(default_factory=dict)
    categories: dict[UUID, Category] = field(default_factory=dict)
    tax_rates: dict[UUID, TaxRate] = field(default_factory=dict)
    price_lists: dict[UUID, PriceList] = field(default_factory=dict)
    prices: dict[UUID, Price] = field(default_factory=dict)
    coupons: dict[UUID, Coupon] = field(default_factory=dict)
    redemptions: dict[tuple[UUID, UUID], Redemption] = field(default_factory=dict)
    exchange_rates: dict[UUID, ExchangeRate] = field(default_factory=dict)
    explanations: dict[tuple[UUID, int, str], str] = field(default_factory=dict)
    quotes: dict[UUID, Quote] = field(default_factory=dict)
    policies: dict[UUID, ApprovalPolicy] = field(default_factory=dict)
    requests: dict[UUID, ApprovalRequest] = field(default_factory=dict)
    comments: dict[UUID, Comment] = field(default_factory=dict)
    delegations: dict[UUID, Delegation] = field(default_factory=dict)
    facts: dict[UUID, FactRecord] = field(default_factory=dict)
    simulations: dict[UUID, Simulation] = field(default_factory=dict)
    documents: dict[UUID, StoredDocument] = field(default_factory=dict)
    attachments: dict[UUID, Attachment] = field(default_factory=dict)
    storage_use: StorageUse = field(default_factory=lambda: StorageUse(0, 0))
    messages: dict[UUID, Message] = field(default_factory=dict)
    mail_templates: dict[UUID, MailTemplate] = field(default_factory=dict)
    custom_fields: dict[UUID, CustomField] = field(default_factory=dict)
    imports: dict[UUID, CatalogImport] = field(default_factory=dict)
    exports: dict[UUID, DataExport] = field(default_factory=dict)
    jobs: dict[UUID, JobRecord] = field(default_factory=dict)
    answers: dict[tuple[UUID, str], tuple[str, StoredAnswer]] = field(default_factory=dict)
    counters: dict[int, int] = field(default_factory=dict)
    entries: list[AuditEntry] = field(default_factory=list)
    head: ChainHead = field(default_factory=ChainHead)
    head_month: date = date.min
    signed_heads: list[SignedHead] = field(default_factory=list)
    anchors: list[RetentionAnchor] = field(default_factory=list)

    def snapshot(self) -> Self:
        """A copy whose changes do not show here."""
        twin = copy(self)
        for one in fields(self):
            setattr(twin, one.name, copy(getattr(self, one.name)))
        return twin


@dataclass(slots=True)
class MemoryTransaction:
    """One unit of work in progress: its own *state*, and what is told at commit."""

    organization_id: OrganizationId
    state: OrganizationState
    changes: list[Change[Any]] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    drafts: dict[UUID, Revision] = field(default_factory=dict)  # Of quotes that are still to be saved.
    versions: dict[UUID, int] = field(default_factory=dict)

    def next_version(self, identity: UUID, stored: int) -> int:
        """One more than *stored*, but only once for each thing in a unit of work."""
        return self.versions.setdefault(identity, stored + 1)


class Created(Protocol):
    @property
    def id(self) -> Any: ...
    @property
    def created_at(self) -> datetime: ...


Item = TypeVar("Item", bound=Created)
Shown = TypeVar("Shown")


def page_of(items: Iterable[Item], paging: Paging, show: Callable[[Item], Shown]) -> Page[Shown]:
    """The newest first. A cursor is the creation and id of the last item shown. Raises CursorRefused."""
    ordered = sorted(items, key=_place, reverse=True)
    start = paging.skip
    if paging.cursor is not None:
        after = _read(paging.cursor)
        start = sum(_place(item) >= after for item in ordered)
    shown = ordered[start : start + paging.limit]
    more = len(ordered) > start + paging.limit
    return Page(
        items=tuple(show(item) for item in shown),
        total=len(ordered),
        next_cursor=f"{shown[-1].created_at.isoformat()}|{shown[-1].id}" if more and shown else None,
    )


def contains(search: str, *texts: str) -> bool:
    return any(search.casefold() in text.casefold() for text in texts)


def _place(item: Created) -> tuple[datetime, UUID]:
    return item.created_at, item.id


def _read(cursor: str) -> tuple[datetime, UUID]:
    created_at, _, identity = cursor.partition("|")
    try:
        place = datetime.fromisoformat(created_at), UUID(identity)
    except ValueError:
        raise CursorRefused from None
    if place[0].tzinfo is None:
        raise CursorRefused
    return place
