"""Somebody is erased while contacts are merged: nothing of either is left, or they stay two people."""

import asyncio

import pytest

from src.adapters.system import SystemClock, Uuid7Ids
from src.application.customers.change_contact import EraseContact, MergeContacts
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.application.transactions import Transactions
from src.domain.customers.contact import ERASED_NAME, ContactDeleted
from src.domain.identity.actor import Role
from tests.builders.quotes import a_contact, a_customer
from tests.organizations import new_organization

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize("asked_for", [0, 1], ids=["the survivor", "the duplicate"])
async def test_two_of_whom_one_is_erased_while_they_are_merged_are_both_erased_or_not_merged(
    asked_for: int, open_postgres: OpenUnitOfWork
) -> None:
    made, transactions, clock = await new_organization(open_postgres), Transactions(open_postgres), SystemClock()
    owner = made.actor(Role.OWNER)
    erase, merge, merged_in_all = EraseContact(transactions, clock, Uuid7Ids()), MergeContacts(transactions, clock), 0
    for attempt in range(40):
        async with open_postgres(owner) as uow:
            customer = await uow.customers.save(a_customer().create())
            two = [await uow.contacts.save(a_contact(customer.id).create()) for _ in range(2)]
            await uow.commit()

        merged, erased = await asyncio.gather(
            merge(owner, two[0].id, two[1].id), erase(owner, two[asked_for].id), return_exceptions=True
        )

        async with open_postgres(owner) as uow:
            names = [(await uow.contacts.get(one.id)).name for one in two]
        refused = isinstance(merged, ContactDeleted)
        assert not isinstance(erased, BaseException), attempt
        assert refused or not isinstance(merged, BaseException), attempt
        assert names[asked_for] == ERASED_NAME, attempt
        assert names[1 - asked_for] == (two[0].name if refused else ERASED_NAME), attempt
        merged_in_all += not refused
    assert merged_in_all  # Sometimes the merge was first.
