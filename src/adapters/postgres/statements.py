"""From SQLAlchemy's statements to what asyncpg takes: the SQL, and the values in their order.

Statements of one form are compiled once. The form is SQLAlchemy's own cache key; the values are read off the statement at
hand. See docs/decisions/0008-statements-on-asyncpg.md.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import BindParameter, ClauseElement
from sqlalchemy.dialects.postgresql import asyncpg as dialects
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.util import LRUCache

Values = Mapping[str, Any]

_FORMS: Final = 1_000  # The application says a few hundred, some of them only when certain filters meet.
_DIALECT: Final = dialects.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy annotates no constructor of its dialects.
_WRITES: Final = re.compile(r"\s*(INSERT|UPDATE|DELETE)\b(?!.*\bRETURNING\b)", re.IGNORECASE | re.DOTALL)


class _Slot(NamedTuple):
    """Where a ``$n`` comes from: the parameter *key*, or else the *place*-th value that each statement of the form carries.

    *fallback* is the value of neither, which the form itself brings with it.
    """

    key: str
    place: int | None
    fallback: BindParameter[Any] | None
    process: Callable[[Any], Any] | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send for one form. *has_rows*: whether rows come back, or only their number is told."""

    sql: str
    has_rows: bool
    slots: tuple[_Slot, ...] = ()
    expands: bool = False  # The SQL depends on the values: as many ``$n`` as a list is long.

    def values(self, parameters: Values, carried: Sequence[BindParameter[Any]]) -> list[Any]:
        """Raises InvalidRequestError when a parameter is missing."""
        values = []
        for key, place, fallback, process in self.slots:
            if key in parameters:
                value = parameters[key]
            else:
                source = fallback if place is None else carried[place]
                if source is None or source.required:
                    raise InvalidRequestError(f"The statement needs a value for {key}.")
                value = source.effective_value
            values.append(value if process is None else process(value))
        return values


_plans: Final[LRUCache[tuple[Any, ...], Plan]] = LRUCache(_FORMS)


def planned(statement: ClauseElement, parameters: Values) -> tuple[Plan, list[Any]]:
    """How *statement* is sent with *parameters*. Raises InvalidRequestError when one is missing, or has no place."""
    plan, carried = _plan_of(statement, parameters, many=False)
    return _expanded(statement, parameters) if plan.expands else (plan, plan.values(parameters, carried))


def planned_for_many(statement: ClauseElement, rows: Sequence[Values]) -> tuple[Plan, list[list[Any]]]:
    """How *statement* is sent with each of *rows*, which have the same keys. Raises InvalidRequestError as ``planned``."""
    plan, carried = _plan_of(statement, rows[0], many=True)
    if plan.expands:
        raise InvalidRequestError("A list within the statement cannot be sent with many rows.")
    return plan, [plan.values(row, carried) for row in rows]


def _plan_of(statement: ClauseElement, parameters: Values, *, many: bool) -> tuple[Plan, Sequence[BindParameter[Any]]]:
    """The plan, and the values that *statement* itself carries, in the order of its form."""
    form = statement._generate_cache_key()  # noqa: SLF001 — the one way to what SQLAlchemy's own cache goes by.
    if form is None:
        raise InvalidRequestError("This statement has something in it that no other can have.")
    names = tuple(parameters)
    key = (form.key, names, many)
    plan = _plans.get(key)
    if plan is None:
        plan = _plans[key] = _compile(statement, form.bindparams, names, many=many)
    return plan, form.bindparams


def _compile(
    statement: ClauseElement, carried: Sequence[BindParameter[Any]], names: Sequence[str], *, many: bool
) -> Plan:
    compiled = _compiled(statement, names, many=many)
    if compiled.post_compile_params or compiled.literal_execute_params:
        return Plan(sql="", has_rows=False, expands=True)
    places = {
        bound.key: place for place, bound in enumerate(carried)
    }  # The compiler copies some, but keeps their keys.
    slots = []
    for name in compiled.positiontup or ():
        bound = compiled.binds[name]
        place = places.get(bound.key)
        process = bound.type.dialect_impl(_DIALECT).bind_processor(_DIALECT)
        slots.append(_Slot(bound.key, place, bound if place is None else None, process))
    # SQLAlchemy drops what it finds no column for, unless the statement itself says it.
    lost = set(names) - {slot.key for slot in slots}
    if lost:
        raise InvalidRequestError(f"The statement has no place for {', '.join(sorted(lost))}.")
    return Plan(sql=compiled.string, has_rows=_has_rows(compiled), slots=tuple(slots))


def _expanded(statement: ClauseElement, parameters: Values) -> tuple[Plan, list[Any]]:
    compiled = _compiled(statement, tuple(parameters), many=False)
    state = compiled.construct_expanded_state(dict(parameters))
    values = []
    for name in state.positiontup or ():
        process, value = state.processors.get(name), state.parameters[name]
        values.append(process(value) if callable(process) else value)
    return Plan(sql=state.statement, has_rows=_has_rows(compiled)), values


def _compiled(statement: ClauseElement, names: Sequence[str], *, many: bool) -> SQLCompiler:
    compiled = statement.compile(dialect=_DIALECT, column_keys=list(names), for_executemany=many)
    assert isinstance(compiled, SQLCompiler)
    return compiled


def _has_rows(compiled: SQLCompiler) -> bool:
    if compiled.isinsert or compiled.isupdate or compiled.isdelete:
        return bool(compiled.effective_returning)
    return _WRITES.match(compiled.string) is None
