"""What organisations see of their jobs, turns between them, fences around attempts; when offers end."""

# ruff: noqa: S608 — names of our own schema, no input.

from alembic import op

from migrations.policies import APP, DOOR, WORKER, door_policy, tenant_table

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# No foreign key to the organisation: who asks for a code in a name that nobody has makes a job of nobody, so that both take as long.
_TABLE = """
    CREATE TABLE proffer.jobs (
        organization_id uuid NOT NULL,
        id uuid NOT NULL,
        queue_id bigint NOT NULL,
        name text NOT NULL,
        subject_id uuid NOT NULL,
        state text NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
        attempt integer NOT NULL DEFAULT 0,
        fence bigint NOT NULL DEFAULT 0,
        turn integer NOT NULL,
        done bigint NOT NULL DEFAULT 0 CHECK (done >= 0),
        total bigint CHECK (total >= 0),
        error text NOT NULL DEFAULT '',
        created_at timestamptz NOT NULL,
        due_at timestamptz NOT NULL,
        started_at timestamptz,
        ended_at timestamptz,
        PRIMARY KEY (organization_id, id)
    )
"""
_INDEXES = (
    "CREATE INDEX jobs_created ON proffer.jobs (organization_id, created_at DESC, id DESC)",
    "CREATE INDEX jobs_subject ON proffer.jobs (organization_id, subject_id, name)",
    "CREATE INDEX jobs_turn ON proffer.jobs (organization_id, turn) WHERE state = 'queued'",
    "CREATE INDEX jobs_queue_id ON proffer.jobs (queue_id)",
    "CREATE INDEX jobs_ended ON proffer.jobs (ended_at) WHERE state IN ('succeeded', 'cancelled')",
)

# Jobs that wait since before this table was there.
_TAKE_OVER = """
    INSERT INTO proffer.jobs (
        organization_id, id, queue_id, name, subject_id, state, attempt, turn, created_at, due_at, started_at, ended_at
    )
    SELECT (job ->> 'organization_id')::uuid, (job ->> 'id')::uuid, q.id, q.entrypoint, (job ->> 'subject_id')::uuid,
        CASE q.status WHEN 'picked' THEN 'running' WHEN 'failed' THEN 'failed' ELSE 'queued' END,
        q.attempts, 0, q.created, q.execute_after,
        CASE WHEN q.status <> 'queued' THEN q.updated END, CASE WHEN q.status = 'failed' THEN q.updated END
    FROM jobs.pgqueuer q, LATERAL (SELECT convert_from(q.payload, 'UTF8')::json AS job) AS payload
"""

# Where the queue has got to: a tenant that comes now takes its place there, not in front of all that has been served.
_FRONT = """
    CREATE FUNCTION jobs.front() RETURNS integer LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$ SELECT coalesce(min(-priority), 0) FROM jobs.pgqueuer WHERE status = 'picked' $$
"""

# The n-th job that a tenant has waiting stands in the n-th row: so all tenants with work take turns.
_ENQUEUE = """
    CREATE FUNCTION jobs.enqueue(
        job_id uuid, tenant uuid, job_name text, subject uuid, job_payload text, not_before timestamptz
    ) RETURNS void LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        due timestamptz := greatest(not_before, now());
        place bigint := jobs.front();
        added bigint;
    BEGIN
        IF nullif(current_setting('app.tenant_id', true), '')::uuid <> tenant THEN
            RAISE insufficient_privilege USING MESSAGE = 'A job belongs to the organisation of its transaction.';
        END IF;
        IF due <= now() THEN
            place := greatest(place, (
                SELECT max(turn) + 1::bigint FROM proffer.jobs
                WHERE organization_id = tenant AND state = 'queued' AND due_at <= now()
            ));
        END IF;
        place := least(place, 2147483647);
        INSERT INTO jobs.pgqueuer (priority, entrypoint, payload, dedupe_key, status, execute_after)
        VALUES (-place, job_name, convert_to(job_payload, 'UTF8'), job_id::text, 'queued', due)
        RETURNING id INTO added;
        INSERT INTO proffer.jobs (organization_id, id, queue_id, name, subject_id, state, turn, created_at, due_at)
        VALUES (tenant, job_id, added, job_name, subject, 'queued', place, now(), due);
        INSERT INTO jobs.pgqueuer_log (job_id, status, entrypoint, priority)
        VALUES (added, 'queued', job_name, -place);
    END
    $$
"""

# Whatever the queue writes down about a job shows in the organisation's own table, by the same commit.
# *returned*: a worker that was told to stop gave it back, which is nobody's failure.
_MIRROR = """
    CREATE FUNCTION jobs.mirror() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
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

# First the queue's row and then ours, in the order in which a worker takes them.
_HOLD = """
    CREATE FUNCTION jobs.hold(job_id uuid) RETURNS void LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    BEGIN
        PERFORM 1 FROM jobs.pgqueuer WHERE id = (
            SELECT queue_id FROM proffer.jobs WHERE organization_id = nullif(current_setting('app.tenant_id', true), '')::uuid AND id = job_id
        ) FOR UPDATE;
    END
    $$
"""
_RETRY = """
    CREATE FUNCTION jobs.retry(job_id uuid) RETURNS void LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
        WITH requeued AS (
            UPDATE jobs.pgqueuer
            SET status = 'queued', execute_after = now(), updated = now(), attempts = 0, queue_manager_id = NULL,
                priority = -jobs.front()
            WHERE id = (SELECT queue_id FROM proffer.jobs WHERE organization_id = nullif(current_setting('app.tenant_id', true), '')::uuid AND id = job_id)
                AND status = 'failed'
            RETURNING id, entrypoint, priority
        )
        INSERT INTO jobs.pgqueuer_log (job_id, status, entrypoint, priority)
        SELECT id, 'queued', entrypoint, priority FROM requeued
    $$
"""
_CANCEL = """
    CREATE FUNCTION jobs.cancel(job_id uuid) RETURNS void LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE gone bigint;
    BEGIN
        SELECT queue_id INTO gone FROM proffer.jobs WHERE organization_id = nullif(current_setting('app.tenant_id', true), '')::uuid AND id = job_id;
        WITH deleted AS (DELETE FROM jobs.pgqueuer WHERE id = gone RETURNING id, entrypoint, priority)
        INSERT INTO jobs.pgqueuer_log (job_id, status, entrypoint, priority)
        SELECT id, 'canceled', entrypoint, priority FROM deleted;
        PERFORM pg_notify('ch_pgqueuer', json_build_object(
            'channel', 'ch_pgqueuer', 'type', 'cancellation_event', 'sent_at', now(), 'ids', json_build_array(gone)
        )::text);
    END
    $$
"""
_ATTEMPT = """
    CREATE FUNCTION jobs.attempt(wanted bigint) RETURNS TABLE (number integer, fence bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$ SELECT j.attempt, j.fence FROM proffer.jobs j WHERE j.queue_id = wanted $$
"""

# What is due, of all organisations: a job each. Whoever is second does nothing, and nothing rests on being alone.
_SCHEDULES = """
    CREATE FUNCTION jobs.run_schedules() RETURNS bigint
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        due record;
        made bigint := 0;
        job_id uuid;
    BEGIN
        IF NOT pg_try_advisory_xact_lock(hashtextextended('jobs.run_schedules', 0)) THEN
            RETURN 0;
        END IF;
        FOR due IN
            SELECT r.organization_id, r.quote_id, 'expire_quote' AS name
            FROM proffer.quote_revisions r
            WHERE r.status = 'sent' AND r.ends_at <= now() AND NOT EXISTS (
                SELECT 1 FROM proffer.jobs j
                WHERE j.organization_id = r.organization_id AND j.subject_id = r.quote_id AND j.name = 'expire_quote'
                    AND (j.state IN ('queued', 'running') OR j.state = 'failed' AND j.ended_at > now() - interval '1 day')
            )
            UNION ALL
            SELECT r.organization_id, r.quote_id, 'remind_of_expiry'
            FROM proffer.quote_revisions r
            WHERE r.status = 'sent' AND r.ends_at > now() AND r.ends_at <= now() + interval '3 days'
                AND r.sent_at < r.ends_at - interval '3 days' AND NOT EXISTS (
                    SELECT 1 FROM proffer.jobs j
                    WHERE j.organization_id = r.organization_id AND j.subject_id = r.quote_id
                        AND j.name = 'remind_of_expiry' AND j.created_at > r.ends_at - interval '4 days'
                )
            LIMIT 1000
        LOOP
            job_id := gen_random_uuid();
            PERFORM jobs.enqueue(
                job_id, due.organization_id, due.name, due.quote_id,
                json_build_object(
                    'id', job_id, 'name', due.name, 'organization_id', due.organization_id,
                    'subject_id', due.quote_id, 'trace_id', replace(gen_random_uuid()::text, '-', '')
                )::text,
                now()
            );
            made := made + 1;
        END LOOP;
        RETURN made;
    END
    $$
"""

# The queue's log is read by nobody but its trigger; what ended well is told for a month, dead letters until they are dealt with.
_PURGE = """
    CREATE FUNCTION jobs.purge() RETURNS bigint
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE gone bigint; more bigint;
    BEGIN
        DELETE FROM jobs.pgqueuer_log WHERE created < now() - interval '7 days';
        GET DIAGNOSTICS gone = ROW_COUNT;
        DELETE FROM proffer.jobs
        WHERE state IN ('succeeded', 'cancelled') AND ended_at < now() - interval '30 days';
        GET DIAGNOSTICS more = ROW_COUNT;
        RETURN gone + more;
    END
    $$
"""

_ENDS = (
    "ALTER TABLE proffer.quote_revisions ADD COLUMN ends_at timestamptz",
    # The owner is under row security as well, so that it changes nobody's rows without this.
    "ALTER TABLE proffer.quote_revisions NO FORCE ROW LEVEL SECURITY",
    """
    UPDATE proffer.quote_revisions SET ends_at =
        ((content::json ->> 'valid_until')::date + 1)::timestamp AT TIME ZONE (content::json ->> 'time_zone')
    """,
    "ALTER TABLE proffer.quote_revisions FORCE ROW LEVEL SECURITY",
    "ALTER TABLE proffer.quote_revisions ALTER COLUMN ends_at SET NOT NULL",
    "CREATE INDEX quote_revisions_ends ON proffer.quote_revisions (ends_at) WHERE status = 'sent'",
)

_ENQUEUE_BEFORE = """
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
_BEFORE = "enqueue(uuid, text, text, timestamptz)"

# Each with who may call it; nobody but triggers calls the mirror.
_FUNCTIONS = (
    ("front()", None, _FRONT),
    ("enqueue(uuid, uuid, text, uuid, text, timestamptz)", APP, _ENQUEUE),
    ("mirror()", None, _MIRROR),
    ("hold(uuid)", APP, _HOLD),
    ("retry(uuid)", APP, _RETRY),
    ("cancel(uuid)", APP, _CANCEL),
    ("attempt(bigint)", WORKER, _ATTEMPT),
    ("run_schedules()", WORKER, _SCHEDULES),
    ("purge()", WORKER, _PURGE),
)


def upgrade() -> None:
    op.execute(_TABLE)
    op.execute(_TAKE_OVER)
    for statement in (*_INDEXES, *_ENDS):
        op.execute(statement)
    tenant_table("jobs", "SELECT")
    op.execute(f"GRANT UPDATE (done, total) ON proffer.jobs TO {APP}")
    columns = "organization_id, id, queue_id, name, subject_id, state, attempt, fence, turn, error, created_at, due_at"
    door_policy("jobs", "SELECT", f"{columns}, ended_at")
    door_policy("jobs", "INSERT", columns)
    door_policy("jobs", "UPDATE", "state, attempt, fence, turn, error, due_at, started_at, ended_at")
    op.execute(f"GRANT SELECT (id, priority, entrypoint, status, execute_after), DELETE ON jobs.pgqueuer TO {DOOR}")
    changed = "status, execute_after, updated, attempts, queue_manager_id, priority"
    op.execute(f"GRANT UPDATE ({changed}) ON jobs.pgqueuer TO {DOOR}")
    op.execute(f"CREATE POLICY door_delete ON proffer.jobs FOR DELETE TO {DOOR} USING (true)")
    op.execute(f"GRANT DELETE ON proffer.jobs TO {DOOR}")
    op.execute(f"GRANT SELECT (created), DELETE ON jobs.pgqueuer_log TO {DOOR}")
    door_policy("quote_revisions", "SELECT", "organization_id, quote_id, status, sent_at, ends_at")
    op.execute(f"DROP FUNCTION jobs.{_BEFORE}")
    for signature, caller, body in _FUNCTIONS:
        op.execute(body)
        op.execute(f"REVOKE ALL ON FUNCTION jobs.{signature} FROM PUBLIC")
        if caller is not None:
            op.execute(f"GRANT EXECUTE ON FUNCTION jobs.{signature} TO {caller}")
    op.execute("CREATE TRIGGER mirror AFTER INSERT ON jobs.pgqueuer_log FOR EACH ROW EXECUTE FUNCTION jobs.mirror()")
    _give_to_the_door(*(signature for signature, _, _ in _FUNCTIONS))


def downgrade() -> None:
    op.execute("DROP TRIGGER mirror ON jobs.pgqueuer_log")
    for signature, _, _ in reversed(_FUNCTIONS):
        op.execute(f"DROP FUNCTION jobs.{signature}")
    op.execute(_ENQUEUE_BEFORE)
    op.execute(f"REVOKE ALL ON FUNCTION jobs.{_BEFORE} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION jobs.{_BEFORE} TO {APP}")
    _give_to_the_door(_BEFORE)
    op.execute("DROP TABLE proffer.jobs")
    op.execute("DROP POLICY door_select ON proffer.quote_revisions")
    op.execute(
        f"REVOKE SELECT (organization_id, quote_id, status, sent_at, ends_at) ON proffer.quote_revisions FROM {DOOR}"
    )
    op.execute("ALTER TABLE proffer.quote_revisions DROP COLUMN ends_at")
    op.execute(f"REVOKE SELECT (created), DELETE ON jobs.pgqueuer_log FROM {DOOR}")
    op.execute(f"REVOKE UPDATE, DELETE ON jobs.pgqueuer FROM {DOOR}")
    op.execute(f"REVOKE SELECT (status, execute_after) ON jobs.pgqueuer FROM {DOOR}")


def _give_to_the_door(*functions: str) -> None:
    """To give a function away, the new owner needs the right to create for this one moment."""
    op.execute(f"GRANT CREATE ON SCHEMA jobs TO {DOOR}")
    for function in functions:
        op.execute(f"ALTER FUNCTION jobs.{function} OWNER TO {DOOR}")
    op.execute(f"REVOKE CREATE ON SCHEMA jobs FROM {DOOR}")
