"""Attempt groups of messages, what reports say of them, and organisations' own mail templates."""

from alembic import op

from migrations.policies import DOOR, OPERATOR, SCHEMA, door_policy, tenant_table

# ruff: noqa: S608 — names of our own schema, no input.
revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_MESSAGES, _REVISIONS = f"{SCHEMA}.messages", f"{SCHEMA}.quote_revisions"


def upgrade() -> None:
    op.execute(
        f"ALTER TABLE {_MESSAGES} ADD COLUMN kind text NOT NULL DEFAULT 'offer' CHECK (kind IN ('offer')), "
        "ADD COLUMN contact_id uuid, ADD COLUMN notes integer NOT NULL DEFAULT 0 CHECK (notes >= 0), "
        "ADD COLUMN attempt_group integer NOT NULL DEFAULT 1 CHECK (attempt_group >= 1)"
    )
    op.execute(
        f"ALTER TABLE {_MESSAGES} ALTER COLUMN kind DROP DEFAULT, ALTER COLUMN attempt_group DROP DEFAULT, "
        "ALTER COLUMN notes DROP DEFAULT"
    )
    # Under forced row-level security even the owner sees no row, and says nothing.
    op.execute(f"ALTER TABLE {_MESSAGES} NO FORCE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {_REVISIONS} NO FORCE ROW LEVEL SECURITY")
    # Whom the offer named with this address. Who was erased before has none, and nobody is found.
    op.execute(
        f"""
        UPDATE {_MESSAGES} AS message SET contact_id = named.contact_id
        FROM (
            SELECT DISTINCT ON (revision.organization_id, revision.quote_id, revision.number, lower(person ->> 'email'))
                revision.organization_id, revision.quote_id, revision.number, lower(person ->> 'email') AS email,
                (person ->> 'contact_id')::uuid AS contact_id
            FROM {_REVISIONS} AS revision,
                jsonb_array_elements(
                    CASE WHEN jsonb_typeof(content::jsonb -> 'recipient') = 'object'
                        THEN jsonb_build_array(content::jsonb -> 'recipient') ELSE '[]' END
                    || coalesce(content::jsonb -> 'participants', '[]')
                ) WITH ORDINALITY AS addressed(person, place)
            WHERE place = 1 OR person ->> 'role' = 'copy'
            ORDER BY revision.organization_id, revision.quote_id, revision.number, lower(person ->> 'email'), place
        ) AS named
        WHERE message.organization_id = named.organization_id AND message.quote_id = named.quote_id
            AND message.revision = named.number AND lower(message.recipient) = named.email
        """
    )
    op.execute(f"ALTER TABLE {_REVISIONS} FORCE ROW LEVEL SECURITY")
    # Somebody could be recipient and get a copy, by one address.
    op.execute(
        f"""
        UPDATE {_MESSAGES} AS message SET attempt_group = numbered.place
        FROM (
            SELECT organization_id, id, row_number() OVER (
                PARTITION BY organization_id, quote_id, revision, recipient ORDER BY created_at, id
            ) AS place
            FROM {_MESSAGES}
        ) AS numbered
        WHERE message.organization_id = numbered.organization_id AND message.id = numbered.id AND numbered.place > 1
        """
    )
    op.execute(f"ALTER TABLE {_MESSAGES} FORCE ROW LEVEL SECURITY")
    # Persons who were erased share an address.
    op.execute(
        f"CREATE UNIQUE INDEX messages_attempt_key ON {_MESSAGES} "
        "(organization_id, quote_id, revision, recipient, kind, attempt_group) "
        "WHERE recipient <> 'erased@erased.invalid'"
    )
    _reports()
    op.execute(
        f"""
        CREATE TABLE {SCHEMA}.mail_templates (
            organization_id uuid NOT NULL REFERENCES {SCHEMA}.organizations,
            id uuid NOT NULL,
            kind text NOT NULL CHECK (kind IN ('offer')),
            language text NOT NULL,
            texts text NOT NULL,
            fault text NOT NULL,
            created_at timestamptz NOT NULL,
            version integer NOT NULL,
            PRIMARY KEY (organization_id, id),
            CONSTRAINT mail_templates_language_key UNIQUE (organization_id, kind, language)
        )
        """
    )
    tenant_table("mail_templates", "SELECT, INSERT, UPDATE, DELETE")


def _reports() -> None:
    """What other servers tell of mails, and whose a message is that a report names."""
    op.execute(f"ALTER TABLE {_MESSAGES} DROP CONSTRAINT messages_status_check")
    op.execute(
        f"ALTER TABLE {_MESSAGES} ADD CONSTRAINT messages_status_check "
        "CHECK (status IN ('queued', 'handed_over', 'delivered', 'bounced', 'failed'))"
    )
    op.execute(
        f"CREATE INDEX messages_failed ON {_MESSAGES} (organization_id, quote_id) WHERE status IN ('failed', 'bounced')"
    )
    # As text, so that only the function below finds by it: whatever asks for a tenant's message keeps to the primary key.
    op.execute(f"CREATE INDEX messages_id ON {_MESSAGES} ((id::text))")
    op.execute(
        f"""
        CREATE FUNCTION {SCHEMA}.find_message(wanted uuid) RETURNS SETOF uuid
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
        AS $$SELECT m.organization_id FROM {_MESSAGES} m WHERE m.id::text = wanted::text$$
        """
    )
    op.execute(f"REVOKE ALL ON FUNCTION {SCHEMA}.find_message(uuid) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {SCHEMA}.find_message(uuid) TO {OPERATOR}")
    # To give a function away, the new owner needs the right to create for this one moment.
    op.execute(f"GRANT CREATE ON SCHEMA {SCHEMA} TO {DOOR}")
    op.execute(f"ALTER FUNCTION {SCHEMA}.find_message(uuid) OWNER TO {DOOR}")
    op.execute(f"REVOKE CREATE ON SCHEMA {SCHEMA} FROM {DOOR}")
    door_policy("messages", "SELECT", "organization_id, id")
    op.execute(
        f"ALTER TABLE {SCHEMA}.operator_keys ADD COLUMN rights text NOT NULL DEFAULT 'everything' "
        "CHECK (rights IN ('everything', 'mail_reports'))"
    )
    op.execute(f"ALTER TABLE {SCHEMA}.operator_keys ALTER COLUMN rights DROP DEFAULT")


def _no_reports() -> None:
    # A key for reports alone would open everything.
    op.execute(f"DELETE FROM {SCHEMA}.operator_keys WHERE rights <> 'everything'")
    op.execute(f"ALTER TABLE {SCHEMA}.operator_keys DROP COLUMN rights")
    op.execute(f"DROP POLICY door_select ON {_MESSAGES}")
    op.execute(f"REVOKE SELECT (organization_id, id) ON {_MESSAGES} FROM {DOOR}")
    op.execute(f"DROP FUNCTION {SCHEMA}.find_message(uuid)")
    op.execute(f"DROP INDEX {SCHEMA}.messages_id")
    op.execute(f"DROP INDEX {SCHEMA}.messages_failed")
    op.execute(f"ALTER TABLE {_MESSAGES} DROP CONSTRAINT messages_status_check")
    op.execute(f"ALTER TABLE {_MESSAGES} NO FORCE ROW LEVEL SECURITY")
    op.execute(
        f"UPDATE {_MESSAGES} SET status = CASE status WHEN 'bounced' THEN 'failed' ELSE 'handed_over' END "
        "WHERE status IN ('bounced', 'delivered')"
    )
    op.execute(f"ALTER TABLE {_MESSAGES} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"ALTER TABLE {_MESSAGES} ADD CONSTRAINT messages_status_check "
        "CHECK (status IN ('queued', 'handed_over', 'failed'))"
    )


def downgrade() -> None:
    op.execute(f"DROP TABLE {SCHEMA}.mail_templates")
    _no_reports()
    op.execute(f"DROP INDEX {SCHEMA}.messages_attempt_key")
    op.execute(
        f"ALTER TABLE {_MESSAGES} DROP COLUMN notes, DROP COLUMN attempt_group, DROP COLUMN contact_id, DROP COLUMN kind"
    )
