"""What the planner makes of statements: told before each runs, as the role and for the tenant that runs it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from src.adapters.postgres.tables import metadata

_TENANT_TABLES: Final = {table.name for table in metadata.sorted_tables}
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
            if kind == "Seq Scan" and node["Relation Name"] in _TENANT_TABLES:
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


def _of_door(node: dict[str, Any]) -> bool:
    """Whether it goes by one of the door's indexes, which find one row of all by its id, and is checked afterwards."""
    return node["Index Name"] in _DOORS and node["Index Cond"].startswith("(id = ")


_DOORS: Final = {"challenges_id", "provider_logins_id"}
_BY_INDEX: Final = {"Index Scan", "Index Only Scan", "Bitmap Index Scan"}


@contextmanager
def plans_of(engine: AsyncEngine) -> Iterator[list[Explained]]:
    """Fills with every statement that *engine* is about to run, and its plan."""
    seen: list[Explained] = []

    def explain(connection: Any, _cursor: Any, sql: str, parameters: Any, _context: Any, many: bool) -> None:
        reads = sql.lstrip("( ").startswith(("SELECT", "WITH")) and "jobs." not in sql
        if "set_config" in sql:
            return
        cursor = connection.connection.cursor()
        cursor.execute(f"EXPLAIN ({_RUN if reads else ''}FORMAT JSON) {sql}", parameters[0] if many else parameters)
        told = cursor.fetchone()[0]
        cursor.close()
        seen.append(Explained(sql, (json.loads(told) if isinstance(told, str) else told)[0]["Plan"]))

    event.listen(engine.sync_engine, "before_cursor_execute", explain)
    try:
        yield seen
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", explain)


@contextmanager
def said_to(engine: AsyncEngine) -> Iterator[list[tuple[str, tuple[Any, ...]]]]:
    """Fills with every statement that *engine* is about to run, but for the tenant's, and its parameters."""
    seen: list[tuple[str, tuple[Any, ...]]] = []

    def remember(_connection: Any, _cursor: Any, sql: str, parameters: Any, *_: Any) -> None:
        if "set_config" not in sql:
            seen.append((sql, tuple(parameters)))

    event.listen(engine.sync_engine, "before_cursor_execute", remember)
    try:
        yield seen
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", remember)
