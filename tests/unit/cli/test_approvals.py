"""What the command line tells of a request: who said what, and what still waits for whoever looks."""

from datetime import timedelta
from uuid import uuid4

from src.application.approvals.read_approvals import RequestDetails
from src.domain.approvals.comment import Comment
from src.domain.approvals.policy import StepRule
from src.domain.identity.actor import Role
from src.domain.shared.ids import CommentId
from src.entrypoints.cli.approvals import said
from tests.builders.approvals import a_subject, a_submission, asked, decision
from tests.builders.quotes import NOON, a_policy, a_user

ANN, BOB, SALES = a_user(Role.APPROVER), a_user(Role.ADMIN), a_user(Role.SALES)
USERS = (ANN, BOB, SALES)


def details(*, yes: bool) -> RequestDetails:
    """Two steps, of which Ann decides the first and remarks something before."""
    policy = a_policy(
        steps=(StepRule(name="Team", roles=(Role.APPROVER,)), StepRule(name="Board", roles=(Role.ADMIN,)))
    )
    submission = a_submission(SALES.id, subject=a_subject(), content_digest="0" * 64)
    request = asked(submission, [policy], USERS, at=NOON).after
    change = decision(request, ANN, USERS, approved=yes, reason="Hm.", digest="0" * 64, at=NOON + timedelta(minutes=2))
    assert change is not None
    remark = Comment(
        id=CommentId(uuid4()),
        request_id=request.id,
        user_id=SALES.id,
        text="It is urgent.",
        created_at=NOON + timedelta(minutes=1),
    )
    return RequestDetails(
        request=change.after,
        comments=(remark,),
        waiting_for=tuple((step, (BOB,)) for step in change.after.open_steps),
        names={user.id: user.name for user in USERS},
    )


def test_remarks_and_decisions_are_told_in_their_order() -> None:
    for yes, verb in ((True, "approved"), (False, "rejected")):
        remark, decided = said(details(yes=yes))

        assert remark == f"{NOON + timedelta(minutes=1):%Y-%m-%d %H:%M}  {SALES.name}: It is urgent."
        assert decided == f"{NOON + timedelta(minutes=2):%Y-%m-%d %H:%M}  {ANN.name} {verb} «Team»: Hm."


def test_a_step_waits_for_those_who_could_decide_it() -> None:
    told = details(yes=True)

    assert [step.name for step in told.waiting_for_person(BOB.id)] == ["Board"]
    assert told.waiting_for_person(ANN.id) == ()
