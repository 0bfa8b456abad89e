"""Which approvals of earlier requests still count when something is submitted again."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from src.domain.approvals.approvers import Approvers
from src.domain.approvals.conditions import Facts
from src.domain.approvals.policy import ApprovalPolicy
from src.domain.approvals.steps import CarriedOver, Step, StepStatus

if TYPE_CHECKING:
    from src.domain.approvals.request import ApprovalRequest

CURRENCY = "currency"


def carried_over(
    policy: ApprovalPolicy,
    step_order: int,
    *,
    facts: Facts,
    content_digest: str,
    earlier: Sequence["ApprovalRequest"],
    approvers: Approvers,
    at: datetime,
) -> CarriedOver | None:
    """The approval that stands for this step of *policy*, where persons gave one when nothing was better than now.

    It must be of the same version of the policy; every fact that the conditions read must be no worse than in the record
    of that very decision, never than in one of a carried-over step; the currency must be the same; the approval must not
    be older than the policy allows, those who gave it must still be eligible, and nobody may have rejected this step or
    one before it in the chain since. A policy without conditions reads nothing, so only the same content is no worse.
    """
    for request in sorted(earlier, key=lambda one: (one.created_at, one.id), reverse=True):
        for step in request.steps:
            if step.policy_id != policy.id or step.step_order > step_order or not step.decisions:
                continue
            if step.status is StepStatus.REJECTED:
                return None
            if step.step_order == step_order and step.status is StepStatus.APPROVED:
                then = dict(request.facts)
                same = _is_no_worse(policy, facts, then) and (
                    bool(policy.conditions) or request.content_digest == content_digest
                )
                if not same or not _still_counts(policy, step, approvers, at):
                    return None
                return CarriedOver(
                    request_id=request.id,
                    revision=request.subject.revision,
                    decided_by=tuple(given.user_id for given in step.decisions if given.approved),
                    decided_at=max(given.at for given in step.decisions),
                )
    return None


def _is_no_worse(policy: ApprovalPolicy, now: Facts, then: Facts) -> bool:
    return now.get(CURRENCY) == then.get(CURRENCY) and all(one.is_no_worse(now, then) for one in policy.conditions)


def _still_counts(policy: ApprovalPolicy, step: Step, approvers: Approvers, at: datetime) -> bool:
    if step.policy_version != policy.version:
        return False
    decided_at = max(given.at for given in step.decisions)
    if policy.max_age_days is not None and at - decided_at > timedelta(days=policy.max_age_days):
        return False
    return all(approvers.acts_for(user_id, step) is not None for user_id in step.agreed)
