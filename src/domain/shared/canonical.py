"""Canonical JSON (RFC 8785) of domain values: the bytes that digests and the audit chain are made from.

Restricted to what needs no judgement: texts, whole numbers below 2^53, booleans, null, lists and objects with ASCII keys.
Under these restrictions sorted JSON without white space is RFC 8785; a test compares it with a library of that RFC.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum
from functools import cache
from hashlib import sha256
from types import NoneType
from typing import Any, Final
from uuid import UUID

_LARGEST_EXACT = 2**53
_PLAIN: Final = frozenset({NoneType, bool, str})  # What is plain as it is.


def plain(value: object) -> object:
    """*value* as JSON values: decimals as shortest plain text, instants as UTC text with six digits, records as objects.

    Raises TypeError for floats and whatever else has no single canonical form.
    """
    kind: type = type(value)
    return _maker(kind)(value)


@cache
def _maker(kind: type) -> Callable[[Any], object]:
    """How values of *kind* are made plain: asked once, because asking for each value took most of an audit entry."""
    if kind in _USUAL:
        return _USUAL[kind]
    if issubclass(kind, Enum):
        return _plain_member
    if is_dataclass(kind):
        return _plain_record
    if issubclass(kind, frozenset | set):
        return _plain_set
    if issubclass(kind, Mapping):
        return _plain_object
    for usual, make in _USUAL.items():
        if issubclass(kind, usual):
            return make
    raise TypeError(f"{kind.__name__} has no canonical form.")


def _plain_member(value: Enum) -> object:
    return plain(value.value)


def _plain_set(value: frozenset[object]) -> list[str]:
    return sorted(str(plain(item)) for item in value)


def _plain_whole(value: int) -> int:
    if abs(value) >= _LARGEST_EXACT:
        raise TypeError("Whole numbers from 2^53 on are written as text.")
    return value


def _plain_instant(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _plain_list(value: Sequence[object]) -> list[object]:
    return [plain(item) for item in value]


def _plain_object(value: Mapping[object, object]) -> dict[str, object]:
    return {_key(key): plain(item) for key, item in value.items()}


def _plain_record(value: object) -> dict[str, object]:
    kind: type = type(value)
    told = {}
    for name, omit_empty in _members(kind):
        item = getattr(value, name)
        if item or not omit_empty:
            part: type = type(item)
            told[name] = item if part in _PLAIN else _maker(part)(item)  # Without a call for most: a quarter less.
    return told


@cache
def _members(kind: type) -> tuple[tuple[str, bool], ...]:
    """Each field of a record, and whether it says nothing when it is empty.

    So do fields that came later, so that what was digested before keeps its digest.
    """
    return tuple((field.name, bool(field.metadata.get("omit_empty"))) for field in fields(kind))


def _same(value: Any) -> Any:
    return value


def decimal_text(value: Decimal) -> str:
    """The shortest plain form: no exponent, no trailing zeros, no negative zero, so that 1.50 and 1.5 are the same.

    Raises TypeError for what is not finite.
    """
    if not value.is_finite():
        raise TypeError("NaN and Infinity are no amounts.")
    if not value:
        return "0"
    text = str(value)
    if "E" in text:
        text = f"{value:f}"  # Takes ten times as long, and is needed for the largest and smallest only.
    return text.rstrip("0").rstrip(".") if "." in text else text


_USUAL: Final[Mapping[type, Callable[[Any], object]]] = {
    NoneType: _same,
    bool: _same,
    str: _same,
    int: _plain_whole,
    Decimal: decimal_text,
    UUID: str,
    datetime: _plain_instant,
    date: date.isoformat,
    time: time.isoformat,
    dict: _plain_object,
    tuple: _plain_list,
    list: _plain_list,
}


def canonical_text(value: object) -> str:
    """The canonical JSON text of *value*."""
    return text_of_plain(plain(value))


def text_of_plain(value: object) -> str:
    """The canonical JSON text of what ``plain`` made."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest_of(value: object) -> str:
    """SHA-256 over the canonical text, as 64 hexadecimal digits."""
    return digest_of_text(canonical_text(value))


def digest_of_text(text: str) -> str:
    """That of the value whose canonical text it is."""
    return sha256(text.encode()).hexdigest()


def _key(key: object) -> str:
    if not isinstance(key, str) or not key.isascii():
        raise TypeError("Keys are ASCII texts, so that their order is the same in UTF-8 and UTF-16.")
    return key
