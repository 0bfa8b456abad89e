"""Costs and margins leave only to those with the right to see them; in the answers of all others they are absent."""

from collections.abc import Iterator
from functools import cache
from typing import Any, Final, TypeVar, get_args, get_type_hints

from msgspec import UNSET, Struct
from msgspec.structs import force_setattr

from src.domain.identity.actor import Actor, Permission
from src.domain.quoting.explanation import StepKind
from src.entrypoints.schemas.explanation import StepSchema

Body = TypeVar("Body", bound=Struct)

COST_FIELDS: Final = frozenset({"cost", "unit_cost", "cost_total", "margin", "margin_percent"})


def shown_to(actor: Actor, body: Body) -> Body:
    """*body*, which was made for this answer and for nothing else, as *actor* may see it."""
    return body if actor.may(Permission.VIEW_COSTS) else shown_to_the_buyer(body)


def shown_to_the_buyer(body: Body) -> Body:
    """*body*, as above, without costs, whoever asks: it is what the buyer was sent."""
    _clear(body)
    return body


def _clear(value: Any) -> None:
    """Take the costs out where they are: copying what holds them took a third as long as making the answer."""
    if isinstance(value, list):
        if value and isinstance(value[0], StepSchema):
            value[:] = [item for item in value if not _is_cost_step(item)]
        for item in value:
            _clear(item)
    elif isinstance(value, Struct):
        for name in _absent_from(type(value)):
            force_setattr(value, name, UNSET)
        for name in _may_hold_costs(type(value)):
            _clear(getattr(value, name))


@cache
def _absent_from(kind: type[Struct]) -> tuple[str, ...]:
    return tuple(name for name in kind.__struct_fields__ if name in COST_FIELDS)


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


def _is_cost_step(step: StepSchema) -> bool:
    return step.kind == StepKind.COST.value
