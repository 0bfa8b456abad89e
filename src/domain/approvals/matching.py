"""Which policies ask, and why. One pure function serves submitting, previews and simulations."""

from collections.abc import Sequence
from dataclasses import dataclass

from src.domain.approvals.conditions import Condition, Facts, FactValue
from src.domain.approvals.policy import ApprovalPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionResult:
    condition: Condition
    actual: FactValue | None
    holds: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyResult:
    """Whether *policy* asks, with the outcome of each of its conditions.

    *outranked_by* is the policy that asks in its stead: the first of the same ladder.
    """

    policy: ApprovalPolicy
    conditions: tuple[ConditionResult, ...]
    outranked_by: ApprovalPolicy | None = None

    @property
    def holds(self) -> bool:
        return all(result.holds for result in self.conditions)

    @property
    def matched(self) -> bool:
        return self.holds and self.outranked_by is None


def asking(facts: Facts, results: Sequence[PolicyResult], otherwise: ApprovalPolicy | None) -> tuple[PolicyResult, ...]:
    """Those of *results* that ask; where none does, what *otherwise* says."""
    matched = tuple(result for result in results if result.matched)
    return matched if matched or otherwise is None else evaluate(facts, [otherwise])


def evaluate(facts: Facts, policies: Sequence[ApprovalPolicy]) -> tuple[PolicyResult, ...]:
    """Each active policy with its outcome, in the order in which their chains are asked (ties by id)."""
    results: list[PolicyResult] = []
    first_of: dict[str, ApprovalPolicy] = {}
    for policy in sorted(policies, key=lambda policy: (policy.order, policy.id)):
        if not policy.active:
            continue
        conditions = tuple(
            ConditionResult(condition=condition, actual=facts.get(condition.fact), holds=condition.holds(facts))
            for condition in policy.conditions
        )
        result = PolicyResult(policy=policy, conditions=conditions)
        if policy.ladder and result.holds:
            first = first_of.setdefault(policy.ladder, policy)
            if first is not policy:
                result = PolicyResult(policy=policy, conditions=conditions, outranked_by=first)
        results.append(result)
    return tuple(results)
