"""Costs and margins leave only to those with the right to see them; in the answers of all others they are absent."""

from typing import Any, Final, TypeVar

import msgspec
from msgspec import UNSET, Struct

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


def _without(value: Any) -> Any:
    if isinstance(value, list):
        return [_without(item) for item in value if not _is_cost_step(item)]
    if not isinstance(value, Struct):
        return value
    changes = {}
    for name in value.__struct_fields__:
        held = getattr(value, name)
        if name in COST_FIELDS:
            changes[name] = UNSET
        elif isinstance(held, list | Struct):
            changes[name] = _without(held)
    return msgspec.structs.replace(value, **changes) if changes else value


def _is_cost_step(item: object) -> bool:
    return isinstance(item, StepSchema) and item.kind == StepKind.COST.value
