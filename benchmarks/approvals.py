"""Approvals a second: submissions that are asked about and decisions that settle them, and how long a large simulation takes.

``python -m benchmarks.approvals [QUOTES]``. Use cases in this process, 16 at a time, beside the same units of work that
write nothing but one audit entry: what any change costs here.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from functools import partial
from statistics import median
from time import perf_counter
from typing import Any

from benchmarks.server import a_home, prepare
from src.adapters.postgres.engine import make_engine
from src.adapters.postgres.unit_of_work import OpenPostgresUnitOfWork
from src.adapters.system import SystemClock, Uuid7Ids
from src.application.approvals.decide_approval import DecideApproval, DecideApprovalCommand
from src.application.approvals.policies import CreatePolicy, CreatePolicyCommand, PolicyChanges
from src.application.approvals.read_approvals import CountApprovals
from src.application.approvals.simulate_policy import SimulatePolicy, SimulatePolicyCommand
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.application.prices.lines import LineInput
from src.application.quoting.create_quote import CreateQuote, CreateQuoteCommand
from src.application.quoting.drafting import DraftInput
from src.application.quoting.submit_quote import SubmitQuote, SubmitQuoteCommand
from src.application.transactions import Transactions
from src.domain.approvals.conditions import Condition, Operator
from src.domain.approvals.policy import StepRule
from src.domain.identity.actor import Role
from src.domain.identity.user import UserLoginFailed
from src.domain.quoting.quote import Quote
from src.entrypoints.database import Database
from src.entrypoints.settings import read_settings
from tests.builders.approvals import SUBJECTS
from tests.builders.quotes import a_contact, a_customer
from tests.organizations import TestOrganization, new_organization

WRITERS = 16


async def rate(acts: Sequence[Callable[[], Awaitable[Any]]]) -> float:
    """Acts a second, so many at a time."""
    coming = iter(acts)

    async def work() -> None:
        for act in coming:
            await act()

    begin = perf_counter()
    await asyncio.gather(*(work() for _ in range(WRITERS)))
    return len(acts) / (perf_counter() - begin)


async def one_entry(open_uow: OpenUnitOfWork, team: TestOrganization) -> None:
    actor = team.actor(Role.SALES)
    async with open_uow(actor) as uow:
        uow.record(UserLoginFailed(resource_id=actor.person, at=SystemClock().now()))
        await uow.commit()


async def measure(open_uow: OpenUnitOfWork, count: int) -> None:
    team, transactions, clock, ids = await new_organization(open_uow), Transactions(open_uow), SystemClock(), Uuid7Ids()
    async with open_uow(team.actor(Role.ADMIN)) as uow:
        customer = await uow.customers.save(a_customer().create())
        contact = await uow.contacts.save(a_contact(customer.id).create())
        await uow.commit()
    large = Condition(fact="total", operator=Operator.GREATER, values=(Decimal(500),))
    step = StepRule(name="Management", roles=(Role.APPROVER, Role.ADMIN))
    command = CreatePolicyCommand(name="Large", order=1, conditions=(large,), steps=(step,))
    policy = await CreatePolicy(transactions, clock, ids, SUBJECTS)(team.actor(Role.OWNER), command)
    sales, approver = team.actor(Role.SALES), team.actor(Role.APPROVER)
    line = LineInput(quantity=Decimal(1), description="Desk", unit_price=Decimal(600))
    draft = DraftInput(contact_id=contact.id, lines=(line,) * 20)
    create, submit = CreateQuote(transactions, clock, ids), SubmitQuote(transactions, clock, ids)
    decide = DecideApproval(transactions, clock, ids)
    quotes = [await create(sales, CreateQuoteCommand(customer_id=customer.id, draft=draft)) for _ in range(count)]
    submitted: list[Quote] = []

    async def submit_one(quote: Quote) -> None:
        submitted.append(await submit(sales, SubmitQuoteCommand(quote_id=quote.id)))

    async def approve(quote: Quote) -> None:
        digest = quote.current.content_digest or ""
        await decide(approver, DecideApprovalCommand(quote_id=quote.id, approved=True, content_digest=digest))

    floor = median([await rate([lambda: one_entry(open_uow, team)] * count) for _ in range(3)])
    submissions = await rate([partial(submit_one, quote) for quote in quotes])
    begin = perf_counter()
    await CountApprovals(transactions, clock, SUBJECTS)(approver)
    inbox = perf_counter() - begin
    decisions = await rate([partial(approve, quote) for quote in submitted])
    today = clock.now().date()
    strict = Condition(fact="total", operator=Operator.GREATER, values=(Decimal(1),))
    simulation = SimulatePolicyCommand(
        policy_id=policy.id,
        changes=PolicyChanges(conditions=(strict,)),
        from_day=today - timedelta(days=1),
        to_day=today + timedelta(days=1),
    )
    begin = perf_counter()
    await SimulatePolicy(transactions, clock, ids, SUBJECTS)(team.actor(Role.OWNER), simulation)
    simulated = perf_counter() - begin
    print(f"{count} quotes of 20 lines, {WRITERS} at a time, one organisation")
    print(f"one audit entry and nothing else   {floor:>8.0f} a second")
    print(f"submissions that ask               {submissions:>8.0f} a second {submissions / floor:>6.2f}")
    print(f"decisions that settle              {decisions:>8.0f} a second {decisions / floor:>6.2f}")
    print(f"inbox among {count} waiting           {1000 * inbox:>8.1f} ms")
    print(f"simulation over {count} submissions   {1000 * simulated:>8.1f} ms")


async def main(count: int) -> None:
    with Database(read_settings()) as database:
        await prepare(database)
        app, operator = (make_engine(url, pool_size=WRITERS) for url in (database.urls.app, database.urls.operator))
        await measure(OpenPostgresUnitOfWork(app, operator), count)
        await app.dispose()
        await operator.dispose()


if __name__ == "__main__":
    with a_home():
        asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 800))
