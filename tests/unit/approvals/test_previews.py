"""A preview explains outside of transactions, and is about one version of the quote all the same."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, fields, replace
from datetime import timedelta

import pytest
import pytest_asyncio

from src.adapters.memory.system import TickingClock
from src.adapters.memory.unit_of_work import MemoryStore, OpenMemoryUnitOfWork
from src.adapters.system import Uuid7Ids
from src.application.ports.unit_of_work import OpenUnitOfWork, UnitOfWork
from src.application.quoting.preview_approval import PreviewApproval
from src.application.quoting.submit_quote import SubmitQuote, SubmitQuoteCommand
from src.application.transactions import Transactions
from src.domain.identity.actor import Actor, Role
from src.domain.quoting.explanation import Explanation
from src.domain.quoting.quote import Quote
from src.domain.quoting.revision import Revision
from src.domain.shared.ids import QuoteId
from tests.builders.quotes import a_content, a_customer, a_new_quote
from tests.organizations import TestOrganization, new_organization

pytestmark = pytest.mark.asyncio


class Counted(OpenUnitOfWork):
    """Knows how many units of work are open."""

    def __init__(self, inner: OpenUnitOfWork) -> None:
        self._inner, self.open = inner, 0

    def __call__(self, actor: Actor) -> AbstractAsyncContextManager[UnitOfWork]:
        return self._open(actor)

    @asynccontextmanager
    async def _open(self, actor: Actor) -> AsyncIterator[UnitOfWork]:
        async with self._inner(actor) as uow:
            self.open += 1
            try:
                yield uow
            finally:
                self.open -= 1


def watched(revision: Revision, look: Callable[[], None]) -> Revision:
    """*look* is called when it is explained, in whatever thread."""

    class Watched(Revision):
        __slots__ = ()

        def explained(self) -> Explanation:
            look()
            return super().explained()

    return Watched(**{field.name: getattr(revision, field.name) for field in fields(revision)})


@dataclass(frozen=True, slots=True)
class Office:
    open_uow: Counted
    team: TestOrganization
    clock: TickingClock

    @property
    def sales(self) -> Actor:
        return self.team.actor(Role.SALES)

    async def draft(self, look: Callable[[], None]) -> Quote:
        async with self.open_uow(self.sales) as uow:
            customer = await uow.customers.save(a_customer().create())
            content = a_content(valid_until=self.clock.now().date() + timedelta(days=300))
            made = a_new_quote(customer_id=customer.id, by=self.sales.person, content=content)
            quote = replace(made.after, revisions=(watched(made.after.current, look),))
            stored = await uow.quotes.save(replace(made, after=quote))
            await uow.commit()
        return stored

    async def rename(self, quote_id: QuoteId) -> None:
        async with self.open_uow(self.sales) as uow:
            quote = await uow.quotes.lock(quote_id)
            content = replace(quote.current.content, title="Renamed")
            await uow.quotes.save(quote.edit(content, by=self.sales.person, at=self.clock.now()))
            await uow.commit()

    async def preview(self, quote: Quote) -> Quote:
        preview = PreviewApproval(Transactions(self.open_uow), self.clock)
        return (await preview(self.sales, quote.id)).quote


@pytest_asyncio.fixture
async def office() -> Office:
    open_uow = Counted(OpenMemoryUnitOfWork(MemoryStore()))
    return Office(open_uow, await new_organization(open_uow), TickingClock())


async def test_a_draft_is_explained_while_no_transaction_is_open(office: Office) -> None:
    open_then: list[int] = []
    draft = await office.draft(lambda: open_then.append(office.open_uow.open))

    await office.preview(draft)

    assert open_then == [0]


async def test_what_is_frozen_is_not_explained_again(office: Office) -> None:
    times: list[int] = []
    draft = await office.draft(lambda: times.append(1))
    submit = SubmitQuote(Transactions(office.open_uow), office.clock, Uuid7Ids())
    submitted = await submit(office.sales, SubmitQuoteCommand(quote_id=draft.id))
    times.clear()

    await office.preview(submitted)

    assert times == []


async def test_a_quote_that_is_edited_meanwhile_is_explained_again(office: Office) -> None:
    loop, times = asyncio.get_running_loop(), 0

    def edit_the_first_time() -> None:
        nonlocal times
        times += 1
        if times == 1:
            asyncio.run_coroutine_threadsafe(office.rename(draft.id), loop).result()

    draft = await office.draft(edit_the_first_time)

    previewed = await office.preview(draft)

    assert previewed.current.content.title == "Renamed"
    assert times == 2
