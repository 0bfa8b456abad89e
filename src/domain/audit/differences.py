"""What differs between two states of an aggregate, field by field, without secrets and without what can be derived."""

from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType

from src.domain.shared.canonical import plain

_HIDDEN = ("secret", "personal")
_IDENTITIES = ("id", "number")  # What tells the items of a list apart.


def differences(before: object, after: object) -> list[dict[str, object]]:
    """The changed fields as ``{field, before, after}``, paths such as ``revisions[2].content.title``.

    Items of lists are told apart by their id or number, else by position. A field marked ``secret`` shows only that it
    came, changed or went, and so does one marked ``personal``: what the chain never held, an erasure need not take out of
    it. One marked ``derived`` is left out.
    """
    found: list[dict[str, object]] = []
    if before is not after and before != after:
        _compare(found, "", before, after)
    return found


def _compare(found: list[dict[str, object]], path: str, before: object, after: object) -> None:
    """Add to *found* what differs between two unequal values."""
    if before is None:
        _tell(found, path, after)
        return
    kind: type = type(before if after is None else after)
    if _is_record(kind) and type(before) in {kind, NoneType} and type(after) in {kind, NoneType}:
        _compare_records(found, path, kind, before, after)
    elif isinstance(before, tuple | None) and isinstance(after, tuple | None) and _has_records(before, after):
        _compare_lists(found, path, before or (), after or ())
    else:
        found.append({"field": path, "before": plain(before), "after": plain(after)})


def _tell(found: list[dict[str, object]], path: str, after: object) -> None:
    """Add to *found* what was not there before, part by part: there is nothing to compare it with."""
    kind: type = type(after)
    if _is_record(kind):
        prefix = f"{path}." if path else ""
        for name, hidden in _told_of(kind):
            now = getattr(after, name)
            part: type = type(now)
            if now is None:
                continue
            if hidden is not None:
                found.append({"field": prefix + name, "before": None, "after": hidden})
            elif _may_have_parts(part):
                _tell(found, prefix + name, now)
            else:
                found.append({"field": prefix + name, "before": None, "after": plain(now)})
    elif isinstance(after, tuple) and _has_records(None, after):
        for key, item in _by_identity(after).items():
            _tell(found, f"{path}[{key}]", item)
    elif after is not None:
        found.append({"field": path, "before": None, "after": plain(after)})


def _compare_records(found: list[dict[str, object]], path: str, kind: type, before: object, after: object) -> None:
    for name, hidden in _told_of(kind):
        was, now = getattr(before, name, None), getattr(after, name, None)
        if was is now or was == now:
            continue
        place = f"{path}.{name}" if path else name
        if hidden is None:
            _compare(found, place, was, now)
        else:
            shown = (None if one is None else hidden for one in (was, now))
            found.append({"field": place, "before": next(shown), "after": next(shown)})


def _compare_lists(
    found: list[dict[str, object]], path: str, before: tuple[object, ...], after: tuple[object, ...]
) -> None:
    was, now = _by_identity(before), _by_identity(after)
    for key in [*was, *(key for key in now if key not in was)]:
        one, other = was.get(key), now.get(key)
        if one is not other and one != other:
            _compare(found, f"{path}[{key}]", one, other)


@cache
def _told_of(kind: type) -> tuple[tuple[str, str | None], ...]:
    """The fields of a record that are told, each with the word that stands for its value where it is hidden."""
    return tuple(
        (field.name, next((f"[{word}]" for word in _HIDDEN if field.metadata.get(word)), None))
        for field in fields(kind)
        if not field.metadata.get("derived")
    )


@cache
def _is_record(kind: type) -> bool:
    return is_dataclass(kind)


@cache
def _may_have_parts(kind: type) -> bool:
    return _is_record(kind) or issubclass(kind, tuple)


def _has_records(before: tuple[object, ...] | None, after: tuple[object, ...] | None) -> bool:
    kinds: set[type] = {type(item) for item in (*(before or ()), *(after or ()))}
    return any(map(_is_record, kinds))


def _by_identity(items: tuple[object, ...]) -> dict[str, object]:
    return {_identity(item, position): item for position, item in enumerate(items)}


def _identity(item: object, position: int) -> str:
    kind: type = type(item)
    name = _identity_of(kind)
    return str(position if name is None else getattr(item, name))


@cache
def _identity_of(kind: type) -> str | None:
    own = {field.name for field in fields(kind)} if is_dataclass(kind) else ()
    return next((name for name in _IDENTITIES if name in own or hasattr(kind, name)), None)
