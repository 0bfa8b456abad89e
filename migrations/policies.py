"""Row-level security in one form for every tenant table, and the rights that go with it."""

from alembic import op

SCHEMA = "proffer"
OWNER, APP, OPERATOR, WORKER, DOOR = (
    "proffer_owner",
    "proffer_app",
    "proffer_operator",
    "proffer_worker",
    "proffer_door",
)

# In a sub-select it is evaluated once per statement, and the plan does not depend on whose tenant came first.
TENANT = "(SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)"


def tenant_table(name: str, rights: str) -> None:
    """Close *name* to everything but the rows of the transaction's tenant, and give the application *rights*."""
    table = f"{SCHEMA}.{name}"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY tenant ON {table} FOR ALL TO {APP} "
        f"USING (organization_id = {TENANT}) WITH CHECK (organization_id = {TENANT})"
    )
    op.execute(f"GRANT {rights} ON {table} TO {APP}")


def door_policy(name: str, command: str, columns: str) -> None:
    """Let the door's functions see (or add) rows of every tenant, *columns* only."""
    table = f"{SCHEMA}.{name}"
    clause = "WITH CHECK (true)" if command == "INSERT" else "USING (true)"
    op.execute(f"CREATE POLICY door_{command.lower()} ON {table} FOR {command} TO {DOOR} {clause}")
    op.execute(f"GRANT {command} ({columns}) ON {table} TO {DOOR}")
