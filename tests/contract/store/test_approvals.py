"""Decisions by the quote's id, on both stores: about the current revision, or about nothing."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from src.adapters.memory.system import TickingClock
from src.adapters.system import Uuid7Ids
from src.application.approvals.decide_approval import DecideApproval, DecideApprovalCommand
from src.application.approvals.policies import CreatePolicy, CreatePolicyCommand
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.application.quoting.revise_quote import ReviseQuote, ReviseQuoteCommand
from src.application.quoting.send_quote import SendQuote, SendQuoteCommand
from src.application.quoting.submit_quote import SubmitQuote, SubmitQuoteCommand
from src.application.transactions import Transactions
from src.domain.approvals.conditions import Condition, Operator
from src.domain.approvals.errors import RequestContentChanged
from src.domain.approvals.policy import StepRule
from src.domain.identity.actor import Role
from src.domain.quoting.errors import InvalidTransition
from src.domain.quoting.quote import Quote
from src.domain.quoting.states import QuoteStatus
from src.domain.shared.ids import QuoteId
from tests.builders.approvals import SUBJECTS
from tests.builders.quotes import a_content, a_customer, a_line, a_new_quote
from tests.organizations import TestOrganization

pytestmark = pytest.mark.asyncio


class Office:
    """A policy asks for an approver where the offer is above 100."""

    def __init__(self, open_uow: OpenUnitOfWork, team: TestOrganization) -> None:
        self.open_uow, self.team = open_uow, team
        self.transactions, self.clock, self.ids = Transactions(open_uow), TickingClock(), Uuid7Ids()
        self.sales = team.actor(Role.SALES)

    async def make_policy(self) -> None:
        condition = Condition(fact="total", operator=Operator.GREATER, values=(Decimal(100),))
        step = StepRule(name="Team", roles=(Role.APPROVER,))
        command = CreatePolicyCommand(name="Large", order=1, conditions=(condition,), steps=(step,))
        await CreatePolicy(self.transactions, self.clock, self.ids, SUBJECTS)(self.team.actor(Role.ADMIN), command)

    async def draft(self) -> Quote:
        async with self.open_uow(self.sales) as uow:
            customer = await uow.customers.save(a_customer().create())
            content = a_content(valid_until=self.clock.now().date() + timedelta(days=300))
            made = a_new_quote(customer_id=customer.id, by=self.sales.person, content=content)
            quote = await uow.quotes.save(made)
            await uow.commit()
        return quote

    async def submit(self, quote_id: QuoteId) -> Quote:
        return await SubmitQuote(self.transactions, self.clock, self.ids)(
            self.sales, SubmitQuoteCommand(quote_id=quote_id)
        )

    async def revise(self, quote_id: QuoteId, quantity: int) -> Quote:
        """Submitted again, with so many pieces."""
        await ReviseQuote(self.transactions, self.clock)(self.sales, ReviseQuoteCommand(quote_id=quote_id))
        async with self.open_uow(self.sales) as uow:
            quote = await uow.quotes.lock(quote_id)
            line = a_line()
            line = replace(line, pricing=replace(line.pricing, quantity=Decimal(quantity)))
            content = replace(quote.current.content, lines=(line,))
            await uow.quotes.save(quote.edit(content, by=self.sales.person, at=self.clock.now()))
            await uow.commit()
        return await self.submit(quote_id)

    async def decide(self, quote: Quote, *, approved: bool = True) -> Quote:
        """On what the approver sees in *quote*."""
        digest = quote.current.content_digest or ""
        command = DecideApprovalCommand(quote_id=quote.id, approved=approved, content_digest=digest, reason="Because.")
        decide = DecideApproval(self.transactions, self.clock, self.ids)
        return (await decide(self.team.actor(Role.APPROVER), command)).quote


@pytest.mark.parametrize("approved", [True, False])
async def test_a_decision_about_an_earlier_revision_is_none_about_a_later_that_nobody_was_asked_about(
    approved: bool, open_uow: OpenUnitOfWork, organization: TestOrganization
) -> None:
    """Else whoever says again what they said of the first would be told that it was so of the second."""
    office = Office(open_uow, organization)
    await office.make_policy()
    first = await office.submit((await office.draft()).id)
    await office.decide(first, approved=approved)
    second = await office.revise(first.id, quantity=1)

    for seen in (first, second):
        with pytest.raises(InvalidTransition):
            await office.decide(seen, approved=approved)

    assert (second.current.number, second.current.status) == (2, QuoteStatus.APPROVED)


async def test_the_request_of_the_later_revision_is_the_one_that_is_decided(
    open_uow: OpenUnitOfWork, organization: TestOrganization
) -> None:
    office = Office(open_uow, organization)
    await office.make_policy()
    first = await office.submit((await office.draft()).id)
    await office.decide(first)
    second = await office.revise(first.id, quantity=500)
    assert second.current.status is QuoteStatus.PENDING_APPROVAL

    with pytest.raises(RequestContentChanged):
        await office.decide(first)
    decided = await office.decide(second)

    assert (decided.current.number, decided.current.status) == (2, QuoteStatus.APPROVED)


async def test_what_is_sent_is_past_all_decisions_also_the_same_again(
    open_uow: OpenUnitOfWork, organization: TestOrganization
) -> None:
    office = Office(open_uow, organization)
    await office.make_policy()
    pending = await office.submit((await office.draft()).id)
    approved = await office.decide(pending)
    assert (await office.decide(pending)).version == approved.version

    send = SendQuote(office.transactions, office.clock, office.ids)
    await send(office.sales, SendQuoteCommand(quote_id=pending.id))

    with pytest.raises(InvalidTransition):
        await office.decide(pending)
