"""Values that are kept whole, as JSON text: exact decimals as strings, and the same value back."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, TypeVar

import msgspec

from src.domain.approvals.policy import NUMERIC_FACTS, Condition, Fact, FactValue, Operator
from src.domain.shared.canonical import decimal_text

Value = TypeVar("Value")

_encoder: Final = msgspec.json.Encoder(decimal_format="string")


def to_json(value: object) -> str:
    """*value*, a frozen dataclass or a tuple of them, as JSON."""
    return _encoder.encode(value).decode()


def from_json(kind: type[Value], text: str) -> Value:
    """The value that ``to_json`` made *text* of."""
    return msgspec.json.decode(text, type=kind)


def facts_to_json(facts: Sequence[tuple[str, FactValue]]) -> str:
    return to_json({name: _fact_text(value) for name, value in facts})


def facts_from_json(text: str) -> tuple[tuple[str, FactValue], ...]:
    told = msgspec.json.decode(text, type=dict[str, str])
    return tuple((name, _fact(name, value)) for name, value in sorted(told.items()))


def conditions_to_json(conditions: Sequence[Condition]) -> str:
    return to_json(
        [
            {"fact": one.fact, "operator": one.operator, "values": [_fact_text(value) for value in one.values]}
            for one in conditions
        ]
    )


def conditions_from_json(text: str) -> tuple[Condition, ...]:
    return tuple(
        Condition(fact=one.fact, operator=one.operator, values=tuple(_fact(one.fact, value) for value in one.values))
        for one in msgspec.json.decode(text, type=list[_Condition])
    )


class _Condition(msgspec.Struct, frozen=True):
    """A condition as it is kept; only its fact tells whether its values are numbers."""

    fact: Fact
    operator: Operator
    values: list[str]


def _fact_text(value: FactValue) -> str:
    return decimal_text(value) if isinstance(value, Decimal) else value


def _fact(name: str, text: str) -> FactValue:
    return Decimal(text) if name in NUMERIC_FACTS else text
