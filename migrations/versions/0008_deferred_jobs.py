"""Jobs that are to run at a given time."""

from alembic import op

from migrations.policies import APP, DOOR

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_AT_ONCE = "jobs.enqueue(uuid, text, text)"
_LATER = "jobs.enqueue(uuid, text, text, timestamptz)"

_ENQUEUE = """
    CREATE FUNCTION jobs.enqueue(job_id uuid, job_name text, job_payload text, not_before timestamptz) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
        WITH added AS (
            INSERT INTO jobs.pgqueuer (priority, entrypoint, payload, dedupe_key, status, execute_after)
            VALUES (
                0, job_name, convert_to(job_payload, 'UTF8'), job_id::text, 'queued', greatest(not_before, now())
            )
            RETURNING id, priority, entrypoint
        )
        INSERT INTO jobs.pgqueuer_log (job_id, status, entrypoint, priority)
        SELECT id, 'queued', entrypoint, priority FROM added
    $$
"""
_ENQUEUE_AT_ONCE = """
    CREATE FUNCTION jobs.enqueue(job_id uuid, job_name text, job_payload text) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
        WITH added AS (
            INSERT INTO jobs.pgqueuer (priority, entrypoint, payload, dedupe_key, status)
            VALUES (0, job_name, convert_to(job_payload, 'UTF8'), job_id::text, 'queued')
            RETURNING id, priority, entrypoint
        )
        INSERT INTO jobs.pgqueuer_log (job_id, status, entrypoint, priority)
        SELECT id, 'queued', entrypoint, priority FROM added
    $$
"""


def upgrade() -> None:
    _replace(_AT_ONCE, _LATER, _ENQUEUE)


def downgrade() -> None:
    _replace(_LATER, _AT_ONCE, _ENQUEUE_AT_ONCE)


def _replace(old: str, new: str, statement: str) -> None:
    op.execute(f"DROP FUNCTION {old}")
    op.execute(statement)
    op.execute(f"REVOKE ALL ON FUNCTION {new} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {new} TO {APP}")
    op.execute(f"GRANT CREATE, USAGE ON SCHEMA jobs TO {DOOR}")
    op.execute(f"ALTER FUNCTION {new} OWNER TO {DOOR}")
    op.execute(f"REVOKE CREATE ON SCHEMA jobs FROM {DOOR}")
