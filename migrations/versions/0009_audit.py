"""Signed heads of the audit chain, and entries by trace and by kind of actor."""

from alembic import op

from migrations.policies import SCHEMA, tenant_table

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_TRACE = """substring(text, '.*,"trace_id":"([0-9a-f]*)","user_agent":"')"""


def upgrade() -> None:
    op.execute(f"ALTER TABLE {SCHEMA}.audit_entries ADD COLUMN trace_id text GENERATED ALWAYS AS ({_TRACE}) STORED")
    op.execute("CREATE INDEX audit_entries_trace ON proffer.audit_entries (organization_id, trace_id, sequence DESC)")
    op.execute("CREATE INDEX audit_entries_kind ON proffer.audit_entries (organization_id, actor_kind, sequence DESC)")
    op.execute(
        """
        CREATE TABLE proffer.audit_signed_heads (
            organization_id uuid NOT NULL REFERENCES proffer.organizations,
            sequence bigint NOT NULL CHECK (sequence >= 0),
            hash text NOT NULL,
            signed_at timestamptz NOT NULL,
            key_id text NOT NULL,
            signature text NOT NULL,
            PRIMARY KEY (organization_id, sequence, signed_at)
        )
        """
    )
    tenant_table("audit_signed_heads", "SELECT, INSERT")
    op.execute(
        f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {SCHEMA}.audit_signed_heads "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {SCHEMA}.refuse_change()"
    )
    op.execute(f"ALTER TABLE {SCHEMA}.audit_signed_heads ENABLE ALWAYS TRIGGER append_only")


def downgrade() -> None:
    op.execute(f"DROP TABLE {SCHEMA}.audit_signed_heads")
    op.execute("DROP INDEX proffer.audit_entries_kind")
    op.execute(f"ALTER TABLE {SCHEMA}.audit_entries DROP COLUMN trace_id")
