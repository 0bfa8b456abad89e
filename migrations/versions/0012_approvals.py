"""Approvals of any kind of subject, with delegations, comments, kept facts and simulations; working hours."""

from alembic import op

from migrations.policies import APP, SCHEMA, tenant_table

# ruff: noqa: S608 — names of our own schema, no input.
revision = "0012"
down_revision = "0010"
branch_labels = None
depends_on = None

_SUBJECT = """
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    subject text NOT NULL,
    resource_type text NOT NULL,
    subject_id uuid NOT NULL,
    title text NOT NULL,
    revision integer NOT NULL,
"""
_TABLES = {
    "approval_comments": """
        organization_id uuid NOT NULL,
        id uuid NOT NULL,
        request_id uuid NOT NULL,
        user_id uuid NOT NULL,
        text text NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, id),
        CONSTRAINT approval_comments_request_fkey FOREIGN KEY (organization_id, request_id)
            REFERENCES proffer.approval_requests,
        CONSTRAINT approval_comments_user_fkey FOREIGN KEY (organization_id, user_id) REFERENCES proffer.users
    """,
    "approval_facts": f"""
        {_SUBJECT}
        facts text NOT NULL,
        submitted_by uuid NOT NULL,
        last_edited_by uuid NOT NULL,
        at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, id),
        CONSTRAINT approval_facts_organization_fkey FOREIGN KEY (organization_id) REFERENCES proffer.organizations
    """,
    "approval_simulations": """
        organization_id uuid NOT NULL REFERENCES proffer.organizations,
        id uuid NOT NULL,
        draft text NOT NULL,
        since timestamptz NOT NULL,
        before timestamptz NOT NULL,
        created_at timestamptz NOT NULL,
        created_by uuid NOT NULL,
        records integer NOT NULL,
        result text,
        version integer NOT NULL,
        PRIMARY KEY (organization_id, id),
        CONSTRAINT approval_simulations_user_fkey FOREIGN KEY (organization_id, created_by) REFERENCES proffer.users
    """,
    "delegations": """
        organization_id uuid NOT NULL REFERENCES proffer.organizations,
        id uuid NOT NULL,
        from_user_id uuid NOT NULL,
        to_user_id uuid NOT NULL,
        starts_on date NOT NULL,
        ends_on date NOT NULL,
        reason text NOT NULL,
        created_at timestamptz NOT NULL,
        ended_at timestamptz,
        version integer NOT NULL,
        PRIMARY KEY (organization_id, id),
        CONSTRAINT delegations_from_fkey FOREIGN KEY (organization_id, from_user_id) REFERENCES proffer.users,
        CONSTRAINT delegations_to_fkey FOREIGN KEY (organization_id, to_user_id) REFERENCES proffer.users,
        CONSTRAINT delegations_days_check CHECK (starts_on <= ends_on AND from_user_id <> to_user_id)
    """,
}
_RIGHTS = {
    "approval_comments": "SELECT, INSERT",
    "approval_facts": "SELECT, INSERT",
    "approval_simulations": "SELECT, INSERT, UPDATE",
    "delegations": "SELECT, INSERT, UPDATE",
}
_INDEXES = (
    "CREATE INDEX approval_requests_subject ON proffer.approval_requests (organization_id, subject, subject_id, created_at)",
    "CREATE INDEX approval_requests_revision ON proffer.approval_requests (organization_id, quote_id, revision)",
    "CREATE INDEX approval_requests_customer ON proffer.approval_requests (organization_id, customer_id)",
    "CREATE INDEX approval_policies_owner ON proffer.approval_policies (organization_id, owner_id)",
    "CREATE INDEX approval_comments_request ON proffer.approval_comments (organization_id, request_id, created_at, id)",
    "CREATE INDEX approval_comments_user ON proffer.approval_comments (organization_id, user_id)",
    "CREATE INDEX approval_facts_at ON proffer.approval_facts (organization_id, subject, at, id)",
    "CREATE INDEX approval_simulations_user ON proffer.approval_simulations (organization_id, created_by)",
    "CREATE INDEX delegations_from ON proffer.delegations (organization_id, from_user_id)",
    "CREATE INDEX delegations_to ON proffer.delegations (organization_id, to_user_id)",
)
_NUMBERS = "('total', 'discount_percent', 'greatest_line_discount_percent', 'line_count')"


def upgrade() -> None:
    _policies()
    _requests()
    for name, columns in _TABLES.items():
        op.execute(f"CREATE TABLE {SCHEMA}.{name} ({columns})")
        tenant_table(name, _RIGHTS[name])
    for index in _INDEXES:
        op.execute(index)
    op.execute(
        "ALTER TABLE proffer.customers ADD COLUMN last_edited_by uuid, ADD CONSTRAINT customers_editor_fkey "
        "FOREIGN KEY (organization_id, last_edited_by) REFERENCES proffer.users"
    )
    op.execute("CREATE INDEX customers_editor ON proffer.customers (organization_id, last_edited_by)")
    op.execute("ALTER TABLE proffer.organizations ADD COLUMN working_calendar text NOT NULL DEFAULT '{}'")
    op.execute(f"GRANT UPDATE (working_calendar) ON proffer.organizations TO {APP}")


def _policies() -> None:
    table = f"{SCHEMA}.approval_policies"
    op.execute(
        f"ALTER TABLE {table} ADD COLUMN subject text NOT NULL DEFAULT 'quote', "
        "ADD COLUMN ladder text NOT NULL DEFAULT '', ADD COLUMN max_age_days integer CHECK (max_age_days > 0), "
        "ADD COLUMN owner_id uuid, ADD CONSTRAINT approval_policies_owner_fkey "
        f"FOREIGN KEY (organization_id, owner_id) REFERENCES {SCHEMA}.users"
    )
    op.execute(f"ALTER TABLE {table} ALTER COLUMN subject DROP DEFAULT, ALTER COLUMN ladder DROP DEFAULT")
    _beyond_the_tenant(
        "approval_policies",
        # Numbers were texts, told apart by the name of the fact.
        f"""
        UPDATE {table} SET conditions = (
            SELECT coalesce(jsonb_agg(
                CASE WHEN one ->> 'fact' IN {_NUMBERS} THEN one || jsonb_build_object('values', (
                    SELECT jsonb_agg(value::numeric) FROM jsonb_array_elements_text(one -> 'values') AS value
                )) ELSE one END ORDER BY place
            ), '[]')::text
            FROM jsonb_array_elements(conditions::jsonb) WITH ORDINALITY AS known(one, place)
        )
        """,
    )


def _requests() -> None:
    table = f"{SCHEMA}.approval_requests"
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT approval_requests_revision_fkey")
    op.execute("DROP INDEX proffer.approval_requests_quote")
    op.execute(f"ALTER TABLE {table} RENAME COLUMN quote_id TO subject_id")
    op.execute(
        f"ALTER TABLE {table} ADD COLUMN subject text NOT NULL DEFAULT 'quote', "
        "ADD COLUMN resource_type text NOT NULL DEFAULT 'quote', ADD COLUMN title text NOT NULL DEFAULT ''"
    )
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT approval_requests_status_check")
    op.execute(
        f"ALTER TABLE {table} ADD CONSTRAINT approval_requests_status_check "
        "CHECK (status IN ('open', 'blocked', 'approved', 'rejected', 'withdrawn'))"
    )
    _beyond_the_tenant(
        "approval_requests",
        f"""
        UPDATE {table} AS request SET
            title = (
                SELECT number FROM {SCHEMA}.quotes AS quote
                WHERE quote.organization_id = request.organization_id AND quote.id = request.subject_id
            ),
            facts = (
                SELECT coalesce(jsonb_object_agg(
                    key, CASE WHEN key IN {_NUMBERS} THEN to_jsonb(value::numeric) ELSE to_jsonb(value) END
                ), '{{}}')::text
                FROM jsonb_each_text(facts::jsonb)
            ),
            steps = (
                SELECT coalesce(jsonb_agg(
                    one - 'name' - 'roles' - 'users' - 'needed' || jsonb_build_object('rule', jsonb_build_object(
                        'name', one -> 'name', 'roles', one -> 'roles', 'users', one -> 'users',
                        'quorum', 'count', 'count', one -> 'needed'
                    )) ORDER BY place
                ), '[]')::text
                FROM jsonb_array_elements(steps::jsonb) WITH ORDINALITY AS known(one, place)
            )
        """,
    )
    op.execute(
        f"ALTER TABLE {table} ALTER COLUMN subject DROP DEFAULT, ALTER COLUMN resource_type DROP DEFAULT, "
        "ALTER COLUMN title DROP DEFAULT"
    )
    # What the subject is, where it is a row of ours: the database sees to it that it is there, in the same organisation.
    op.execute(
        f"ALTER TABLE {table} "
        "ADD COLUMN quote_id uuid GENERATED ALWAYS AS (CASE WHEN resource_type = 'quote' THEN subject_id END) STORED, "
        "ADD COLUMN customer_id uuid "
        "GENERATED ALWAYS AS (CASE WHEN resource_type = 'customer' THEN subject_id END) STORED"
    )
    _beyond_the_tenant(
        "approval_requests",
        f"ALTER TABLE {table} ADD CONSTRAINT approval_requests_revision_fkey "
        f"FOREIGN KEY (organization_id, quote_id, revision) REFERENCES {SCHEMA}.quote_revisions",
        f"ALTER TABLE {table} ADD CONSTRAINT approval_requests_customer_fkey "
        f"FOREIGN KEY (organization_id, customer_id) REFERENCES {SCHEMA}.customers",
    )


def _beyond_the_tenant(table: str, *statements: str) -> None:
    """Under forced row-level security even the owner sees no row, and says nothing."""
    tables = sorted({table, "approval_requests", "quotes", "quote_revisions", "customers"})
    for name in tables:
        op.execute(f"ALTER TABLE {SCHEMA}.{name} NO FORCE ROW LEVEL SECURITY")
    for statement in statements:
        op.execute(statement)
    for name in tables:
        op.execute(f"ALTER TABLE {SCHEMA}.{name} FORCE ROW LEVEL SECURITY")


def _check_reversible() -> None:
    """The schema before knows neither such conditions nor who is needed where all are: nothing may get laxer unseen."""
    known = ", ".join(
        f"'{name}'"
        for name in ("total", "discount_percent", "greatest_line_discount_percent", "line_count", "currency")
    )
    _beyond_the_tenant(
        "approval_policies",
        f"""
        DO $$ BEGIN
            IF EXISTS (
                SELECT 1 FROM {SCHEMA}.approval_policies, jsonb_array_elements(conditions::jsonb) AS one
                WHERE subject = 'quote' AND (
                    one ->> 'fact' NOT IN ({known}) OR one ->> 'operator' IN ('!=', 'not in', 'contains')
                )
            ) OR EXISTS (
                SELECT 1 FROM {SCHEMA}.approval_requests, jsonb_array_elements(steps::jsonb) AS one
                WHERE status IN ('open', 'blocked') AND one -> 'rule' ->> 'quorum' = 'all'
            ) THEN
                RAISE EXCEPTION 'Policies or open approvals need what the schema before does not know; end them first.';
            END IF;
        END $$
        """,
    )


def downgrade() -> None:
    table = f"{SCHEMA}.approval_requests"
    _check_reversible()
    op.execute("ALTER TABLE proffer.organizations DROP COLUMN working_calendar")
    op.execute("ALTER TABLE proffer.customers DROP COLUMN last_edited_by")
    for name in reversed(tuple(_TABLES)):
        op.execute(f"DROP TABLE {SCHEMA}.{name}")
    for constraint in ("approval_requests_revision_fkey", "approval_requests_customer_fkey"):
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}")
    op.execute(f"ALTER TABLE {table} DROP COLUMN quote_id, DROP COLUMN customer_id")
    _beyond_the_tenant(
        "approval_requests",
        f"DELETE FROM {table} WHERE subject <> 'quote'",
        f"""
        UPDATE {table} SET
            status = CASE status WHEN 'blocked' THEN 'open' ELSE status END,
            facts = (
                SELECT coalesce(jsonb_object_agg(key, value), '{{}}')::text FROM jsonb_each_text(facts::jsonb)
                WHERE key IN {_NUMBERS} OR key = 'currency'
            ),
            steps = (
                SELECT coalesce(jsonb_agg(
                    one - 'rule' || jsonb_build_object(
                        'name', one -> 'rule' -> 'name', 'roles', one -> 'rule' -> 'roles',
                        'users', one -> 'rule' -> 'users', 'needed', one -> 'rule' -> 'count'
                    ) ORDER BY place
                ), '[]')::text
                FROM jsonb_array_elements(steps::jsonb) WITH ORDINALITY AS known(one, place)
            )
        """,
    )
    op.execute(f"ALTER TABLE {table} DROP COLUMN subject, DROP COLUMN resource_type, DROP COLUMN title")
    op.execute(f"ALTER TABLE {table} RENAME COLUMN subject_id TO quote_id")
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT approval_requests_status_check")
    op.execute(
        f"ALTER TABLE {table} ADD CONSTRAINT approval_requests_status_check "
        "CHECK (status IN ('open', 'approved', 'rejected', 'withdrawn'))"
    )
    op.execute(
        "CREATE INDEX approval_requests_quote ON proffer.approval_requests (organization_id, quote_id, created_at, id)"
    )
    _beyond_the_tenant(
        "approval_requests",
        f"ALTER TABLE {table} ADD CONSTRAINT approval_requests_revision_fkey "
        f"FOREIGN KEY (organization_id, quote_id, revision) REFERENCES {SCHEMA}.quote_revisions",
    )
    policies = f"{SCHEMA}.approval_policies"
    _beyond_the_tenant(
        "approval_policies",
        f"DELETE FROM {policies} WHERE subject <> 'quote'",
        f"""
        UPDATE {policies} SET conditions = (
            SELECT coalesce(jsonb_agg(one || jsonb_build_object('values', (
                SELECT jsonb_agg(value) FROM jsonb_array_elements_text(one -> 'values') AS value
            )) ORDER BY place), '[]')::text
            FROM jsonb_array_elements(conditions::jsonb) WITH ORDINALITY AS known(one, place)
        )
        """,
    )
    op.execute(
        f"ALTER TABLE {policies} DROP COLUMN subject, DROP COLUMN ladder, DROP COLUMN max_age_days, DROP COLUMN owner_id"
    )
