"""Approvals decided, recalled, escalated and changed at the same instant: what comes of it is what some order gives.

Each pair is run hundreds of times: at once, and turn by turn, where one is stopped after every message that it sends.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio

from src.adapters.postgres.addresses import DatabaseUrls
from src.adapters.postgres.engine import make_engine
from src.adapters.postgres.unit_of_work import OpenPostgresUnitOfWork
from src.adapters.system import SystemClock, Uuid7Ids
from src.application.approvals.decide_approval import DecideApproval, DecideApprovalCommand
from src.application.approvals.delegations import CreateDelegation, CreateDelegationCommand
from src.application.approvals.desk import ApprovalDesk, People, review_requests
from src.application.approvals.policies import ChangePolicy, ChangePolicyCommand, CreatePolicy, CreatePolicyCommand
from src.application.approvals.subjects.quote import SUBJECT
from src.application.audit.verify_audit import VerifyAudit
from src.application.identity.users import DeactivateUser, ReactivateUser
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.application.prices.lines import LineInput
from src.application.quoting.create_quote import CreateQuote, CreateQuoteCommand
from src.application.quoting.drafting import DraftInput
from src.application.quoting.recall_quote import RecallQuote, RecallQuoteCommand
from src.application.quoting.submit_quote import SubmitQuote, SubmitQuoteCommand
from src.application.transactions import Transactions
from src.domain.approvals.policy import ApprovalPolicy, StepRule
from src.domain.approvals.request import ApprovalRequest, RequestStatus
from src.domain.approvals.steps import StepStatus
from src.domain.identity.actor import Role
from src.domain.quoting.quote import Quote
from src.domain.quoting.states import QuoteStatus
from src.domain.shared.errors import Conflict, DomainError, Forbidden, Stale
from tests.builders.approvals import SUBJECTS, a_delegation
from tests.builders.audit import SIGNER
from tests.builders.quotes import a_contact, a_customer
from tests.integration.postgres.turns import Gate, gated, interleaved
from tests.organizations import TestOrganization, new_organization

pytestmark = pytest.mark.asyncio

AT_ONCE = 100
# One goes so many turns, then the other so many, then each to its end: what a switch at any message brings about.
SCHEDULES = [(first, second) for first in range(1, 17) for second in (1, 4, 7, 10, None)]


@dataclass(slots=True)
class Office:
    """Two doors to one organisation, and what can be done to a quote through each."""

    doors: tuple[OpenUnitOfWork, OpenUnitOfWork]
    gates: tuple[Gate, Gate]
    team: TestOrganization
    policy: ApprovalPolicy
    draft: Callable[[], Awaitable[Quote]]

    async def pending(self) -> Quote:
        quote = await self.draft()
        submit = SubmitQuote(Transactions(self.doors[0]), SystemClock(), Uuid7Ids())
        return await submit(self.team.actor(Role.SALES), SubmitQuoteCommand(quote_id=quote.id))

    async def decide(self, door: int, quote: Quote, who: Role, *, approved: bool) -> Quote:
        decide = DecideApproval(Transactions(self.doors[door]), SystemClock(), Uuid7Ids())
        digest = quote.current.content_digest or ""
        command = DecideApprovalCommand(quote_id=quote.id, approved=approved, content_digest=digest, reason="Because.")
        return (await decide(self.team.actor(who), command)).quote

    def recall(self, door: int, quote: Quote) -> Awaitable[Quote]:
        recall = RecallQuote(Transactions(self.doors[door]), SystemClock())
        return recall(self.team.actor(Role.SALES), RecallQuoteCommand(quote_id=quote.id))

    def submit(self, door: int, quote: Quote) -> Awaitable[Quote]:
        submit = SubmitQuote(Transactions(self.doors[door]), SystemClock(), Uuid7Ids())
        return submit(self.team.actor(Role.SALES), SubmitQuoteCommand(quote_id=quote.id))

    def change_policy(self, door: int, name: str) -> Awaitable[ApprovalPolicy]:
        change = ChangePolicy(Transactions(self.doors[door]), SystemClock(), SUBJECTS)
        command = ChangePolicyCommand(policy_id=self.policy.id, changes={"name": name})
        return change(self.team.actor(Role.OWNER), command)

    async def escalate(self, door: int, quote: Quote) -> ApprovalRequest:
        """As the job does it, a month later."""
        actor, later = self.team.actor(Role.SALES), datetime.now(UTC) + timedelta(days=30)
        async with self.doors[door](actor) as uow:
            await uow.quotes.lock(quote.id)
            request = await uow.approvals.latest("quote", quote.id)
            change = request.escalate(at=later)
            if change is None:
                return request
            desk = ApprovalDesk(uow, actor, Uuid7Ids(), await People.read(uow, later))
            escalated = await desk.save(SUBJECT, change)
            await uow.commit()
        return escalated

    async def state(self, quote: Quote) -> tuple[Quote, ApprovalRequest]:
        async with self.doors[0](self.team.actor(Role.SALES)) as uow:
            return await uow.quotes.get(quote.id), await uow.approvals.latest("quote", quote.id)


@pytest_asyncio.fixture
async def office(database: DatabaseUrls, open_postgres: OpenUnitOfWork) -> AsyncIterator[Office]:
    team = await new_organization(open_postgres)
    async with open_postgres(team.actor(Role.ADMIN)) as uow:
        customer = await uow.customers.save(a_customer().create())
        contact = await uow.contacts.save(a_contact(customer.id).create())
        await uow.commit()
    step = StepRule(
        name="Management",
        roles=(Role.APPROVER, Role.ADMIN),
        escalate_after_hours=8,
        escalate_to_roles=(Role.OWNER,),
    )
    create = CreatePolicy(Transactions(open_postgres), SystemClock(), Uuid7Ids(), SUBJECTS)
    command = CreatePolicyCommand(name="All", order=1, conditions=(), steps=(step,))
    policy = await create(team.actor(Role.OWNER), command)

    async def draft() -> Quote:
        line = LineInput(quantity=Decimal(1), description="Desk", unit_price=Decimal(600))
        told = DraftInput(contact_id=contact.id, lines=(line,))
        make = CreateQuote(Transactions(open_postgres), SystemClock(), Uuid7Ids())
        return await make(team.actor(Role.SALES), CreateQuoteCommand(customer_id=customer.id, draft=told))

    async with AsyncExitStack() as stack:
        gates, doors = (Gate(), Gate()), []
        for gate in gates:
            engine = make_engine(await stack.enter_async_context(gated(database.app, gate)), pool_size=4)
            stack.push_async_callback(engine.dispose)
            doors.append(OpenPostgresUnitOfWork(engine, engine))
        yield Office((doors[0], doors[1]), gates, team, policy, draft)


Act = Callable[[Office, int, Quote], Awaitable[Any]]
Check = Callable[[Quote, ApprovalRequest, list[Any]], None]


def _yes(office: Office, door: int, quote: Quote) -> Awaitable[Any]:
    return office.decide(door, quote, Role.APPROVER, approved=True)


def _no(office: Office, door: int, quote: Quote) -> Awaitable[Any]:
    return office.decide(door, quote, Role.ADMIN, approved=False)


def _one_decision_counts(quote: Quote, request: ApprovalRequest, outcomes: list[Any]) -> None:
    (won,) = [outcome for outcome in outcomes if isinstance(outcome, Quote)]
    (lost,) = [outcome for outcome in outcomes if isinstance(outcome, DomainError)]
    assert quote.current.status is won.current.status
    assert lost.code == "already_decided"
    (given,) = request.steps[0].decisions
    assert lost.details["decided_by"] == str(given.user_id)


def _decided_or_recalled(quote: Quote, request: ApprovalRequest, outcomes: list[Any]) -> None:
    states = quote.current.status, request.status
    assert states in {
        (QuoteStatus.APPROVED, RequestStatus.APPROVED),
        (QuoteStatus.DRAFT, RequestStatus.WITHDRAWN),
    }
    assert sum(isinstance(outcome, Quote) for outcome in outcomes) == 1


def _approved_whenever_it_escalated(quote: Quote, request: ApprovalRequest, outcomes: list[Any]) -> None:
    assert not [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert (quote.current.status, request.status) == (QuoteStatus.APPROVED, RequestStatus.APPROVED)
    (step,) = request.steps
    assert step.status is StepStatus.APPROVED
    assert len(step.decisions) == 1


def _approved(quote: Quote, request: ApprovalRequest, outcomes: list[Any]) -> None:
    assert not [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert request.status is RequestStatus.APPROVED
    assert quote.current.status is QuoteStatus.APPROVED


PAIRS: dict[str, tuple[Act, Act, Check]] = {
    "two approvers": (_yes, _no, _one_decision_counts),
    "approval and recall": (_yes, lambda office, door, quote: office.recall(door, quote), _decided_or_recalled),
    "escalation and decision": (
        lambda office, door, quote: office.escalate(door, quote),
        _yes,
        _approved_whenever_it_escalated,
    ),
    "approval and an edit of the policy": (
        _yes,
        lambda office, door, quote: office.change_policy(door, f"Named for {quote.number}"),
        _approved,
    ),
}


def _refusals_only(told: Sequence[Any]) -> list[Any]:
    outcomes = list(told)
    for outcome in outcomes:
        if isinstance(outcome, BaseException) and not isinstance(outcome, Conflict | Stale | Forbidden):
            raise outcome
    return outcomes


@pytest.mark.parametrize("pair", PAIRS)
async def test_at_once(pair: str, office: Office) -> None:
    first, second, check = PAIRS[pair]
    for _ in range(AT_ONCE):
        quote = await office.pending()

        outcomes = await asyncio.gather(first(office, 0, quote), second(office, 1, quote), return_exceptions=True)

        check(*await office.state(quote), _refusals_only(outcomes))


@pytest.mark.parametrize("pair", PAIRS)
async def test_turn_by_turn(pair: str, office: Office) -> None:
    first, second, check = PAIRS[pair]
    for one, other in SCHEDULES:
        quote = await office.pending()

        acts = (first(office, 0, quote), second(office, 1, quote))
        outcomes = await interleaved(acts, office.gates, [(0, one), (1, other), (0, None), (1, None)])

        check(*await office.state(quote), _refusals_only(outcomes))
    assert (await VerifyAudit(Transactions(office.doors[0]), SIGNER)(office.team.actor(Role.OWNER))).intact


async def test_a_delegate_and_the_absent_approver_count_once(office: Office) -> None:
    """Whoever of both comes second is told that the first has decided."""
    users = office.team.users
    step = StepRule(name="Ann", users=(users[Role.APPROVER].id,))
    change = ChangePolicy(Transactions(office.doors[0]), SystemClock(), SUBJECTS)
    await change(
        office.team.actor(Role.OWNER), ChangePolicyCommand(policy_id=office.policy.id, changes={"steps": (step,)})
    )
    today = datetime.now(UTC).date()
    async with office.doors[0](office.team.actor(Role.OWNER)) as uow:
        delegation = a_delegation(users[Role.APPROVER], users[Role.ADMIN], today - timedelta(days=1), 3)
        await uow.delegations.save(delegation.create())
        await uow.commit()
    for one, other in SCHEDULES:
        quote = await office.pending()

        acts = (_yes(office, 0, quote), _no(office, 1, quote))
        outcomes = await interleaved(acts, office.gates, [(0, one), (1, other), (0, None), (1, None)])

        _one_decision_counts(*await office.state(quote), _refusals_only(outcomes))


async def test_a_day_is_delegated_once_whoever_asks_at_the_same_time(office: Office) -> None:
    users, today = office.team.users, datetime.now(UTC).date()
    for index, (one, other) in enumerate(SCHEDULES[::3]):
        day = today + timedelta(days=index)
        command = CreateDelegationCommand(to_user_id=users[Role.ADMIN].id, starts_on=day, ends_on=day)
        rivals = [
            CreateDelegation(Transactions(door), SystemClock(), Uuid7Ids(), SUBJECTS)(
                office.team.actor(Role.APPROVER), command
            )
            for door in office.doors
        ]

        outcomes = await interleaved((rivals[0], rivals[1]), office.gates, [(0, one), (1, other), (0, None), (1, None)])

        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Delegation", "DelegationOverlaps"]


async def test_a_submission_never_stays_open_for_approvers_who_leave_meanwhile(office: Office) -> None:
    """Refused, blocked at once, or blocked at the second look that the worker takes; but never open for nobody."""
    users, owner = office.team.users, office.team.actor(Role.OWNER)
    step = StepRule(name="Ann", users=(users[Role.APPROVER].id,))
    change = ChangePolicy(Transactions(office.doors[0]), SystemClock(), SUBJECTS)
    await change(owner, ChangePolicyCommand(policy_id=office.policy.id, changes={"steps": (step,)}))
    for one, other in SCHEDULES[::3]:
        quote = await office.draft()
        leave = DeactivateUser(Transactions(office.doors[1]), SystemClock(), Uuid7Ids(), SUBJECTS)

        acts = (office.submit(0, quote), leave(owner, users[Role.APPROVER].id))
        submitted, left = await interleaved(acts, office.gates, [(0, one), (1, other), (0, None), (1, None)])

        _refusals_only([submitted, left])
        assert not isinstance(left, BaseException)
        if isinstance(submitted, Quote):
            await _second_look(office)
            _, request = await office.state(quote)
            assert request.status is RequestStatus.BLOCKED
        else:
            assert submitted.code == "no_eligible_approver"
        back = ReactivateUser(Transactions(office.doors[0]), SystemClock(), Uuid7Ids(), SUBJECTS)
        await back(owner, users[Role.APPROVER].id)


async def _second_look(office: Office) -> None:
    actor = office.team.actor(Role.OWNER)
    async with office.doors[0](actor) as uow:
        await review_requests(uow, actor, SUBJECTS, Uuid7Ids(), datetime.now(UTC))
        await uow.commit()
