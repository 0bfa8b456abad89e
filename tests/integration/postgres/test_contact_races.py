"""Somebody is erased while contacts are merged: nothing of either is left, or they stay two people."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from src.adapters.system import SystemClock, Uuid7Ids
from src.application.customers.change_contact import EraseContact, MergeContacts
from src.application.customers.change_customer import MergeCustomers
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.application.transactions import Transactions
from src.domain.customers.contact import ERASED_NAME, ContactDeleted
from src.domain.identity.actor import Role
from tests.builders.postgres import statements_of
from tests.builders.quotes import a_contact, a_customer, a_new_quote
from tests.job_queue import until
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


async def test_whoever_is_erased_and_whoever_merges_never_wait_for_each_other(
    open_postgres: OpenUnitOfWork, app_engine: AsyncEngine
) -> None:
    """Who merges locks by id, also those who are merged already, to whom it is refused then."""
    made, transactions, clock = await new_organization(open_postgres), Transactions(open_postgres), SystemClock()
    owner = made.actor(Role.OWNER)
    async with open_postgres(owner) as uow:
        customer = await uow.customers.save(a_customer().create())
        two = [await uow.contacts.save(a_contact(customer.id).create()) for _ in range(2)]
        await uow.commit()
    duplicate, survivor = sorted(one.id for one in two)
    await MergeContacts(transactions, clock)(owner, survivor, duplicate)

    async with open_postgres(owner) as uow:
        await uow.contacts.lock(duplicate)
        erasing = asyncio.create_task(EraseContact(transactions, clock, Uuid7Ids())(owner, survivor))
        await until(lambda: _somebody_waits(app_engine))
        await uow.contacts.lock(survivor)

    assert (await erasing).name == ERASED_NAME


async def test_whoever_is_erased_and_whoever_merges_customers_never_wait_for_each_other(
    open_postgres: OpenUnitOfWork, app_engine: AsyncEngine
) -> None:
    """Who erases locks the person and then the offers to them."""
    made = await new_organization(open_postgres)
    owner = made.actor(Role.OWNER)
    async with open_postgres(owner) as uow:
        survivor, duplicate = [await uow.customers.save(a_customer().create()) for _ in range(2)]
        contact = await uow.contacts.save(a_contact(duplicate.id).create())
        quote = await uow.quotes.save(a_new_quote(customer_id=duplicate.id, by=owner.person))
        await uow.commit()

    async with open_postgres(owner) as uow:
        await uow.contacts.lock(contact.id)
        merge = MergeCustomers(Transactions(open_postgres), SystemClock())
        merging = asyncio.create_task(merge(owner, survivor.id, duplicate.id))
        await until(lambda: _somebody_waits(app_engine))
        await uow.quotes.lock(quote.id)

    assert (await merging).id == survivor.id


async def test_whoever_is_merged_while_waited_for_is_erased_with_all_of_them_locked(
    open_postgres: OpenUnitOfWork, app_engine: AsyncEngine
) -> None:
    made, transactions, clock = await new_organization(open_postgres), Transactions(open_postgres), SystemClock()
    owner = made.actor(Role.OWNER)
    async with open_postgres(owner) as uow:
        customer = await uow.customers.save(a_customer().create())
        duplicate, survivor = [await uow.contacts.save(a_contact(customer.id).create()) for _ in range(2)]
        await uow.commit()

    async with open_postgres(owner) as uow:
        for one in (duplicate, survivor):
            await uow.contacts.lock(one.id)
        with statements_of(app_engine) as seen:
            erasing = asyncio.create_task(EraseContact(transactions, clock, Uuid7Ids())(owner, duplicate.id))
            await until(lambda: _somebody_waits(app_engine))
            for change in duplicate.merge_into(survivor, clock.now()):
                await uow.contacts.save(change)
            await uow.commit()
            await erasing

    async with open_postgres(owner) as uow:
        assert [(await uow.contacts.get(one.id)).name for one in (duplicate, survivor)] == [ERASED_NAME] * 2
    locked = [sql for sql in seen if "FROM proffer.contacts" in sql and sql.endswith("FOR NO KEY UPDATE")]
    assert len(locked) == 1 + 2  # The one that it knew of, then both.


async def _somebody_waits(engine: AsyncEngine) -> bool:
    told = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with engine.connect() as connection:
        return bool((await connection.execute(text(told))).all())
