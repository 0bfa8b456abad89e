"""One transaction, one tenant: all or nothing, told to the audit, and closed behind itself."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, InvalidRequestError
from sqlalchemy.ext.asyncio import AsyncEngine

from src.adapters.postgres import audit
from src.adapters.postgres.directories import PostgresAccountDirectory
from src.adapters.postgres.unit_of_work import PostgresUnitOfWork
from src.application.ports.audit import AuditFilter
from src.application.ports.jobs import Job
from src.application.ports.unit_of_work import OpenUnitOfWork, UnitOfWork
from src.domain.audit.chain import ChainHead
from src.domain.catalog.product import SkuTaken
from src.domain.customers.customer import Customer, CustomerNotFound
from src.domain.identity.actor import Actor, Role
from src.domain.identity.organization import SlugTaken
from src.domain.identity.user import EmailTaken, UserLoginFailed
from src.domain.quoting.errors import QuoteChangedMeanwhile, QuoteNotFound
from src.domain.quoting.quote import Quote
from src.domain.shared.change import Change
from src.domain.shared.ids import CustomerId, OrganizationId, QuoteId, UserId
from src.domain.shared.once import HeldCommit, StoredAnswer, WriteOnce
from tests.builders.audit import verifying
from tests.builders.offers import IDS, NOON, Shop, a_contact, a_customer, a_product, new_shop
from tests.builders.postgres import statements_of
from tests.organizations import ORIGIN


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop(open_postgres: OpenUnitOfWork) -> Shop:
    return await new_shop(open_postgres)


async def _head(open_postgres: OpenUnitOfWork, shop: Shop) -> ChainHead:
    async with open_postgres(shop.actor) as uow:
        return await uow.audit.head()


@pytest.mark.asyncio
async def test_without_commit_nothing_stays_neither_the_quote_nor_its_number_nor_an_entry(
    open_postgres: OpenUnitOfWork, shop: Shop
) -> None:
    before = await _head(open_postgres, shop)
    async with open_postgres(shop.actor) as uow:
        quote = await shop.new_quote(uow)

    async with open_postgres(shop.actor) as uow:
        with pytest.raises(QuoteNotFound):
            await uow.quotes.get(quote.id)
        again = await shop.new_quote(uow)
    assert again.number == quote.number
    assert await _head(open_postgres, shop) == before


@pytest.mark.asyncio
async def test_an_error_inside_undoes_everything(open_postgres: OpenUnitOfWork, shop: Shop) -> None:
    customer = a_customer()

    async def fail() -> None:
        async with open_postgres(shop.actor) as uow:
            await uow.customers.save(customer.create())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with open_postgres(shop.actor) as uow:
        with pytest.raises(CustomerNotFound):
            await uow.customers.get(customer.id)


@pytest.mark.asyncio
async def test_a_commit_chains_an_entry_for_every_event_in_the_order_of_saving(
    open_postgres: OpenUnitOfWork, shop: Shop
) -> None:
    before = await _head(open_postgres, shop)
    async with open_postgres(shop.actor) as uow:
        quote = await shop.new_quote(uow)
        uow.record(UserLoginFailed(resource_id=shop.user_id, at=NOON))
        await uow.quotes.save(quote.submit(by=shop.user_id, at=NOON, needs_approval=False))
        await uow.commit()

    async with open_postgres(shop.actor) as uow:
        entries = [entry async for entry in uow.audit.stream(AuditFilter())]
        head = await uow.audit.head()
    assert [entry.record.action for entry in entries[before.sequence :]] == [
        "quote.created",
        "quote.submitted",
        "quote.approved",
        "user.login_failed",
    ]
    assert entries[-1].sequence == head.sequence
    assert (await verifying(open_postgres)(shop.made.actor(Role.OWNER))).intact


@pytest.mark.asyncio
async def test_the_head_of_the_chain_is_locked_last(
    open_postgres: OpenUnitOfWork, app_engine: AsyncEngine, shop: Shop
) -> None:
    async with open_postgres(shop.actor) as uow:
        await uow.customers.save(a_customer().create())
        with statements_of(app_engine) as seen:
            await uow.commit()

    check, append = seen
    assert "current_setting('app.tenant_id'" in check
    assert append.startswith("SELECT proffer.append_audit")


@pytest.mark.asyncio
async def test_the_chain_is_free_while_an_answer_is_made(open_postgres: OpenUnitOfWork, shop: Shop) -> None:
    before = await _head(open_postgres, shop)
    held = await _held(open_postgres, shop, a_customer())
    async with asyncio.timeout(10), open_postgres(shop.actor) as uow:
        await uow.customers.save(a_customer().create())
        await uow.commit()
    await held.finish(_ANSWER)

    result = await verifying(open_postgres)(shop.made.actor(Role.OWNER))
    assert result.intact
    assert result.head.sequence == before.sequence + 2


@pytest.mark.asyncio
async def test_when_the_chain_takes_no_entry_nothing_is_stored(
    open_postgres: OpenUnitOfWork, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if a key of the chain were taken: that is nobody's Idempotency-Key."""
    before = await _head(open_postgres, shop)
    at_once, later = a_customer(), a_customer()
    monkeypatch.setattr(audit, "APPEND", "DO $$ BEGIN RAISE unique_violation; END $$")
    async with open_postgres(shop.actor) as uow:
        await uow.customers.save(at_once.create())
        with pytest.raises(IntegrityError):
            await uow.commit()
    held = await _held(open_postgres, shop, later)
    with pytest.raises(IntegrityError):
        await held.finish(_ANSWER)
    monkeypatch.undo()

    async with open_postgres(shop.actor) as uow:
        for customer in (at_once, later):
            with pytest.raises(CustomerNotFound):
                await uow.customers.get(customer.id)
    await (await _held(open_postgres, shop, later)).finish(_ANSWER)  # The key is free.
    assert (await _head(open_postgres, shop)).sequence == before.sequence + 1


_ANSWER = StoredAnswer(status=201, headers=(), body=b"")


async def _held(open_postgres: OpenUnitOfWork, shop: Shop, customer: Customer) -> HeldCommit:
    """The end of a request with an Idempotency-Key that made *customer*."""
    once = WriteOnce(key=str(customer.id), fingerprint="")
    async with open_postgres(replace(shop.actor, origin=replace(ORIGIN, once=once))) as uow:
        await uow.customers.save(customer.create())
        await uow.commit()
    assert once.held is not None
    return once.held


@pytest.mark.asyncio
async def test_commits_at_the_same_time_make_one_chain(open_postgres: OpenUnitOfWork, shop: Shop) -> None:
    before = await _head(open_postgres, shop)

    async def add() -> None:
        async with open_postgres(shop.actor) as uow:
            await uow.customers.save(a_customer().create())
            await uow.commit()

    await asyncio.gather(*(add() for _ in range(8)))

    result = await verifying(open_postgres)(shop.made.actor(Role.OWNER))
    assert result.problem == ""
    assert result.head.sequence == before.sequence + 8


@pytest.mark.asyncio
async def test_quote_numbers_given_out_at_the_same_time_are_without_gap_and_double(
    open_postgres: OpenUnitOfWork, shop: Shop
) -> None:
    async def take(*, commit: bool) -> int:
        async with open_postgres(shop.actor) as uow:
            number = await uow.quotes.next_number(1999)
            if commit:
                await uow.commit()
            return number

    given = await asyncio.gather(*(take(commit=True) for _ in range(8)), take(commit=False))

    assert sorted(given[:8]) == list(range(1, 9))
    assert await take(commit=False) == 9


@pytest.mark.asyncio
async def test_after_the_commit_it_refuses_everything(open_postgres: OpenUnitOfWork, shop: Shop) -> None:
    async with open_postgres(shop.actor) as uow:
        await uow.customers.save(a_customer().create())
        await uow.commit()

        with pytest.raises(RuntimeError):
            await uow.commit()
        with pytest.raises(RuntimeError):
            uow.record(UserLoginFailed(resource_id=shop.user_id, at=NOON))
        with pytest.raises(InvalidRequestError):
            await uow.customers.get(shop.customer.id)
        with pytest.raises(InvalidRequestError):
            await uow.jobs.enqueue(_job(shop))


def _job(shop: Shop) -> Job:
    return Job.asked_by(shop.actor, IDS.new(), "deliver_quote", IDS.new())


@pytest.mark.asyncio
async def test_a_tenant_that_changed_on_the_way_is_never_committed(open_postgres: OpenUnitOfWork, shop: Shop) -> None:
    other = await new_shop(open_postgres)
    customer = a_customer()

    async with open_postgres(shop.actor) as uow:
        assert isinstance(uow, PostgresUnitOfWork)
        await uow.customers.save(customer.create())
        await uow._transaction.connection.execute(
            text("SELECT set_config('app.tenant_id', :tenant, true)"), {"tenant": str(other.made.organization.id)}
        )
        with pytest.raises(RuntimeError, match="tenant"):
            await uow.commit()

    async with open_postgres(shop.actor) as uow:
        with pytest.raises(CustomerNotFound):
            await uow.customers.get(customer.id)


@pytest.mark.asyncio
async def test_nothing_of_the_tenant_stays_on_the_connection(
    open_postgres: OpenUnitOfWork, app_engine: AsyncEngine, shop: Shop
) -> None:
    async with open_postgres(shop.actor) as uow:
        await uow.customers.save(a_customer().create())
        await uow.commit()

    async with app_engine.connect() as connection:
        tenant = await connection.execute(text("SELECT current_setting('app.tenant_id', true)"))
        rows = await connection.execute(text("SELECT count(*) FROM proffer.customers"))
        assert not tenant.scalar_one()
        assert rows.scalar_one() == 0


@pytest.mark.asyncio
async def test_what_another_organisation_has_is_not_there(open_postgres: OpenUnitOfWork, shop: Shop) -> None:
    quote = await shop.stored_quote(open_postgres)
    other = await new_shop(open_postgres)

    async with open_postgres(other.actor) as uow:
        with pytest.raises(QuoteNotFound):
            await uow.quotes.get(quote.id)
        with pytest.raises(QuoteNotFound):
            await uow.quotes.lock(quote.id)
        with pytest.raises(CustomerNotFound):
            await uow.customers.get(shop.customer.id)
        assert await uow.products.find([shop.product.id, other.product.id]) == {other.product.id: other.product}
    async with open_postgres(other.actor) as uow:
        with pytest.raises(CustomerNotFound):
            await uow.contacts.save(a_contact(shop.customer.id).create())


# Versions


@pytest.mark.asyncio
async def test_of_two_who_save_the_same_version_the_second_is_told(open_postgres: OpenUnitOfWork, shop: Shop) -> None:
    quote = await shop.stored_quote(open_postgres)
    async with open_postgres(shop.actor) as first, open_postgres(shop.actor) as second:
        mine, theirs = await first.quotes.get(quote.id), await second.quotes.get(quote.id)
        await first.quotes.save(_retitled(shop, mine, "Mine"))
        await first.commit()

        with pytest.raises(QuoteChangedMeanwhile):
            await second.quotes.save(_retitled(shop, theirs, "Theirs"))

    async with open_postgres(shop.actor) as uow:
        stored = await uow.quotes.get(quote.id)
    assert (stored.current.content.title, stored.version) == ("Mine", 2)


@pytest.mark.asyncio
async def test_of_two_who_save_at_the_same_moment_one_waits_and_is_told(
    open_postgres: OpenUnitOfWork, shop: Shop
) -> None:
    quote = await shop.stored_quote(open_postgres)
    async with open_postgres(shop.actor) as first, open_postgres(shop.actor) as second:
        theirs = await second.quotes.get(quote.id)
        await first.quotes.save(_retitled(shop, quote, "Mine"))
        waiting = asyncio.create_task(second.quotes.save(_retitled(shop, theirs, "Theirs")))
        await _until_someone_waits(first)
        assert not waiting.done()
        await first.commit()

        with pytest.raises(QuoteChangedMeanwhile):
            await waiting


@pytest.mark.asyncio
async def test_whoever_locks_a_quote_sees_what_the_one_before_saved(open_postgres: OpenUnitOfWork, shop: Shop) -> None:
    quote = await shop.stored_quote(open_postgres)
    async with open_postgres(shop.actor) as first, open_postgres(shop.actor) as second:
        locked = await first.quotes.lock(quote.id)
        waiting = asyncio.create_task(second.quotes.lock(quote.id))
        await _until_someone_waits(first)
        saved = await first.quotes.save(_retitled(shop, locked, "First"))
        await first.commit()

        assert await waiting == saved


async def _until_someone_waits(uow: UnitOfWork) -> None:
    """Until a statement waits for *uow*'s rows, as the server sees it."""
    assert isinstance(uow, PostgresUnitOfWork)
    blocked = text(
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND transactionid = "
        "(SELECT transactionid FROM pg_locks WHERE pid = pg_backend_pid() AND transactionid IS NOT NULL)"
    )
    async with asyncio.timeout(5):
        while not (await uow._transaction.connection.execute(blocked)).scalar_one():  # noqa: ASYNC110 — the server sends no event.
            await asyncio.sleep(0.01)


@pytest.mark.asyncio
async def test_a_quote_that_is_saved_twice_in_one_unit_of_work_rises_by_one_version(
    open_postgres: OpenUnitOfWork, shop: Shop
) -> None:
    quote = await shop.stored_quote(open_postgres)
    async with open_postgres(shop.actor) as uow:
        loaded = await uow.quotes.get(quote.id)
        once = await uow.quotes.save(_retitled(shop, loaded, "Once"))
        twice = await uow.quotes.save(_retitled(shop, once, "Twice"))
        await uow.commit()

    async with open_postgres(shop.actor) as uow:
        assert await uow.quotes.get(quote.id) == twice
    assert (quote.version, once.version, twice.version) == (1, 2, 2)


def _retitled(shop: Shop, quote: Quote, title: str) -> Change[Quote]:
    return quote.edit(replace(quote.current.content, title=title), by=shop.user_id, at=NOON)


# Constraints in the words of the business


@pytest.mark.asyncio
async def test_a_sku_is_taken_once_in_an_organisation_and_free_in_the_next(
    open_postgres: OpenUnitOfWork, shop: Shop
) -> None:
    depths = []
    for _ in range(2):
        async with open_postgres(shop.made.actor(Role.ADMIN)) as uow:
            with pytest.raises(SkuTaken) as refusal:
                await uow.products.save(a_product(shop.product.sku).create())
        depths.append(_depth(refusal.value))
    assert depths[0] == depths[1]  # A new error each time; one that is raised again would keep all frames of before.
    other = await new_shop(open_postgres)
    async with open_postgres(other.actor) as uow:
        await uow.products.save(a_product(shop.product.sku).create())
        await uow.commit()


def _depth(error: BaseException) -> int:
    count, frame = 0, error.__traceback__
    while frame is not None:
        count, frame = count + 1, frame.tb_next
    return count


@pytest.mark.asyncio
async def test_an_e_mail_is_taken_once_in_an_organisation(open_postgres: OpenUnitOfWork, shop: Shop) -> None:
    double = replace(shop.made.users[Role.SALES], id=UserId(IDS.new()))

    async with open_postgres(shop.made.actor(Role.ADMIN)) as uow:
        with pytest.raises(EmailTaken):
            await uow.users.save(double.create())


@pytest.mark.asyncio
async def test_a_slug_is_taken_once_and_only_an_operator_makes_organisations(
    open_postgres: OpenUnitOfWork, shop: Shop
) -> None:
    other = replace(shop.made.organization, id=OrganizationId(IDS.new()))
    operator = Actor.operator(organization_id=other.id, name="Operator", origin=ORIGIN)
    async with open_postgres(operator) as uow:
        with pytest.raises(SlugTaken):
            await uow.organizations.create(other.create())

    free = replace(other, slug=f"org-{uuid4().hex[:12]}")
    async with open_postgres(shop.made.actor(Role.OWNER)) as uow:
        with pytest.raises(DBAPIError, match="permission denied"):
            await uow.organizations.create(free.create())
    async with open_postgres(operator) as uow:
        await uow.organizations.create(free.create())
        await uow.commit()
    async with open_postgres(operator) as uow:
        assert await uow.organizations.current() == free


@pytest.mark.asyncio
async def test_a_quote_needs_a_customer_of_its_own_organisation(open_postgres: OpenUnitOfWork, shop: Shop) -> None:
    other = await new_shop(open_postgres)
    for stranger in (other.customer.id, CustomerId(IDS.new())):
        change = Quote.create(
            quote_id=QuoteId(IDS.new()),
            number="Q-1",
            customer_id=stranger,
            content=shop.content(),
            by=shop.user_id,
            at=NOON,
        )
        async with open_postgres(shop.actor) as uow:
            with pytest.raises(CustomerNotFound):
                await uow.quotes.save(change)


@pytest.mark.asyncio
async def test_the_directory_finds_active_accounts_by_e_mail_and_nothing_else(
    app_engine: AsyncEngine, shop: Shop
) -> None:
    directory = PostgresAccountDirectory(app_engine)
    user = shop.made.users[Role.SALES]

    [account] = await directory.find(user.email)

    assert (account.user_id, account.role, account.password_hash) == (user.id, user.role, user.password_hash)
    assert account.organization_slug == shop.made.organization.slug
    assert await directory.find("%") == []
    assert await directory.find("nobody@nowhere.example") == []
