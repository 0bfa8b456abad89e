"""Add a contact to a customer."""

from dataclasses import dataclass
from datetime import date

from src.application.ports.clock import Clock, IdFactory
from src.application.transactions import Transactions
from src.domain.customers.contact import Contact, KeyDate
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.ids import ContactId, CustomerId
from src.domain.shared.tags import normal_tags


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateContactCommand:
    customer_id: CustomerId
    name: str
    email: str
    phone: str = ""
    job_title: str = ""
    language: str = ""
    birthday: date | None = None
    key_dates: tuple[KeyDate, ...] = ()
    tags: tuple[str, ...] = ()


class CreateContact:
    """Raises CustomerNotFound, CustomerDeleted, Invalid."""

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
            language=command.language,
            birthday=command.birthday,
            key_dates=command.key_dates,
            tags=normal_tags(command.tags),
            created_at=self._clock.now(),
        )
        async with self._transactions.begin(actor, Permission.EDIT_CUSTOMERS) as uow:
            (await uow.customers.get(command.customer_id)).check_here()
            stored = await uow.contacts.save(contact.create())
            await uow.commit()
        return stored
