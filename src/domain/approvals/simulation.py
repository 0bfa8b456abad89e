"""What a changed policy would have asked for: the draft run over the facts of past submissions."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from src.domain.approvals.approvers import Approvers
from src.domain.approvals.conditions import FactValue
from src.domain.approvals.delegation import Delegation
from src.domain.approvals.matching import asking, evaluate
from src.domain.approvals.policy import ApprovalPolicy, PolicySimulated, StepRule
from src.domain.approvals.request import Subject
from src.domain.identity.actor import Permission
from src.domain.identity.user import User
from src.domain.shared.change import Change
from src.domain.shared.errors import NotFound
from src.domain.shared.ids import FactRecordId, PolicyId, SimulationId, UserId

MOST_EXAMPLES = 100

StepKey = tuple[PolicyId, int]


class SimulationNotFound(NotFound):
    code = "simulation_not_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class FactRecord:
    """What was known about one submission when it was made; kept whether or not a policy asked."""

    id: FactRecordId
    subject: Subject
    facts: tuple[tuple[str, FactValue], ...]
    submitted_by: UserId
    last_edited_by: UserId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedSubject:
    """A submission that would have gone another way: the names of steps that would be new, and of those that would go."""

    subject: Subject
    at: datetime
    newly_asked: tuple[str, ...]
    no_longer_asked: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproverLoad:
    """How many steps *user_id* could have decided: as the policies are, and as they would be."""

    user_id: UserId
    before: int
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationResult:
    """*asked_before* and *asked_after* count submissions that need any approval; *newly_asked* and *no_longer_asked*
    those that would need a step more, or one less. *examples* are the first hundred that differ.
    """

    records: int
    asked_before: int
    asked_after: int
    newly_asked: int
    no_longer_asked: int
    load: tuple[ApproverLoad, ...]
    examples: tuple[ChangedSubject, ...]


@dataclass(slots=True, kw_only=True)
class Comparison:
    """The policies as they are against those with the draft, record by record."""

    before: Sequence[ApprovalPolicy]
    after: Sequence[ApprovalPolicy]
    users: Sequence[User]
    delegations: Sequence[Delegation]
    permission: Permission
    otherwise: ApprovalPolicy | None = None
    records: int = 0
    asked_before: int = 0
    asked_after: int = 0
    newly_asked: int = 0
    no_longer_asked: int = 0
    examples: list[ChangedSubject] = field(default_factory=list)
    load_before: Counter[UserId] = field(default_factory=Counter)
    load_after: Counter[UserId] = field(default_factory=Counter)

    def take(self, records: Iterable[FactRecord]) -> None:
        for record in records:
            self._take(record)

    def result(self) -> SimulationResult:
        users = sorted({*self.load_before, *self.load_after}, key=lambda user: (-self.load_after[user], user))
        return SimulationResult(
            records=self.records,
            asked_before=self.asked_before,
            asked_after=self.asked_after,
            newly_asked=self.newly_asked,
            no_longer_asked=self.no_longer_asked,
            load=tuple(
                ApproverLoad(user_id=user, before=self.load_before[user], after=self.load_after[user]) for user in users
            ),
            examples=tuple(self.examples),
        )

    def _take(self, record: FactRecord) -> None:
        was, would = (_steps(record, policies, self.otherwise) for policies in (self.before, self.after))
        self.records += 1
        self.asked_before += bool(was)
        self.asked_after += bool(would)
        new, gone = would.keys() - was.keys(), was.keys() - would.keys()
        self.newly_asked += bool(new)
        self.no_longer_asked += bool(gone)
        if (new or gone) and len(self.examples) < MOST_EXAMPLES:
            changed = ChangedSubject(
                subject=record.subject,
                at=record.at,
                newly_asked=tuple(would[key].name for key in sorted(new)),
                no_longer_asked=tuple(was[key].name for key in sorted(gone)),
            )
            self.examples.append(changed)
        approvers = Approvers(
            users=tuple(self.users),
            delegations=tuple(self.delegations),
            permission=self.permission,
            excluded=frozenset({record.submitted_by, record.last_edited_by}),
        )
        for load, steps in ((self.load_before, was), (self.load_after, would)):
            for rule in steps.values():
                load.update(user.id for user in approvers.persons(rule))


def with_draft(policies: Sequence[ApprovalPolicy], draft: ApprovalPolicy) -> list[ApprovalPolicy]:
    """*policies* with *draft* in the place of the one that it would change, or beside them."""
    return [*(policy for policy in policies if policy.id != draft.id), draft]


def _steps(
    record: FactRecord, policies: Sequence[ApprovalPolicy], otherwise: ApprovalPolicy | None
) -> Mapping[StepKey, StepRule]:
    facts = dict(record.facts)
    return {
        (result.policy.id, order): rule
        for result in asking(facts, evaluate(facts, policies), otherwise)
        for order, rule in enumerate(result.policy.steps)
    }


class SimulationStatus(StrEnum):
    RUNNING = "running"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """One run of *draft* over the records from *since* on and before *before*; *result* when it is done."""

    id: SimulationId
    draft: ApprovalPolicy
    since: datetime
    before: datetime
    created_at: datetime
    created_by: UserId
    records: int
    result: SimulationResult | None = None
    version: int = 0

    @property
    def status(self) -> SimulationStatus:
        return SimulationStatus.RUNNING if self.result is None else SimulationStatus.DONE

    def start(self) -> Change["Simulation"]:
        return Change(None, self, (self._simulated(self.draft.id, self.created_at),))

    def finish(self, result: SimulationResult, at: datetime) -> Change["Simulation"]:
        return Change(self, replace(self, result=result), (self._simulated(self.draft.id, at),))

    def _simulated(self, policy_id: UUID, at: datetime) -> PolicySimulated:
        return PolicySimulated(resource_id=policy_id, at=at, records=self.records)
