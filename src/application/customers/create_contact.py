"""Add a contact to a customer."""

from dataclasses import dataclass

from src.application.ports.clock import Clock, IdFactory
from src.application.transactions import Transactions
from src.domain.customers.contact import Contact
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.ids import ContactId, CustomerId


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateContactCommand:
    customer_id: CustomerId
    name: str
    email: str
    phone: str = ""
    job_title: str = ""


class CreateContact:
    """Raises CustomerNotFound."""

    def __init__(self, transactions: Transactions, clock: Clock, ids: IdFactory) -> None:
        self._transactions, self._clock, self._ids = transactions, clock, ids

    async def __call__(self, actor: Actor, command: CreateContactCommand) -> Contact:
        contact = Contact(
            id=ContactId(self._ids.new()),
            customer_id=command.customer_id,
            name=command.name,
            email=command.email,
            phone=command.phone,
            job_title=command.job_title,
            created_at=self._clock.now(),
        )
        async with self._transactions.begin(actor, Permission.EDIT_CUSTOMERS) as uow:
            await uow.customers.get(command.customer_id)
            stored = await uow.contacts.save(contact.create())
            await uow.commit()
        return stored
