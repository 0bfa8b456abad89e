"""Approvals in whatever order: policies change, people come and go, delegate, decide and recall, and time passes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import product
from uuid import uuid4

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from src.domain.approvals.approvers import Approvers
from src.domain.approvals.conditions import Condition, FactValue, Operator
from src.domain.approvals.delegation import Delegation
from src.domain.approvals.errors import AlreadyDecided, NoEligibleApprover, NotAnApprover, RequestClosed
from src.domain.approvals.matching import evaluate
from src.domain.approvals.policy import ApprovalPolicy, Quorum, StepRule
from src.domain.approvals.request import ApprovalRequest, RequestStatus
from src.domain.approvals.steps import Step, StepStatus
from src.domain.identity.actor import Role
from src.domain.identity.user import User, UserStatus
from src.domain.shared.change import Change
from src.domain.shared.ids import UserId
from tests.builders.approvals import a_delegation, a_subject, a_submission, approvers_of, asked, decision
from tests.builders.quotes import NOON, a_policy, a_user

ROLES = (Role.SALES, Role.SALES, Role.APPROVER, Role.APPROVER, Role.APPROVER, Role.ADMIN, Role.ADMIN)
person = st.integers(0, len(ROLES) - 1)
approver = st.integers(2, len(ROLES) - 1)
steps = st.lists(
    st.builds(
        StepRule,
        name=st.sampled_from(["Team", "Board"]),
        roles=st.sampled_from([(Role.APPROVER,), (Role.ADMIN,), (Role.APPROVER, Role.ADMIN)]),
        quorum=st.sampled_from(Quorum),
        count=st.integers(1, 2),
        escalate_after_hours=st.just(30),
        escalate_to_roles=st.just((Role.ADMIN,)),
    ),
    min_size=1,
    max_size=2,
).map(tuple)
conditions = st.sampled_from(
    [
        (),
        (Condition(fact="discount_percent", operator=Operator.GREATER, values=(Decimal(5),)),),
        (Condition(fact="total", operator=Operator.AT_LEAST, values=(Decimal(100),)),),
        (
            Condition(fact="margin_percent", operator=Operator.LESS, values=(Decimal(20),)),
            Condition(fact="currency", operator=Operator.IN, values=("EUR", "USD")),
        ),
    ]
)
facts_of_offers = st.fixed_dictionaries(
    {
        "total": st.sampled_from([50, 100, 200]).map(Decimal),
        "discount_percent": st.sampled_from([0, 6, 12]).map(Decimal),
        "margin_percent": st.sampled_from([5, 15, 30]).map(Decimal),
        "currency": st.sampled_from(["EUR", "USD"]),
    }
)


class Approvals(RuleBasedStateMachine):
    """One offer that is submitted again and again."""

    @initialize()
    def begin(self) -> None:
        self.users: list[User] = [a_user(role) for role in ROLES]
        self.policies: list[ApprovalPolicy] = []
        self.versions: dict[tuple[object, int], ApprovalPolicy] = {}
        self.delegations: list[Delegation] = []
        self.requests: list[ApprovalRequest] = []
        self.ended: dict[object, ApprovalRequest] = {}
        self.subject, self.now = a_subject(uuid4()), NOON

    @rule(conditions=conditions, steps=steps, order=st.integers(0, 1), max_age=st.sampled_from([None, 3]))
    def add_policy(
        self, conditions: tuple[Condition, ...], steps: tuple[StepRule, ...], order: int, max_age: int | None
    ) -> None:
        if len(self.policies) < 3:
            made = a_policy(*conditions, steps=steps, order=order, max_age_days=max_age, version=1)
            self.policies.append(made)
            self.versions[made.id, 1] = made

    @precondition(lambda self: self.policies)
    @rule(data=st.data(), conditions=conditions, steps=steps)
    def change_policy(
        self, data: st.DataObject, conditions: tuple[Condition, ...], steps: tuple[StepRule, ...]
    ) -> None:
        place = data.draw(st.integers(0, len(self.policies) - 1))
        policy = self.policies[place]
        changed = replace(policy, conditions=conditions, steps=steps, version=policy.version + 1)
        self.policies[place] = self.versions[policy.id, changed.version] = changed

    @rule(away=approver, delegate=approver, days=st.integers(1, 3))
    def delegate(self, away: int, delegate: int, days: int) -> None:
        if away != delegate:
            self.delegations.append(a_delegation(self.users[away], self.users[delegate], self.now.date(), days))

    @rule(who=person)
    def leave_or_come_back(self, who: int) -> None:
        user = self.users[who]
        status = UserStatus.DEACTIVATED if user.active else UserStatus.ACTIVE
        self.users[who] = replace(user, status=status)
        self._replace(lambda request: request.review(self._approvers(request), at=self.now))

    @rule(hours=st.sampled_from([1, 20, 50]))
    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        self._replace(lambda request: request.escalate(at=self.now))

    @rule(submitter=person, editor=person, facts=facts_of_offers)
    def submit(self, submitter: int, editor: int, facts: dict[str, FactValue]) -> None:
        if self.requests and self.requests[-1].live:
            return
        self.now += timedelta(minutes=1)
        submission = a_submission(
            self.users[submitter].id,
            self.users[editor].id,
            subject=self.subject,
            facts=facts,
            content_digest=f"{len(self.requests):064d}",
        )
        try:
            change = asked(
                submission,
                self.policies,
                self.users,
                earlier=self.requests,
                delegations=self.delegations,
                at=self.now,
            )
        except NoEligibleApprover:
            return
        self.requests.append(change.after)
        wanted = {
            (result.policy.id, order)
            for result in evaluate(facts, self.policies)
            if result.matched
            for order in range(len(result.policy.steps))
        }
        assert {(step.policy_id, step.step_order) for step in change.after.steps} == wanted

    @precondition(lambda self: self.requests)
    @rule(who=person, approved=st.sampled_from([True, True, False]), one_step=st.booleans(), data=st.data())
    def decide(self, who: int, approved: bool, one_step: bool, data: st.DataObject) -> None:
        request, user = self.requests[-1], self.users[who]
        key = data.draw(st.sampled_from([step.key for step in request.steps])) if one_step and request.steps else None
        try:
            change = decision(
                request,
                user,
                self.users,
                approved=approved,
                digest=request.content_digest,
                delegations=self.delegations,
                at=self.now,
                step=key,
            )
        except (NotAnApprover, AlreadyDecided, RequestClosed):
            return
        if change is None:
            return
        assert user.active
        assert user.id not in request.excluded
        for before, after in zip(request.steps, change.after.steps, strict=True):
            if before.status is StepStatus.OPEN and after.status is StepStatus.APPROVED:
                assert self._enough(request, after)
        self.requests[-1] = change.after

    @precondition(lambda self: self.requests)
    @rule()
    def recall(self) -> None:
        if self.requests[-1].live:
            self.requests[-1] = self.requests[-1].withdraw(at=self.now).after

    @invariant()
    def an_ended_request_never_changes(self) -> None:
        for request in getattr(self, "requests", ()):
            if not request.live:
                assert self.ended.setdefault(request.id, request) == request

    @invariant()
    def nothing_is_approved_without_every_step(self) -> None:
        for request in getattr(self, "requests", ()):
            if request.status is RequestStatus.APPROVED:
                assert all(step.status is StepStatus.APPROVED for step in request.steps)
            for step in request.steps:
                assert step.status is not StepStatus.APPROVED or step.carried_over or _persons(step)

    @invariant()
    def four_eyes(self) -> None:
        for request in getattr(self, "requests", ()):
            for step in request.steps:
                carried = step.carried_over.decided_by if step.carried_over else ()
                for user in (*_persons(step), *carried, *(who for one in step.decisions for who in one.on_behalf_of)):
                    assert user not in request.excluded

    @invariant()
    def what_is_carried_over_was_decided_by_people_about_nothing_better(self) -> None:
        for request in getattr(self, "requests", ()):
            now = dict(request.facts)
            for step in request.steps:
                if step.carried_over is None:
                    continue
                source = next(one for one in self.requests if one.id == step.carried_over.request_id)
                given = next(one for one in source.steps if one.key == step.key)
                assert given.status is StepStatus.APPROVED
                assert given.carried_over is None
                assert _persons(given) == set(step.carried_over.decided_by) != set()
                assert given.policy_version == step.policy_version
                policy, then = self.versions[step.policy_id, step.policy_version], dict(source.facts)
                assert policy.conditions
                assert now["currency"] == then["currency"]
                for condition in policy.conditions:
                    assert _no_worse(condition, now, then)

    @invariant()
    def steps_are_asked_one_after_another(self) -> None:
        for request in getattr(self, "requests", ()):
            for step in request.steps:
                if step.status in {StepStatus.OPEN, StepStatus.APPROVED} and step.carried_over is None:
                    for other in request.steps:
                        before = other.chain_order < step.chain_order or (
                            other.policy_id == step.policy_id and other.step_order < step.step_order
                        )
                        assert not before or other.status is StepStatus.APPROVED

    @invariant()
    def an_open_request_waits_for_somebody(self) -> None:
        """After a look; delegations that end by themselves are seen at the next one."""
        for request in getattr(self, "requests", ())[-1:]:
            look = request.review(self._approvers(request), at=self.now)
            looked = request if look is None else look.after
            if looked.status is not RequestStatus.OPEN:
                continue
            for step in looked.open_steps:
                able = {user.id for user in self.users if user.role is not Role.SALES and user.active}
                assert able - looked.excluded - {given.user_id for given in step.decisions}

    def _enough(self, request: ApprovalRequest, step: Step) -> bool:
        """The quorum once more, by trying every way to give each person who agreed an approver of their own."""
        rule, roles = step.rule, set(step.rule.roles)
        own = {user.id for user in self.users if user.active and user.role in roles} - request.excluded
        late = set(rule.escalate_to_roles) if step.escalated_at else set()
        deputies = {user.id for user in self.users if user.active and user.role in late} - request.excluded - own
        seats = [
            {*one.on_behalf_of, *([one.user_id] if one.in_own_name else [])} for one in step.decisions if one.approved
        ]
        assert all(seats)
        if rule.quorum is Quorum.COUNT:
            return any(len(set(way)) >= rule.count for way in product(*seats))
        covered = set().union(*seats)
        return rule.quorum is Quorum.ANY or len(own - covered) <= len(deputies & covered)

    def _approvers(self, request: ApprovalRequest) -> Approvers:
        return approvers_of(self.users, tuple(request.excluded), self.delegations, self.now.date())

    def _replace(self, act: Callable[[ApprovalRequest], Change[ApprovalRequest] | None]) -> None:
        if self.requests and (change := act(self.requests[-1])) is not None:
            self.requests[-1] = change.after


def _persons(step: Step) -> set[UserId]:
    return {given.user_id for given in step.decisions if given.approved}


def _no_worse(condition: Condition, now: dict[str, FactValue], then: dict[str, FactValue]) -> bool:
    new, old = now[condition.fact], then[condition.fact]
    if isinstance(new, Decimal) and isinstance(old, Decimal):
        return new <= old if condition.operator in {Operator.GREATER, Operator.AT_LEAST} else new >= old
    return new == old


TestApprovals = Approvals.TestCase
TestApprovals.settings = settings(max_examples=150, stateful_step_count=30)
