"""Register a customer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from src.application.approvals.desk import ApprovalDesk, People
from src.application.approvals.subjects.customer_registration import register
from src.application.custom_values import custom_values
from src.application.ports.clock import Clock, IdFactory
from src.application.ports.tax_numbers import TaxNumbers
from src.application.transactions import Transactions
from src.domain.customers.customer import Customer, LabelledAddress
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.currency import Currency
from src.domain.shared.custom_fields import FieldSubject
from src.domain.shared.ids import CustomerGroupId, CustomerId
from src.domain.shared.party import Party
from src.domain.shared.tags import normal_tags


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateCustomerCommand:
    """*currency* and *locale* None: those of the organisation."""

    party: Party
    currency: Currency | None = None
    locale: str | None = None
    group_id: CustomerGroupId | None = None
    reference: str = ""
    addresses: tuple[LabelledAddress, ...] = ()
    payment_days: int | None = None
    payment_terms: str = ""
    credit_limit: Decimal | None = None
    tags: tuple[str, ...] = ()
    notes: str = ""
    custom: Mapping[str, str | None] = field(default_factory=dict)


class CreateCustomer:
    """It is pending until somebody else approves it. Raises CustomerReferenceTaken, CustomerGroupNotFound, Invalid."""

    def __init__(self, transactions: Transactions, tax_numbers: TaxNumbers, clock: Clock, ids: IdFactory) -> None:
        self._transactions, self._tax_numbers = transactions, tax_numbers
        self._clock, self._ids = clock, ids

    async def __call__(self, actor: Actor, command: CreateCustomerCommand) -> Customer:
        async with self._transactions.begin(actor, Permission.EDIT_CUSTOMERS) as uow:
            organization = await uow.organizations.current()
            customer = Customer(
                id=CustomerId(self._ids.new()),
                party=self._tax_numbers.normal(command.party),
                currency=command.currency or organization.default_currency,
                locale=organization.locale if command.locale is None else command.locale,
                created_at=self._clock.now(),
                group_id=command.group_id,
                registered_by=actor.user_id,
                reference=command.reference,
                addresses=command.addresses,
                payment_days=command.payment_days,
                payment_terms=command.payment_terms,
                credit_limit=command.credit_limit,
                tags=normal_tags(command.tags),
                notes=command.notes,
                custom=await custom_values(uow, FieldSubject.CUSTOMER, (), command.custom),
            )
            stored = await uow.customers.save(customer.create())
            desk = ApprovalDesk(uow, actor, self._ids, await People.read(uow, stored.created_at))
            stored = await register(uow, desk, stored)
            await uow.commit()
        return stored
