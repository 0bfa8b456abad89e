"""What differs between two states of an aggregate, field by field, without secrets and without what can be derived."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass

from src.domain.shared.canonical import plain

_HIDDEN = ("secret", "personal")
_IDENTITIES = ("id", "number")  # What tells the items of a list apart.


def differences(before: object, after: object) -> list[dict[str, object]]:
    """The changed fields as ``{field, before, after}``, paths such as ``revisions[2].content.title``.

    Items of lists are told apart by their id or number, else by position. A field marked ``secret`` shows only that it
    changed, and so does one marked ``personal``: what the chain never held, an erasure need not take out of it. One
    marked ``derived`` is left out.
    """
    return list(_compare("", before, after))


def _compare(path: str, before: object, after: object) -> Iterator[dict[str, object]]:
    if before is after or before == after:
        return
    known = after if after is not None else before
    if is_dataclass(known) and type(before) in {type(known), type(None)} and type(after) in {type(known), type(None)}:
        yield from _compare_records(path, known, before, after)
    elif isinstance(before, tuple | None) and isinstance(after, tuple | None) and (_has_records(before, after)):
        yield from _compare_lists(path, before or (), after or ())
    else:
        yield {"field": path, "before": plain(before), "after": plain(after)}


def _compare_records(path: str, known: object, before: object, after: object) -> Iterator[dict[str, object]]:
    assert is_dataclass(known)
    for field in fields(known):
        if field.metadata.get("derived"):
            continue
        was, now = getattr(before, field.name, None), getattr(after, field.name, None)
        place = f"{path}.{field.name}" if path else field.name
        hidden = next((word for word in _HIDDEN if field.metadata.get(word)), None)
        if hidden is None:
            yield from _compare(place, was, now)
        elif was != now:
            yield {"field": place, "before": f"[{hidden}]", "after": f"[{hidden}]"}


def _compare_lists(path: str, before: tuple[object, ...], after: tuple[object, ...]) -> Iterator[dict[str, object]]:
    was, now = _by_identity(before), _by_identity(after)
    for key in [*was, *(key for key in now if key not in was)]:
        yield from _compare(f"{path}[{key}]", was.get(key), now.get(key))


def _has_records(before: tuple[object, ...] | None, after: tuple[object, ...] | None) -> bool:
    return any(is_dataclass(item) for item in (*(before or ()), *(after or ())))


def _by_identity(items: tuple[object, ...]) -> dict[str, object]:
    return {_identity(item, position): item for position, item in enumerate(items)}


def _identity(item: object, position: int) -> str:
    return next((str(getattr(item, name)) for name in _IDENTITIES if hasattr(item, name)), str(position))
