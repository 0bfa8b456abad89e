"""What the planner makes of statements: told for the role and the tenant that runs them."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncEngine

from src.adapters.postgres.connection import Connection, watched
from src.adapters.postgres.tables import metadata

_TENANT_TABLES: Final = {table.name for table in metadata.sorted_tables}
_PARTITION: Final = re.compile("_([0-9]{4}_[0-9]{2}|default)$")
_SETTING: Final = "SET LOCAL "
_RUN: Final = "ANALYZE, TIMING OFF, BUFFERS OFF, "


@dataclass(frozen=True, slots=True)
class Explained:
    """One statement and its plan, as EXPLAIN (FORMAT JSON) tells it; with rows counted where it only reads."""

    sql: str
    plan: dict[str, Any]

    def nodes(self) -> Iterator[dict[str, Any]]:
        waiting = [self.plan]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += node.get("Plans", [])

    def scans_without_the_tenant(self) -> list[str]:
        """Where rows of a tenant's table are looked for by anything but an index that is asked for the tenant."""
        faults = []
        for node in self.nodes():
            kind = node["Node Type"]
            if kind == "Seq Scan" and _table_of(node) in _TENANT_TABLES:
                faults.append(f"Seq Scan on {node['Relation Name']}")
            elif kind in _BY_INDEX and "organization_id = " not in node.get("Index Cond", "") and not _of_door(node):
                faults.append(f"{kind} using {node['Index Name']} by {node.get('Index Cond')}")
        return faults

    def rows_removed(self) -> int:
        """Rows that were found by an index and then thrown away, over all loops."""
        return sum(
            node.get("Rows Removed by Filter", 0) * node.get("Actual Loops", 1)
            for node in self.nodes()
            if node["Node Type"].endswith("Scan")
        )

    def rows_found(self) -> int:
        """Rows that the scans gave on, over all loops."""
        return sum(
            node.get("Actual Rows", 0) * node.get("Actual Loops", 1)
            for node in self.nodes()
            if node["Node Type"].endswith("Scan") and node["Node Type"] != "Bitmap Index Scan"
        )

    def spills(self) -> list[str]:
        """Sorts of whole results (also of one already in part in order), and hashes that did not fit into memory."""
        return [
            node["Node Type"]
            for node in self.nodes()
            if ("Sort" in node["Node Type"] and _kept_on_disk(node)) or node.get("Hash Batches", 1) > 1
        ]


def _kept_on_disk(node: dict[str, Any]) -> bool:
    """Whether a sort needed room on disk; one of a few rows at a time tells it of its groups."""
    groups = [node.get(f"{kind} Groups", {}) for kind in ("Full-sort", "Pre-sorted")]
    return node.get("Sort Space Type") == "Disk" or any("Sort Space Disk" in one for one in groups)


def _table_of(node: dict[str, Any]) -> str:
    """The table whose partition it is; nothing where it was run and the partition was empty, which needs no index."""
    name = str(node["Relation Name"])
    whole = _PARTITION.sub("", name)
    was_empty = node.get("Actual Rows") == 0 and not node.get("Rows Removed by Filter")
    return "" if whole != name and was_empty else whole


def _of_door(node: dict[str, Any]) -> bool:
    """Whether it goes by one of the door's indexes, which find one row of all by its id, and is checked afterwards."""
    return node["Index Name"] in _DOORS and node["Index Cond"].startswith("(id = ")


_DOORS: Final = {"challenges_id", "provider_logins_id"}
_BY_INDEX: Final = {"Index Scan", "Index Only Scan", "Bitmap Index Scan"}


@contextmanager
def said_to(engine: AsyncEngine) -> Iterator[list[tuple[str, tuple[Any, ...]]]]:
    """Fills with every statement that *engine* runs meanwhile, but for the tenant's, and its (first) parameters."""
    seen: list[tuple[str, tuple[Any, ...]]] = []

    def remember(sql: str, rows: Sequence[Sequence[Any]]) -> None:
        if "set_config" not in sql:
            seen.append((sql, tuple(rows[0]) if rows else ()))

    with watched(engine, remember):
        yield seen


def settings_in(said: Sequence[tuple[str, tuple[Any, ...]]]) -> list[str]:
    """What is set for the other statements of the transaction."""
    return [sql for sql, _ in said if sql.startswith(_SETTING)]


async def plans_of(connection: Connection, said: Sequence[tuple[str, tuple[Any, ...]]]) -> list[Explained]:
    """The plan of each statement, as *connection* would run it now; what only reads is run for it."""
    plans = []
    for sql in settings_in(said):
        await connection.fetch(sql)
    said = [one for one in said if not one[0].startswith(_SETTING)]
    for sql, parameters in said:
        reads = sql.lstrip("( ").startswith(("SELECT", "WITH")) and "jobs." not in sql
        [[told]] = await connection.fetch(f"EXPLAIN ({_RUN if reads else ''}FORMAT JSON) {sql}", *parameters)
        plans.append(Explained(sql, (json.loads(told) if isinstance(told, str) else told)[0]["Plan"]))
    return plans
