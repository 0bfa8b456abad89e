"""The audit by months, one way in and one way out of it, and what retention has left out, signed.

Every entry is written anew into the partition of its month, in one transaction: with many millions of entries, plan for it.
See docs/decisions/0010-audit-partitions-and-retention.md.
"""

from alembic import op

from migrations.policies import APP, DOOR, OPERATOR, SCHEMA, TENANT, WORKER, tenant_table

# ruff: noqa: S608 — names of our own schema, no input.
revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# In canonical JSON a quote within a text has a backslash before it, and but for the user agent nothing follows the entry's own.
_TRACE = """substring(split_part(text, ',"trace_id":"', -1), '^([0-9a-f]*)"')"""
_TRACE_BEFORE = """substring(text, '.*,"trace_id":"([0-9a-f]*)","user_agent":"')"""
_PATH = "SET search_path = pg_catalog, pg_temp"
_LATEST = "date_trunc('month', (now() + interval '1 day') AT TIME ZONE 'UTC')::date"
_SHOWN = "at, action, resource_type, resource_id, actor_kind, user_id, text, previous_hash, hash"
_COLUMNS = f"""
    organization_id uuid NOT NULL CONSTRAINT audit_entries_organization_id_fkey REFERENCES proffer.organizations,
    sequence bigint NOT NULL CONSTRAINT audit_entries_sequence_check CHECK (sequence > 0),
    at timestamptz NOT NULL,
    action text NOT NULL,
    resource_type text NOT NULL,
    resource_id uuid NOT NULL,
    actor_kind text NOT NULL,
    user_id uuid,
    text text NOT NULL,
    previous_hash text NOT NULL,
    hash text NOT NULL,
    trace_id text GENERATED ALWAYS AS ({_TRACE}) STORED
"""
_INDEXES = (
    "CREATE INDEX audit_entries_resource ON proffer.audit_entries (organization_id, resource_type, resource_id, sequence)",
    "CREATE INDEX audit_entries_action ON proffer.audit_entries (organization_id, action, sequence DESC)",
    "CREATE INDEX audit_entries_user ON proffer.audit_entries (organization_id, user_id, sequence DESC)",
    "CREATE INDEX audit_entries_at ON proffer.audit_entries (organization_id, at, sequence)",
    "CREATE INDEX audit_entries_trace ON proffer.audit_entries (organization_id, trace_id, sequence DESC)",
    "CREATE INDEX audit_entries_kind ON proffer.audit_entries (organization_id, actor_kind, sequence DESC)",
)

# Statements that change or empty are refused to everybody. One that deletes is the door's only, and then row by row.
_GUARD = f"""
    CREATE FUNCTION proffer.guard_entries() RETURNS trigger LANGUAGE plpgsql {_PATH}
    AS $$
    BEGIN
        IF TG_OP = 'DELETE' AND current_user = '{DOOR}' THEN
            RETURN NULL;
        END IF;
        RAISE EXCEPTION 'audit entries are only ever added';
    END
    $$
"""
_GUARD_REMOVAL = f"""
    CREATE FUNCTION proffer.guard_removal() RETURNS trigger LANGUAGE plpgsql {_PATH}
    AS $$
    BEGIN
        IF NOT EXISTS (
            SELECT 1 FROM proffer.audit_anchors a
            WHERE a.organization_id = OLD.organization_id AND a.sequence >= OLD.sequence
        ) THEN
            RAISE EXCEPTION 'audit entries are only ever added: no anchor covers entry %', OLD.sequence;
        END IF;
        RETURN OLD;
    END
    $$
"""

# The partition of a month; false where there is one, or where the default partition has entries of that month already.
# Made apart and then attached, which locks out nobody who writes. Whoever has to wait gives up before the server would look for
# deadlocks (after a second), so that none of them ends anybody's transaction; the next hour tries again.
_MAKE = f"""
    CREATE FUNCTION proffer.make_audit_partition(month date) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER {_PATH} SET lock_timeout = '500ms'
    AS $$
    DECLARE
        name text := 'audit_entries_' || to_char(month, 'YYYY_MM');
    BEGIN
        IF to_regclass('proffer.' || name) IS NOT NULL THEN
            RETURN false;
        END IF;
        -- The foreign key asks for it in the end; those who write there may go on to the audit, so it is asked for first.
        LOCK TABLE proffer.organizations IN SHARE ROW EXCLUSIVE MODE;
        EXECUTE format('CREATE TABLE proffer.%I (LIKE proffer.audit_entries INCLUDING ALL)', name);
        PERFORM proffer.close_audit_partition(name);
        EXECUTE format(
            'ALTER TABLE proffer.audit_entries ATTACH PARTITION proffer.%I FOR VALUES FROM (%L) TO (%L)',
            name, month, (month + interval '1 month')::date
        );
        RETURN true;
    EXCEPTION WHEN check_violation OR lock_not_available OR deadlock_detected THEN
        RETURN false;
    END
    $$
"""
# A partition that is asked by its own name does not know the policies and triggers of the whole.
_CLOSE = f"""
    CREATE FUNCTION proffer.close_audit_partition(name text) RETURNS void LANGUAGE plpgsql VOLATILE {_PATH}
    AS $$
    BEGIN
        EXECUTE format('ALTER TABLE proffer.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE proffer.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY tenant ON proffer.%I FOR ALL TO {APP} USING (organization_id = {{0}}) '
            'WITH CHECK (organization_id = {{0}})', name
        );
        EXECUTE format(
            'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON proffer.%I '
            'FOR EACH STATEMENT EXECUTE FUNCTION proffer.guard_entries()', name
        );
        EXECUTE format('ALTER TABLE proffer.%I ENABLE ALWAYS TRIGGER append_only', name);
    END
    $$
""".replace("{0}", TENANT.replace("'", "''"))
_UPKEEP = f"""
    CREATE FUNCTION proffer.keep_audit_partitions() RETURNS bigint
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER {_PATH}
    AS $$
    DECLARE
        made bigint := 0;
        ahead integer;
    BEGIN
        IF NOT pg_try_advisory_xact_lock(hashtextextended('proffer.keep_audit_partitions', 0)) THEN
            RETURN 0;
        END IF;
        FOR ahead IN 0..3 LOOP
            made := made + proffer.make_audit_partition(
                (date_trunc('month', now() AT TIME ZONE 'UTC') + ahead * interval '1 month')::date
            )::integer;
        END LOOP;
        RETURN made;
    END
    $$
"""
# Whether it is empty is told by a constraint, which sees every row: what the owner can see is under row-level security. One month
# at a time: a timeout that has struck does so only once in a statement. The answer is what became of it.
_DROP_EMPTY = f"""
    CREATE FUNCTION proffer.drop_empty_audit_partition(month date) RETURNS text
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER {_PATH} SET lock_timeout = '500ms'
    AS $$
    DECLARE
        name text := 'audit_entries_' || to_char(month, 'YYYY_MM');
    BEGIN
        IF month >= date_trunc('month', now() AT TIME ZONE 'UTC') OR to_regclass('proffer.' || name) IS NULL THEN
            RETURN 'kept';
        END IF;
        EXECUTE format('ALTER TABLE proffer.%I ADD CONSTRAINT nothing_left CHECK (sequence IS NULL)', name);
        EXECUTE format('DROP TABLE proffer.%I', name);
        RETURN 'dropped';
    EXCEPTION
        WHEN check_violation THEN RETURN 'kept';
        WHEN lock_not_available OR deadlock_detected THEN RETURN 'in use';
        WHEN query_canceled THEN RETURN 'too large';
    END
    $$
"""

# The only way in: the entry's place, what it follows and its hash are the database's own. What is hashed is docs/audit.md's.
# The month never goes back along a chain, so that the months of a chain are pieces of it, whatever the clocks say; and one
# that is wrong by more than a day does not take the chain with it into a month that is far off.
_APPEND = f"""
    CREATE FUNCTION proffer.append_audit(document json) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER {_PATH}
    AS $$
    DECLARE
        ats timestamptz[];
        actions text[];
        resource_types text[];
        resource_ids uuid[];
        actor_kinds text[];
        user_ids uuid[];
        texts text[];
        tenant uuid := nullif(current_setting('app.tenant_id', true), '')::uuid;
        first bigint;
        last_hash text;
        last_month date;
        latest date := {_LATEST};
        months date[] := '{{}}';
        hashes text[] := '{{}}';
    BEGIN
        SELECT * INTO ats, actions, resource_types, resource_ids, actor_kinds, user_ids, texts
        FROM json_to_record(document) AS told(
            ats timestamptz[], actions text[], resource_types text[], resource_ids uuid[], actor_kinds text[],
            user_ids uuid[], texts text[]
        );
        SELECT h.sequence, h.hash, h.month INTO STRICT first, last_hash, last_month
        FROM proffer.audit_heads h WHERE h.organization_id = tenant FOR NO KEY UPDATE;
        hashes[0] := last_hash;
        FOR i IN 1..cardinality(texts) LOOP
            last_hash := encode(sha256(convert_to(
                E'1\\n' || tenant || E'\\n' || (first + i) || E'\\n' || last_hash || E'\\n' || texts[i], 'UTF8'
            )), 'hex');
            last_month := greatest(last_month, least(date_trunc('month', ats[i] AT TIME ZONE 'UTC')::date, latest));
            hashes[i] := last_hash;
            months[i] := last_month;
        END LOOP;
        INSERT INTO proffer.audit_entries (organization_id, sequence, month, {_SHOWN})
        SELECT tenant, first + i, months[i], ats[i], actions[i], resource_types[i], resource_ids[i], actor_kinds[i],
            user_ids[i], texts[i], hashes[i - 1], hashes[i]
        FROM generate_series(1, cardinality(texts)) AS i;
        UPDATE proffer.audit_heads h
        SET sequence = first + cardinality(texts), hash = last_hash, month = last_month
        WHERE h.organization_id = tenant;
    END
    $$
"""
# The only way out: what an anchor covers, of the transaction's tenant, oldest first.
_REMOVE = f"""
    CREATE FUNCTION proffer.remove_audit_entries(upto bigint, most integer) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER {_PATH}
    AS $$
    DECLARE
        tenant uuid := nullif(current_setting('app.tenant_id', true), '')::uuid;
        first bigint := (SELECT min(e.sequence) FROM proffer.audit_entries e WHERE e.organization_id = tenant);
        gone bigint;
    BEGIN
        DELETE FROM proffer.audit_entries e
        WHERE e.organization_id = tenant AND e.sequence <= upto AND e.sequence < first + most;
        GET DIAGNOSTICS gone = ROW_COUNT;
        RETURN gone;
    END
    $$
"""
_OF_THE_DOOR = (("append_audit(json)", APP, _APPEND), ("remove_audit_entries(bigint, integer)", OPERATOR, _REMOVE))
_OF_THE_OWNER = (
    ("guard_entries()", None, _GUARD),
    ("guard_removal()", None, _GUARD_REMOVAL),
    ("close_audit_partition(text)", None, _CLOSE),
    ("make_audit_partition(date)", None, _MAKE),
    ("keep_audit_partitions()", WORKER, _UPKEEP),
    ("drop_empty_audit_partition(date)", OPERATOR, _DROP_EMPTY),
)
_DOOR_COLUMNS = f"organization_id, sequence, month, {_SHOWN}"


def upgrade() -> None:
    _make_anchors()
    for signature, caller, body in _OF_THE_OWNER:
        op.execute(body)
        _let_only(caller, signature)
    op.execute("ALTER TABLE proffer.audit_entries RENAME TO audit_entries_before")
    op.execute("ALTER TABLE proffer.audit_entries_before NO FORCE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE proffer.audit_heads NO FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE TABLE proffer.audit_entries ({_COLUMNS}, month date NOT NULL) PARTITION BY RANGE (month)")
    op.execute("CREATE TABLE proffer.audit_entries_default PARTITION OF proffer.audit_entries DEFAULT")
    op.execute("SELECT proffer.close_audit_partition('audit_entries_default')")
    _move_entries()
    op.execute("ALTER TABLE proffer.audit_heads FORCE ROW LEVEL SECURITY")
    _refuse_a_loss("audit_entries_before")
    op.execute("DROP TABLE proffer.audit_entries_before")
    op.execute("ALTER TABLE proffer.audit_entries ADD PRIMARY KEY (organization_id, sequence, month)")
    op.execute(
        "ALTER TABLE proffer.audit_entries "
        "ADD CONSTRAINT audit_entries_previous_key UNIQUE (organization_id, previous_hash, month)"
    )
    for statement in _INDEXES:
        op.execute(statement)
    tenant_table("audit_entries", "SELECT")
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON proffer.audit_entries "
        "FOR EACH STATEMENT EXECUTE FUNCTION proffer.guard_entries()"
    )
    op.execute(
        "CREATE TRIGGER only_behind_an_anchor BEFORE DELETE ON proffer.audit_entries "
        "FOR EACH ROW EXECUTE FUNCTION proffer.guard_removal()"
    )
    for trigger in ("append_only", "only_behind_an_anchor"):
        op.execute(f"ALTER TABLE proffer.audit_entries ENABLE ALWAYS TRIGGER {trigger}")
    op.execute(f"REVOKE UPDATE ON proffer.audit_heads FROM {APP}")
    _open_the_door()
    op.execute("SELECT proffer.keep_audit_partitions()")


def _make_anchors() -> None:
    op.execute(
        """
        CREATE TABLE proffer.audit_anchors (
            organization_id uuid NOT NULL REFERENCES proffer.organizations,
            sequence bigint NOT NULL CHECK (sequence > 0),
            hash text NOT NULL,
            entries bigint NOT NULL CHECK (entries > 0),
            before date NOT NULL,
            retained_at timestamptz NOT NULL,
            key_id text NOT NULL,
            signature text NOT NULL,
            PRIMARY KEY (organization_id, sequence)
        )
        """
    )
    tenant_table("audit_anchors", "SELECT")
    op.execute(f"GRANT INSERT ON proffer.audit_anchors TO {OPERATOR}")
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON proffer.audit_anchors "
        "FOR EACH STATEMENT EXECUTE FUNCTION proffer.refuse_change()"
    )
    op.execute("ALTER TABLE proffer.audit_anchors ENABLE ALWAYS TRIGGER append_only")
    op.execute("ALTER TABLE proffer.audit_heads ADD COLUMN month date NOT NULL DEFAULT '0001-01-01'")


def _move_entries() -> None:
    """Each into its month, as ``append_audit`` does it."""
    op.execute(
        f"""
        CREATE TABLE proffer.audit_entries_months AS
        SELECT organization_id, sequence, max(least(date_trunc('month', at AT TIME ZONE 'UTC')::date, {_LATEST}))
            OVER (PARTITION BY organization_id ORDER BY sequence) AS month
        FROM proffer.audit_entries_before
        """
    )
    op.execute(
        "SELECT proffer.make_audit_partition(month) FROM (SELECT DISTINCT month FROM proffer.audit_entries_months) m"
    )
    op.execute(
        f"""
        INSERT INTO proffer.audit_entries (organization_id, sequence, month, {_SHOWN})
        SELECT e.organization_id, e.sequence, m.month, {", ".join(f"e.{name.strip()}" for name in _SHOWN.split(","))}
        FROM proffer.audit_entries_before e JOIN proffer.audit_entries_months m USING (organization_id, sequence)
        """
    )
    op.execute(
        """
        UPDATE proffer.audit_heads h SET month = m.month
        FROM (SELECT organization_id, max(month) AS month FROM proffer.audit_entries_months GROUP BY 1) m
        WHERE m.organization_id = h.organization_id
        """
    )
    op.execute("DROP TABLE proffer.audit_entries_months")


def _refuse_a_loss(old: str) -> None:
    """Every entry of *old* must be in ``audit_entries`` as it was: rows of each organisation, and what is in them."""
    rows = "SELECT organization_id, count(*), sum(hashtextextended(ROW(sequence, {0})::text, 0)) FROM proffer.{1} GROUP BY 1"
    before, after = rows.format(_SHOWN, old), rows.format(_SHOWN, "audit_entries")
    op.execute(
        f"""
        DO $$
        BEGIN
            IF EXISTS (({before}) EXCEPT ({after})) OR EXISTS (({after}) EXCEPT ({before})) THEN
                RAISE EXCEPTION 'audit entries are missing or changed after they were moved';
            END IF;
        END
        $$
        """
    )


def _open_the_door() -> None:
    op.execute(f"GRANT CREATE ON SCHEMA {SCHEMA} TO {DOOR}")
    for signature, caller, body in _OF_THE_DOOR:
        op.execute(body)
        _let_only(caller, signature)
        op.execute(f"ALTER FUNCTION {SCHEMA}.{signature} OWNER TO {DOOR}")
    op.execute(f"REVOKE CREATE ON SCHEMA {SCHEMA} FROM {DOOR}")
    for table in ("audit_entries", "audit_heads", "audit_anchors"):
        op.execute(
            f"CREATE POLICY door ON proffer.{table} FOR ALL TO {DOOR} "
            f"USING (organization_id = {TENANT}) WITH CHECK (organization_id = {TENANT})"
        )
    op.execute(f"GRANT INSERT ({_DOOR_COLUMNS}) ON proffer.audit_entries TO {DOOR}")
    op.execute(f"GRANT SELECT (organization_id, sequence), DELETE ON proffer.audit_entries TO {DOOR}")
    op.execute(f"GRANT SELECT (organization_id, sequence, hash, month) ON proffer.audit_heads TO {DOOR}")
    op.execute(f"GRANT UPDATE (sequence, hash, month) ON proffer.audit_heads TO {DOOR}")
    op.execute(f"GRANT SELECT (organization_id, sequence) ON proffer.audit_anchors TO {DOOR}")


def _let_only(caller: str | None, signature: str) -> None:
    op.execute(f"REVOKE ALL ON FUNCTION {SCHEMA}.{signature} FROM PUBLIC")
    if caller is not None:
        op.execute(f"GRANT EXECUTE ON FUNCTION {SCHEMA}.{signature} TO {caller}")


def downgrade() -> None:
    """There is no way back once entries were removed: without their anchors no chain would verify."""
    for table in ("audit_anchors", "audit_entries"):
        op.execute(f"ALTER TABLE proffer.{table} NO FORCE ROW LEVEL SECURITY")
    op.execute(
        """
        DO $$
        BEGIN
            IF EXISTS (
                SELECT 1 FROM proffer.audit_anchors a WHERE NOT EXISTS (
                    SELECT 1 FROM proffer.audit_entries e WHERE e.organization_id = a.organization_id AND e.sequence = 1
                )
            ) THEN
                RAISE EXCEPTION 'retention has removed audit entries; their anchors are needed';
            END IF;
        END
        $$
        """
    )
    for signature, _, _ in _OF_THE_DOOR:
        op.execute(f"DROP FUNCTION {SCHEMA}.{signature}")
    op.execute("ALTER TABLE proffer.audit_entries RENAME TO audit_entries_months")
    op.execute(f"CREATE TABLE proffer.audit_entries ({_COLUMNS.replace(_TRACE, _TRACE_BEFORE)})")
    op.execute(
        f"INSERT INTO proffer.audit_entries (organization_id, sequence, {_SHOWN}) "
        f"SELECT organization_id, sequence, {_SHOWN} FROM proffer.audit_entries_months"
    )
    _refuse_a_loss("audit_entries_months")
    op.execute("DROP TABLE proffer.audit_entries_months")
    op.execute("ALTER TABLE proffer.audit_entries ADD PRIMARY KEY (organization_id, sequence)")
    op.execute(
        "ALTER TABLE proffer.audit_entries ADD CONSTRAINT audit_entries_previous_key UNIQUE (organization_id, previous_hash)"
    )
    for statement in _INDEXES:
        op.execute(statement)
    tenant_table("audit_entries", "SELECT, INSERT")
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON proffer.audit_entries "
        "FOR EACH STATEMENT EXECUTE FUNCTION proffer.refuse_change()"
    )
    op.execute("ALTER TABLE proffer.audit_entries ENABLE ALWAYS TRIGGER append_only")
    op.execute("DROP TABLE proffer.audit_anchors")
    for signature, _, _ in reversed(_OF_THE_OWNER):
        op.execute(f"DROP FUNCTION {SCHEMA}.{signature}")
    op.execute("DROP POLICY door ON proffer.audit_heads")
    op.execute(f"REVOKE SELECT (organization_id, sequence, hash, month) ON proffer.audit_heads FROM {DOOR}")
    op.execute(f"REVOKE UPDATE (sequence, hash, month) ON proffer.audit_heads FROM {DOOR}")
    op.execute("ALTER TABLE proffer.audit_heads DROP COLUMN month")
    op.execute(f"GRANT UPDATE ON proffer.audit_heads TO {APP}")
