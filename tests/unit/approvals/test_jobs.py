"""What the worker does for approvals: mails to the right people, reminders that end, escalations that are not lost."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import time, timedelta
from typing import Any

import pytest

from src.adapters.memory.mail import MemoryMailer
from src.adapters.memory.system import TickingClock
from src.adapters.memory.templates import PlainMailTemplates
from src.adapters.memory.unit_of_work import MemoryStore, OpenMemoryUnitOfWork
from src.adapters.system import Uuid7Ids
from src.application.approvals.decide_approval import DecideApproval, DecideApprovalCommand
from src.application.approvals.desk import ESCALATE_APPROVAL, REMIND_APPROVERS, approvers_changed
from src.application.approvals.mails import APPROVAL_JOBS, RunApprovalJob
from src.application.approvals.policies import CreatePolicy, CreatePolicyCommand
from src.application.ports.jobs import Job
from src.application.quoting.recall_quote import RecallQuote, RecallQuoteCommand
from src.application.quoting.submit_quote import SubmitQuote, SubmitQuoteCommand
from src.application.transactions import Transactions
from src.domain.approvals.policy import StepRule
from src.domain.approvals.request import MOST_REMINDERS, ApprovalRequest, RequestStatus
from src.domain.identity.actor import Actor, Role
from src.domain.quoting.quote import Quote
from src.domain.shared.ids import RequestId
from src.domain.shared.working_time import WorkingCalendar
from tests.builders.approvals import SUBJECTS
from tests.builders.quotes import a_content, a_customer, a_new_quote
from tests.organizations import ORIGIN, TestOrganization, new_organization

pytestmark = pytest.mark.asyncio
HOUR = timedelta(hours=1)


@dataclass
class Office:
    """One organisation in memory that never sleeps, and its worker."""

    store: MemoryStore
    team: TestOrganization
    clock: TickingClock
    mailer: MemoryMailer
    quote: Quote

    @property
    def transactions(self) -> Transactions:
        return Transactions(OpenMemoryUnitOfWork(self.store))

    async def request(self) -> ApprovalRequest:
        async with OpenMemoryUnitOfWork(self.store)(self.team.actor(Role.SALES)) as uow:
            return await uow.approvals.latest("quote", self.quote.id)

    async def work(self, *names: str) -> list[Job]:
        """Run what waits and is due; give back what has to wait."""
        left: list[Job] = []
        run = RunApprovalJob(self.transactions, SUBJECTS, PlainMailTemplates(), self.mailer, self.clock, Uuid7Ids())
        while jobs := [job for job in self.store.take_jobs() if job.name in APPROVAL_JOBS]:
            for job in jobs:
                if job.name not in names and job.not_before is not None and job.not_before > self.clock.now():
                    left.append(job)
                    continue
                actor = Actor.job(organization_id=job.organization_id, name=job.name, origin=ORIGIN)
                await run(actor, job.name, RequestId(job.subject_id), job.detail)
        return left

    async def leave(self, *roles: Role) -> None:
        """These people are deactivated, and the requests looked at again."""
        owner = self.team.actor(Role.OWNER)
        async with OpenMemoryUnitOfWork(self.store)(owner) as uow:
            for role in roles:
                user = await uow.users.get(self.team.users[role].id)
                await uow.users.save(user.deactivate(by=owner, owners=1, at=self.clock.now()))
            await approvers_changed(uow, owner, SUBJECTS, Uuid7Ids(), self.clock.now())
            await uow.commit()

    def told(self) -> list[tuple[str, str]]:
        """To whom, and the first word of the subject; since the last look."""
        emails = {user.email: role.value for role, user in self.team.users.items()}
        sent = [(emails[mail.recipient], mail.subject.split()[0]) for mail in self.mailer.sent]
        self.mailer.sent.clear()
        return sent


async def an_office(*steps: StepRule, owner: Role = Role.OWNER, **policy: Any) -> Office:
    """*owner* of the policy."""
    store, clock, ids = MemoryStore(), TickingClock(), Uuid7Ids()
    open_uow = OpenMemoryUnitOfWork(store)
    team = await new_organization(open_uow)
    sales = team.actor(Role.SALES)
    calendar = WorkingCalendar(weekdays=(1, 2, 3, 4, 5, 6, 7), opens=time(0), closes=time(23, 59, 59))
    async with open_uow(team.actor(Role.OWNER)) as uow:
        organization = await uow.organizations.current()
        changed = replace(organization, working_calendar=calendar)
        await uow.organizations.save(organization.become(changed, clock.now()))
        customer = await uow.customers.save(a_customer().create())
        content = a_content(valid_until=clock.now().date() + timedelta(days=300))
        quote = await uow.quotes.save(a_new_quote(customer_id=customer.id, by=sales.person, content=content))
        await uow.commit()
    owner_id = team.users[owner].id
    command = CreatePolicyCommand(name="All", order=1, conditions=(), steps=steps, owner_id=owner_id, **policy)
    await CreatePolicy(Transactions(open_uow), clock, ids, SUBJECTS)(team.actor(Role.OWNER), command)
    submitted = await SubmitQuote(Transactions(open_uow), clock, ids)(sales, SubmitQuoteCommand(quote_id=quote.id))
    return Office(store, team, clock, MemoryMailer(), submitted)


def names(jobs: Sequence[Job]) -> list[str]:
    return [job.name for job in jobs]


async def test_each_step_mails_its_approvers_when_it_opens_and_the_submitter_hears_the_end() -> None:
    office = await an_office(StepRule(name="Team", roles=(Role.APPROVER,)), StepRule(name="Board", roles=(Role.OWNER,)))
    decide = DecideApproval(office.transactions, office.clock, Uuid7Ids())
    digest = office.quote.current.content_digest or ""
    command = DecideApprovalCommand(quote_id=office.quote.id, approved=True, content_digest=digest)

    await office.work()
    assert office.told() == [("approver", "request")]
    await decide(office.team.actor(Role.APPROVER), command)
    await office.work()
    assert office.told() == [("owner", "request")]
    await decide(office.team.actor(Role.OWNER), command)
    await office.work()
    assert office.told() == [("sales", "approved")]


async def test_a_mail_that_is_sent_twice_has_one_message_id() -> None:
    office = await an_office(StepRule(name="Team", roles=(Role.APPROVER,)))
    (job,) = [job for job in office.store.take_jobs() if job.name in APPROVAL_JOBS]
    run = RunApprovalJob(office.transactions, SUBJECTS, PlainMailTemplates(), office.mailer, office.clock, Uuid7Ids())
    actor = Actor.job(organization_id=job.organization_id, name=job.name, origin=ORIGIN)

    for _ in range(2):
        await run(actor, job.name, RequestId(job.subject_id), job.detail)

    first, second = office.mailer.sent
    assert first.message_id == second.message_id


async def test_what_waits_too_long_goes_to_the_deputy_as_well() -> None:
    step = StepRule(name="Slow", roles=(Role.APPROVER,), escalate_after_hours=8, escalate_to_roles=(Role.OWNER,))
    office = await an_office(step)
    (waiting,) = await office.work()
    assert office.told() == [("approver", "request")]
    assert waiting.not_before == (await office.request()).steps[0].escalates_at

    office.clock.move(8 * HOUR)
    office.store.add_job(waiting)
    assert await office.work() == []

    assert office.told() == [("owner", "deputy")]
    assert (await office.request()).steps[0].escalated_at is not None


@pytest.mark.parametrize(("early", "escalated"), [(timedelta(minutes=4), True), (timedelta(minutes=10), False)])
async def test_an_escalation_is_not_lost_when_clocks_differ(early: timedelta, escalated: bool) -> None:
    """The queue hands it out by the database's clock; if that is far ahead of ours, it is asked again in its time."""
    step = StepRule(name="Slow", roles=(Role.APPROVER,), escalate_after_hours=8, escalate_to_roles=(Role.OWNER,))
    office = await an_office(step)
    (waiting,) = await office.work()
    office.clock.move(8 * HOUR - early)

    office.store.add_job(replace(waiting, not_before=None))
    left = await office.work()

    assert ((await office.request()).steps[0].escalated_at is not None) is escalated
    assert names(left) == ([] if escalated else [ESCALATE_APPROVAL])


async def test_reminders_come_in_their_time_and_end() -> None:
    office = await an_office(StepRule(name="Slow", roles=(Role.APPROVER,), remind_after_hours=4))
    left = await office.work()
    office.told()

    for number in range(1, MOST_REMINDERS + 1):
        assert names(left) == [REMIND_APPROVERS]
        office.clock.move(5 * HOUR)
        office.store.add_job(left[0])
        left = await office.work()
        assert office.told() == [("approver", "reminder")]
        assert (await office.request()).steps[0].reminders == number
    assert left == []


async def test_nobody_is_reminded_of_what_is_over() -> None:
    office = await an_office(StepRule(name="Slow", roles=(Role.APPROVER,), remind_after_hours=4))
    (reminder,) = await office.work()
    office.told()
    async with OpenMemoryUnitOfWork(office.store)(office.team.actor(Role.SALES)) as uow:
        request = await uow.approvals.latest("quote", office.quote.id)
        await uow.approvals.save(request.withdraw(at=office.clock.now()))
        await uow.commit()

    office.clock.move(5 * HOUR)
    office.store.add_job(reminder)

    assert await office.work() == []
    assert office.told() == []
    assert (await office.request()).status is RequestStatus.WITHDRAWN


@pytest.mark.parametrize(
    ("policy_owner", "gone", "told"),
    [
        (Role.ADMIN, (Role.APPROVER,), "admin"),
        (Role.ADMIN, (Role.APPROVER, Role.ADMIN), "owner"),  # Somebody has to know.
    ],
)
async def test_whoever_is_left_hears_of_what_nobody_can_decide(
    policy_owner: Role, gone: tuple[Role, ...], told: str
) -> None:
    office = await an_office(StepRule(name="Team", roles=(Role.APPROVER,)), owner=policy_owner)
    await office.work()
    office.told()

    await office.leave(*gone)
    await office.work()

    assert (await office.request()).status is RequestStatus.BLOCKED
    assert office.told() == [(told, "blocked")]


async def test_who_owns_a_policy_that_can_still_be_decided_is_not_bothered() -> None:
    office = await an_office(StepRule(name="Team", roles=(Role.APPROVER,)), owner=Role.ADMIN)
    other = CreatePolicyCommand(
        name="Board",
        order=1,
        conditions=(),
        steps=(StepRule(name="Board", roles=(Role.OWNER,)),),
        owner_id=office.team.users[Role.VIEWER].id,
    )
    owner, sales = office.team.actor(Role.OWNER), office.team.actor(Role.SALES)
    await RecallQuote(office.transactions, office.clock)(sales, RecallQuoteCommand(quote_id=office.quote.id))
    await CreatePolicy(office.transactions, office.clock, Uuid7Ids(), SUBJECTS)(owner, other)
    submit = SubmitQuote(office.transactions, office.clock, Uuid7Ids())
    await submit(sales, SubmitQuoteCommand(quote_id=office.quote.id))
    await office.work()
    office.told()

    await office.leave(Role.APPROVER)
    await office.work()

    assert office.told() == [("admin", "blocked")]
