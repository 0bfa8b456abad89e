"""Costs and margins leave only to those with the right to see them; in the answers of all others they are absent."""

from collections.abc import Iterator
from functools import cache
from typing import Any, Final, TypeVar, get_args, get_type_hints

import msgspec
from msgspec import UNSET, Struct, UnsetType

from src.domain.identity.actor import Actor, Permission
from src.domain.quoting.explanation import StepKind
from src.entrypoints.schemas.explanation import StepSchema

Body = TypeVar("Body", bound=Struct)

COST_FIELDS: Final = frozenset({"cost", "unit_cost", "cost_total", "margin", "margin_percent"})


def shown_to(actor: Actor, body: Body) -> Body:
    """*body* as *actor* may see it."""
    if actor.may(Permission.VIEW_COSTS):
        return body
    shown: Body = _without(body)
    return shown


def shown_to_the_buyer(body: Body) -> Body:
    """*body* without costs, whoever asks: it is what the buyer was sent."""
    shown: Body = _without(body)
    return shown


def _without(value: Any) -> Any:
    if isinstance(value, list):
        return [_without(item) for item in value if not _is_cost_step(item)]
    if not isinstance(value, Struct):
        return value
    absent, leading = _absent_from(type(value)), _may_hold_costs(type(value))
    if not absent and not leading:
        return value
    below = {name: _without(getattr(value, name)) for name in leading}
    return msgspec.structs.replace(value, **absent, **below)


@cache
def _absent_from(kind: type[Struct]) -> dict[str, UnsetType]:
    return {name: UNSET for name in kind.__struct_fields__ if name in COST_FIELDS}


@cache
def _may_hold_costs(kind: type[Struct]) -> tuple[str, ...]:
    """The fields below which a cost may stand, found once for each kind of answer."""
    hints = get_type_hints(kind)
    return tuple(name for name in kind.__struct_fields__ if any(_leads_to_costs(one) for one in _types_in(hints[name])))


def _leads_to_costs(kind: object) -> bool:
    if isinstance(kind, TypeVar):
        return True  # A page of anything.
    if not (isinstance(kind, type) and issubclass(kind, Struct)):
        return False
    return kind is StepSchema or not COST_FIELDS.isdisjoint(kind.__struct_fields__) or bool(_may_hold_costs(kind))


def _types_in(hint: object) -> Iterator[object]:
    """*hint* and all that stands in its brackets."""
    yield hint
    for inner in get_args(hint):
        yield from _types_in(inner)


def _is_cost_step(item: object) -> bool:
    return isinstance(item, StepSchema) and item.kind == StepKind.COST.value
