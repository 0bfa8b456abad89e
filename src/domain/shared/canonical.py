"""Canonical JSON (RFC 8785) of domain values: the bytes that digests and the audit chain are made from.

Restricted to what needs no judgement: texts, whole numbers below 2^53, booleans, null, lists and objects with ASCII keys.
Under these restrictions sorted JSON without white space is RFC 8785; a test compares it with a library of that RFC.
"""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum
from hashlib import sha256
from uuid import UUID

_LARGEST_EXACT = 2**53


def plain(value: object) -> object:  # noqa: C901, PLR0911, PLR0912 — one case for each kind of value
    """*value* as JSON values: decimals as shortest plain text, instants as UTC text with six digits, records as objects.

    Raises TypeError for floats and whatever else has no single canonical form.
    """
    match value:
        case None | bool():
            return value
        case Enum():
            return plain(value.value)
        case str():
            return value
        case int():
            if abs(value) >= _LARGEST_EXACT:
                raise TypeError("Whole numbers from 2^53 on are written as text.")
            return value
        case Decimal():
            return decimal_text(value)
        case UUID():
            return str(value)
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        case date() | time():
            return value.isoformat()
        case Mapping():
            return {_key(key): plain(item) for key, item in value.items()}
        case tuple() | list():
            return [plain(item) for item in value]
        case frozenset() | set():
            return sorted(str(plain(item)) for item in value)
        case _ if is_dataclass(value) and not isinstance(value, type):
            # A field that came later says nothing when it is empty, so that what was digested before keeps its digest.
            return {
                field.name: plain(getattr(value, field.name))
                for field in fields(value)
                if getattr(value, field.name) or not field.metadata.get("omit_empty")
            }
        case _:
            raise TypeError(f"{type(value).__name__} has no canonical form.")


def decimal_text(value: Decimal) -> str:
    """The shortest plain form: no exponent, no trailing zeros, no negative zero, so that 1.50 and 1.5 are the same.

    Raises TypeError for what is not finite.
    """
    if not value.is_finite():
        raise TypeError("NaN and Infinity are no amounts.")
    if not value:
        return "0"
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def canonical_text(value: object) -> str:
    """The canonical JSON text of *value*."""
    return json.dumps(plain(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest_of(value: object) -> str:
    """SHA-256 over the canonical text, as 64 hexadecimal digits."""
    return sha256(canonical_text(value).encode()).hexdigest()


def _key(key: object) -> str:
    if not isinstance(key, str) or not key.isascii():
        raise TypeError("Keys are ASCII texts, so that their order is the same in UTF-8 and UTF-16.")
    return key
