"""The catalogue lint: what the schema must never be, asked of the database's own catalogue after every migration."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from src.adapters.postgres.addresses import APP


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """*rule* is broken by *where*, a table, index, function or role."""

    rule: str
    where: str


# Reviewed exceptions, each with its reason.
ALLOWED: Final = {
    Finding("table without tenant column", "alembic_version"): "holds one word about the schema itself",
    Finding("unique index not beginning with the tenant", "proffer.organizations_slug_key"): (
        "slugs are names of tenants; only operators can try one"
    ),
    Finding("policy does not read the tenant variable", "users.door_select"): "the door looks for who is logging in",
    Finding("policy does not read the tenant variable", "organizations.door_select"): "the same",
    Finding("policy does not read the tenant variable", "organizations.door_insert"): "operators make organisations",
    Finding("policy does not read the tenant variable", "audit_heads.door_insert"): "an organisation begins its chain",
    Finding(
        "definer function",
        "proffer.append_audit(json)",
    ): "the only way into the audit chain of the transaction's tenant",
    Finding("definer function", "proffer.find_accounts(text)"): "the door: who is logging in",
    Finding("policy does not read the tenant variable", "products.door_select"): "the search; its functions read it",
    Finding(
        "definer function",
        "proffer.find_products(text,boolean,uuid[],timestamp with time zone,uuid,integer,integer,boolean)",
    ): "the search: ids of the transaction's tenant only",
    Finding("definer function", "proffer.count_products(text,boolean,uuid[])"): "the same",
    Finding("policy does not read the tenant variable", "sessions.door_select"): "the door: whose token it is",
    Finding("policy does not read the tenant variable", "api_keys.door_select"): "the door: whose key it is",
    Finding(
        "policy does not read the tenant variable", "api_keys.door_update"
    ): "the key's last use, and no other column",
    Finding("policy does not read the tenant variable", "challenges.door_select"): "the door: whose code it is",
    Finding(
        "policy does not read the tenant variable", "messages.door_select"
    ): "the door: whose message a report names",
    Finding("policy does not read the tenant variable", "provider_logins.door_select"): "the door: whose login it is",
    Finding("policy does not read the tenant variable", "idempotency_keys.door_select"): "purging what is too old",
    Finding("policy does not read the tenant variable", "idempotency_keys.door_delete"): "the same",
    Finding(
        "policy does not read the tenant variable", "organizations.operator_select"
    ): "operators list organisations",
    Finding("definer function", "proffer.find_session(uuid,uuid)"): "the door: whose token it is",
    Finding("definer function", "proffer.find_api_key(text)"): "the door: whose key it is",
    Finding("definer function", "proffer.find_challenge(uuid)"): "the door: whose code it is",
    Finding("definer function", "proffer.find_provider_login(uuid)"): "the door: whose login it is",
    Finding("definer function", "proffer.find_organization(text)"): "the door: where somebody wants to log in",
    Finding(
        "definer function",
        "proffer.take_turns(text[],integer[],double precision[],timestamp with time zone)",
    ): "throttling, before anybody is known",
    Finding("definer function", "proffer.give_back_turns(text[],integer[],double precision[])"): "the same",
    Finding("table without tenant column", "throttles"): "hashed buckets; only the throttle's functions see them",
    Finding("table without tenant column", "operator_keys"): "operators are nobody's tenant; the application sees none",
    Finding("table without tenant column", "pgqueuer"): "the queue, which the application cannot look into",
    Finding("table without tenant column", "pgqueuer_log"): "the same",
    Finding("table without tenant column", "pgqueuer_schedules"): "the same",
    Finding("table without tenant column", "pgqueuer_statistics"): "the same",
    Finding(
        "definer function", "jobs.enqueue(uuid,uuid,text,uuid,text,timestamp with time zone)"
    ): "the only way into the queue",
    Finding("definer function", "jobs.hold(uuid)"): "locks a job of the transaction's tenant",
    Finding("definer function", "jobs.retry(uuid)"): "a failed job of the transaction's tenant runs again",
    Finding("definer function", "jobs.cancel(uuid)"): "a job of the transaction's tenant leaves the queue",
    Finding("policy does not read the tenant variable", "exports.door_select"): "whose old files are to be deleted",
    Finding("policy does not read the tenant variable", "jobs.door_select"): "the queue shows what becomes of jobs",
    Finding("policy does not read the tenant variable", "jobs.door_insert"): "the same",
    Finding("policy does not read the tenant variable", "jobs.door_update"): "the same",
    Finding("policy does not read the tenant variable", "jobs.door_delete"): "purging what ended long ago",
    Finding(
        "policy does not read the tenant variable", "quote_revisions.door_select"
    ): "which offers are over or end soon",
}

# The one form of a policy, as the database writes it down. See migrations/policies.py.
_TENANT_CLAUSE: Final = (
    r"^\(organization_id = \( SELECT \(NULLIF\(current_setting\('app\.tenant_id'::text, true\), ''::text\)\)::uuid"
    r"( AS \"?nullif\"?)?\)\)$"
)

_RULES: Final = r"""
WITH app AS (SELECT * FROM pg_roles WHERE rolname = :app),
t AS (
    SELECT c.oid, c.relname, c.relrowsecurity AS rls, c.relforcerowsecurity AS forced, a.attnum AS tenant,
           a.attnotnull AS filled
    FROM pg_class c
    LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'organization_id' AND NOT a.attisdropped
    WHERE c.relnamespace = CAST(:schema AS regnamespace) AND c.relkind IN ('r', 'p')
),
clauses AS (
    SELECT t.relname || '.' || p.polname AS place, clause
    FROM t JOIN pg_policy p ON p.polrelid = t.oid,
    LATERAL (
        VALUES (pg_get_expr(p.polqual, p.polrelid)), (pg_get_expr(p.polwithcheck, p.polrelid))
    ) AS v (clause) WHERE clause IS NOT NULL
)
SELECT 'table without tenant column' AS rule, relname::text AS place FROM t WHERE tenant IS NULL
UNION ALL
SELECT 'row-level security not enabled and forced', relname FROM t WHERE tenant IS NOT NULL AND NOT (rls AND forced)
UNION ALL
SELECT 'tenant column nullable', relname FROM t WHERE tenant IS NOT NULL AND NOT filled
UNION ALL
SELECT 'no policy with USING and WITH CHECK', relname FROM t
WHERE tenant IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM pg_policy p
    WHERE p.polrelid = t.oid AND p.polcmd = '*' AND p.polqual IS NOT NULL AND p.polwithcheck IS NOT NULL
)
UNION ALL
SELECT DISTINCT 'policy does not read the tenant variable', place FROM clauses WHERE clause !~ 'app\.tenant_id'
UNION ALL
SELECT DISTINCT 'policy reads the variable per row', place FROM clauses
WHERE clause ~ 'current_setting' AND clause !~* 'select'
UNION ALL
SELECT DISTINCT 'policy says more than the tenant', place FROM clauses
WHERE clause ~ 'app\.tenant_id' AND clause ~* 'select' AND clause !~ :tenant_clause
UNION ALL
SELECT 'table open to every tenant', relname FROM t, app
WHERE tenant IS NULL AND has_any_column_privilege(app.oid, t.oid, 'select, insert, update')
    OR tenant IS NULL AND has_table_privilege(app.oid, t.oid, 'delete')
UNION ALL
SELECT 'partition open by its own name', t.relname FROM t JOIN pg_class c ON c.oid = t.oid, app
WHERE c.relispartition AND (
    has_any_column_privilege(app.oid, t.oid, 'select, insert, update') OR has_table_privilege(app.oid, t.oid, 'delete')
)
UNION ALL
SELECT 'foreign key that can cross tenants', CAST(c.conrelid AS regclass) || '.' || c.conname
FROM pg_constraint c JOIN t a ON a.oid = c.conrelid JOIN t b ON b.oid = c.confrelid
WHERE c.contype = 'f' AND a.tenant IS NOT NULL AND b.tenant IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM unnest(c.conkey, c.confkey) AS k (near, far) WHERE near = a.tenant AND far = b.tenant
)
UNION ALL
SELECT 'unique index not beginning with the tenant', CAST(CAST(i.indexrelid AS regclass) AS text)
FROM pg_index i JOIN t ON t.oid = i.indrelid
WHERE t.tenant IS NOT NULL AND i.indisunique AND i.indkey[0] <> t.tenant
UNION ALL
SELECT 'index column whose = is not leakproof', CAST(i.indexrelid AS regclass) || ' (' || a.attname || ')'
FROM pg_index i JOIN t ON t.oid = i.indrelid AND t.tenant IS NOT NULL
JOIN LATERAL unnest(CAST(i.indkey AS int2[]), CAST(i.indclass AS oid[])) AS k (att, opc) ON true
JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.att
JOIN pg_opclass oc ON oc.oid = k.opc
JOIN pg_am am ON am.oid = oc.opcmethod AND am.amname = 'btree'
JOIN pg_amop ao ON ao.amopfamily = oc.opcfamily AND ao.amoplefttype = oc.opcintype
    AND ao.amoprighttype = oc.opcintype AND ao.amopstrategy = 3
JOIN pg_operator o ON o.oid = ao.amopopr
JOIN pg_proc p ON p.oid = o.oprcode
WHERE NOT p.proleakproof
UNION ALL
SELECT 'view not security_invoker', c.relname FROM pg_class c, app
WHERE c.relnamespace = CAST(:schema AS regnamespace) AND c.relkind = 'v'
    AND has_table_privilege(app.oid, c.oid, 'select')
    AND NOT coalesce(CAST(c.reloptions AS text), '') ~ 'security_invoker=(true|on|1)'
UNION ALL
SELECT 'materialised view granted', c.relname FROM pg_class c, app
WHERE c.relnamespace = CAST(:schema AS regnamespace) AND c.relkind = 'm'
    AND has_table_privilege(app.oid, c.oid, 'select')
UNION ALL
SELECT CASE WHEN CAST(p.proconfig AS text) ~ 'search_path' THEN 'definer function'
            ELSE 'definer function without search_path' END, CAST(CAST(p.oid AS regprocedure) AS text)
FROM pg_proc p, app
WHERE p.pronamespace = CAST(:schema AS regnamespace) AND p.prosecdef
    AND has_function_privilege(app.oid, p.oid, 'execute')
UNION ALL
SELECT 'application may ' || privilege, t.relname
FROM t, app, unnest(ARRAY['truncate', 'references', 'trigger']) AS privilege
WHERE has_table_privilege(app.oid, t.oid, privilege)
UNION ALL
SELECT 'application may create in schema', CAST(:schema AS text) FROM app
WHERE has_schema_privilege(app.oid, :schema, 'create')
UNION ALL
SELECT 'application may create temporary tables', CAST(current_database() AS text) FROM app
WHERE has_database_privilege(app.oid, current_database(), 'temp')
UNION ALL
SELECT 'application role is ' || kind, rolname
FROM app, LATERAL (
    VALUES ('superuser', rolsuper), ('bypassrls', rolbypassrls), ('createrole', rolcreaterole),
           ('replication', rolreplication)
) AS v (kind, held) WHERE held
UNION ALL
SELECT 'application owns', c.relname FROM pg_class c JOIN app ON c.relowner = app.oid
UNION ALL
SELECT 'application is a member of', r.rolname
FROM pg_auth_members m JOIN app ON m.member = app.oid JOIN pg_roles r ON r.oid = m.roleid
UNION ALL
SELECT 'constraint not validated', conname FROM pg_constraint
WHERE connamespace = CAST(:schema AS regnamespace) AND NOT convalidated
ORDER BY 1, 2
"""


async def lint(connection: AsyncConnection, *, schema: str = "proffer", app_role: str = APP) -> list[Finding]:
    """Everything in *schema* that is not as it must be, but for the reviewed exceptions. Any role may ask."""
    rows = await connection.execute(text(_RULES), {"schema": schema, "app": app_role, "tenant_clause": _TENANT_CLAUSE})
    found = [Finding(str(row.rule), str(row.place)) for row in rows]
    return [finding for finding in found if finding not in ALLOWED]
