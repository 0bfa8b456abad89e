"""Add a customer."""

from dataclasses import dataclass

from src.application.ports.clock import Clock, IdFactory
from src.application.transactions import Transactions
from src.domain.customers.customer import Customer
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.currency import Currency
from src.domain.shared.ids import CustomerId
from src.domain.shared.party import Party


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateCustomerCommand:
    """*currency* and *locale* None: those of the organisation."""

    party: Party
    currency: Currency | None = None
    locale: str | None = None


class CreateCustomer:
    def __init__(self, transactions: Transactions, clock: Clock, ids: IdFactory) -> None:
        self._transactions, self._clock, self._ids = transactions, clock, ids

    async def __call__(self, actor: Actor, command: CreateCustomerCommand) -> Customer:
        async with self._transactions.begin(actor, Permission.EDIT_CUSTOMERS) as uow:
            organization = await uow.organizations.current()
            customer = Customer(
                id=CustomerId(self._ids.new()),
                party=command.party,
                currency=command.currency or organization.default_currency,
                locale=organization.locale if command.locale is None else command.locale,
                created_at=self._clock.now(),
            )
            stored = await uow.customers.save(customer.create())
            await uow.commit()
        return stored
