"""Whom a name on the command line means: never somebody else than the one who is called exactly so."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from dishka import Provider, Scope, make_async_container, provide

from src.adapters.memory.unit_of_work import MemoryStore, OpenMemoryUnitOfWork
from src.application.customers.read_customers import GetCustomer, ListContacts, ListCustomers
from src.application.ports.paging import LARGEST_PAGE
from src.application.transactions import Transactions
from src.domain.identity.actor import Role
from src.domain.shared.errors import Invalid, NotFound
from src.domain.shared.ids import CustomerId
from src.entrypoints.cli.naming import contact_of, customer_of
from src.entrypoints.cli.session import CliSession
from tests.builders.quotes import BUYER, NOON, a_contact, a_customer
from tests.organizations import new_organization

pytestmark = pytest.mark.asyncio


class _Reading(Provider):
    scope = Scope.APP
    get_customer, list_customers, list_contacts = map(provide, (GetCustomer, ListCustomers, ListContacts))

    def __init__(self, transactions: Transactions) -> None:
        super().__init__()
        self._transactions = transactions

    @provide
    def transactions(self) -> Transactions:
        return self._transactions


async def _session(people: Sequence[tuple[str, str]]) -> tuple[CliSession, CustomerId]:
    """One customer with these *people*, names and e-mails."""
    open_uow = OpenMemoryUnitOfWork(MemoryStore())
    made = await new_organization(open_uow)
    actor = made.actor(Role.OWNER)
    async with open_uow(actor) as uow:
        customer = await uow.customers.save(a_customer(party=BUYER).create())
        for number, (name, email) in enumerate(people):
            came = NOON + timedelta(minutes=number)
            await uow.contacts.save(a_contact(customer.id, name=name, email=email, created_at=came).create())
        await uow.commit()
    return CliSession(actor, make_async_container(_Reading(Transactions(open_uow)))), customer.id


@pytest.mark.parametrize("words", ["Ann", "ann", "lee@x.example", "Lee@X.example"])
async def test_a_whole_name_or_e_mail_comes_before_others_that_contain_it(words: str) -> None:
    session, customer_id = await _session([("Ann", "lee@x.example"), ("Ann Marie", "ashlee@x.example")])

    found = await contact_of(session, customer_id, words)

    assert found == await contact_of(session, customer_id, str(found))
    with pytest.raises(Invalid) as several:
        await contact_of(session, customer_id, "lee@")
    assert several.value.fields[0].message.startswith("Several are meant: ")
    assert await contact_of(session, customer_id, "Marie") != found


async def test_whoever_is_meant_may_be_the_first_of_many_who_came_later() -> None:
    others = [(f"Ann {number}", f"ann{number}@x.example") for number in range(LARGEST_PAGE + 1)]
    session, customer_id = await _session([("Ann", "ann@x.example"), *others])

    found = await contact_of(session, customer_id, "Ann")

    assert found == await contact_of(session, customer_id, "ann@x.example")


async def test_whom_nobody_knows_is_not_guessed() -> None:
    session, customer_id = await _session([("Ann", "lee@x.example")])

    assert await customer_of(session, BUYER.name[:3]) == await customer_of(session, str(customer_id)) == customer_id
    with pytest.raises(NotFound, match="There is no contact 'Bob'"):
        await contact_of(session, customer_id, "Bob")
    with pytest.raises(NotFound, match="There is no customer 'Nobody'"):
        await customer_of(session, "Nobody")
