"""Many organisations with many rows each, as copies of one: for what only numbers show, such as the planner's choices."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID, uuid5

from sqlalchemy import Column, Integer, Table, Text, Uuid, text
from sqlalchemy.ext.asyncio import AsyncConnection

from src.adapters.postgres.tables import metadata

GROWING: Final = (
    "audit_entries",
    "contacts",
    "customers",
    "line_items",
    "messages",
    "prices",
    "products",
    "quote_revisions",
    "quotes",
)
_SEED: Final = "md5({name}::text || t.tenant || n)"


async def multiply(connection: AsyncConnection, model: UUID, sizes: Mapping[UUID, int], few: int) -> None:
    """Give each of *sizes* so many rows in the tables that grow, and *few* in the others, as copies of *model*'s.

    *connection* is the administrator's, of a database that nobody else uses: the copies refer to each other as the
    model's rows do, but nothing checks it. All ids are made from the model's, so that they can be told beforehand.
    """
    await connection.execute(text("SET LOCAL session_replication_role = replica"))
    await _drop_checks(connection)
    for table in metadata.sorted_tables:
        keys = await _unique_keys(connection, table)
        own = "SELECT count(*) FROM {} WHERE organization_id = :model".format(table.fullname)  # noqa: UP032 — our table names.
        rows = (await connection.execute(text(own), {"model": model})).scalar_one()
        assert rows, f"{table.name} has no row to copy."
        await _copy(connection, table, keys, model, _tenants_of(table, keys, sizes, few), rows)
    await connection.execute(text("ANALYZE"))


def _tenants_of(table: Table, keys: list[list[str]], sizes: Mapping[UUID, int], few: int) -> dict[UUID, int]:
    if ["organization_id"] in keys:  # One row each: there must be many of them, for the planner to have a choice.
        return dict.fromkeys([*sizes, *(uuid5(tenant, str(n)) for tenant in sizes for n in range(few))], 1)
    return dict(sizes) if table.name in GROWING else dict.fromkeys(sizes, few)


async def _copy(
    connection: AsyncConnection, table: Table, keys: list[list[str]], model: UUID, tenants: dict[UUID, int], rows: int
) -> None:
    mended = _columns_to_mend(table, keys)
    given = [column for column in table.columns if column.computed is None]
    columns = ", ".join(f'"{column.name}"' for column in given)
    values = ", ".join(_value(column, column.name in mended) for column in given)
    wanted = [max(1, size // rows) for size in tenants.values()]
    await connection.execute(
        text(
            f"INSERT INTO {table.fullname} ({columns}) SELECT {values} FROM {table.fullname} m, "
            "unnest(CAST(:tenants AS uuid[]), CAST(:wanted AS int[])) AS t (tenant, wanted), "
            "generate_series(1, :most) AS n WHERE m.organization_id = :model AND n <= t.wanted "
            "ORDER BY n ON CONFLICT DO NOTHING"  # Organisations take turns on the disk, as they do in life.
        ),
        {"tenants": list(tenants), "wanted": wanted, "most": max(wanted), "model": model},
    )


def _value(column: Column[Any], mended: bool) -> str:
    name, seed = f'm."{column.name}"', _SEED.format(name=f'm."{column.name}"')
    if column.name == "organization_id":
        return "t.tenant"
    if isinstance(column.type, Uuid):
        return f"{seed}::uuid"
    if column.name in {"created_at", "at"}:
        return f"{name} + n * interval '1 second'"
    if not mended:
        return name
    # Digits, and few, so that a code or a key stays one.
    digits = f"left(translate({seed}, 'abcdef', '012345'), 16)"
    return f"{name} + n * 1000" if isinstance(column.type, Integer) else f"{name} || {digits}"


def _columns_to_mend(table: Table, keys: list[list[str]]) -> set[str]:
    """One of each unique key that would be the same in a copy."""
    mended = set()
    for key in keys:
        rest = [table.columns[name] for name in key if name != "organization_id"]
        if not rest or any(isinstance(column.type, Uuid) for column in rest):
            continue
        texts, numbers = ([one for one in rest if isinstance(one.type, kind)] for kind in (Text, Integer))
        mended.add((texts or numbers)[-1].name)
    return mended


async def _unique_keys(connection: AsyncConnection, table: Table) -> list[list[str]]:
    found = await connection.execute(
        text(
            "SELECT array_agg(CAST(a.attname AS text)) FROM pg_index i JOIN pg_attribute a "
            "ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) "
            "WHERE i.indisunique AND i.indrelid = CAST(:name AS regclass) GROUP BY i.indexrelid"
        ),
        {"name": table.fullname},
    )
    return list(found.scalars())


async def _drop_checks(connection: AsyncConnection) -> None:
    found = await connection.execute(
        text(
            "SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) FROM pg_constraint "
            "WHERE contype = 'c' AND coninhcount = 0 AND connamespace = CAST('proffer' AS regnamespace)"
        )
    )
    for statement in found.scalars().all():
        await connection.execute(text(statement))
