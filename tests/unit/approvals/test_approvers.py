"""Delegates, deputies, quorums, and what happens when nobody is left."""

from dataclasses import replace
from datetime import timedelta

import pytest

from src.domain.approvals.errors import AlreadyDecided, NotAnApprover
from src.domain.approvals.policy import Quorum, StepRule
from src.domain.approvals.request import ApprovalRequest, RequestStatus
from src.domain.approvals.steps import StepStatus
from src.domain.identity.actor import Role
from src.domain.identity.user import User, UserStatus
from tests.builders.approvals import a_delegation, a_submission, approvers_of, asked, decision
from tests.builders.quotes import NOON, a_policy, a_user

ANN, BOB, CARL = (a_user(Role.APPROVER) for _ in range(3))
BOSS, SALES = a_user(Role.ADMIN), a_user(Role.SALES)
USERS = (ANN, BOB, CARL, BOSS, SALES)
DAY = timedelta(days=1)


def a_request(step: StepRule, *, submitter: User = SALES, users: tuple[User, ...] = USERS) -> ApprovalRequest:
    return asked(a_submission(submitter.id), [a_policy(steps=(step,))], users).after


def only(*users: User, quorum: Quorum = Quorum.ANY, count: int = 1) -> StepRule:
    return StepRule(name="Some", users=tuple(user.id for user in users), quorum=quorum, count=count)


def test_a_delegate_decides_and_both_names_are_kept() -> None:
    change = decision(a_request(only(ANN)), BOSS, USERS, delegations=[a_delegation(ANN, BOSS)])

    assert change is not None
    (given,) = change.after.steps[0].decisions
    assert (given.user_id, given.on_behalf_of) == (BOSS.id, (ANN.id,))
    assert change.after.status is RequestStatus.APPROVED


@pytest.mark.parametrize("days", [-1, 1])
def test_a_delegation_counts_on_its_days_only(days: int) -> None:
    with pytest.raises(NotAnApprover):
        decision(a_request(only(ANN)), BOSS, USERS, delegations=[a_delegation(ANN, BOSS)], at=NOON + days * DAY)


def test_a_delegation_is_one_hop() -> None:
    chain = [a_delegation(ANN, BOB), a_delegation(BOB, BOSS)]

    with pytest.raises(NotAnApprover):
        decision(a_request(only(ANN)), BOSS, USERS, delegations=chain)


def test_an_ended_delegation_counts_no_more() -> None:
    ended = a_delegation(ANN, BOSS).end(NOON).after

    with pytest.raises(NotAnApprover):
        decision(a_request(only(ANN)), BOSS, USERS, delegations=[ended])


@pytest.mark.parametrize(
    ("away", "delegate", "submitter"), [(ANN, SALES, SALES), (ANN, BOSS, ANN)], ids=["for the other", "in their name"]
)
def test_four_eyes_hold_for_delegates(away: User, delegate: User, submitter: User) -> None:
    """Neither does a submitter decide for somebody, nor anybody for a submitter."""
    mighty = replace(SALES, role=Role.ADMIN)
    users = (ANN, BOB, CARL, BOSS, mighty)
    request = a_request(only(ANN, BOB), submitter=submitter, users=users)

    with pytest.raises(NotAnApprover):
        decision(request, delegate, users, delegations=[a_delegation(away, delegate)])


def test_a_delegate_must_be_active_and_may_decide() -> None:
    for delegate in (SALES, replace(BOSS, status=UserStatus.DEACTIVATED)):
        users = tuple(delegate if user.id == delegate.id else user for user in USERS)
        with pytest.raises(NotAnApprover):
            decision(a_request(only(ANN)), delegate, users, delegations=[a_delegation(ANN, delegate)])


def test_a_delegate_who_is_an_approver_too_counts_once() -> None:
    request = a_request(only(ANN, BOB, CARL, quorum=Quorum.COUNT, count=2))

    change = decision(request, BOB, USERS, delegations=[a_delegation(ANN, BOB)])

    assert change is not None
    assert change.after.status is RequestStatus.OPEN
    assert decision(change.after, BOB, USERS, delegations=[a_delegation(ANN, BOB)]) is None


def test_all_are_those_who_are_left_after_delegation() -> None:
    request = a_request(only(ANN, BOB, quorum=Quorum.ALL))

    change = decision(request, BOB, USERS, delegations=[a_delegation(ANN, BOB)])

    assert change is not None
    assert change.after.status is RequestStatus.APPROVED


def test_all_counts_those_who_are_there_when_it_is_decided() -> None:
    request = a_request(only(ANN, BOB, quorum=Quorum.ALL))
    gone = tuple(replace(user, status=UserStatus.DEACTIVATED) if user is BOB else user for user in USERS)

    change = decision(request, ANN, gone)

    assert change is not None
    assert change.after.status is RequestStatus.APPROVED


def test_an_absent_approver_may_still_decide_themselves() -> None:
    request = a_request(only(ANN))
    delegations = [a_delegation(ANN, BOSS)]
    by_delegate = decision(request, BOSS, USERS, delegations=delegations)
    assert by_delegate is not None

    with pytest.raises(AlreadyDecided):
        decision(by_delegate.after, ANN, USERS, approved=False, delegations=delegations)
    assert decision(request, ANN, USERS, delegations=delegations) is not None


def escalating() -> StepRule:
    return replace(only(ANN), escalate_after_hours=8, escalate_to_users=(BOSS.id,))


def test_escalation_adds_the_deputy_and_keeps_the_first() -> None:
    request = a_request(escalating())
    with pytest.raises(NotAnApprover):
        decision(request, BOSS, USERS)

    assert request.escalate(at=NOON + timedelta(hours=8) - timedelta(microseconds=1)) is None
    change = request.escalate(at=NOON + timedelta(hours=8))

    assert change is not None
    escalated = change.after
    assert escalated.escalate(at=NOON + DAY) is None
    for user in (ANN, BOSS):
        decided = decision(escalated, user, USERS)
        assert decided is not None
        assert decided.after.status is RequestStatus.APPROVED


def test_a_step_escalates_from_its_own_opening() -> None:
    first, second = replace(only(BOB), name="First"), escalating()
    request = asked(a_submission(SALES.id), [a_policy(steps=(first, second))], USERS).after
    assert request.steps[1].escalates_at is None

    change = decision(request, BOB, USERS, at=NOON + timedelta(hours=5))

    assert change is not None
    assert change.after.steps[1].escalates_at == NOON + timedelta(hours=13)


def test_a_decided_step_does_not_escalate() -> None:
    decided = decision(a_request(escalating()), ANN, USERS)

    assert decided is not None
    assert decided.after.escalate(at=NOON + DAY) is None


def test_a_request_that_nobody_can_decide_is_blocked_until_somebody_can() -> None:
    request = a_request(only(ANN))
    gone = [replace(user, status=UserStatus.DEACTIVATED) if user is ANN else user for user in USERS]

    blocked = request.review(approvers_of(gone, (SALES.id,)), at=NOON)
    assert blocked is not None
    assert (blocked.after.status, blocked.events[0].action) == (RequestStatus.BLOCKED, "approval.blocked")
    assert blocked.after.review(approvers_of(gone, (SALES.id,)), at=NOON) is None

    again = blocked.after.review(approvers_of(USERS, (SALES.id,)), at=NOON)
    assert again is not None
    assert again.after.status is RequestStatus.OPEN


def test_a_delegate_unblocks() -> None:
    request = a_request(only(ANN))
    gone = [replace(user, status=UserStatus.DEACTIVATED) if user is ANN else user for user in USERS]
    blocked = request.review(approvers_of(gone, (SALES.id,)), at=NOON)
    assert blocked is not None

    # Of somebody who has left there is no delegate: only who is active can be stood for.
    with_delegate = approvers_of(gone, (SALES.id,), [a_delegation(ANN, BOSS)])
    assert blocked.after.review(with_delegate, at=NOON) is None


def test_one_yes_counts_for_all_parallel_steps_that_are_theirs_and_a_key_names_one() -> None:
    one, two = a_policy(steps=(only(ANN),)), a_policy(steps=(only(ANN, BOB),))
    request = asked(a_submission(SALES.id), [one, two], USERS).after
    assert len(request.open_steps) == 2

    everything = decision(request, ANN, USERS)
    first = decision(request, ANN, USERS, step=request.steps[0].key)

    assert everything is not None
    assert everything.after.status is RequestStatus.APPROVED
    assert first is not None
    assert [step.status for step in first.after.steps].count(StepStatus.APPROVED) == 1
    assert decision(first.after, ANN, USERS, step=request.steps[0].key) is None


def test_reminders_are_counted_once_each() -> None:
    request = a_request(replace(only(ANN), remind_after_hours=4))
    key = request.steps[0].key

    change = request.remind(key, number=1, at=NOON)

    assert change is not None
    assert change.after.remind(key, number=1, at=NOON) is None
    assert request.remind(key, number=2, at=NOON) is None
    assert change.after.withdraw(at=NOON).after.remind(key, number=2, at=NOON) is None


def test_of_a_ladder_only_the_first_asks() -> None:
    policies = [a_policy(name=name, order=order, ladder="size") for name, order in (("Board", 1), ("Team", 2))]
    beside = a_policy(name="Beside", order=3)

    request = asked(a_submission(SALES.id), [*policies, beside], USERS).after

    assert [step.policy_name for step in request.steps] == ["Board", "Beside"]


def test_a_count_is_blocked_when_too_few_are_left() -> None:
    request = a_request(only(ANN, BOB, CARL, quorum=Quorum.COUNT, count=2))
    one_left = [user for user in USERS if user not in {BOB, CARL}]

    assert request.review(approvers_of(one_left, (SALES.id,)), at=NOON) is not None
    agreed = decision(request, ANN, USERS)
    assert agreed is not None
    assert agreed.after.review(approvers_of([*one_left, BOB], (SALES.id,)), at=NOON) is None
    assert agreed.after.review(approvers_of(one_left, (SALES.id,)), at=NOON) is not None


def test_whoever_has_decided_is_waited_for_no_more() -> None:
    agreed = decision(a_request(only(ANN, BOB, quorum=Quorum.COUNT, count=2)), ANN, USERS)

    assert agreed is not None
    assert approvers_of(USERS, (SALES.id,)).waiting_for(agreed.after.steps[0]) == (BOB,)


def test_an_approver_and_their_own_delegate_are_one() -> None:
    request = a_request(only(ANN, BOB, quorum=Quorum.COUNT, count=2))
    delegations = [a_delegation(ANN, BOSS)]
    by_ann = decision(request, ANN, USERS, delegations=delegations)
    assert by_ann is not None

    by_her_delegate = decision(by_ann.after, BOSS, USERS, delegations=delegations)

    assert by_her_delegate is not None
    assert by_her_delegate.after.status is RequestStatus.OPEN
    by_bob = decision(by_her_delegate.after, BOB, USERS, delegations=delegations)
    assert by_bob is not None
    assert by_bob.after.status is RequestStatus.APPROVED


def test_two_delegates_of_one_approver_are_one_and_of_two_are_two() -> None:
    request = a_request(only(ANN, BOB, quorum=Quorum.COUNT, count=2))
    of_one = [a_delegation(ANN, BOSS), a_delegation(ANN, CARL)]
    of_two = [a_delegation(ANN, BOSS), a_delegation(ANN, CARL), a_delegation(BOB, CARL)]

    for delegations, status in ((of_one, RequestStatus.OPEN), (of_two, RequestStatus.APPROVED)):
        first = decision(request, BOSS, USERS, delegations=delegations)
        assert first is not None
        second = decision(first.after, CARL, USERS, delegations=delegations)
        assert second is not None
        assert second.after.status is status


def test_taking_somebody_away_after_their_yes_is_no_way_around_all() -> None:
    request = a_request(only(ANN, BOB, CARL, quorum=Quorum.ALL))
    by_bob = decision(request, BOB, USERS)
    assert by_bob is not None
    gone = [replace(user, status=UserStatus.DEACTIVATED) if user is BOB else user for user in USERS]

    by_ann = decision(by_bob.after, ANN, gone)

    assert by_ann is not None
    assert by_ann.after.status is RequestStatus.OPEN


def test_a_deputy_or_their_delegate_stands_for_one_silent_approver_of_all() -> None:
    rule = replace(only(ANN, BOB, quorum=Quorum.ALL), escalate_after_hours=8, escalate_to_users=(CARL.id,))
    escalation = a_request(rule).escalate(at=NOON + DAY)
    assert escalation is not None
    delegations = [a_delegation(CARL, BOSS, days=3)]
    by_ann = decision(escalation.after, ANN, USERS, delegations=delegations, at=NOON + DAY)
    assert by_ann is not None
    assert by_ann.after.status is RequestStatus.OPEN

    by_delegate = decision(by_ann.after, BOSS, USERS, delegations=delegations, at=NOON + DAY)

    assert by_delegate is not None
    assert by_delegate.after.status is RequestStatus.APPROVED


def test_a_repeated_yes_is_none_for_the_step_that_has_opened_since() -> None:
    step = only(ANN)
    request = asked(a_submission(SALES.id), [a_policy(steps=(step, replace(step, name="Second")))], USERS).after
    first = decision(request, ANN, USERS)
    assert first is not None

    assert decision(first.after, ANN, USERS) is None
    second = decision(first.after, ANN, USERS, step=request.steps[1].key)
    assert second is not None
    assert second.after.status is RequestStatus.APPROVED
