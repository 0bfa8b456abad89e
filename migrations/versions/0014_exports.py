"""Exports that jobs make, and the nightly end of their files; what waits for a job that fails is cleared up after."""

# ruff: noqa: S608 — names of our own schema, no input.

from alembic import op

from migrations.policies import DOOR, WORKER, door_policy, tenant_table

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_TABLE = """
    CREATE TABLE proffer.exports (
        organization_id uuid NOT NULL REFERENCES proffer.organizations,
        id uuid NOT NULL,
        kind text NOT NULL CHECK (kind IN ('quotes', 'quote-lines', 'customers', 'products', 'audit', 'summary')),
        file_format text NOT NULL CHECK (file_format IN ('xlsx', 'csv', 'jsonl', 'pdf')),
        filters text NOT NULL,
        created_by uuid NOT NULL,
        api_key_id uuid,
        job_id uuid NOT NULL,
        created_at timestamptz NOT NULL,
        state text NOT NULL CHECK (state IN ('preparing', 'ready', 'empty', 'failed', 'cancelled', 'expired')),
        rows bigint NOT NULL CHECK (rows >= 0),
        size bigint NOT NULL CHECK (size >= 0),
        sha256 text NOT NULL,
        with_costs boolean NOT NULL,
        file_name text NOT NULL,
        storage_key text NOT NULL,
        message text NOT NULL,
        ended_at timestamptz,
        expires_at timestamptz,
        version integer NOT NULL,
        PRIMARY KEY (organization_id, id),
        CONSTRAINT exports_user_fkey FOREIGN KEY (organization_id, created_by) REFERENCES proffer.users,
        CONSTRAINT exports_key_fkey FOREIGN KEY (organization_id, api_key_id) REFERENCES proffer.api_keys,
        CONSTRAINT exports_file_check CHECK ((state = 'ready') = (storage_key <> '')),
        CONSTRAINT exports_end_check CHECK ((state IN ('ready', 'expired')) = (expires_at IS NOT NULL))
    )
"""
_INDEXES = (
    "CREATE INDEX exports_newest ON proffer.exports (organization_id, created_by, created_at DESC, id DESC)",
    "CREATE INDEX exports_key ON proffer.exports (organization_id, api_key_id)",
    "CREATE INDEX exports_over ON proffer.exports (organization_id, expires_at, id) WHERE state = 'ready'",
    "CREATE INDEX exports_unended ON proffer.exports (organization_id, created_at, id) WHERE state = 'preparing'",
    "CREATE INDEX exports_ended ON proffer.exports (organization_id, ended_at, id) WHERE ended_at IS NOT NULL",
    "CREATE INDEX exports_file ON proffer.exports (organization_id, storage_key) WHERE storage_key <> ''",
)

# A job each night for every organisation that has exports, each of which is forgotten in the end. Whoever is second does
# nothing. Nights begin at two o'clock, UTC. Asked every minute, it takes one look into the primary key for each organisation
# (the order keeps the planner to that) and never reads all that was ever exported.
_SCHEDULE = """
    CREATE FUNCTION jobs.schedule_deletion_of_exports(at timestamptz) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        due record;
        made bigint := 0;
        job_id uuid;
        night timestamptz := (date_trunc('day', at AT TIME ZONE 'UTC' - interval '2 hours') + interval '2 hours')
            AT TIME ZONE 'UTC';
    BEGIN
        IF NOT pg_try_advisory_xact_lock(hashtextextended('jobs.schedule_deletion_of_exports', 0)) THEN
            RETURN 0;
        END IF;
        FOR due IN
            SELECT o.organization_id
            FROM proffer.organizations o
            CROSS JOIN LATERAL (
                SELECT FROM proffer.exports e WHERE e.organization_id = o.organization_id ORDER BY e.id LIMIT 1
            ) AS one
            WHERE NOT EXISTS (
                SELECT 1 FROM proffer.jobs j
                WHERE j.organization_id = o.organization_id AND j.subject_id = o.organization_id
                    AND j.name = 'delete_old_exports' AND j.created_at >= night
            )
            LIMIT 1000
        LOOP
            job_id := gen_random_uuid();
            PERFORM jobs.enqueue(
                job_id, due.organization_id, 'delete_old_exports', due.organization_id,
                json_build_object(
                    'id', job_id, 'name', 'delete_old_exports', 'organization_id', due.organization_id,
                    'subject_id', due.organization_id, 'trace_id', replace(gen_random_uuid()::text, '-', '')
                )::text,
                now()
            );
            made := made + 1;
        END LOOP;
        RETURN made;
    END
    $$
"""
_SIGNATURE = "jobs.schedule_deletion_of_exports(timestamptz)"

# Of an error that nobody meant for people outside, the organisation is told that there was one. In whatever way a job fails,
# what waits for it is settled by a job that exists from the same commit on; these names are those of the application.
_MIRROR = """
    CREATE OR REPLACE FUNCTION jobs.mirror() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        reason text := left(coalesce(
            NEW.traceback -> 'additional_context' ->> 'reason',
            CASE
                WHEN NEW.traceback IS NULL THEN ''
                WHEN NEW.traceback ->> 'exception_type' = 'JobFailed' THEN NEW.traceback ->> 'exception_message'
                ELSE 'Something went wrong inside.'
            END
        ), 1000);
        failed record;
        clearing uuid := gen_random_uuid();
    BEGIN
        CASE NEW.status
        WHEN 'picked' THEN
            UPDATE proffer.jobs
            SET state = 'running', attempt = attempt + 1, fence = fence + 1, started_at = now()
            WHERE queue_id = NEW.job_id;
        WHEN 'queued' THEN
            UPDATE proffer.jobs j
            SET state = 'queued', ended_at = NULL, due_at = q.execute_after, turn = -q.priority,
                error = CASE WHEN reason IN ('', 'returned') THEN j.error ELSE reason END,
                attempt = CASE WHEN j.state = 'failed' THEN 0
                    WHEN reason = 'returned' THEN j.attempt - 1 ELSE j.attempt END
            FROM jobs.pgqueuer q WHERE j.queue_id = NEW.job_id AND q.id = NEW.job_id AND j.state <> 'queued';
        WHEN 'successful' THEN
            UPDATE proffer.jobs SET state = 'succeeded', ended_at = now(), error = '' WHERE queue_id = NEW.job_id;
        WHEN 'canceled', 'deleted' THEN
            UPDATE proffer.jobs SET state = 'cancelled', ended_at = now() WHERE queue_id = NEW.job_id;
        ELSE
            UPDATE proffer.jobs SET state = 'failed', ended_at = now(), error = reason WHERE queue_id = NEW.job_id
            RETURNING organization_id, id, name INTO failed;
            IF failed.name IN ('deliver_quote', 'import_catalog', 'run_export') THEN
                PERFORM jobs.enqueue(
                    clearing, failed.organization_id, 'clear_up_after_job', failed.id,
                    json_build_object(
                        'id', clearing, 'name', 'clear_up_after_job', 'organization_id', failed.organization_id,
                        'subject_id', failed.id, 'trace_id', (
                            SELECT convert_from(payload, 'UTF8')::json ->> 'trace_id'
                            FROM jobs.pgqueuer WHERE id = NEW.job_id
                        )
                    )::text,
                    now()
                );
            END IF;
        END CASE;
        RETURN NULL;
    END
    $$
"""
_MIRROR_BEFORE = """
    CREATE OR REPLACE FUNCTION jobs.mirror() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        reason text := left(coalesce(
            NEW.traceback -> 'additional_context' ->> 'reason',
            (NEW.traceback ->> 'exception_type') || ': ' || (NEW.traceback ->> 'exception_message'),
            ''
        ), 1000);
    BEGIN
        CASE NEW.status
        WHEN 'picked' THEN
            UPDATE proffer.jobs
            SET state = 'running', attempt = attempt + 1, fence = fence + 1, started_at = now()
            WHERE queue_id = NEW.job_id;
        WHEN 'queued' THEN
            UPDATE proffer.jobs j
            SET state = 'queued', ended_at = NULL, due_at = q.execute_after, turn = -q.priority,
                error = CASE WHEN reason IN ('', 'returned') THEN j.error ELSE reason END,
                attempt = CASE WHEN j.state = 'failed' THEN 0
                    WHEN reason = 'returned' THEN j.attempt - 1 ELSE j.attempt END
            FROM jobs.pgqueuer q WHERE j.queue_id = NEW.job_id AND q.id = NEW.job_id AND j.state <> 'queued';
        WHEN 'successful' THEN
            UPDATE proffer.jobs SET state = 'succeeded', ended_at = now(), error = '' WHERE queue_id = NEW.job_id;
        WHEN 'canceled', 'deleted' THEN
            UPDATE proffer.jobs SET state = 'cancelled', ended_at = now() WHERE queue_id = NEW.job_id;
        ELSE
            UPDATE proffer.jobs SET state = 'failed', ended_at = now(), error = reason WHERE queue_id = NEW.job_id;
        END CASE;
        RETURN NULL;
    END
    $$
"""


def upgrade() -> None:
    op.execute(_TABLE)
    for index in _INDEXES:
        op.execute(index)
    tenant_table("exports", "SELECT, INSERT, UPDATE, DELETE")
    door_policy("exports", "SELECT", "organization_id, id")
    op.execute(_SCHEDULE)
    op.execute(f"REVOKE ALL ON FUNCTION {_SIGNATURE} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {_SIGNATURE} TO {WORKER}")
    # To give a function away, the new owner needs the right to create for this one moment.
    op.execute(f"GRANT CREATE ON SCHEMA jobs TO {DOOR}")
    op.execute(f"ALTER FUNCTION {_SIGNATURE} OWNER TO {DOOR}")
    op.execute(f"GRANT SELECT (payload) ON jobs.pgqueuer TO {DOOR}")
    op.execute(_MIRROR)
    op.execute(f"REVOKE CREATE ON SCHEMA jobs FROM {DOOR}")


def downgrade() -> None:
    op.execute(f"GRANT CREATE ON SCHEMA jobs TO {DOOR}")
    op.execute(_MIRROR_BEFORE)
    op.execute(f"REVOKE CREATE ON SCHEMA jobs FROM {DOOR}")
    op.execute(f"REVOKE SELECT (payload) ON jobs.pgqueuer FROM {DOOR}")
    op.execute(f"DROP FUNCTION {_SIGNATURE}")
    op.execute("DROP TABLE proffer.exports")
