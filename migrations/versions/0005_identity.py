"""Sessions that end, challenges, second factors, API keys, identity providers, operators, throttles, idempotency keys."""

from alembic import op

from migrations.policies import APP, DOOR, OPERATOR, SCHEMA, WORKER, door_policy, tenant_table

# ruff: noqa: S608 — names of our own schema, no input.
revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_USER = "FOREIGN KEY (organization_id, user_id) REFERENCES proffer.users"

_TABLES = {
    "challenges": f"""
        organization_id uuid NOT NULL,
        id uuid NOT NULL,
        user_id uuid NOT NULL,
        purpose text NOT NULL CHECK (purpose IN ('login_code', 'second_factor', 'password_reset', 'invitation')),
        method text CHECK (method IN ('password', 'code', 'provider')),
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        tries_left integer NOT NULL CHECK (tries_left >= 0),
        ended_at timestamptz,
        version integer NOT NULL,
        PRIMARY KEY (organization_id, id),
        CONSTRAINT challenges_user_fkey {_USER}
    """,
    "second_factors": """
        organization_id uuid NOT NULL,
        id uuid NOT NULL,
        sealed_secret text NOT NULL,
        created_at timestamptz NOT NULL,
        confirmed_at timestamptz,
        removed_at timestamptz,
        last_step bigint NOT NULL,
        recovery_hashes text NOT NULL,
        version integer NOT NULL,
        PRIMARY KEY (organization_id, id),
        CONSTRAINT second_factors_user_fkey FOREIGN KEY (organization_id, id) REFERENCES proffer.users
    """,
    "api_keys": f"""
        organization_id uuid NOT NULL,
        id uuid NOT NULL,
        name text NOT NULL,
        prefix text NOT NULL,
        key_hash text NOT NULL,
        scopes text NOT NULL,
        user_id uuid NOT NULL,
        networks text NOT NULL,
        created_at timestamptz NOT NULL,
        expires_at timestamptz,
        revoked_at timestamptz,
        last_used_at timestamptz,
        version integer NOT NULL,
        PRIMARY KEY (organization_id, id),
        CONSTRAINT api_keys_hash_key UNIQUE (organization_id, key_hash),
        CONSTRAINT api_keys_user_fkey {_USER}
    """,
    "identity_providers": """
        organization_id uuid NOT NULL REFERENCES proffer.organizations,
        id uuid NOT NULL,
        issuer text NOT NULL,
        client_id text NOT NULL,
        sealed_client_secret text NOT NULL,
        auto_provision boolean NOT NULL,
        default_role text NOT NULL CHECK (default_role IN ('approver', 'sales', 'viewer')),
        active boolean NOT NULL,
        created_at timestamptz NOT NULL,
        version integer NOT NULL,
        PRIMARY KEY (organization_id, id)
    """,
    "external_identities": f"""
        organization_id uuid NOT NULL,
        id uuid NOT NULL,
        user_id uuid NOT NULL,
        issuer text NOT NULL,
        subject text NOT NULL,
        created_at timestamptz NOT NULL,
        version integer NOT NULL,
        PRIMARY KEY (organization_id, id),
        CONSTRAINT external_identities_subject_key UNIQUE (organization_id, issuer, subject),
        CONSTRAINT external_identities_user_fkey {_USER}
    """,
    "provider_logins": """
        organization_id uuid NOT NULL,
        id uuid NOT NULL,
        provider_id uuid NOT NULL,
        sealed_secrets text NOT NULL,
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        used_at timestamptz,
        version integer NOT NULL,
        PRIMARY KEY (organization_id, id),
        CONSTRAINT provider_logins_provider_fkey FOREIGN KEY (organization_id, provider_id)
            REFERENCES proffer.identity_providers
    """,
    "idempotency_keys": """
        organization_id uuid NOT NULL REFERENCES proffer.organizations,
        actor_id uuid NOT NULL,
        key text NOT NULL,
        fingerprint text NOT NULL,
        status integer NOT NULL,
        headers text NOT NULL,
        body bytea NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, actor_id, key)
    """,
}
_RIGHTS = dict.fromkeys(_TABLES, "SELECT, INSERT, UPDATE") | {
    "external_identities": "SELECT, INSERT",
    "idempotency_keys": "SELECT, INSERT, DELETE",
}

# Before anybody's organisation is known, or of nobody's: closed to the application, but for the functions below.
_TENANTLESS = {
    "throttles": "bucket text PRIMARY KEY, next_at timestamptz NOT NULL",
    "operator_keys": """
        id uuid PRIMARY KEY,
        name text NOT NULL,
        key_hash text NOT NULL UNIQUE,
        created_at timestamptz NOT NULL,
        revoked_at timestamptz
    """,
}

_COLUMNS = (
    (
        "organizations",
        "status",
        "text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended'))",
    ),
    ("organizations", "require_second_factor", "boolean NOT NULL DEFAULT false"),
    ("organizations", "verified_domains", "text NOT NULL DEFAULT '[]'"),
    ("organizations", "logo", "text"),
    (
        "users",
        "status",
        "text NOT NULL DEFAULT 'active' CHECK (status IN ('invited', 'active', 'deactivated'))",
    ),
    ("sessions", "method", "text NOT NULL DEFAULT 'password'"),
    ("sessions", "second_factor", "boolean NOT NULL DEFAULT false"),
    ("sessions", "restricted", "boolean NOT NULL DEFAULT false"),
    ("sessions", "ip_address", "text NOT NULL DEFAULT ''"),
    ("sessions", "user_agent", "text NOT NULL DEFAULT ''"),
    ("sessions", "rotated_at", "timestamptz NOT NULL DEFAULT '-infinity'"),
    ("sessions", "generation", "integer NOT NULL DEFAULT 1 CHECK (generation > 0)"),
    ("sessions", "ended_at", "timestamptz"),
    ("sessions", "end_reason", "text"),
)

_OWN_SETTINGS = (
    "party, default_currency, time_zone, locale, settings, prices_include_tax, require_second_factor, logo, version"
)

_INDEXES = (
    "CREATE INDEX challenges_id ON proffer.challenges (id)",
    "CREATE INDEX challenges_user ON proffer.challenges (organization_id, user_id, purpose)",
    "CREATE INDEX api_keys_hash ON proffer.api_keys (key_hash)",
    "CREATE INDEX api_keys_user ON proffer.api_keys (organization_id, user_id)",
    "CREATE INDEX api_keys_newest ON proffer.api_keys (organization_id, created_at DESC, id DESC)",
    "CREATE INDEX external_identities_user ON proffer.external_identities (organization_id, user_id)",
    "CREATE INDEX provider_logins_id ON proffer.provider_logins (id)",
    "CREATE INDEX provider_logins_provider ON proffer.provider_logins (organization_id, provider_id)",
    "CREATE INDEX idempotency_keys_age ON proffer.idempotency_keys (organization_id, created_at)",
)

_DEFINER = "SECURITY DEFINER SET search_path = pg_catalog, pg_temp"
# To the letter as in the first migration, but for what «active» means.
_FIND_ACCOUNTS = """
        SELECT u.organization_id, o.slug, u.id, u.email, u.name, u.role, u.password_hash
        FROM proffer.users u JOIN proffer.organizations o ON o.organization_id = u.organization_id
        WHERE u.email = wanted AND {active}
        ORDER BY o.slug LIMIT 20
    """

# Who may call it, its head, and what it does. All are the door's: see migrations/policies.py.
_FUNCTIONS = {
    "find_session(uuid, uuid)": (
        APP,
        f"""
        CREATE FUNCTION proffer.find_session(of_organization uuid, wanted uuid)
        RETURNS TABLE (user_id uuid, name text, role text, restricted boolean)
        LANGUAGE sql STABLE {_DEFINER}
        AS $$
            SELECT u.id, u.name, u.role, s.restricted
            FROM proffer.sessions s
            JOIN proffer.users u ON u.organization_id = s.organization_id AND u.id = s.user_id
            JOIN proffer.organizations o ON o.organization_id = s.organization_id
            WHERE s.organization_id = of_organization AND s.id = wanted AND s.ended_at IS NULL
                AND s.expires_at > now() AND u.status = 'active' AND o.status = 'active'
        $$
        """,
    ),
    "find_api_key(text)": (
        APP,
        f"""
        CREATE FUNCTION proffer.find_api_key(wanted text)
        RETURNS TABLE (
            organization_id uuid, id uuid, name text, scopes text, networks text, user_id uuid, role text
        )
        LANGUAGE sql VOLATILE {_DEFINER}
        AS $$
            UPDATE proffer.api_keys SET last_used_at = now()
            WHERE key_hash = wanted AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute');
            SELECT k.organization_id, k.id, k.name, k.scopes, k.networks, k.user_id, u.role
            FROM proffer.api_keys k
            JOIN proffer.users u ON u.organization_id = k.organization_id AND u.id = k.user_id
            JOIN proffer.organizations o ON o.organization_id = k.organization_id
            WHERE k.key_hash = wanted AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
                AND u.status = 'active' AND o.status = 'active'
        $$
        """,
    ),
    "find_challenge(uuid)": (
        APP,
        f"""
        CREATE FUNCTION proffer.find_challenge(wanted uuid) RETURNS SETOF uuid
        LANGUAGE sql STABLE {_DEFINER}
        AS $$
            SELECT c.organization_id
            FROM proffer.challenges c JOIN proffer.organizations o ON o.organization_id = c.organization_id
            WHERE c.id = wanted AND o.status = 'active' ORDER BY o.slug
        $$
        """,
    ),
    "find_provider_login(uuid)": (
        APP,
        f"""
        CREATE FUNCTION proffer.find_provider_login(wanted uuid) RETURNS SETOF uuid
        LANGUAGE sql STABLE {_DEFINER}
        AS $$
            SELECT l.organization_id
            FROM proffer.provider_logins l JOIN proffer.organizations o ON o.organization_id = l.organization_id
            WHERE l.id = wanted AND o.status = 'active'
        $$
        """,
    ),
    "find_organization(text)": (
        APP,
        f"""
        CREATE FUNCTION proffer.find_organization(wanted text) RETURNS SETOF uuid
        LANGUAGE sql STABLE {_DEFINER}
        AS $$ SELECT organization_id FROM proffer.organizations WHERE slug = wanted AND status = 'active' $$
        """,
    ),
    # The generic cell rate algorithm: next_at is when the bucket is empty again. Answers the seconds to wait, 0 for none.
    "take_turns(text[], integer[], double precision[], timestamp with time zone)": (
        APP,
        f"""
        CREATE FUNCTION proffer.take_turns(
            buckets text[], bursts integer[], periods double precision[], at timestamptz
        ) RETURNS double precision
        LANGUAGE plpgsql VOLATILE {_DEFINER}
        AS $$
        DECLARE
            worst double precision := 0;
            wait double precision;
            full_at timestamptz;
        BEGIN
            FOR i IN 1 .. cardinality(buckets) LOOP
                INSERT INTO proffer.throttles VALUES (buckets[i], at) ON CONFLICT DO NOTHING;
                SELECT greatest(next_at, at) + make_interval(secs => periods[i] / bursts[i]) INTO full_at
                FROM proffer.throttles WHERE bucket = buckets[i] FOR UPDATE;
                wait := extract(epoch FROM full_at - at) - periods[i];
                IF wait > 0.001 THEN
                    worst := greatest(worst, wait);
                ELSE
                    UPDATE proffer.throttles SET next_at = full_at WHERE bucket = buckets[i];
                END IF;
            END LOOP;
            RETURN worst;
        END
        $$
        """,
    ),
    "give_back_turns(text[], integer[], double precision[])": (
        APP,
        f"""
        CREATE FUNCTION proffer.give_back_turns(buckets text[], bursts integer[], periods double precision[])
        RETURNS void
        LANGUAGE plpgsql VOLATILE {_DEFINER}
        AS $$
        BEGIN
            FOR i IN 1 .. cardinality(buckets) LOOP
                UPDATE proffer.throttles SET next_at = next_at - make_interval(secs => periods[i] / bursts[i])
                WHERE bucket = buckets[i];
            END LOOP;
        END
        $$
        """,
    ),
    "purge()": (
        WORKER,
        f"""
        CREATE FUNCTION proffer.purge() RETURNS bigint
        LANGUAGE plpgsql VOLATILE {_DEFINER}
        AS $$
        DECLARE gone bigint; more bigint;
        BEGIN
            DELETE FROM proffer.throttles WHERE next_at < now() - interval '1 day';
            GET DIAGNOSTICS gone = ROW_COUNT;
            DELETE FROM proffer.idempotency_keys WHERE created_at < now() - interval '1 day';
            GET DIAGNOSTICS more = ROW_COUNT;
            RETURN gone + more;
        END
        $$
        """,
    ),
}

_POLICIES = (
    ("sessions", "SELECT", "organization_id, id, user_id, restricted, ended_at, expires_at"),
    (
        "api_keys",
        "SELECT",
        "organization_id, id, name, scopes, networks, user_id, key_hash, revoked_at, expires_at, last_used_at",
    ),
    ("api_keys", "UPDATE", "last_used_at"),
    ("challenges", "SELECT", "organization_id, id"),
    ("provider_logins", "SELECT", "organization_id, id"),
    ("idempotency_keys", "SELECT", "organization_id, created_at"),
)


def upgrade() -> None:
    for name, columns in (_TABLES | _TENANTLESS).items():
        op.execute(f"CREATE TABLE {SCHEMA}.{name} ({columns})")
    for table, name, definition in _COLUMNS:
        op.execute(f"ALTER TABLE {SCHEMA}.{table} ADD COLUMN {name} {definition}")
    op.execute("ALTER TABLE proffer.users ALTER COLUMN password_hash DROP NOT NULL")
    # The owner is under row security as well, so that it changes nobody's rows without this.
    op.execute("ALTER TABLE proffer.users NO FORCE ROW LEVEL SECURITY")
    op.execute("UPDATE proffer.users SET status = 'deactivated' WHERE NOT active")
    op.execute("ALTER TABLE proffer.users FORCE ROW LEVEL SECURITY")
    _find_accounts("u.status = 'active' AND o.status = 'active'")
    op.execute("DROP POLICY door_select ON proffer.users")
    op.execute("ALTER TABLE proffer.users DROP COLUMN active")
    door_policy("users", "SELECT", "organization_id, id, email, name, role, status, password_hash")
    op.execute(f"GRANT SELECT (status) ON proffer.organizations TO {DOOR}")
    for statement in _INDEXES:
        op.execute(statement)
    for name, rights in _RIGHTS.items():
        tenant_table(name, rights)
    for function, (caller, body) in _FUNCTIONS.items():
        op.execute(body)
        op.execute(f"REVOKE ALL ON FUNCTION {SCHEMA}.{function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {SCHEMA}.{function} TO {caller}")
    _give_to_the_door([*_FUNCTIONS])
    for table, command, columns in _POLICIES:
        door_policy(table, command, columns)
    op.execute(f"CREATE POLICY door_delete ON proffer.idempotency_keys FOR DELETE TO {DOOR} USING (true)")
    op.execute(f"GRANT DELETE ON proffer.idempotency_keys TO {DOOR}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON proffer.throttles TO {DOOR}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON proffer.operator_keys TO {OPERATOR}")
    op.execute(f"GRANT USAGE ON SCHEMA {SCHEMA} TO {WORKER}")
    _operators()


def _operators() -> None:
    """Suspending and vouching for domains is theirs alone; and they see which organisations there are."""
    op.execute(f"REVOKE UPDATE ON proffer.organizations FROM {APP}")
    op.execute(f"GRANT UPDATE ({_OWN_SETTINGS}) ON proffer.organizations TO {APP}")
    op.execute(f"GRANT UPDATE (status, verified_domains) ON proffer.organizations TO {OPERATOR}")
    op.execute(f"CREATE POLICY operator_select ON proffer.organizations FOR SELECT TO {OPERATOR} USING (true)")


def _find_accounts(active: str) -> None:
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION proffer.find_accounts(wanted text)
        RETURNS TABLE (
            organization_id uuid, slug text, user_id uuid, email text, name text, role text, password_hash text
        )
        LANGUAGE sql STABLE {_DEFINER} AS $${_FIND_ACCOUNTS.format(active=active)}$$
        """
    )


def _give_to_the_door(functions: list[str]) -> None:
    """To give a function away, the new owner needs the right to create for this one moment."""
    op.execute(f"GRANT CREATE ON SCHEMA {SCHEMA} TO {DOOR}")
    for function in functions:
        op.execute(f"ALTER FUNCTION {SCHEMA}.{function} OWNER TO {DOOR}")
    op.execute(f"REVOKE CREATE ON SCHEMA {SCHEMA} FROM {DOOR}")


def downgrade() -> None:
    op.execute("DROP POLICY operator_select ON proffer.organizations")
    op.execute(f"REVOKE UPDATE ({_OWN_SETTINGS}) ON proffer.organizations FROM {APP}")
    op.execute(f"REVOKE UPDATE (status, verified_domains) ON proffer.organizations FROM {OPERATOR}")
    op.execute(f"REVOKE USAGE ON SCHEMA {SCHEMA} FROM {WORKER}")
    for function in _FUNCTIONS:
        op.execute(f"DROP FUNCTION {SCHEMA}.{function}")
    op.execute("DROP POLICY door_select ON proffer.sessions")
    op.execute(f"REVOKE SELECT ON proffer.sessions FROM {DOOR}")
    for name in reversed(_TABLES | _TENANTLESS):
        op.execute(f"DROP TABLE {SCHEMA}.{name}")
    op.execute("ALTER TABLE proffer.users ADD COLUMN active boolean NOT NULL DEFAULT true")
    op.execute("ALTER TABLE proffer.users NO FORCE ROW LEVEL SECURITY")
    op.execute("UPDATE proffer.users SET active = false WHERE status <> 'active'")
    op.execute("UPDATE proffer.users SET password_hash = '' WHERE password_hash IS NULL")
    op.execute("ALTER TABLE proffer.users FORCE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE proffer.users ALTER COLUMN password_hash SET NOT NULL")
    _find_accounts("u.active")
    op.execute("DROP POLICY door_select ON proffer.users")
    door_policy("users", "SELECT", "organization_id, id, email, name, role, active, password_hash")
    op.execute("ALTER TABLE proffer.users ALTER COLUMN active DROP DEFAULT")
    for table, name, _ in reversed(_COLUMNS):
        op.execute(f"ALTER TABLE {SCHEMA}.{table} DROP COLUMN {name}")
    op.execute(f"GRANT UPDATE ON proffer.organizations TO {APP}")
