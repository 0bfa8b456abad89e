"""Custom fields, and their values beside customers, products and quotes."""

from alembic import op

from migrations.policies import SCHEMA, tenant_table

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_WITH_VALUES = ("customers", "products", "quotes")


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE proffer.custom_fields (
            organization_id uuid NOT NULL REFERENCES proffer.organizations,
            id uuid NOT NULL,
            subject text NOT NULL CHECK (subject IN ('customer', 'product', 'quote')),
            key text NOT NULL,
            label text NOT NULL,
            kind text NOT NULL CHECK (kind IN ('text', 'number', 'date', 'choice')),
            required boolean NOT NULL,
            "order" integer NOT NULL,
            options text NOT NULL,
            active boolean NOT NULL,
            created_at timestamptz NOT NULL,
            version integer NOT NULL,
            PRIMARY KEY (organization_id, id),
            CONSTRAINT custom_fields_key_key UNIQUE (organization_id, subject, key)
        )
        """
    )
    tenant_table("custom_fields", "SELECT, INSERT, UPDATE")
    for table in _WITH_VALUES:
        op.execute(f"ALTER TABLE {SCHEMA}.{table} ADD COLUMN custom text NOT NULL DEFAULT '[]'")


def downgrade() -> None:
    for table in _WITH_VALUES:
        op.execute(f"ALTER TABLE {SCHEMA}.{table} DROP COLUMN custom")
    op.execute(f"DROP TABLE {SCHEMA}.custom_fields")
