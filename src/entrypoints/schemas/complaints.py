"""What msgspec says of a value that it refuses, in words for people, with what would be taken instead."""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from msgspec.inspect import (
    CollectionType,
    DataclassType,
    DateTimeType,
    DateType,
    DictType,
    EnumType,
    LiteralType,
    Metadata,
    StrType,
    StructType,
    Type,
    UnionType,
    UUIDType,
    type_info,
)

from src.entrypoints.schemas.instants import INSTANT_NEEDED

_STEP: Final = re.compile(r"[^.\[\]]+|\[[^\]]*\]")
_DATE: Final = 'A date is needed, such as "2026-03-31".'
_ID: Final = 'An id is needed, such as "01980a3c-5b7e-7cc1-9d3f-2f1e6a7b8c9d".'
_DECIMAL: Final = 'A plain decimal is needed, as text, such as "1250.00": up to 15 digits, and 6 after the point.'
_DIGEST: Final = "A SHA-256 is needed: 64 hexadecimal digits in lower case, as content_digest shows it."
_NEEDED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "RFC3339 encoded datetime": INSTANT_NEEDED,
        "timezone component": INSTANT_NEEDED,
        "RFC3339 encoded date": _DATE,
        "Invalid UUID": _ID,
        "[0-9]{1,15}": _DECIMAL,
        "[0-9a-f]{64}": _DIGEST,
        "matching regex": "This has not the form that is needed.",
    }
)
_FORMS: Final[Mapping[type[Type], str]] = MappingProxyType(
    {DateTimeType: INSTANT_NEEDED, DateType: _DATE, UUIDType: _ID}
)
_EXPECTED: Final = re.compile(r"Expected `(?P<kinds>[^`]*)`(?: of length)?(?: (?P<limit>[<>]=?) (?P<number>[0-9.-]+))?")
_LIMITS: Final = MappingProxyType({">=": "at least", "<=": "at most", ">": "more than", "<": "less than"})
_KINDS: Final = MappingProxyType(
    {
        "array": "a list",
        "bool": "true or false",
        "float": "a number",
        "int": "a whole number",
        "object": "an object",
        "str": "a text",
    }
)
_TEXTS: Final = frozenset({"str", "date", "datetime", "uuid"})  # In JSON; parameters are converted, and called by type.
_PARTS: Final = MappingProxyType({"array": "entries", "object": "entries", "str": "characters"})


def plain_words(complaint: str, annotation: Any, path: str) -> str:
    """*complaint* about the value at *path* of one that should be of the type *annotation*."""
    expected = _EXPECTED.match(complaint)
    text_is_wanted = expected is not None and not _TEXTS.isdisjoint(expected["kinds"].split(" | "))
    # The second is said of tags; a choice that is no text is told as a text that is missing.
    if complaint.startswith(("Invalid enum value", "Invalid value '")) or text_is_wanted:
        choices = choices_at(annotation, path)
        if choices:
            return f"One of these is needed: {', '.join(choices)}."
    for marked, needed in _NEEDED.items():
        if marked in complaint:
            return needed
    if expected is None:
        return complaint.replace("`", "") + "."
    forms = [form for one in _types_at(annotation, path) if (form := _form_of(one))]
    of_another_kind = text_is_wanted and expected["limit"] is None
    return forms[0] if of_another_kind and forms else _kind_in_words(expected)


def _form_of(one: Type) -> str:
    if isinstance(one, StrType):
        return next((needed for marked, needed in _NEEDED.items() if marked in (one.pattern or "")), "")
    return _FORMS.get(type(one), "")


def _kind_in_words(expected: re.Match[str]) -> str:
    kinds = [one for one in expected["kinds"].split(" | ") if one != "null"]
    words = " or ".join(_KINDS.get(one, one) for one in kinds)
    if expected["limit"] is not None:
        words += f" of {_LIMITS[expected['limit']]} {expected['number']} {_PARTS.get(kinds[0], '')}".rstrip()
    return f"{words[:1].upper()}{words[1:]} is needed."


def choices_at(annotation: Any, path: str) -> tuple[str, ...]:
    """What may be chosen at *path*, such as ``steps[0].quorum``, of a value of the type *annotation*; empty: anything."""
    return tuple(dict.fromkeys(choice for one in _types_at(annotation, path) for choice in _choices(one)))


def _types_at(annotation: Any, path: str) -> list[Type]:
    found = list(_members(type_info(annotation)))
    for step in _STEP.findall(path):
        found = [member for one in found for inner in _below(one, step) for member in _members(inner)]
    return found


def _members(one: Type) -> Iterator[Type]:
    """What *one* may be, without descriptions."""
    match one:
        case Metadata():
            yield from _members(one.type)
        case UnionType():
            for member in one.types:
                yield from _members(member)
        case _:
            yield one


def _below(one: Type, step: str) -> Iterator[Type]:
    """The types of what *one* holds at *step*: a field's name, or a place in brackets."""
    match one:
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
        case EnumType():
            yield from (str(member.value) for member in one.cls)
        case LiteralType():
            yield from (str(value) for value in one.values)
        case CollectionType():
            yield from _choices_of(one.item_type)
        case DictType():
            yield from _choices_of(one.key_type)


def _choices_of(one: Type) -> Iterator[str]:
    for member in _members(one):
        yield from _choices(member)
