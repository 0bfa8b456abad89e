"""Files of quotes, customers and approval requests, and the room that they take."""

from alembic import op

from migrations.policies import SCHEMA, tenant_table

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_OF = "uuid GENERATED ALWAYS AS (CASE WHEN subject_kind = '{kind}' THEN subject_id END) STORED"
_TABLES = {
    "attachments": f"""
        organization_id uuid NOT NULL REFERENCES proffer.organizations,
        id uuid NOT NULL,
        subject_kind text NOT NULL CHECK (subject_kind IN ('quote', 'customer', 'approval_request')),
        subject_id uuid NOT NULL,
        file_name text NOT NULL,
        content_type text NOT NULL,
        uploaded_by uuid NOT NULL,
        created_at timestamptz NOT NULL,
        changed_at timestamptz NOT NULL,
        status text NOT NULL CHECK (status IN ('uploading', 'stored', 'deleted')),
        size bigint NOT NULL CHECK (size >= 0),
        sha256 text NOT NULL,
        version integer NOT NULL,
        quote_id {_OF.format(kind="quote")},
        customer_id {_OF.format(kind="customer")},
        request_id {_OF.format(kind="approval_request")},
        PRIMARY KEY (organization_id, id),
        CONSTRAINT attachments_quote_fkey FOREIGN KEY (organization_id, quote_id) REFERENCES proffer.quotes,
        CONSTRAINT attachments_customer_fkey FOREIGN KEY (organization_id, customer_id) REFERENCES proffer.customers,
        CONSTRAINT attachments_request_fkey FOREIGN KEY (organization_id, request_id)
            REFERENCES proffer.approval_requests,
        CONSTRAINT attachments_user_fkey FOREIGN KEY (organization_id, uploaded_by) REFERENCES proffer.users,
        CONSTRAINT attachments_whole_check CHECK (status <> 'stored' OR (size > 0 AND length(sha256) = 64))
    """,
    # One row for each organisation, locked by whoever adds a file: nobody passes the quota together with another.
    "attachment_use": """
        organization_id uuid NOT NULL REFERENCES proffer.organizations,
        size bigint NOT NULL CHECK (size >= 0),
        count integer NOT NULL CHECK (count >= 0),
        PRIMARY KEY (organization_id)
    """,
}
_RIGHTS = {"attachments": "SELECT, INSERT, UPDATE, DELETE", "attachment_use": "SELECT, INSERT, UPDATE"}
_STORED = "(organization_id, subject_kind, subject_id, created_at DESC, id DESC) WHERE status = 'stored'"
_INDEXES = (
    f"CREATE INDEX attachments_subject ON proffer.attachments {_STORED}",
    "CREATE INDEX attachments_unfinished ON proffer.attachments (organization_id, changed_at, id) WHERE status <> 'stored'",
    "CREATE INDEX attachments_quote ON proffer.attachments (organization_id, quote_id)",
    "CREATE INDEX attachments_customer ON proffer.attachments (organization_id, customer_id)",
    "CREATE INDEX attachments_request ON proffer.attachments (organization_id, request_id)",
    "CREATE INDEX attachments_user ON proffer.attachments (organization_id, uploaded_by)",
)


def upgrade() -> None:
    for name, columns in _TABLES.items():
        op.execute(f"CREATE TABLE {SCHEMA}.{name} ({columns})")
        tenant_table(name, _RIGHTS[name])
    for index in _INDEXES:
        op.execute(index)


def downgrade() -> None:
    """The files themselves stay in the storage, below ``<organisation>/attachments``."""
    for name in reversed(tuple(_TABLES)):
        op.execute(f"DROP TABLE {SCHEMA}.{name}")
