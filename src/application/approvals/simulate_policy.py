"""Run a changed policy over past submissions: who would have been asked, and who no longer."""

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Final

from src.application.approvals.desk import People
from src.application.approvals.policies import PolicyChanges, check_policy
from src.application.approvals.subject import Subjects
from src.application.ports.clock import Clock, IdFactory
from src.application.ports.jobs import Job
from src.application.ports.unit_of_work import UnitOfWork
from src.application.transactions import Transactions
from src.domain.approvals.simulation import Comparison, FactRecord, Simulation, SimulationResult, with_draft
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.errors import invalid_field
from src.domain.shared.ids import PolicyId, SimulationId

SIMULATE_POLICY: Final = "simulate_policy"
AT_ONCE: Final = 1000
_PAGE: Final = 500
LONGEST: Final = 3660  # Days.


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatePolicyCommand:
    """The policy with *changes*, over the submissions of *from_day* to *to_day*, days of the organisation, both included."""

    policy_id: PolicyId
    changes: PolicyChanges
    from_day: date
    to_day: date


class SimulatePolicy:
    """At once for up to a thousand submissions, and as a job for more; nobody is asked or mailed.

    Raises PolicyNotFound, Invalid, UserNotFound.
    """

    def __init__(self, transactions: Transactions, clock: Clock, ids: IdFactory, subjects: Subjects) -> None:
        self._transactions, self._clock, self._ids, self._subjects = transactions, clock, ids, subjects

    async def __call__(self, actor: Actor, command: SimulatePolicyCommand) -> Simulation:
        now = self._clock.now()
        if not timedelta() <= command.to_day - command.from_day <= timedelta(days=LONGEST):
            raise invalid_field("to", f"From 1 to {LONGEST} days can be looked at.")
        async with self._transactions.begin(actor, Permission.MANAGE_POLICIES) as uow:
            policy = await uow.policies.get(command.policy_id)
            draft = replace(policy, **command.changes)
            await check_policy(uow, self._subjects, actor, draft)
            zone = (await uow.organizations.current()).zone
            since = datetime.combine(command.from_day, time(), zone)
            before = datetime.combine(command.to_day + timedelta(days=1), time(), zone)
            simulation = Simulation(
                id=SimulationId(self._ids.new()),
                draft=draft,
                since=since,
                before=before,
                created_at=now,
                created_by=actor.person,
                records=await uow.fact_records.count(draft.subject, since, before),
            )
            stored = await uow.fact_records.save_simulation(simulation.start())
            if simulation.records > AT_ONCE:
                job = Job.asked_by(actor, self._ids.new(), SIMULATE_POLICY, simulation.id)
                await uow.jobs.enqueue(job)
            else:
                result = await compare(uow, self._subjects, stored, now)
                stored = await uow.fact_records.save_simulation(stored.finish(result, now))
            await uow.commit()
        return stored


class RunSimulation:
    """The job. Raises SimulationNotFound."""

    def __init__(self, transactions: Transactions, clock: Clock, subjects: Subjects) -> None:
        self._transactions, self._clock, self._subjects = transactions, clock, subjects

    async def __call__(self, actor: Actor, simulation_id: SimulationId) -> Simulation:
        now = self._clock.now()
        async with self._transactions.begin(actor, Permission.RUN_APPROVALS) as uow:
            simulation = await uow.fact_records.simulation(simulation_id, lock=True)
            if simulation.result is not None:
                return simulation
            result = await compare(uow, self._subjects, simulation, now)
            stored = await uow.fact_records.save_simulation(simulation.finish(result, now))
            await uow.commit()
        return stored


class GetSimulation:
    """Raises SimulationNotFound."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, simulation_id: SimulationId) -> Simulation:
        async with self._transactions.begin(actor, Permission.MANAGE_POLICIES) as uow:
            return await uow.fact_records.simulation(simulation_id)


async def compare(uow: UnitOfWork, subjects: Subjects, simulation: Simulation, now: datetime) -> SimulationResult:
    """The draft against the policies as they are now, a page of records at a time."""
    draft, people = simulation.draft, await People.read(uow, now)
    kind = subjects.get(draft.subject)
    policies = [policy for policy in await uow.policies.all() if policy.subject == draft.subject]
    today = people.approvers(kind.permission, frozenset())
    comparison = Comparison(
        before=policies,
        after=with_draft(policies, draft),
        users=today.users,
        delegations=today.delegations,
        permission=kind.permission,
        otherwise=kind.otherwise,
    )
    last: FactRecord | None = None
    while True:
        records = await uow.fact_records.between(
            draft.subject, simulation.since, simulation.before, after=last, limit=_PAGE
        )
        comparison.take(records)
        if len(records) < _PAGE:
            return comparison.result()
        last = records[-1]
