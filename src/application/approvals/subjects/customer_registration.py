"""Registrations of customers as a subject of approvals."""

from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from src.application.approvals.desk import ApprovalDesk, People, withdraw_request
from src.application.approvals.subject import ApprovalSubject
from src.application.ports.clock import IdFactory
from src.application.ports.unit_of_work import UnitOfWork
from src.domain.approvals.conditions import FactKind, FactSpec, FactValue
from src.domain.approvals.errors import NoEligibleApprover
from src.domain.approvals.policy import ApprovalPolicy, StepRule
from src.domain.approvals.request import ApprovalRequest, Subject, Submission
from src.domain.customers.customer import Customer, CustomerStatus
from src.domain.identity.actor import PERMISSIONS, Actor, Permission
from src.domain.shared.canonical import digest_of
from src.domain.shared.ids import CustomerId, PolicyId

KIND: Final = "customer_registration"
DEFAULT_POLICY: Final = PolicyId(UUID(int=1))
_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")

_FACTS = (
    ("credit_limit", FactKind.NUMBER, "Credit limit in the customer's currency; unknown where nothing was agreed."),
    ("payment_days", FactKind.NUMBER, "Net days within which the customer pays; unknown where nothing was agreed."),
    ("country", FactKind.TEXT, "Country (ISO 3166-1 alpha-2)."),
    ("currency", FactKind.TEXT, "Currency of its offers (ISO 4217)."),
    ("customer_group", FactKind.TEXT, "Name of its group; empty for none."),
    ("has_vat_number", FactKind.TEXT, "`yes` or `no`."),
    ("has_registration_number", FactKind.TEXT, "`yes` or `no`."),
    ("tags", FactKind.LIST, "Its tags."),
)


class CustomerRegistrationSubject(ApprovalSubject):
    """Where no policy of the organisation asks, one of those with the permission decides."""

    kind = KIND
    permission = Permission.APPROVE_CUSTOMERS
    facts = tuple(FactSpec(name=name, kind=kind, description=about) for name, kind, about in _FACTS)
    otherwise: ApprovalPolicy | None = ApprovalPolicy(
        id=DEFAULT_POLICY,
        name="Registration",
        order=0,
        subject=KIND,
        conditions=(),
        steps=(
            StepRule(
                name="Registration",
                roles=tuple(role for role, may in PERMISSIONS.items() if Permission.APPROVE_CUSTOMERS in may),
            ),
        ),
        created_at=_EPOCH,
    )

    async def lock(self, uow: UnitOfWork, subject_id: UUID) -> str | None:
        return digest_of_registration(await uow.customers.lock(CustomerId(subject_id)))

    async def approve(self, uow: UnitOfWork, request: ApprovalRequest, at: datetime) -> None:
        customer = await uow.customers.lock(CustomerId(request.subject.id))
        await uow.customers.save(customer.approve(at=at))

    async def reject(self, uow: UnitOfWork, request: ApprovalRequest, reason: str, at: datetime) -> None:
        customer = await uow.customers.lock(CustomerId(request.subject.id))
        await uow.customers.save(customer.reject(reason=reason, at=at))


SUBJECT: Final = CustomerRegistrationSubject()


def digest_of_registration(customer: Customer) -> str:
    """Of what somebody agrees to who agrees to this customer."""
    return digest_of(
        {
            "party": customer.party,
            "currency": customer.currency.code,
            "group_id": None if customer.group_id is None else str(customer.group_id),
            "addresses": customer.addresses,
            "payment_days": customer.payment_days,
            "payment_terms": customer.payment_terms,
            "credit_limit": customer.credit_limit,
            "tags": customer.tags,
        }
    )


async def register(uow: UnitOfWork, desk: ApprovalDesk, customer: Customer, *, strict: bool = True) -> Customer:
    """Ask for the approval of a pending *customer*, and give it back as it is then.

    Where nobody else could decide and no policy of the organisation says otherwise, or not *strict*, nobody is asked yet;
    the customer is pending all the same. Raises NoEligibleApprover.
    """
    submitted_by = customer.registered_by or customer.last_edited_by
    if customer.status is not CustomerStatus.PENDING or customer.deleted or submitted_by is None:
        return customer
    submission = Submission(
        subject=Subject(kind=KIND, resource_type="customer", id=customer.id, title=customer.party.name),
        content_digest=digest_of_registration(customer),
        submitted_by=submitted_by,
        last_edited_by=customer.last_edited_by or submitted_by,
        facts=await facts_about(uow, customer),
    )
    try:
        request = await desk.ask(SUBJECT, submission)
    except NoEligibleApprover:
        if strict and any(policy.subject == KIND and policy.active for policy in await uow.policies.all()):
            raise
        return customer
    return customer if request is None or request.live else await uow.customers.get(customer.id)


async def registration_changed(
    uow: UnitOfWork, actor: Actor, ids: IdFactory, before: Customer, after: Customer, at: datetime
) -> Customer:
    """As ``register_anew``, for a use case that has no desk of its own."""
    if after.status is not CustomerStatus.PENDING:
        return after
    desk = ApprovalDesk(uow, actor, ids, await People.read(uow, at))
    return await register_anew(uow, desk, before, after)


async def register_anew(
    uow: UnitOfWork,
    desk: ApprovalDesk,
    before: Customer,
    after: Customer,
    *,
    strict: bool = True,
) -> Customer:
    """A pending customer has become another one: what was asked about it is asked again."""
    if after.status is not CustomerStatus.PENDING or digest_of_registration(before) == digest_of_registration(after):
        return after
    await withdraw_request(uow, KIND, after.id, desk.now)
    return await register(uow, desk, after, strict=strict)


async def facts_about(uow: UnitOfWork, customer: Customer) -> dict[str, FactValue]:
    group = None if customer.group_id is None else await uow.customer_groups.get(customer.group_id)
    facts: dict[str, FactValue] = {
        "country": customer.party.address.country,
        "currency": customer.currency.code,
        "customer_group": "" if group is None else group.name,
        "has_vat_number": "yes" if customer.party.vat_number else "no",
        "has_registration_number": "yes" if customer.party.registration_number else "no",
        "tags": customer.tags,
    }
    if customer.credit_limit is not None:
        facts["credit_limit"] = customer.credit_limit
    if customer.payment_days is not None:
        facts["payment_days"] = Decimal(customer.payment_days)
    return facts
