"""Let the revision of a new quote be stored before the quote: then nobody waits for it who waits for a number."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_CONSTRAINT = "ALTER TABLE proffer.quote_revisions ALTER CONSTRAINT quote_revisions_quote_fkey"


def upgrade() -> None:
    op.execute(f"{_CONSTRAINT} DEFERRABLE INITIALLY DEFERRED")


def downgrade() -> None:
    op.execute(f"{_CONSTRAINT} NOT DEFERRABLE")
