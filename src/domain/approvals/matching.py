"""Which policies ask, and why. One pure function serves submitting, previews and simulations."""

from collections.abc import Sequence
from dataclasses import dataclass

from src.domain.approvals.policy import ApprovalPolicy, Condition, Facts, FactValue


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionResult:
    condition: Condition
    actual: FactValue | None
    holds: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyResult:
    """Whether *policy* asks, with the outcome of each of its conditions."""

    policy: ApprovalPolicy
    conditions: tuple[ConditionResult, ...]

    @property
    def matched(self) -> bool:
        return all(result.holds for result in self.conditions)


def evaluate(facts: Facts, policies: Sequence[ApprovalPolicy]) -> tuple[PolicyResult, ...]:
    """Each active policy with its outcome, in the order in which their chains are asked (ties by id)."""
    active = sorted((policy for policy in policies if policy.active), key=lambda policy: (policy.order, policy.id))
    return tuple(
        PolicyResult(
            policy=policy,
            conditions=tuple(
                ConditionResult(condition=condition, actual=facts.get(condition.fact), holds=condition.holds(facts))
                for condition in policy.conditions
            ),
        )
        for policy in active
    )
