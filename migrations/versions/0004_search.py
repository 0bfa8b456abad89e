"""Search products by text: trigrams, and two narrow functions, because under row security LIKE may use no index."""

from alembic import op

from migrations.policies import APP, DOOR, SCHEMA, door_policy

# ruff: noqa: S608 — names of our own schema, no input; the database quotes the values.
revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TENANT = "nullif(pg_catalog.current_setting('app.tenant_id', true), '')::uuid"
# %L quotes each value as a literal. Values, not parameters, because only then does the plan fit them.
_MINE = f"""
    format('FROM {SCHEMA}.products WHERE organization_id = %L', {_TENANT})
    || CASE WHEN only_archived IS NULL THEN '' ELSE format(' AND archived = %L', only_archived) END
    || CASE WHEN in_categories IS NULL THEN '' ELSE format(' AND category_id = ANY (%L)', in_categories) END
"""
_NEWEST = f"""
    {_MINE}
    || CASE WHEN before_at IS NULL THEN ''
            ELSE format(' AND (created_at, id) < (%L::timestamptz, %L::uuid)', before_at, before_id) END
"""

_FUNCTIONS = {
    # Under row security the planner may not look into its statistics of *searched*. So whoever has counted the matches
    # says whether they are *widespread*: then the newest products are walked until enough are found; OFFSET 0 keeps the
    # needle out of that walk. Otherwise the trigrams are asked.
    "find_products(pattern text, only_archived boolean, in_categories uuid[], before_at timestamptz, before_id uuid, "
    "wanted integer, skipped integer, widespread boolean)": (
        "SETOF uuid",
        f"""
        BEGIN
            IF widespread THEN
                RETURN QUERY EXECUTE 'SELECT id FROM (SELECT id, searched ' || {_NEWEST}
                    || format(
                        ' ORDER BY created_at DESC, id DESC OFFSET 0) newest WHERE searched LIKE %L LIMIT %L::integer '
                        'OFFSET %L::integer', pattern, wanted, skipped
                    );
            ELSE
                RETURN QUERY EXECUTE 'SELECT id ' || {_NEWEST}
                    || format(
                        ' AND searched LIKE %L ORDER BY created_at DESC, id DESC LIMIT %L::integer OFFSET %L::integer',
                        pattern, wanted, skipped
                    );
            END IF;
        END
        """,
    ),
    "count_products(pattern text, only_archived boolean, in_categories uuid[])": (
        "bigint",
        f"""
        DECLARE found bigint;
        BEGIN
            EXECUTE 'SELECT count(*) ' || {_MINE} || format(' AND searched LIKE %L', pattern) INTO found;
            RETURN found;
        END
        """,
    ),
}
_SIGNATURES = (
    "find_products(text, boolean, uuid[], timestamptz, uuid, integer, integer, boolean)",
    "count_products(text, boolean, uuid[])",
)


def upgrade() -> None:
    # In a schema that nobody else may look into; the owner of a database may create these two (they are trusted).
    op.execute("CREATE SCHEMA extensions")
    for extension in ("pg_trgm", "btree_gin"):
        op.execute(f"CREATE EXTENSION {extension} SCHEMA extensions")
    op.execute(
        f"CREATE INDEX products_searched ON {SCHEMA}.products "
        "USING gin (organization_id extensions.uuid_ops, searched extensions.gin_trgm_ops)"
    )
    op.execute(f"GRANT CREATE, USAGE ON SCHEMA {SCHEMA} TO {DOOR}")
    for (declaration, (returns, body)), signature in zip(_FUNCTIONS.items(), _SIGNATURES, strict=True):
        op.execute(
            f"CREATE FUNCTION {SCHEMA}.{declaration} RETURNS {returns} LANGUAGE plpgsql STABLE SECURITY DEFINER "
            f"SET search_path = pg_catalog, pg_temp AS $body$ {body} $body$"
        )
        op.execute(f"REVOKE ALL ON FUNCTION {SCHEMA}.{signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {SCHEMA}.{signature} TO {APP}")
        op.execute(f"ALTER FUNCTION {SCHEMA}.{signature} OWNER TO {DOOR}")
    op.execute(f"REVOKE CREATE ON SCHEMA {SCHEMA} FROM {DOOR}")
    door_policy("products", "SELECT", "organization_id, id, searched, archived, category_id, created_at")


def downgrade() -> None:
    op.execute(f"DROP POLICY door_select ON {SCHEMA}.products")
    op.execute(f"REVOKE ALL ON {SCHEMA}.products FROM {DOOR}")
    for signature in _SIGNATURES:
        op.execute(f"DROP FUNCTION {SCHEMA}.{signature}")
    op.execute(f"DROP INDEX {SCHEMA}.products_searched")
    op.execute("DROP SCHEMA extensions CASCADE")
