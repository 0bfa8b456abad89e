"""Customers with a registration that is decided, payment terms and tags; contacts with days and a language; both deleted softly."""

from alembic import op

from migrations.policies import APP, SCHEMA

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_COLUMNS = (
    (
        "customers",
        "status",
        "text NOT NULL DEFAULT 'approved' CHECK (status IN ('pending', 'approved', 'rejected', 'suspended'))",
    ),
    ("customers", "status_reason", "text NOT NULL DEFAULT ''"),
    ("customers", "registered_by", "uuid"),
    ("customers", "reference", "text"),
    ("customers", "addresses", "text NOT NULL DEFAULT '[]'"),
    ("customers", "payment_days", "integer CHECK (payment_days BETWEEN 0 AND 365)"),
    ("customers", "payment_terms", "text NOT NULL DEFAULT ''"),
    ("customers", "credit_limit", "numeric CHECK (credit_limit BETWEEN 0 AND 1000000000000000)"),
    ("customers", "tags", "text NOT NULL DEFAULT '[]'"),
    ("customers", "notes", "text NOT NULL DEFAULT ''"),
    ("customers", "deleted_at", "timestamptz"),
    ("customers", "merged_into_id", "uuid"),
    ("contacts", "language", "text NOT NULL DEFAULT ''"),
    ("contacts", "birthday", "date"),
    ("contacts", "key_dates", "text NOT NULL DEFAULT '[]'"),
    ("contacts", "tags", "text NOT NULL DEFAULT '[]'"),
    ("contacts", "deleted_at", "timestamptz"),
    ("contacts", "merged_into_id", "uuid"),
    ("contacts", "erased_at", "timestamptz"),
)
_REFERENCES = (
    ("customers", "customers_registrant_fkey", "registered_by", "users"),
    ("customers", "customers_merged_fkey", "merged_into_id", "customers"),
    ("contacts", "contacts_merged_fkey", "merged_into_id", "contacts"),
)
_INDEXES = (
    "CREATE UNIQUE INDEX customers_reference_key ON proffer.customers (organization_id, reference)",
    "CREATE INDEX customers_registrant ON proffer.customers (organization_id, registered_by)",
    "CREATE INDEX customers_merged ON proffer.customers (organization_id, merged_into_id)",
    "CREATE INDEX customers_status ON proffer.customers (organization_id, status, created_at DESC, id DESC)",
    "CREATE INDEX contacts_merged ON proffer.contacts (organization_id, merged_into_id)",
)


def upgrade() -> None:
    for table, name, definition in _COLUMNS:
        op.execute(f"ALTER TABLE {SCHEMA}.{table} ADD COLUMN {name} {definition}")
    op.execute("ALTER TABLE proffer.customers ALTER COLUMN status DROP DEFAULT")  # What was there before is approved.
    for table, name, column, target in _REFERENCES:
        op.execute(
            f"ALTER TABLE {SCHEMA}.{table} ADD CONSTRAINT {name} FOREIGN KEY (organization_id, {column}) "
            f"REFERENCES {SCHEMA}.{target}"
        )
    for statement in _INDEXES:
        op.execute(statement)
    _kinds("'products', 'prices', 'exchange-rates', 'customers', 'contacts'")
    op.execute(f"GRANT UPDATE (customer_id) ON proffer.coupon_redemptions TO {APP}")  # Merged customers' go along.


def _kinds(kinds: str) -> None:
    op.execute("ALTER TABLE proffer.imports DROP CONSTRAINT imports_kind_check")
    op.execute(f"ALTER TABLE proffer.imports ADD CONSTRAINT imports_kind_check CHECK (kind IN ({kinds}))")


def downgrade() -> None:
    _kinds("'products', 'prices', 'exchange-rates'")
    op.execute(f"REVOKE UPDATE (customer_id) ON proffer.coupon_redemptions FROM {APP}")
    for table, name, _, _ in _REFERENCES:
        op.execute(f"ALTER TABLE {SCHEMA}.{table} DROP CONSTRAINT {name}")
    for table, name, _ in reversed(_COLUMNS):
        op.execute(f"ALTER TABLE {SCHEMA}.{table} DROP COLUMN {name}")
