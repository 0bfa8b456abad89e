"""What msgspec says of a value that it refuses, in words for people, with what would be taken instead."""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from msgspec.inspect import (
    CollectionType,
    DataclassType,
    DictType,
    EnumType,
    LiteralType,
    Metadata,
    StructType,
    Type,
    UnionType,
    type_info,
)

_STEP: Final = re.compile(r"[^.\[\]]+|\[[^\]]*\]")
_NEEDED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "RFC3339 encoded datetime": 'A date and time is needed, with Z or its offset, such as "2026-03-31T09:00:00Z".',
        "timezone component": 'A date and time is needed, with Z or its offset, such as "2026-03-31T09:00:00Z".',
        "RFC3339 encoded date": 'A date is needed, such as "2026-03-31".',
        "Invalid UUID": 'An id is needed, such as "01980a3c-5b7e-7cc1-9d3f-2f1e6a7b8c9d".',
        "[0-9]{1,15}": 'A plain decimal is needed, as text, such as "1250.00": up to 15 digits, and 6 after the point.',
        "matching regex": "This has not the form that is needed.",
    }
)


def plain_words(complaint: str, annotation: Any, path: str) -> str:
    """*complaint* about the value at *path* of one that should be of the type *annotation*."""
    if complaint.startswith(("Invalid enum value", "Invalid value '")):  # The second is said of tags.
        return f"One of these is needed: {', '.join(choices_at(annotation, path))}."
    for marked, needed in _NEEDED.items():
        if marked in complaint:
            return needed
    return complaint.replace("`", "") + "."


def choices_at(annotation: Any, path: str) -> tuple[str, ...]:
    """What may be chosen at *path*, such as ``steps[0].quorum``, of a value of the type *annotation*; empty: anything."""
    found = [type_info(annotation)]
    for step in _STEP.findall(path):
        found = [inner for one in found for inner in _below(one, step)]
    return tuple(dict.fromkeys(choice for one in found for choice in _choices(one)))


def _below(one: Type, step: str) -> Iterator[Type]:
    """The types of what *one* holds at *step*: a field's name, or a place in brackets."""
    match one:
        case Metadata():
            yield from _below(one.type, step)
        case UnionType():
            for member in one.types:
                yield from _below(member, step)
        case StructType() | DataclassType():
            yield from (field.type for field in one.fields if field.encode_name == step)
            if isinstance(one, StructType) and one.tag_field == step:
                yield LiteralType((one.tag,))
        case CollectionType():
            yield one.item_type
        case DictType():
            yield one.value_type


def _choices(one: Type) -> Iterator[str]:
    """Of a list those of its items: a query gives them one by one; and of a mapping those of its keys."""
    match one:
        case Metadata():
            yield from _choices(one.type)
        case UnionType():
            for member in one.types:
                yield from _choices(member)
        case EnumType():
            yield from (str(member.value) for member in one.cls)
        case LiteralType():
            yield from (str(value) for value in one.values)
        case CollectionType():
            yield from _choices(one.item_type)
        case DictType():
            yield from _choices(one.key_type)
