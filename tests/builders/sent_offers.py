"""An offer that is sent, on any store, and what can be done with its mails."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import uuid4

from src.adapters.memory.system import TickingClock
from src.adapters.system import SystemClock, Uuid7Ids
from src.application.messaging.read_deliveries import GetDeliveries
from src.application.ports.audit import AuditFilter
from src.application.ports.paging import Paging
from src.application.ports.quoting import QuoteFilter
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.application.quoting.resend_quote import ResendQuote, ResendQuoteCommand
from src.application.quoting.send_quote import SendQuote, SendQuoteCommand
from src.application.quoting.submit_quote import SubmitQuote, SubmitQuoteCommand
from src.application.transactions import Transactions
from src.domain.customers.contact import Contact
from src.domain.identity.actor import Actor, Role
from src.domain.messaging.message import AttemptGroup
from src.domain.quoting.content import ContactRole, Participant, Recipient
from src.domain.quoting.quote import Quote
from src.domain.shared.ids import ContactId
from tests.builders.quotes import a_contact, a_content, a_customer, a_new_quote
from tests.organizations import TestOrganization

KATRIN, PAUL = "katrin@brandt.example", "paul@brandt.example"


@dataclass
class Offer:
    """A sent offer to Katrin, with copies for Paul and for her own address, and what can be done with it."""

    open: OpenUnitOfWork
    team: TestOrganization
    quote: Quote
    katrin: Contact
    paul: Contact

    @property
    def sales(self) -> Actor:
        return self.team.actor(Role.SALES)

    async def resend(self, clock: TickingClock | None = None, role: Role = Role.SALES, **more: object) -> AttemptGroup:
        resend = ResendQuote(Transactions(self.open), clock or SystemClock(), Uuid7Ids())
        command = replace(ResendQuoteCommand(quote_id=self.quote.id), **more)  # type: ignore[arg-type]  # Fields of the command.
        return await resend(self.team.actor(role), command)

    async def groups(self) -> Sequence[AttemptGroup]:
        return await GetDeliveries(Transactions(self.open))(self.sales, self.quote.id)

    async def settle(self, group: AttemptGroup, *, taken: Sequence[str] = ()) -> None:
        """Mails to *taken* are handed over, all others fail; as the jobs would, but nobody is told."""
        async with self.open(self.sales) as uow:
            for message in group.messages:
                stored = await uow.messages.get(message.id)
                outcome = stored.handed_over if stored.recipient in taken else stored.failed
                await uow.messages.save(
                    outcome(answer="250 OK" if stored.recipient in taken else "550 No.", at=stored.created_at)
                )
            await uow.commit()

    async def found(self, *, failed: bool | None) -> bool:
        async with self.open(self.sales) as uow:
            page = await uow.quotes.page(QuoteFilter(delivery_failed=failed), Paging())
        return self.quote.id in {one.id for one in page.items}

    async def actions(self, action: str) -> int:
        async with self.open(self.team.actor(Role.OWNER)) as uow:
            return (await uow.audit.page(AuditFilter(action=action), Paging())).total


async def a_sent_offer(open_uow: OpenUnitOfWork, organization: TestOrganization) -> Offer:
    """In this organisation, whose only offer it is."""
    sales, transactions, clock, ids = organization.actor(Role.SALES), Transactions(open_uow), SystemClock(), Uuid7Ids()
    async with open_uow(sales) as uow:
        customer = await uow.customers.save(a_customer().create())
        katrin = await uow.contacts.save(a_contact(customer.id, email=KATRIN).create())
        paul = await uow.contacts.save(a_contact(customer.id, name="Paul Brandt", email=PAUL).create())
        recipient = Recipient(contact_id=katrin.id, name=katrin.name, email=katrin.email)
        copy = Participant(contact_id=paul.id, role=ContactRole.COPY, name=paul.name, email=paul.email)
        twin = Participant(contact_id=ContactId(uuid4()), role=ContactRole.COPY, name="K.", email=KATRIN.upper())
        sign = Participant(
            contact_id=ContactId(uuid4()), role=ContactRole.SIGNATORY, name="S.", email="s@brandt.example"
        )
        day = clock.now().date().replace(year=2090)
        content = a_content(valid_until=day, recipient=recipient, participants=(copy, twin, sign))
        draft = await uow.quotes.save(a_new_quote(customer_id=customer.id, by=sales.person, content=content))
        await uow.commit()
    await SubmitQuote(transactions, clock, ids)(sales, SubmitQuoteCommand(quote_id=draft.id))
    sent = await SendQuote(transactions, clock, ids)(sales, SendQuoteCommand(quote_id=draft.id))
    return Offer(open_uow, organization, sent, katrin, paul)
