"""Count the customers of a page from the index alone: it says which are deleted."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_NEWEST = "CREATE INDEX customers_newest ON proffer.customers (organization_id, created_at DESC, id DESC)"


def upgrade() -> None:
    op.execute("DROP INDEX proffer.customers_newest")
    op.execute(f"{_NEWEST} INCLUDE (deleted_at)")


def downgrade() -> None:
    op.execute("DROP INDEX proffer.customers_newest")
    op.execute(_NEWEST)
