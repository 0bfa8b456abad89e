"""Organisations, users, customers, products, quotes, approvals, documents, messages and the audit chain."""

from alembic import op

from migrations.policies import APP, DOOR, OPERATOR, SCHEMA, door_policy, tenant_table

# ruff: noqa: S608 — names of our own schema, no input.
revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_AMOUNT = "numeric NOT NULL CHECK ({0} BETWEEN -1000000000000000000 AND 1000000000000000000)"
_QUANTITY = "numeric NOT NULL CHECK ({0} BETWEEN -1000000000 AND 1000000000)"
_PRICE = "numeric NOT NULL CHECK ({0} BETWEEN -1000000000000 AND 1000000000000)"
_STATUSES = (
    "'draft', 'pending_approval', 'approved', 'rejected', 'sent', 'accepted', 'declined', 'expired', 'cancelled', "
    "'superseded'"
)

_TABLES = {
    "organizations": """
        organization_id uuid PRIMARY KEY,
        slug text NOT NULL,
        party text NOT NULL,
        default_currency text NOT NULL,
        time_zone text NOT NULL,
        locale text NOT NULL,
        settings text NOT NULL,
        prices_include_tax text,
        created_at timestamptz NOT NULL,
        version integer NOT NULL,
        CONSTRAINT organizations_slug_key UNIQUE (slug)
    """,
    "users": """
        organization_id uuid NOT NULL REFERENCES proffer.organizations,
        id uuid NOT NULL,
        email text NOT NULL,
        name text NOT NULL,
        role text NOT NULL CHECK (role IN ('owner', 'admin', 'approver', 'sales', 'viewer')),
        password_hash text NOT NULL,
        active boolean NOT NULL,
        created_at timestamptz NOT NULL,
        version integer NOT NULL,
        PRIMARY KEY (organization_id, id),
        CONSTRAINT users_email_key UNIQUE (organization_id, email)
    """,
    "sessions": """
        organization_id uuid NOT NULL,
        id uuid NOT NULL,
        user_id uuid NOT NULL,
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        version integer NOT NULL,
        PRIMARY KEY (organization_id, id),
        CONSTRAINT sessions_user_fkey FOREIGN KEY (organization_id, user_id) REFERENCES proffer.users
    """,
    "customers": """
        organization_id uuid NOT NULL REFERENCES proffer.organizations,
        id uuid NOT NULL,
        name text NOT NULL,
        registration_number text NOT NULL,
        vat_number text NOT NULL,
        address text NOT NULL,
        currency text NOT NULL,
        locale text NOT NULL,
        searched text NOT NULL DEFAULT '',
        created_at timestamptz NOT NULL,
        version integer NOT NULL,
        PRIMARY KEY (organization_id, id)
    """,
    "contacts": """
        organization_id uuid NOT NULL,
        id uuid NOT NULL,
        customer_id uuid NOT NULL,
        name text NOT NULL,
        email text NOT NULL,
        phone text NOT NULL,
        job_title text NOT NULL,
        searched text NOT NULL DEFAULT '',
        created_at timestamptz NOT NULL,
        version integer NOT NULL,
        PRIMARY KEY (organization_id, id),
        CONSTRAINT contacts_customer_fkey FOREIGN KEY (organization_id, customer_id) REFERENCES proffer.customers
    """,
    "products": f"""
        organization_id uuid NOT NULL REFERENCES proffer.organizations,
        id uuid NOT NULL,
        sku text NOT NULL,
        name text NOT NULL,
        description text NOT NULL,
        unit text NOT NULL,
        list_price {_PRICE.format("list_price")},
        currency text NOT NULL,
        tax_category text NOT NULL,
        tax_rate_percent numeric CHECK (tax_rate_percent BETWEEN 0 AND 1000),
        searched text NOT NULL DEFAULT '',
        created_at timestamptz NOT NULL,
        version integer NOT NULL,
        PRIMARY KEY (organization_id, id),
        CONSTRAINT products_sku_key UNIQUE (organization_id, sku)
    """,
    "quote_counters": """
        organization_id uuid NOT NULL REFERENCES proffer.organizations,
        year integer NOT NULL,
        counter integer NOT NULL,
        PRIMARY KEY (organization_id, year)
    """,
    "quotes": f"""
        organization_id uuid NOT NULL,
        id uuid NOT NULL,
        number text NOT NULL,
        customer_id uuid NOT NULL,
        owner_id uuid NOT NULL,
        created_at timestamptz NOT NULL,
        version integer NOT NULL,
        revision integer NOT NULL,
        status text NOT NULL CHECK (status IN ({_STATUSES})),
        title text NOT NULL,
        customer_name text NOT NULL,
        currency text NOT NULL,
        total_without_tax {_AMOUNT.format("total_without_tax")},
        tax_total {_AMOUNT.format("tax_total")},
        payable {_AMOUNT.format("payable")},
        valid_until date NOT NULL,
        searched text NOT NULL DEFAULT '',
        PRIMARY KEY (organization_id, id),
        CONSTRAINT quotes_number_key UNIQUE (organization_id, number),
        CONSTRAINT quotes_customer_fkey FOREIGN KEY (organization_id, customer_id) REFERENCES proffer.customers,
        CONSTRAINT quotes_owner_fkey FOREIGN KEY (organization_id, owner_id) REFERENCES proffer.users
    """,
    "quote_revisions": f"""
        organization_id uuid NOT NULL,
        quote_id uuid NOT NULL,
        number integer NOT NULL CHECK (number > 0),
        status text NOT NULL CHECK (status IN ({_STATUSES})),
        content text NOT NULL,
        calculation text NOT NULL,
        content_digest text,
        created_at timestamptz NOT NULL,
        last_edited_by uuid NOT NULL,
        submitted_by uuid,
        submitted_at timestamptz,
        sent_at timestamptz,
        end_reason text NOT NULL,
        PRIMARY KEY (organization_id, quote_id, number),
        CONSTRAINT quote_revisions_quote_fkey FOREIGN KEY (organization_id, quote_id) REFERENCES proffer.quotes,
        CONSTRAINT quote_revisions_digest_check CHECK (
            status IN ('draft', 'cancelled', 'superseded') OR content_digest IS NOT NULL
        )
    """,
    "line_items": f"""
        organization_id uuid NOT NULL,
        quote_id uuid NOT NULL,
        revision integer NOT NULL,
        position integer NOT NULL CHECK (position >= 0),
        id uuid NOT NULL,
        product_id uuid,
        sku text NOT NULL,
        description text NOT NULL,
        unit text NOT NULL,
        quantity {_QUANTITY.format("quantity")},
        unit_price {_PRICE.format("unit_price")},
        price_base_quantity {_QUANTITY.format("price_base_quantity")},
        discounts text NOT NULL,
        charges text NOT NULL,
        taxes text NOT NULL,
        net {_AMOUNT.format("net")},
        PRIMARY KEY (organization_id, quote_id, revision, position),
        CONSTRAINT line_items_revision_fkey FOREIGN KEY (organization_id, quote_id, revision)
            REFERENCES proffer.quote_revisions,
        CONSTRAINT line_items_product_fkey FOREIGN KEY (organization_id, product_id) REFERENCES proffer.products
    """,
    "approval_policies": """
        organization_id uuid NOT NULL REFERENCES proffer.organizations,
        id uuid NOT NULL,
        name text NOT NULL,
        "order" integer NOT NULL,
        conditions text NOT NULL,
        steps text NOT NULL,
        active boolean NOT NULL,
        created_at timestamptz NOT NULL,
        version integer NOT NULL,
        PRIMARY KEY (organization_id, id)
    """,
    "approval_requests": """
        organization_id uuid NOT NULL,
        id uuid NOT NULL,
        quote_id uuid NOT NULL,
        revision integer NOT NULL,
        content_digest text NOT NULL,
        submitted_by uuid NOT NULL,
        last_edited_by uuid NOT NULL,
        facts text NOT NULL,
        steps text NOT NULL,
        status text NOT NULL CHECK (status IN ('open', 'approved', 'rejected', 'withdrawn')),
        created_at timestamptz NOT NULL,
        version integer NOT NULL,
        PRIMARY KEY (organization_id, id),
        CONSTRAINT approval_requests_revision_fkey FOREIGN KEY (organization_id, quote_id, revision)
            REFERENCES proffer.quote_revisions
    """,
    "stored_documents": """
        organization_id uuid NOT NULL,
        id uuid NOT NULL,
        quote_id uuid NOT NULL,
        revision integer NOT NULL,
        content_digest text NOT NULL,
        sha256 text NOT NULL,
        size bigint NOT NULL CHECK (size > 0),
        storage_key text NOT NULL,
        created_at timestamptz NOT NULL,
        version integer NOT NULL,
        PRIMARY KEY (organization_id, id),
        CONSTRAINT stored_documents_revision_key UNIQUE (organization_id, quote_id, revision),
        CONSTRAINT stored_documents_revision_fkey FOREIGN KEY (organization_id, quote_id, revision)
            REFERENCES proffer.quote_revisions
    """,
    "messages": """
        organization_id uuid NOT NULL,
        id uuid NOT NULL,
        quote_id uuid NOT NULL,
        revision integer NOT NULL,
        recipient text NOT NULL,
        recipient_name text NOT NULL,
        note text NOT NULL,
        status text NOT NULL CHECK (status IN ('queued', 'handed_over', 'failed')),
        answer text NOT NULL,
        created_at timestamptz NOT NULL,
        version integer NOT NULL,
        PRIMARY KEY (organization_id, id),
        CONSTRAINT messages_revision_fkey FOREIGN KEY (organization_id, quote_id, revision)
            REFERENCES proffer.quote_revisions
    """,
    "audit_heads": """
        organization_id uuid PRIMARY KEY REFERENCES proffer.organizations,
        sequence bigint NOT NULL CHECK (sequence >= 0),
        hash text NOT NULL
    """,
    "audit_entries": """
        organization_id uuid NOT NULL REFERENCES proffer.organizations,
        sequence bigint NOT NULL CHECK (sequence > 0),
        at timestamptz NOT NULL,
        action text NOT NULL,
        resource_type text NOT NULL,
        resource_id uuid NOT NULL,
        actor_kind text NOT NULL,
        user_id uuid,
        text text NOT NULL,
        previous_hash text NOT NULL,
        hash text NOT NULL,
        PRIMARY KEY (organization_id, sequence),
        CONSTRAINT audit_entries_previous_key UNIQUE (organization_id, previous_hash)
    """,
}

# No DELETE but on lines of drafts: nothing else is ever removed. The audit is only ever added to.
_RIGHTS = dict.fromkeys(_TABLES, "SELECT, INSERT, UPDATE") | {
    "organizations": "SELECT, UPDATE",
    "line_items": "SELECT, INSERT, UPDATE, DELETE",
    "sessions": "SELECT, INSERT, UPDATE",
    "stored_documents": "SELECT, INSERT",
    "audit_heads": "SELECT, UPDATE",
    "audit_entries": "SELECT, INSERT",
}

_INDEXES = (
    "CREATE INDEX contacts_customer ON proffer.contacts (organization_id, customer_id, created_at DESC, id DESC)",
    "CREATE INDEX contacts_newest ON proffer.contacts (organization_id, created_at DESC, id DESC)",
    "CREATE INDEX customers_newest ON proffer.customers (organization_id, created_at DESC, id DESC)",
    "CREATE INDEX products_newest ON proffer.products (organization_id, created_at DESC, id DESC)",
    "CREATE INDEX quotes_newest ON proffer.quotes (organization_id, created_at DESC, id DESC)",
    "CREATE INDEX quotes_status ON proffer.quotes (organization_id, status, created_at DESC, id DESC)",
    "CREATE INDEX quotes_customer ON proffer.quotes (organization_id, customer_id, created_at DESC, id DESC)",
    "CREATE INDEX quotes_owner ON proffer.quotes (organization_id, owner_id, created_at DESC, id DESC)",
    "CREATE UNIQUE INDEX quote_revisions_one_open ON proffer.quote_revisions (organization_id, quote_id) WHERE status IN ('draft', 'pending_approval', 'rejected', 'approved')",
    "CREATE UNIQUE INDEX quote_revisions_one_sent ON proffer.quote_revisions (organization_id, quote_id) WHERE status = 'sent'",
    "CREATE INDEX line_items_product ON proffer.line_items (organization_id, product_id)",
    "CREATE INDEX sessions_user ON proffer.sessions (organization_id, user_id)",
    "CREATE INDEX approval_requests_quote ON proffer.approval_requests (organization_id, quote_id, created_at, id)",
    "CREATE INDEX approval_requests_status ON proffer.approval_requests (organization_id, status, created_at DESC, id DESC)",
    "CREATE INDEX approval_requests_newest ON proffer.approval_requests (organization_id, created_at DESC, id DESC)",
    "CREATE INDEX messages_quote ON proffer.messages (organization_id, quote_id, created_at, id)",
    "CREATE INDEX audit_entries_resource ON proffer.audit_entries (organization_id, resource_type, resource_id, sequence)",
    "CREATE INDEX audit_entries_action ON proffer.audit_entries (organization_id, action, sequence DESC)",
    "CREATE INDEX audit_entries_user ON proffer.audit_entries (organization_id, user_id, sequence DESC)",
    "CREATE INDEX audit_entries_at ON proffer.audit_entries (organization_id, at, sequence)",
)

_FUNCTIONS = (
    f"""
    CREATE FUNCTION {SCHEMA}.find_accounts(wanted text)
    RETURNS TABLE (organization_id uuid, slug text, user_id uuid, email text, name text, role text, password_hash text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT u.organization_id, o.slug, u.id, u.email, u.name, u.role, u.password_hash
        FROM {SCHEMA}.users u JOIN {SCHEMA}.organizations o ON o.organization_id = u.organization_id
        WHERE u.email = wanted AND u.active
        ORDER BY o.slug LIMIT 20
    $$
    """,
    f"""
    CREATE FUNCTION {SCHEMA}.create_organization(
        new_id uuid, new_slug text, new_party text, new_default_currency text, new_time_zone text, new_locale text,
        new_settings text, new_prices_include_tax text, new_created_at timestamptz, new_version integer, first_hash text
    ) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
        INSERT INTO {SCHEMA}.organizations (
            organization_id, slug, party, default_currency, time_zone, locale, settings, prices_include_tax,
            created_at, version
        ) VALUES (
            new_id, new_slug, new_party, new_default_currency, new_time_zone, new_locale, new_settings,
            new_prices_include_tax, new_created_at, new_version
        );
        INSERT INTO {SCHEMA}.audit_heads (organization_id, sequence, hash) VALUES (new_id, 0, first_hash);
    $$
    """,
)


def upgrade() -> None:
    for name, columns in _TABLES.items():
        op.execute(f"CREATE TABLE {SCHEMA}.{name} ({columns})")
    for statement in _INDEXES:
        op.execute(statement)
    for name, rights in _RIGHTS.items():
        tenant_table(name, rights)
    _append_only()
    _door()


def _append_only() -> None:
    """The owner cannot change the past either, short of taking the trigger away."""
    op.execute(
        f"""
        CREATE FUNCTION {SCHEMA}.refuse_change() RETURNS trigger
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
        AS $$ BEGIN RAISE EXCEPTION 'audit entries are only ever added'; END $$
        """
    )
    op.execute(
        f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {SCHEMA}.audit_entries "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {SCHEMA}.refuse_change()"
    )
    op.execute(f"ALTER TABLE {SCHEMA}.audit_entries ENABLE ALWAYS TRIGGER append_only")
    op.execute(f"REVOKE ALL ON FUNCTION {SCHEMA}.refuse_change() FROM PUBLIC")


def _door() -> None:
    """The only look across organisations: who is logging in; and the only way to make one."""
    for statement in _FUNCTIONS:
        op.execute(statement)
    finding, creating = (
        f"{SCHEMA}.find_accounts(text)",
        f"{SCHEMA}.create_organization(uuid, text, text, text, text, text, text, text, timestamptz, integer, text)",
    )
    # To give a function away, the new owner needs the right to create for this one moment.
    op.execute(f"GRANT CREATE, USAGE ON SCHEMA {SCHEMA} TO {DOOR}")
    for function, caller in ((finding, APP), (creating, OPERATOR)):
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {caller}")
        op.execute(f"ALTER FUNCTION {function} OWNER TO {DOOR}")
    op.execute(f"REVOKE CREATE ON SCHEMA {SCHEMA} FROM {DOOR}")
    door_policy("users", "SELECT", "organization_id, id, email, name, role, active, password_hash")
    door_policy("organizations", "SELECT", "organization_id, slug")
    door_policy(
        "organizations",
        "INSERT",
        "organization_id, slug, party, default_currency, time_zone, locale, settings, prices_include_tax, created_at, "
        "version",
    )
    door_policy("audit_heads", "INSERT", "organization_id, sequence, hash")


def downgrade() -> None:
    op.execute(
        f"DROP FUNCTION {SCHEMA}.create_organization"
        "(uuid, text, text, text, text, text, text, text, timestamptz, integer, text)"
    )
    op.execute(f"DROP FUNCTION {SCHEMA}.find_accounts(text)")
    for name in reversed(_TABLES):
        op.execute(f"DROP TABLE {SCHEMA}.{name}")
    op.execute(f"DROP FUNCTION {SCHEMA}.refuse_change()")
    op.execute(f"REVOKE USAGE ON SCHEMA {SCHEMA} FROM {DOOR}")
