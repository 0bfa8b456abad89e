"""What is asked again when something is submitted once more, and what is not."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from src.domain.approvals.conditions import Condition, Operator
from src.domain.approvals.policy import ApprovalPolicy, StepRule
from src.domain.approvals.request import ApprovalRequest, RequestStatus
from src.domain.approvals.steps import StepStatus
from src.domain.identity.actor import Role
from src.domain.identity.user import User, UserStatus
from tests.builders.approvals import a_subject, a_submission, asked, decision
from tests.builders.quotes import NOON, a_policy, a_user

ANN, BOB = a_user(Role.APPROVER), a_user(Role.ADMIN)
SALES, OTHER = a_user(Role.SALES), a_user(Role.SALES)
USERS = (ANN, BOB, SALES, OTHER)
OFFER = a_subject()
DISCOUNT = Condition(fact="discount_percent", operator=Operator.GREATER, values=(Decimal(5),))
TWO_STEPS = (StepRule(name="Team", roles=(Role.APPROVER,)), StepRule(name="Board", roles=(Role.ADMIN,)))


def submitted(
    policy: ApprovalPolicy,
    discount: str,
    earlier: list[ApprovalRequest],
    *,
    minutes: int = 0,
    submitter: User = SALES,
    users: tuple[User, ...] = USERS,
    **facts: Any,
) -> ApprovalRequest:
    told = {"discount_percent": Decimal(discount), "currency": "EUR", **facts}
    submission = a_submission(submitter.id, subject=OFFER, facts=told, content_digest=f"{len(earlier):064d}")
    return asked(submission, [policy], users, earlier=earlier, at=NOON + timedelta(minutes=minutes)).after


def said(request: ApprovalRequest, user: User, *, yes: bool = True, minutes: int = 0) -> ApprovalRequest:
    change = decision(
        request, user, USERS, approved=yes, digest=request.content_digest, at=NOON + timedelta(minutes=minutes)
    )
    assert change is not None
    return change.after


@pytest.mark.parametrize(("again", "asked_again"), [("10", False), ("7", False), ("10.0001", True)])
def test_what_did_not_get_worse_is_not_asked_again(again: str, asked_again: bool) -> None:
    policy = a_policy(DISCOUNT)
    first = said(submitted(policy, "10", []), ANN)

    second = submitted(policy, again, [first], minutes=1)

    assert second.live is asked_again
    if not asked_again:
        (step,) = second.steps
        assert step.carried_over is not None
        assert (step.carried_over.request_id, step.carried_over.decided_by) == (first.id, (ANN.id,))
        assert second.status is RequestStatus.APPROVED


def test_ten_small_steps_do_not_pass_what_one_large_would_not() -> None:
    """What was carried over is no decision: the comparison is always with what somebody looked at."""
    rising = Condition(fact="total", operator=Operator.GREATER, values=(Decimal(1),))
    policy = a_policy(DISCOUNT, rising)
    first = said(submitted(policy, "10", [], total=Decimal(100)), ANN)
    second = submitted(policy, "6", [first], minutes=1, total=Decimal(100))
    assert second.steps[0].carried_over is not None

    third = submitted(policy, "8", [first, second], minutes=2, total=Decimal(100))

    assert third.steps[0].carried_over is not None
    assert third.steps[0].carried_over.request_id == first.id
    assert submitted(policy, "10.5", [first, second, third], minutes=3, total=Decimal(100)).live


def test_another_version_of_the_policy_asks_anew() -> None:
    policy = a_policy(DISCOUNT)
    first = said(submitted(policy, "10", []), ANN)

    assert submitted(replace(policy, version=policy.version + 1), "10", [first], minutes=1).live


def test_another_currency_asks_anew() -> None:
    policy = a_policy(DISCOUNT)
    first = said(submitted(policy, "10", []), ANN)

    assert submitted(policy, "10", [first], minutes=1, currency="USD").live


def test_what_is_too_old_asks_anew() -> None:
    policy = a_policy(DISCOUNT, max_age_days=2)
    first = said(submitted(policy, "10", []), ANN)

    assert not submitted(policy, "10", [first], minutes=2 * 24 * 60).live
    assert submitted(policy, "10", [first], minutes=2 * 24 * 60 + 1).live


def test_whoever_may_decide_no_more_has_decided_nothing() -> None:
    policy = a_policy(DISCOUNT, steps=(StepRule(name="Any", roles=(Role.APPROVER, Role.ADMIN)),))
    first = said(submitted(policy, "10", []), ANN)
    left = (replace(ANN, status=UserStatus.DEACTIVATED), BOB, SALES, OTHER)

    assert submitted(policy, "10", [first], minutes=1, users=left).live
    assert submitted(policy, "10", [first], minutes=1, submitter=ANN).live


def test_a_policy_that_reads_nothing_knows_only_the_same_content() -> None:
    policy = a_policy()
    first = said(submitted(policy, "10", []), ANN)

    assert submitted(policy, "10", [first], minutes=1).live


def test_from_the_rejecting_step_on_everything_is_asked_again() -> None:
    policy = a_policy(DISCOUNT, steps=TWO_STEPS)
    approved = said(said(submitted(policy, "10", []), ANN), BOB, minutes=1)
    worse = submitted(policy, "12", [approved], minutes=2)
    rejected = said(said(worse, ANN, minutes=3), BOB, yes=False, minutes=4)

    again = submitted(policy, "9", [approved, rejected], minutes=5)

    team, board = again.steps
    assert team.carried_over is not None
    assert team.carried_over.request_id == rejected.id
    assert (board.status, board.carried_over) == (StepStatus.OPEN, None)


def test_a_step_after_the_rejecting_one_is_asked_again() -> None:
    policy = a_policy(DISCOUNT, steps=TWO_STEPS)
    approved = said(said(submitted(policy, "10", []), ANN), BOB, minutes=1)
    rejected = said(submitted(policy, "12", [approved], minutes=2), ANN, yes=False, minutes=3)

    again = submitted(policy, "9", [approved, rejected], minutes=5)

    assert [step.carried_over for step in again.steps] == [None, None]


def test_an_approval_that_was_recalled_with_its_request_still_counts() -> None:
    policy = a_policy(DISCOUNT, steps=TWO_STEPS)
    recalled = said(submitted(policy, "10", []), ANN).withdraw(at=NOON).after

    again = submitted(policy, "10", [recalled], minutes=1)

    assert [step.status for step in again.steps] == [StepStatus.APPROVED, StepStatus.OPEN]


def test_a_text_that_has_changed_is_asked_about_again() -> None:
    group = Condition(fact="customer_group", operator=Operator.NOT_EQUAL, values=("Partners",))
    policy = a_policy(DISCOUNT, group)
    first = said(submitted(policy, "10", [], customer_group="Retail"), ANN)

    assert not submitted(policy, "10", [first], minutes=1, customer_group="Retail").live
    assert submitted(policy, "10", [first], minutes=1, customer_group="Strangers").live
