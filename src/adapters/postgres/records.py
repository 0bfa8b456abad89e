"""Aggregates that are one row each: their fields are the columns of the same names, what is nested is JSON text."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from functools import cache
from typing import Any, Final, Generic, Protocol, TypeVar, get_args, get_origin, get_type_hints
from uuid import UUID

from sqlalchemy import Column, Select, Table, bindparam, func, select
from sqlalchemy.dialects.postgresql import Insert, insert

from src.adapters.postgres.connection import Row
from src.adapters.postgres.json_columns import from_json, to_json
from src.adapters.postgres.statements import Values
from src.adapters.postgres.transaction import Transaction
from src.domain.shared.change import Change
from src.domain.shared.currency import Currency
from src.domain.shared.errors import DomainError

_NESTED: Final = (tuple, list, dict)
_NOTHING: Final[Values] = {}


class Aggregate(Protocol):
    """What every aggregate has. Read-only, because the aggregates are frozen."""

    @property
    def id(self) -> Any: ...
    @property
    def version(self) -> int: ...


Item = TypeVar("Item", bound=Aggregate)


class Records(Generic[Item]):
    """Reads and writes the aggregates of one kind. *searched* columns are given beside the item's own fields."""

    def __init__(self, transaction: Transaction, table: Table, kind: type[Item], missing: DomainError) -> None:
        self.transaction, self.table = transaction, table
        self._kind, self._missing = kind, missing

    async def get(self, identity: UUID, *, lock: bool = False) -> Item:
        """Raises the domain's error for what is not there."""
        row = await row_of(self.transaction, self.table, identity, lock=lock)
        if row is None:
            raise type(self._missing)(self._missing.message)
        return self.item(row)

    async def find(self, identities: Sequence[UUID]) -> Mapping[Any, Item]:
        if not identities:
            return {}
        found = select(self.table).where(*self._mine(), self.table.c.id == func.any(list(set(identities))))
        return {item.id: item for item in await self.read(found)}

    async def all(self, *order: Column[Any]) -> list[Item]:
        """Those of the organisation, by these columns."""
        return await self.read(_in_order(self.table, order), {"organization": self.transaction.organization_id})

    async def read(self, statement: Any, parameters: Values = _NOTHING) -> list[Item]:
        return [self.item(row) for row in await self.transaction.connection.execute(statement, parameters)]

    async def save(self, change: Change[Item], **beside: object) -> Item:
        """The item as stored, its version raised. Raises what a broken constraint means, and ChangedMeanwhile."""
        before, after = change.before, change.after
        version = self.transaction.next_version(after.id, 0 if before is None else before.version)
        stored = replace(after, version=version)  # type: ignore[type-var]  # Every aggregate is a dataclass.
        if before is None:
            await self.transaction.add(self.table, self.row(stored) | beside)
        else:
            await self.transaction.change(self.table, stored.id, before.version, self.row(stored) | beside)
        self.transaction.changes.append(replace(change, after=stored))
        return stored

    async def delete(self, change: Change[Item]) -> None:
        """Raises what a broken constraint means, and ChangedMeanwhile."""
        assert change.before is not None
        await self.transaction.remove(self.table, change.before.id, change.before.version)
        self.transaction.changes.append(change)

    async def put(self, rows: Sequence[dict[str, object]], kept: frozenset[str] = frozenset()) -> None:
        """Insert or update many rows by id, in one statement. What is *kept* is only written where the row is new."""
        if not rows:
            return
        written = tuple(name for name in rows[0] if name not in {"id", "created_at", *kept})
        await self.transaction.connection.execute_many(
            insert_or_update(self.table, ("organization_id", "id"), written),
            [{"organization_id": self.transaction.organization_id, **row} for row in rows],
        )

    def row(self, item: Item) -> dict[str, object]:
        return {name: _stored(getattr(item, name)) for name, _ in _columns(self._kind)}

    def item(self, row: Row) -> Item:
        values = {name: getattr(row, name) for name, _ in _columns(self._kind)}
        for name, load in _columns(self._kind):
            if load is not None and values[name] is not None:
                values[name] = load(values[name])
        return self._kind(**values)

    def _mine(self) -> list[Any]:
        return [self.table.c.organization_id == self.transaction.organization_id]


async def row_of(transaction: Transaction, table: Table, identity: UUID, *, lock: bool) -> Row | None:
    """The row with this id, until the end of the transaction for nobody else when *lock*."""
    parameters = {"organization": transaction.organization_id, "identity": identity}
    return (await transaction.connection.execute(_by_id(table, lock), parameters)).one_or_none()


# Statements that never change are put together once: that takes longer than sending them.
@cache
def _by_id(table: Table, lock: bool) -> Select[Any]:
    own = (table.c.organization_id == bindparam("organization"), table.c.id == bindparam("identity"))
    statement = select(table).where(*own)
    # What only refers to the row need not wait.
    return statement.with_for_update(key_share=True) if lock else statement


@cache
def _in_order(table: Table, order: tuple[Column[Any], ...]) -> Select[Any]:
    return select(table).where(table.c.organization_id == bindparam("organization")).order_by(*order)


@cache
def insert_or_update(table: Table, key: tuple[str, ...], written: tuple[str, ...]) -> Insert:
    """Insert a row, or update what is *written* of the one that has its *key*."""
    statement = insert(table)
    return statement.on_conflict_do_update(
        index_elements=[table.c[name] for name in key], set_={name: statement.excluded[name] for name in written}
    )


@cache
def _columns(kind: type) -> tuple[tuple[str, Callable[[Any], Any] | None], ...]:
    """Each field with what makes its value of the column's; None where the driver's is the value."""
    hints = get_type_hints(kind)
    return tuple((field.name, _loader(hints[field.name])) for field in fields(kind))


def _loader(hint: Any) -> Callable[[Any], Any] | None:
    if type(None) in get_args(hint):
        hint = next(one for one in get_args(hint) if one is not type(None))
    if hint is Currency:
        return Currency.of
    if get_origin(hint) in _NESTED or is_dataclass(hint):
        return lambda text: from_json(hint, text)
    return hint if isinstance(hint, type) and issubclass(hint, Enum) else None


def _stored(value: object) -> object:
    if isinstance(value, Currency):
        return value.code
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, _NESTED) or is_dataclass(value):
        return to_json(value)
    return value
