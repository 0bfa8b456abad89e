"""Conditions over named facts: declarative, never code."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from src.domain.shared.text import TextChecks

FactValue = Decimal | str | tuple[str, ...]
Facts = Mapping[str, FactValue]


class FactKind(StrEnum):
    NUMBER = "number"
    TEXT = "text"
    LIST = "list"  # Of texts.


@dataclass(frozen=True, slots=True, kw_only=True)
class FactSpec:
    """One thing that conditions may ask about a kind of subject. *confidential*: for those who may see costs only."""

    name: str
    kind: FactKind
    description: str
    confidential: bool = False


class Operator(StrEnum):
    GREATER = ">"
    AT_LEAST = ">="
    LESS = "<"
    AT_MOST = "<="
    EQUAL = "="
    NOT_EQUAL = "!="
    IN = "in"
    NOT_IN = "not in"
    CONTAINS = "contains"


_COMPARISONS: Final[Mapping[Operator, Callable[[Decimal, Decimal], bool]]] = MappingProxyType(
    {
        Operator.GREATER: lambda actual, threshold: actual > threshold,
        Operator.AT_LEAST: lambda actual, threshold: actual >= threshold,
        Operator.LESS: lambda actual, threshold: actual < threshold,
        Operator.AT_MOST: lambda actual, threshold: actual <= threshold,
    }
)
_UPWARD: Final = frozenset({Operator.GREATER, Operator.AT_LEAST})
_SEVERAL: Final = frozenset({Operator.IN, Operator.NOT_IN})
# Which operators make sense for which kind of fact.
OPERATORS: Final[Mapping[FactKind, frozenset[Operator]]] = MappingProxyType(
    {
        FactKind.NUMBER: frozenset(Operator) - {Operator.CONTAINS},
        FactKind.TEXT: frozenset({Operator.EQUAL, Operator.NOT_EQUAL, Operator.IN, Operator.NOT_IN}),
        FactKind.LIST: frozenset({Operator.CONTAINS}),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One comparison of a fact with one value, or (``in``, ``not in``) with several."""

    fact: str
    operator: Operator
    values: tuple[Decimal | str, ...]

    def holds(self, facts: Facts) -> bool:
        """Whether it is true of *facts*; a fact that is not known makes no condition true."""
        actual = facts.get(self.fact)
        if actual is None:
            return False
        threshold = self.values[0]
        if self.operator in _COMPARISONS:
            comparable = isinstance(actual, Decimal) and isinstance(threshold, Decimal)
            return comparable and _COMPARISONS[self.operator](actual, threshold)  # type: ignore[arg-type]  # Decimals.
        if self.operator is Operator.CONTAINS:
            return isinstance(actual, tuple) and threshold in actual
        if self.operator in {Operator.NOT_EQUAL, Operator.NOT_IN}:
            return actual not in self.values
        return actual in self.values

    def is_no_worse(self, now: Facts, then: Facts) -> bool:
        """Whether what it asks about is not worse *now* than it was *then*: whoever agreed then has no reason to be asked.

        Not greater for > and >=, not smaller for < and <=, the same for all others. An unknown fact is worse.
        """
        new, old = now.get(self.fact), then.get(self.fact)
        if new is None or old is None:
            return False
        if self.operator not in _COMPARISONS:
            return new == old
        if not isinstance(new, Decimal) or not isinstance(old, Decimal):
            return False
        return new <= old if self.operator in _UPWARD else new >= old


def check_condition(checks: TextChecks, field: str, condition: Condition) -> None:
    """Tell *checks* what is wrong with the form of *condition*, whatever its fact may be."""
    checks.line(f"{field}.fact", condition.fact, required=True, longest=100)
    if not condition.values or (condition.operator not in _SEVERAL and len(condition.values) != 1):
        checks.refuse(f"{field}.values", "One value is needed; only «in» and «not in» take several.")
    if len({type(value) for value in condition.values}) > 1:
        checks.refuse(f"{field}.values", "Numbers and texts do not mix.")
    numeric = bool(condition.values) and isinstance(condition.values[0], Decimal)
    if condition.operator in _COMPARISONS and not numeric:
        checks.refuse(f"{field}.operator", f"{condition.fact} is a text and has no order.")
    for index, value in enumerate(condition.values):
        if isinstance(value, str):
            checks.line(f"{field}.values[{index}]", value, required=True)
        elif not value.is_finite() or abs(value) >= 10**18:
            checks.refuse(f"{field}.values[{index}]", "A number with up to 18 digits is needed.")


def check_facts(conditions: Sequence[Condition], facts: Sequence[FactSpec]) -> None:
    """Raises Invalid where a condition asks about something that is none of *facts*, or asks it wrongly."""
    known, checks = {fact.name: fact for fact in facts}, TextChecks()
    for position, condition in enumerate(conditions):
        field = f"conditions[{position}]"
        fact = known.get(condition.fact)
        if fact is None:
            checks.refuse(f"{field}.fact", f"There is no such fact; known are {', '.join(sorted(known))}.")
            continue
        if condition.operator not in OPERATORS[fact.kind]:
            checks.refuse(
                f"{field}.operator", f"{fact.name} is a {fact.kind.value}: «{condition.operator.value}» does not fit."
            )
        numeric = fact.kind is FactKind.NUMBER
        if any(isinstance(value, Decimal) != numeric for value in condition.values):
            checks.refuse(f"{field}.values", "Numbers are needed." if numeric else "Texts are needed.")
    checks.done()
