"""Something to call every method of every repository with, found by the type that its parameter has."""

import inspect
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, ClassVar, Final, get_args, get_origin, get_type_hints
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from src.adapters.postgres.pages import write_cursor
from src.adapters.postgres.tables import metadata
from src.application.ports.approvals import RequestFilter
from src.application.ports.audit import AuditFilter
from src.application.ports.catalog import ProductFilter
from src.application.ports.customers import ContactFilter, CustomerFilter
from src.application.ports.jobs import Job, JobFilter
from src.application.ports.paging import Paging
from src.application.ports.quoting import QuoteFilter
from src.application.ports.reporting import RevenueBy, SummaryBy
from src.application.ports.unit_of_work import UnitOfWork
from src.domain.approvals.comment import Comment
from src.domain.approvals.delegation import Delegation
from src.domain.approvals.policy import ApprovalPolicy
from src.domain.approvals.request import ApprovalRequest, RequestStatus
from src.domain.approvals.simulation import FactRecord, Simulation
from src.domain.catalog.category import Category
from src.domain.catalog.coupon import Coupon, Redemption
from src.domain.catalog.exchange_rate import ExchangeRate
from src.domain.catalog.price_list import Price, PriceList
from src.domain.catalog.product import Product
from src.domain.catalog.tax_rate import TaxRate, TaxRateInUse
from src.domain.customers.contact import Contact
from src.domain.customers.customer import Customer, CustomerStatus
from src.domain.customers.group import CustomerGroup
from src.domain.documents.attachment import Attachment, SubjectKind
from src.domain.documents.catalog_import import CatalogImport, ImportKind
from src.domain.documents.export import DataExport
from src.domain.documents.stored_document import StoredDocument
from src.domain.identity.api_key import ApiKey
from src.domain.identity.challenge import Challenge, Purpose
from src.domain.identity.organization import Organization
from src.domain.identity.provider import ExternalIdentity, IdentityProvider, ProviderLogin
from src.domain.identity.second_factor import SecondFactor
from src.domain.identity.session import Session
from src.domain.identity.user import User
from src.domain.jobs.record import JobRecord, JobState
from src.domain.messaging.message import Message
from src.domain.messaging.template import MailTemplate, TemplateKind
from src.domain.quoting.quote import Quote
from src.domain.quoting.revision import Revision
from src.domain.quoting.states import QuoteStatus
from src.domain.shared.change import Change
from src.domain.shared.currency import Currency
from src.domain.shared.custom_fields import CustomField, FieldSubject
from src.domain.shared.events import DomainEvent
from src.domain.shared.ids import CustomerId, OrganizationId, QuoteId, UserId

REPOSITORIES: Final = {
    f"{repository}.{name}": function
    for repository, port in get_type_hints(UnitOfWork).items()
    for name, function in vars(port).items()
    # What is copied is only said once there is somewhere to copy it to; ``test_plans`` asks for it apart.
    if inspect.isfunction(function) and not name.startswith("_") and name != "copied"
}

# They insert, and look for nothing; and the application may not update what they insert. Or only operators may remove.
ONLY_ADD: Final = {
    "organizations.create",
    "exchange_rates.save",
    "identity_providers.save_identity",
    "approvals.comment",
    "fact_records.add",
    "audit.keep_anchor",
    "audit.keep_head",
    "audit.remove",
}

Rows = dict[str, Any]  # One row of each table, by the table's name.
_NEVER: Final = datetime(2000, 1, 1, tzinfo=UTC)

# Which table an id is from.
_TABLES: Final = {
    "ApiKeyId": "api_keys",
    "AttachmentId": "attachments",
    "DelegationId": "delegations",
    "PolicyId": "approval_policies",
    "RequestId": "approval_requests",
    "SimulationId": "approval_simulations",
    "CategoryId": "categories",
    "ChallengeId": "challenges",
    "ContactId": "contacts",
    "CouponId": "coupons",
    "CustomFieldId": "custom_fields",
    "CustomerGroupId": "customer_groups",
    "CustomerId": "customers",
    "IdentityProviderId": "identity_providers",
    "ExportId": "exports",
    "ImportId": "imports",
    "MailTemplateId": "mail_templates",
    "MessageId": "messages",
    "PriceListId": "price_lists",
    "ProductId": "products",
    "ProviderLoginId": "provider_logins",
    "QuoteId": "quotes",
    "SessionId": "sessions",
    "TaxRateId": "tax_rates",
    "UserId": "users",
}


async def call(method: Any, arguments: dict[str, Any]) -> None:
    """To the end, whatever it answers; it may be refused."""
    try:
        answer = method(**arguments)
        if inspect.isawaitable(answer):
            await answer
        else:
            async for _ in answer:
                pass
    except TaxRateInUse:
        pass


class Touched(DomainEvent):
    """Says that something was saved as it was."""

    action: ClassVar[str] = "test.touched"


@dataclass(frozen=True, slots=True)
class Arguments:
    """Looks for arguments among *rows*, which are one organisation's."""

    organization_id: OrganizationId
    rows: Rows

    async def of(self, uow: UnitOfWork, method: str, function: Any) -> list[dict[str, Any]]:
        """The arguments of a few calls, so that each variant of each parameter is tried. Raises LookupError."""
        choices = {
            name: await self._choices(uow, f"{method}:{name}", hint)
            for name, hint in get_type_hints(function).items()
            if name != "return"
        }
        calls = max((len(found) for found in choices.values()), default=1)
        return [{name: found[call % len(found)] for name, found in choices.items()} for call in range(calls)]

    async def _choices(self, uow: UnitOfWork, where: str, hint: Any) -> list[Any]:
        known = self._by_place() | self._by_type()
        if where in known or hint in known:
            return known[where] if where in known else known[hint]
        inner = [one for one in get_args(hint) if one is not type(None)]
        table = _TABLES.get(getattr(hint, "__name__", ""))
        if table is not None:
            return [self.rows[table].id]
        if get_origin(hint) is Change:
            thing = await self._thing(uow, inner[0])
            return [Change(thing, thing, (Touched(resource_type="test", resource_id=uuid4(), at=_NEVER),))]
        if inner:
            found = await self._choices(uow, where, inner[0])
            return [found] if get_origin(hint) is Sequence else [*found, None]
        return [await self._thing(uow, hint)]

    async def _thing(self, uow: UnitOfWork, kind: Any) -> Any:
        if kind not in _THINGS:
            raise LookupError(f"Nobody knows what {kind} to take: name it in this module.")
        return await _THINGS[kind](uow, self.rows)

    def _by_place(self) -> dict[Any, list[Any]]:
        """Where the type alone does not tell."""
        rows = self.rows
        return {
            "users.by_email:email": [rows["users"].email],
            "identity_providers.identity:issuer": [rows["external_identities"].issuer],
            "identity_providers.identity:subject": [rows["external_identities"].subject],
            "customers.by_reference:references": [[rows["customers"].reference or "none"]],
            "customers.by_registration:numbers": [[rows["customers"].registration_number or "none"]],
            "contacts.merged_into:contact_id": [rows["contacts"].id],
            "contacts.by_email:emails": [[rows["contacts"].email + "x"]],
            "products.find_by_sku:skus": [[rows["products"].sku]],
            "price_lists.find_by_name:names": [[rows["price_lists"].name]],
            "price_lists.page:search": ["", "volume"],
            "price_lists.for_buyer:scope_ids": [[rows["customer_groups"].id, rows["customers"].id]],
            "coupons.find_by_code:codes": [[rows["coupons"].code]],
            "coupons.page:search": ["", "spring"],
            "coupons.uses:coupon_id": [rows["coupon_redemptions"].coupon_id],
            "coupons.held_by:quote_id": [rows["coupon_redemptions"].quote_id],
            "coupons.release:coupon_id": [rows["coupon_redemptions"].coupon_id],
            "coupons.release:quote_id": [rows["coupon_redemptions"].quote_id],
            "approvals.latest:subject": [rows["approval_requests"].subject],
            "approvals.latest:subject_id": [rows["approval_requests"].subject_id],
            "approvals.of_subject:subject": [rows["approval_requests"].subject],
            "approvals.of_subject:subject_id": [rows["approval_requests"].subject_id],
            "audit.successor_of:previous_hash": [rows["audit_entries"].previous_hash],
            "jobs.get:job_id": [rows["jobs"].id],
            "jobs.lock:job_id": [rows["jobs"].id],
            "jobs.report:job_id": [rows["jobs"].id],
            "approvals.comments:request_id": [rows["approval_comments"].request_id],
            "fact_records.count:subject": [rows["approval_facts"].subject],
            "fact_records.count:since": [_NEVER],
            "fact_records.between:subject": [rows["approval_facts"].subject],
            "fact_records.between:since": [_NEVER],
            "quotes.explanation:quote_id": [rows["quote_explanations"].quote_id],
            "quotes.explanation:digest": [rows["quote_explanations"].digest],
            "quotes.keep_explanation:explanation": ["{}"],
            "quotes.next_number:year": [2031],
            "quotes.add_draft:quote_id": [uuid4()],
            "messages.to_person:contact_id": [rows["contacts"].id],
            "messages.erase_person:contact_id": [rows["contacts"].id],
            "mail_templates.find:language": [rows["mail_templates"].language],
            "mail_templates.keep_fault:fault": ["x"],
            "imports.unfinished:sha256": [rows["imports"].sha256 + "x"],
            **{
                f"{where}.count:at_most": [10_001]  # As exports ask: with few, any way of finding them would do.
                for where in ("quotes", "customers", "products", "audit")
            },
            "exports.page:created_by": [rows["exports"].created_by],
            "exports.over:at": [_NEVER],
            "exports.unended:before": [_NEVER],
            "exports.forget:before": [_NEVER],
            "exports.kept:storage_keys": [["x/exports/y"]],
            "audit.last_before:month": [date(2090, 1, 1)],
            "audit.last_before:vouched": [0, 3],
            "attachments.page:subject_id": [rows["attachments"].subject_id],
            "attachments.count:subject_id": [rows["attachments"].subject_id],
            "attachments.known:ids": [[rows["attachments"].id, uuid4()]],
            "attachments.take_room:quota": [1 << 40],
            "audit.page:paging": [Paging(), Paging(cursor=b64encode(b"2000").decode())],
            "audit.of_resource:resource_type": ["quote"],
            "audit.of_resource:resource_id": [rows["quotes"].id],
            "prices.common:only": [None, (rows["products"].id, None)],
            "reports.summary:time_zone": ["Europe/Berlin"],
            "reports.revenue:sent_from": [datetime(2090, 1, 1, tzinfo=UTC)],
        }

    def _by_type(self) -> dict[Any, list[Any]]:
        rows = self.rows
        customer, user = CustomerId(rows["customers"].id), UserId(rows["users"].id)
        job = Job(id=uuid4(), name="test", organization_id=self.organization_id, subject_id=uuid4(), trace_id="0" * 32)
        redemption = Redemption(
            coupon_id=rows["coupons"].id, quote_id=QuoteId(rows["quotes"].id), customer_id=customer, at=_NEVER
        )
        return {
            bool: [False, True],
            int: [1],
            date: [date(2026, 11, 20)],
            datetime: [datetime(2090, 1, 1, tzinfo=UTC)],
            Currency: [Currency.of("USD"), Currency.of("EUR")],
            Paging: [Paging(), Paging(skip=3, limit=5), Paging(cursor=self._cursor("quotes")), Paging(limit=100)],
            AuditFilter: [
                AuditFilter(),
                AuditFilter(action="quote.created"),
                AuditFilter(user_id=user),
                AuditFilter(resource_type="quote", resource_id=rows["quotes"].id),
                AuditFilter(since=_NEVER, before=datetime(2090, 1, 1, tzinfo=UTC)),
            ],
            QuoteFilter: [
                QuoteFilter(),
                QuoteFilter(statuses=(QuoteStatus(rows["quotes"].status),)),
                QuoteFilter(customer_id=customer),
                QuoteFilter(delivery_failed=True),
                QuoteFilter(owner_id=UserId(rows["quotes"].owner_id)),
                QuoteFilter(created_from=_NEVER, created_before=datetime(2090, 1, 1, tzinfo=UTC)),
            ],
            CustomerFilter: [
                CustomerFilter(),
                CustomerFilter(statuses=(CustomerStatus.APPROVED,)),
                CustomerFilter(group_id=rows["customer_groups"].id),
            ],
            JobFilter: [
                JobFilter(),
                JobFilter(states=frozenset({JobState.FAILED})),
                JobFilter(name="deliver_quote"),
                JobFilter(subject_id=rows["jobs"].subject_id),
            ],
            ContactFilter: [ContactFilter(), ContactFilter(customer_id=CustomerId(rows["contacts"].customer_id))],
            ProductFilter: [
                ProductFilter(),
                ProductFilter(archived=False),
                ProductFilter(category_ids=(rows["categories"].id,)),
                ProductFilter(search="desk"),
            ],
            Job: [job],
            Redemption: [redemption],
            Purpose: list(Purpose),
            RevenueBy: list(RevenueBy),
            SummaryBy: list(SummaryBy),
            ImportKind: list(ImportKind),
            FieldSubject: list(FieldSubject),
            TemplateKind: list(TemplateKind),
            SubjectKind: list(SubjectKind),
            RequestFilter: [
                RequestFilter(),
                *(RequestFilter(status=status) for status in RequestStatus),
                RequestFilter(subject="quote"),
            ],
            QuoteStatus: [QuoteStatus.SENT, QuoteStatus.ACCEPTED],
        }

    def _cursor(self, table: str) -> str:
        return write_cursor(self.rows[table].created_at, self.rows[table].id)


async def _only(items: Any) -> Any:
    return next(iter(await items))


async def _revision(uow: UnitOfWork, rows: Rows) -> Revision:
    return (await uow.quotes.get(rows["quotes"].id)).current


_THINGS: Final[dict[Any, Any]] = {
    Comment: lambda uow, rows: _only(uow.approvals.comments(rows["approval_comments"].request_id)),
    Delegation: lambda uow, rows: uow.delegations.get(rows["delegations"].id),
    FactRecord: lambda uow, rows: _only(
        uow.fact_records.between(
            rows["approval_facts"].subject, _NEVER, datetime(2090, 1, 1, tzinfo=UTC), after=None, limit=1
        )
    ),
    Simulation: lambda uow, rows: uow.fact_records.simulation(rows["approval_simulations"].id),
    JobRecord: lambda uow, rows: uow.jobs.get(rows["jobs"].id),
    ApiKey: lambda uow, rows: uow.api_keys.get(rows["api_keys"].id),
    Attachment: lambda uow, rows: uow.attachments.get(rows["attachments"].id),
    ApprovalPolicy: lambda uow, _: _only(uow.policies.all()),
    ApprovalRequest: lambda uow, rows: uow.approvals.get(rows["approval_requests"].id),
    DataExport: lambda uow, rows: uow.exports.get(rows["exports"].id),
    CatalogImport: lambda uow, rows: uow.imports.get(rows["imports"].id),
    Category: lambda uow, rows: uow.categories.get(rows["categories"].id),
    Challenge: lambda uow, rows: uow.challenges.get(rows["challenges"].id),
    Contact: lambda uow, rows: uow.contacts.get(rows["contacts"].id),
    Coupon: lambda uow, rows: uow.coupons.get(rows["coupons"].id),
    CustomField: lambda uow, rows: uow.custom_fields.get(rows["custom_fields"].id),
    Customer: lambda uow, rows: uow.customers.get(rows["customers"].id),
    CustomerGroup: lambda uow, rows: uow.customer_groups.get(rows["customer_groups"].id),
    ExchangeRate: lambda uow, _: uow.exchange_rates.latest(Currency.of("USD"), Currency.of("EUR"), date(2090, 1, 1)),
    ExternalIdentity: lambda uow, rows: uow.identity_providers.identity(
        rows["external_identities"].issuer, rows["external_identities"].subject
    ),
    IdentityProvider: lambda uow, rows: uow.identity_providers.get(rows["identity_providers"].id),
    Message: lambda uow, rows: uow.messages.get(rows["messages"].id),
    MailTemplate: lambda uow, rows: uow.mail_templates.get(rows["mail_templates"].id),
    Organization: lambda uow, _: uow.organizations.current(),
    Price: lambda uow, rows: uow.prices.at(
        rows["prices"].price_list_id, rows["prices"].product_id, rows["prices"].category_id
    ),
    PriceList: lambda uow, rows: uow.price_lists.get(rows["price_lists"].id),
    Product: lambda uow, rows: uow.products.get(rows["products"].id),
    ProviderLogin: lambda uow, rows: uow.identity_providers.login(rows["provider_logins"].id),
    Quote: lambda uow, rows: uow.quotes.get(rows["quotes"].id),
    Revision: _revision,
    SecondFactor: lambda uow, rows: uow.second_factors.of(rows["second_factors"].id),
    Session: lambda uow, rows: uow.sessions.get(rows["sessions"].id),
    StoredDocument: lambda uow, rows: uow.documents.of_revision(
        rows["stored_documents"].quote_id, rows["stored_documents"].revision
    ),
    TaxRate: lambda uow, rows: uow.tax_rates.get(rows["tax_rates"].id),
    User: lambda uow, rows: uow.users.get(rows["users"].id),
}


async def rows_of(connection: AsyncConnection, organization_id: UUID) -> Rows:
    """One row of each table, of the middle of the organisation's. *connection* sees everything."""
    found = {}
    for table in metadata.sorted_tables:
        counted = text(f"SELECT count(*) FROM {table.fullname} WHERE organization_id = :o")
        count = (await connection.execute(counted, {"o": organization_id})).scalar_one()
        order = ", ".join(column.name for column in table.primary_key)
        statement = table.select().where(table.c.organization_id == organization_id).order_by(text(order))
        found[table.name] = (await connection.execute(statement.offset(count // 2).limit(1))).one()
    return found
