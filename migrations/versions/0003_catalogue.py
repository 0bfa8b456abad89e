"""Categories, dated tax rates, price lists, coupons, customer groups, exchange rates; where a line's price came from."""

from alembic import op

from migrations.policies import SCHEMA, tenant_table

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TABLES = {
    "categories": """
        organization_id uuid NOT NULL REFERENCES proffer.organizations,
        id uuid NOT NULL,
        name text NOT NULL,
        parent_id uuid,
        created_at timestamptz NOT NULL,
        version integer NOT NULL,
        PRIMARY KEY (organization_id, id),
        CONSTRAINT categories_name_key UNIQUE (organization_id, name),
        CONSTRAINT categories_parent_fkey FOREIGN KEY (organization_id, parent_id) REFERENCES proffer.categories
    """,
    "tax_rates": """
        organization_id uuid NOT NULL REFERENCES proffer.organizations,
        id uuid NOT NULL,
        code text NOT NULL,
        name text NOT NULL,
        category text NOT NULL,
        exemption_code text NOT NULL,
        surcharge_percent numeric CHECK (surcharge_percent BETWEEN 0 AND 1000),
        retained boolean NOT NULL,
        periods text NOT NULL,
        created_at timestamptz NOT NULL,
        version integer NOT NULL,
        PRIMARY KEY (organization_id, id),
        CONSTRAINT tax_rates_code_key UNIQUE (organization_id, code)
    """,
    "customer_groups": """
        organization_id uuid NOT NULL REFERENCES proffer.organizations,
        id uuid NOT NULL,
        name text NOT NULL,
        discount_percent numeric NOT NULL CHECK (discount_percent BETWEEN 0 AND 100),
        created_at timestamptz NOT NULL,
        version integer NOT NULL,
        PRIMARY KEY (organization_id, id),
        CONSTRAINT customer_groups_name_key UNIQUE (organization_id, name)
    """,
    "price_lists": """
        organization_id uuid NOT NULL REFERENCES proffer.organizations,
        id uuid NOT NULL,
        name text NOT NULL,
        currency text NOT NULL,
        scope text NOT NULL CHECK (scope IN ('customer', 'group', 'everyone')),
        scope_id uuid,
        valid_from date,
        valid_until date,
        priority integer NOT NULL,
        active boolean NOT NULL,
        tiers_from uuid,
        searched text NOT NULL DEFAULT '',
        created_at timestamptz NOT NULL,
        version integer NOT NULL,
        PRIMARY KEY (organization_id, id),
        CONSTRAINT price_lists_name_key UNIQUE (organization_id, name),
        CONSTRAINT price_lists_source_fkey FOREIGN KEY (organization_id, tiers_from) REFERENCES proffer.price_lists
    """,
    "prices": """
        organization_id uuid NOT NULL,
        id uuid NOT NULL,
        price_list_id uuid NOT NULL,
        product_id uuid,
        category_id uuid,
        unit text,
        tiers text NOT NULL,
        created_at timestamptz NOT NULL,
        version integer NOT NULL,
        PRIMARY KEY (organization_id, id),
        CONSTRAINT prices_target_key UNIQUE NULLS NOT DISTINCT (organization_id, price_list_id, product_id, category_id),
        CONSTRAINT prices_one_target CHECK (product_id IS NULL OR category_id IS NULL),
        CONSTRAINT prices_list_fkey FOREIGN KEY (organization_id, price_list_id) REFERENCES proffer.price_lists,
        CONSTRAINT prices_product_fkey FOREIGN KEY (organization_id, product_id) REFERENCES proffer.products,
        CONSTRAINT prices_category_fkey FOREIGN KEY (organization_id, category_id) REFERENCES proffer.categories
    """,
    "coupons": """
        organization_id uuid NOT NULL REFERENCES proffer.organizations,
        id uuid NOT NULL,
        code text NOT NULL,
        percent numeric CHECK (percent BETWEEN 0 AND 100),
        amount numeric CHECK (amount BETWEEN 0 AND 1000000000000000),
        currency text,
        minimum numeric CHECK (minimum BETWEEN 0 AND 1000000000000000),
        valid_from date,
        valid_until date,
        total_limit integer CHECK (total_limit > 0),
        customer_limit integer CHECK (customer_limit > 0),
        product_ids text NOT NULL,
        category_ids text NOT NULL,
        active boolean NOT NULL,
        searched text NOT NULL DEFAULT '',
        created_at timestamptz NOT NULL,
        version integer NOT NULL,
        PRIMARY KEY (organization_id, id),
        CONSTRAINT coupons_code_key UNIQUE (organization_id, code)
    """,
    "coupon_redemptions": """
        organization_id uuid NOT NULL,
        coupon_id uuid NOT NULL,
        quote_id uuid NOT NULL,
        customer_id uuid NOT NULL,
        at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, coupon_id, quote_id),
        CONSTRAINT coupon_redemptions_coupon_fkey FOREIGN KEY (organization_id, coupon_id) REFERENCES proffer.coupons,
        CONSTRAINT coupon_redemptions_quote_fkey FOREIGN KEY (organization_id, quote_id) REFERENCES proffer.quotes,
        CONSTRAINT coupon_redemptions_customer_fkey FOREIGN KEY (organization_id, customer_id)
            REFERENCES proffer.customers
    """,
    "exchange_rates": """
        organization_id uuid NOT NULL REFERENCES proffer.organizations,
        id uuid NOT NULL,
        base text NOT NULL,
        target text NOT NULL,
        rate numeric NOT NULL CHECK (rate > 0 AND rate < 1000000000),
        source text NOT NULL,
        as_of date NOT NULL,
        created_at timestamptz NOT NULL,
        version integer NOT NULL,
        PRIMARY KEY (organization_id, id),
        CONSTRAINT exchange_rates_day_key UNIQUE (organization_id, base, target, as_of, source)
    """,
    "imports": """
        organization_id uuid NOT NULL REFERENCES proffer.organizations,
        id uuid NOT NULL,
        kind text NOT NULL CHECK (kind IN ('products', 'prices', 'exchange-rates')),
        mode text NOT NULL CHECK (mode IN ('all-or-nothing', 'skip-bad-rows')),
        dry_run boolean NOT NULL,
        file_name text NOT NULL,
        sha256 text NOT NULL,
        storage_key text NOT NULL,
        created_by uuid NOT NULL,
        created_at timestamptz NOT NULL,
        status text NOT NULL CHECK (status IN ('queued', 'running', 'done', 'refused')),
        last_row integer NOT NULL,
        created integer NOT NULL,
        updated integer NOT NULL,
        skipped integer NOT NULL,
        errors text NOT NULL,
        version integer NOT NULL,
        PRIMARY KEY (organization_id, id),
        CONSTRAINT imports_user_fkey FOREIGN KEY (organization_id, created_by) REFERENCES proffer.users
    """,
    "quote_explanations": """
        organization_id uuid NOT NULL,
        quote_id uuid NOT NULL,
        revision integer NOT NULL,
        digest text NOT NULL,
        explanation text NOT NULL,
        PRIMARY KEY (organization_id, quote_id, revision, digest),
        CONSTRAINT quote_explanations_revision_fkey FOREIGN KEY (organization_id, quote_id, revision)
            REFERENCES proffer.quote_revisions
    """,
}

_RIGHTS = dict.fromkeys(_TABLES, "SELECT, INSERT, UPDATE") | {
    "tax_rates": "SELECT, INSERT, UPDATE, DELETE",
    "prices": "SELECT, INSERT, UPDATE, DELETE",
    "coupon_redemptions": "SELECT, INSERT, DELETE",
    "exchange_rates": "SELECT, INSERT",
    "quote_explanations": "SELECT, INSERT",
}

_INDEXES = (
    "CREATE INDEX categories_parent ON proffer.categories (organization_id, parent_id)",
    "CREATE INDEX price_lists_scope ON proffer.price_lists (organization_id, scope_id)",
    "CREATE INDEX price_lists_source ON proffer.price_lists (organization_id, tiers_from)",
    "CREATE INDEX price_lists_newest ON proffer.price_lists (organization_id, created_at DESC, id DESC)",
    "CREATE INDEX prices_list ON proffer.prices (organization_id, price_list_id, created_at DESC, id DESC)",
    "CREATE INDEX prices_product ON proffer.prices (organization_id, product_id)",
    "CREATE INDEX prices_category ON proffer.prices (organization_id, category_id)",
    "CREATE INDEX coupons_newest ON proffer.coupons (organization_id, created_at DESC, id DESC)",
    "CREATE INDEX coupon_redemptions_quote ON proffer.coupon_redemptions (organization_id, quote_id)",
    "CREATE INDEX coupon_redemptions_customer ON proffer.coupon_redemptions (organization_id, customer_id, coupon_id)",
    "CREATE INDEX exchange_rates_newest ON proffer.exchange_rates (organization_id, created_at DESC, id DESC)",
    "CREATE INDEX exchange_rates_pair ON proffer.exchange_rates (organization_id, base, target, as_of DESC)",
    "CREATE INDEX imports_newest ON proffer.imports (organization_id, created_at DESC, id DESC)",
    "CREATE INDEX imports_file ON proffer.imports (organization_id, sha256)",
    "CREATE INDEX imports_user ON proffer.imports (organization_id, created_by)",
    "CREATE INDEX products_category ON proffer.products (organization_id, category_id, created_at DESC, id DESC)",
    "CREATE INDEX products_tax_rate ON proffer.products (organization_id, tax_rate_id)",
    "CREATE INDEX customers_group ON proffer.customers (organization_id, group_id)",
)


_COLUMNS = (
    ("products", "tax_rate_id uuid"),
    ("products", "cost numeric CHECK (cost BETWEEN 0 AND 1000000000000)"),
    ("products", "category_id uuid"),
    ("products", "archived boolean NOT NULL DEFAULT false"),
    ("customers", "group_id uuid"),
    ("line_items", "optional boolean NOT NULL DEFAULT false"),
    ("line_items", "chosen boolean NOT NULL DEFAULT false"),
    ("line_items", "section text NOT NULL DEFAULT ''"),
    ("line_items", "unit_cost numeric CHECK (unit_cost BETWEEN 0 AND 1000000000000)"),
    ("line_items", "price_source text NOT NULL DEFAULT 'null'"),
    ("line_items", "taxes_typed boolean NOT NULL DEFAULT false"),
    ("quote_revisions", "explanation_digest text"),
)

_REFERENCES = (
    ("products", "products_tax_rate_fkey", "tax_rate_id", "tax_rates"),
    ("products", "products_category_fkey", "category_id", "categories"),
    ("customers", "customers_group_fkey", "group_id", "customer_groups"),
)


def upgrade() -> None:
    for name, columns in _TABLES.items():
        op.execute(f"CREATE TABLE {SCHEMA}.{name} ({columns})")
    for table, column in _COLUMNS:
        op.execute(f"ALTER TABLE {SCHEMA}.{table} ADD COLUMN {column}")
    for table, name, column, target in _REFERENCES:
        op.execute(
            f"ALTER TABLE {SCHEMA}.{table} ADD CONSTRAINT {name} FOREIGN KEY (organization_id, {column}) "
            f"REFERENCES {SCHEMA}.{target}"
        )
    for statement in _INDEXES:
        op.execute(statement)
    for name, rights in _RIGHTS.items():
        tenant_table(name, rights)


def downgrade() -> None:
    for table, name, _, _ in _REFERENCES:
        op.execute(f"ALTER TABLE {SCHEMA}.{table} DROP CONSTRAINT {name}")
    for table, column in reversed(_COLUMNS):
        op.execute(f"ALTER TABLE {SCHEMA}.{table} DROP COLUMN {column.split()[0]}")
    for name in reversed(_TABLES):
        op.execute(f"DROP TABLE {SCHEMA}.{name}")
