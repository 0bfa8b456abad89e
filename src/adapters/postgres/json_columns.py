"""Values that are kept whole, as JSON text: exact decimals as strings, and the same value back."""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final, TypeVar

import msgspec

from src.domain.approvals.conditions import Condition, FactValue, Operator

Value = TypeVar("Value")

_encoder: Final = msgspec.json.Encoder(decimal_format="string")
_with_numbers: Final = msgspec.json.Encoder(decimal_format="number")


def to_json(value: object) -> str:
    """*value*, a frozen dataclass or a tuple of them, as JSON."""
    return _encoder.encode(value).decode()


def from_json(kind: type[Value], text: str) -> Value:
    """The value that ``to_json`` made *text* of."""
    return msgspec.json.decode(text, type=kind)


def facts_to_json(facts: Sequence[tuple[str, FactValue]]) -> str:
    """Numbers as JSON numbers, exactly; so what is read back is what it was, whatever the fact is."""
    return _with_numbers.encode(dict(facts)).decode()


def facts_from_json(text: str) -> tuple[tuple[str, FactValue], ...]:
    return tuple((name, _fact(value)) for name, value in sorted(_read_numbers(text).items()))


def conditions_to_json(conditions: Sequence[Condition]) -> str:
    return _with_numbers.encode(conditions).decode()


def conditions_from_json(text: str) -> tuple[Condition, ...]:
    return tuple(
        Condition(fact=one["fact"], operator=Operator(one["operator"]), values=tuple(one["values"]))
        for one in _read_numbers(text)
    )


def _read_numbers(text: str) -> Any:
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


def _fact(value: Decimal | str | list[str]) -> FactValue:
    return tuple(value) if isinstance(value, list) else value
