"""Approval requests: who may decide, in which order, and what ends them."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from src.application.approvals.subjects.quote import SUBJECT
from src.domain.approvals.conditions import Condition, Operator, check_facts
from src.domain.approvals.errors import (
    AlreadyDecided,
    NoEligibleApprover,
    NotAnApprover,
    ReasonMissing,
    RequestClosed,
    RequestContentChanged,
)
from src.domain.approvals.matching import evaluate
from src.domain.approvals.policy import ApprovalPolicy, Quorum, StepRule
from src.domain.approvals.request import ApprovalRequest, RequestStatus
from src.domain.approvals.steps import StepStatus
from src.domain.identity.actor import Role
from src.domain.identity.user import User, UserStatus
from src.domain.shared.errors import Invalid
from src.domain.shared.ids import UserId
from tests.builders.approvals import a_submission, asked, decision
from tests.builders.quotes import NOON, a_policy, a_user

ANN, BOB, CARL = (a_user(Role.APPROVER) for _ in range(3))
BOSS = a_user(Role.ADMIN)
SALES = a_user(Role.SALES)
USERS = (ANN, BOB, CARL, BOSS, SALES)


def a_step(name: str = "Step", **changes: Any) -> StepRule:
    values: dict[str, Any] = {"name": name, "roles": (Role.APPROVER,)}
    return StepRule(**values | changes)


def a_request(
    *policies: ApprovalPolicy, users: Sequence[User] = USERS, submitter: User = SALES, editor: User = SALES
) -> ApprovalRequest:
    submission = a_submission(submitter.id, editor.id)
    return asked(submission, policies, users).after


def decided(request: ApprovalRequest, user: User, *, approved: bool = True) -> ApprovalRequest:
    change = decision(request, user, USERS, approved=approved)
    assert change is not None
    return change.after


def test_one_of_any_is_enough() -> None:
    request = decided(a_request(a_policy()), ANN)

    assert request.status is RequestStatus.APPROVED
    assert [decision.user_id for decision in request.steps[0].decisions] == [ANN.id]


def test_all_means_all_who_can() -> None:
    request = a_request(a_policy(steps=(a_step(quorum=Quorum.ALL),)), editor=CARL)

    request = decided(request, ANN)
    assert request.status is RequestStatus.OPEN
    assert decided(request, BOB).status is RequestStatus.APPROVED


def test_a_count_counts_persons() -> None:
    request = decided(a_request(a_policy(steps=(a_step(quorum=Quorum.COUNT, count=2),))), ANN)

    assert decision(request, ANN, USERS, approved=True, reason="") is None
    assert request.status is RequestStatus.OPEN
    assert decided(request, BOB).status is RequestStatus.APPROVED


def test_steps_of_a_chain_come_one_after_another() -> None:
    policy = a_policy(steps=(a_step("First"), a_step("Second", roles=(Role.ADMIN,))))
    request = a_request(policy)

    with pytest.raises(NotAnApprover):
        decision(request, BOSS, USERS, approved=True, reason="")
    request = decided(request, ANN)
    assert [step.status for step in request.steps] == [StepStatus.APPROVED, StepStatus.OPEN]
    assert decided(request, BOSS).status is RequestStatus.APPROVED


def test_chains_of_equal_order_are_open_together_and_later_ones_wait() -> None:
    request = a_request(a_policy(order=2, name="Late"), a_policy(order=1, name="One"), a_policy(order=1, name="Other"))

    assert [(step.policy_name, step.status) for step in request.steps if step.chain_order == 2] == [
        ("Late", StepStatus.WAITING)
    ]
    assert [step.status for step in request.steps if step.chain_order == 1] == [StepStatus.OPEN, StepStatus.OPEN]


def test_one_rejection_ends_it_and_leaves_given_decisions_alone() -> None:
    request = decided(a_request(a_policy(steps=(a_step("First"), a_step("Second"), a_step("Third")))), ANN)

    request = decided(request, BOB, approved=False)

    assert request.status is RequestStatus.REJECTED
    assert [step.status for step in request.steps] == [StepStatus.APPROVED, StepStatus.REJECTED, StepStatus.OBSOLETE]
    assert request.steps[0].decisions[0].approved


@pytest.mark.parametrize(("submitter", "editor"), [(ANN, SALES), (SALES, ANN)])
def test_neither_submitter_nor_last_editor_decides(submitter: User, editor: User) -> None:
    request = a_request(a_policy(), submitter=submitter, editor=editor)

    with pytest.raises(NotAnApprover):
        decision(request, ANN, USERS, approved=True, reason="")


@pytest.mark.parametrize(
    "user",
    [SALES, a_user(Role.VIEWER), a_user(Role.APPROVER, status=UserStatus.DEACTIVATED), BOSS],
    ids=["sales", "viewer", "left", "boss"],
)
def test_only_those_who_are_asked_and_may_decide(user: User) -> None:
    with pytest.raises(NotAnApprover):
        decision(a_request(a_policy(), submitter=ANN, editor=BOB), user, [*USERS, user])


def test_somebody_named_decides_whatever_the_role() -> None:
    request = a_request(a_policy(steps=(a_step(roles=(), users=(BOSS.id,)),)))

    assert decided(request, BOSS).status is RequestStatus.APPROVED


def test_the_second_on_a_closed_step_is_told_who_and_when() -> None:
    request = decided(a_request(a_policy()), ANN)

    with pytest.raises(AlreadyDecided) as told:
        decision(request, BOB, USERS, approved=False, reason="No.")
    assert told.value.details["decided_by"] == str(ANN.id)
    assert told.value.details["decided_at"] == "2026-03-02T12:00:00Z"


def test_whoever_comes_too_late_is_told_of_their_own_step_and_not_of_another() -> None:
    theirs = a_policy(steps=(a_step(roles=(), users=(ANN.id, BOB.id)),))
    later = a_policy(order=20, steps=(a_step("Later", roles=(), users=(CARL.id, BOSS.id), quorum=Quorum.ALL),))
    since = decision(decided(a_request(theirs, later), ANN), CARL, USERS, at=NOON + timedelta(hours=1))
    assert since is not None

    with pytest.raises(AlreadyDecided) as told:
        decision(since.after, BOB, USERS)
    assert told.value.details["decided_by"] == str(ANN.id)


def test_saying_the_same_again_changes_nothing_and_the_opposite_is_refused() -> None:
    request = decided(a_request(a_policy()), ANN)

    assert decision(request, ANN, USERS, approved=True, reason="") is None
    with pytest.raises(AlreadyDecided):
        decision(request, ANN, USERS, approved=False, reason="No.")


def test_a_withdrawn_request_cannot_be_decided() -> None:
    request = a_request(a_policy()).withdraw(at=NOON).after

    assert [step.status for step in request.steps] == [StepStatus.OBSOLETE]
    with pytest.raises(RequestClosed):
        decision(request, ANN, USERS, approved=True, reason="")
    with pytest.raises(RequestClosed):
        request.withdraw(at=NOON)


def test_another_content_is_refused() -> None:
    with pytest.raises(RequestContentChanged):
        decision(a_request(a_policy()), ANN, USERS, digest="e" * 64)


def test_a_rejection_needs_a_reason() -> None:
    with pytest.raises(ReasonMissing):
        decision(a_request(a_policy()), ANN, USERS, approved=False, reason=" ")


@pytest.mark.parametrize(
    ("rule", "users"),
    [
        (a_step(), (SALES, BOSS)),
        (a_step(quorum=Quorum.ALL), (SALES,)),
        (a_step(quorum=Quorum.COUNT, count=3), (ANN, BOB, BOSS)),
        (a_step(roles=(), users=(SALES.id,)), USERS),
        (a_step(roles=(), users=(UserId(uuid4()),)), USERS),
        (a_step(roles=(Role.VIEWER,)), (a_user(Role.VIEWER),)),
    ],
)
def test_a_step_that_nobody_can_decide_is_refused_by_name(rule: StepRule, users: tuple[User, ...]) -> None:
    with pytest.raises(NoEligibleApprover) as refused:
        a_request(a_policy(steps=(rule,)), users=users)
    assert refused.value.details["step"] == "Step"


@pytest.mark.parametrize(
    ("operator", "threshold", "asks"),
    [
        (Operator.GREATER, "10", False),
        (Operator.GREATER, "9.9999", True),
        (Operator.AT_LEAST, "10", True),
        (Operator.LESS, "10", False),
        (Operator.LESS, "10.0001", True),
        (Operator.AT_MOST, "10", True),
        (Operator.EQUAL, "10.00", True),
        (Operator.EQUAL, "11", False),
        (Operator.IN, "10.0", True),
    ],
)
def test_conditions_compare_by_value(operator: Operator, threshold: str, asks: bool) -> None:
    policy = a_policy(Condition(fact="discount_percent", operator=operator, values=(Decimal(threshold),)))

    (result,) = evaluate({"discount_percent": Decimal(10)}, [policy])

    assert result.matched is asks
    assert result.conditions[0].actual == 10


def test_a_policy_asks_only_when_all_conditions_hold_and_it_is_active() -> None:
    total = Condition(fact="total", operator=Operator.GREATER, values=(Decimal(100),))
    euros = Condition(fact="currency", operator=Operator.IN, values=("EUR", "CHF"))
    facts: dict[str, Decimal | str] = {"total": Decimal(200), "currency": "USD"}

    assert not evaluate(facts, [a_policy(total, euros)])[0].matched
    assert evaluate(facts | {"currency": "CHF"}, [a_policy(total, euros)])[0].matched
    assert not evaluate({"currency": "EUR"}, [a_policy(total, euros)])[0].matched
    assert evaluate(facts, [a_policy(active=False)]) == ()


@pytest.mark.parametrize(
    ("condition", "field"),
    [
        (Condition(fact="currency", operator=Operator.GREATER, values=("EUR",)), "conditions[0].operator"),
        (Condition(fact="total", operator=Operator.EQUAL, values=()), "conditions[0].values"),
        (Condition(fact="total", operator=Operator.EQUAL, values=(Decimal(1), Decimal(2))), "conditions[0].values"),
        (Condition(fact="total", operator=Operator.EQUAL, values=("1",)), "conditions[0].values"),
        (Condition(fact="currency", operator=Operator.EQUAL, values=(Decimal(1),)), "conditions[0].values"),
        (Condition(fact="customer_tags", operator=Operator.IN, values=("vip",)), "conditions[0].operator"),
        (Condition(fact="colour", operator=Operator.EQUAL, values=("red",)), "conditions[0].fact"),
    ],
)
def test_conditions_that_make_no_sense_are_refused(condition: Condition, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_facts(a_policy(condition).conditions, SUBJECT.facts)

    assert [error.field for error in refused.value.fields] == [field]
