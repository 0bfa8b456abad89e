"""A guard in front of every JSON parser: what the standard leaves open, or a parser would choke on, is refused here.

Refused are texts that are no UTF-8 or no JSON, brackets nested too deeply, keys that stand twice in one object (parsers
disagree which one counts), the NUL character and lone surrogates (no database stores them), and NaN and Infinity.
The time is linear in the length.
"""

import json
import re
from collections.abc import Iterator
from typing import ClassVar, NoReturn

from src.domain.shared.errors import FieldError, Invalid

MAX_DEPTH = 64
_MAX_COMPLAINTS = 20  # A sender needs some examples, not an answer that is longer than the question.

# The closing quote is optional, so that an unterminated text is passed over once and not once for every quote in it.
_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_NEITHER_BRACKET = re.compile(r"[^][{}]+")
_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<bad>u0000|u[dD][89a-fA-F])|.)", re.DOTALL
)


class MalformedJson(Invalid):
    """The bytes are no JSON that two parsers would read alike."""

    code: ClassVar[str] = "malformed_json"


def check_json(data: bytes) -> None:
    """Nothing when *data* is one strict JSON text. Raises MalformedJson."""
    text = _decode(data)
    _check_depth(text)
    objects = _Objects()
    try:
        json.loads(text, object_pairs_hook=objects, parse_int=str, parse_float=str, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise MalformedJson(f"Not JSON at line {error.lineno}, column {error.colno}: {error.msg}.") from None
    if objects.repeat_a_key or _has_bad_escape(text):
        _refuse(tuple(_complaints(text)))


def _decode(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise MalformedJson(f"Byte {error.start + 1} is not UTF-8.") from None


def _check_depth(text: str) -> None:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    depth = 0
    for bracket in _NEITHER_BRACKET.sub("", _STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > MAX_DEPTH:
            raise MalformedJson(f"Nested more than {MAX_DEPTH} levels deep.")


class _Objects:
    """Looks at each object while it is parsed and keeps nothing of it."""

    def __init__(self) -> None:
        self.repeat_a_key = False

    def __call__(self, pairs: list[tuple[str, object]]) -> None:
        if len({key for key, _ in pairs}) != len(pairs):
            self.repeat_a_key = True


def _refuse_constant(name: str) -> NoReturn:
    raise MalformedJson(f"{name} is not a number of JSON.")


def _has_bad_escape(text: str) -> bool:
    return "\\u" in text and any(escape["bad"] for escape in _ESCAPE.finditer(text))


class _Pairs(list[tuple[str, object]]):
    """An object with all its keys, also those that stand twice."""


def _complaints(text: str) -> Iterator[FieldError]:
    """What is wrong, each with its path. Only for texts that are to be refused: it takes a second parse."""
    yield from _walk(json.loads(text, object_pairs_hook=_Pairs, parse_int=str, parse_float=str), "")


def _walk(value: object, path: str) -> Iterator[FieldError]:
    if isinstance(value, _Pairs):
        seen: set[str] = set()
        for key, child in value:
            name = f"{path}.{printable(key)}" if path else printable(key)
            if key in seen:
                yield FieldError(name, "This key stands twice.")
            seen.add(key)
            yield from _complaints_about_text(key, name)
            yield from _walk(child, name)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _walk(child, f"{path}[{index}]")
    elif isinstance(value, str):
        yield from _complaints_about_text(value, path)


def _complaints_about_text(text: str, path: str) -> Iterator[FieldError]:
    if "\0" in text:
        yield FieldError(path, "Contains the NUL character.")
    if any("\ud800" <= character <= "\udfff" for character in text):
        yield FieldError(path, "Contains half of a character (a lone surrogate).")


def printable(text: str, longest: int = 60) -> str:
    """*text* as it may stand in an error message: short, and every character printable."""
    short = text if len(text) <= longest else text[: longest - 1] + "…"
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in short)


def _refuse(complaints: tuple[FieldError, ...]) -> NoReturn:
    first = complaints[0]
    raise MalformedJson(
        f"{first.field or 'The text'}: {first.message}",
        fields=complaints[:_MAX_COMPLAINTS],
    )
