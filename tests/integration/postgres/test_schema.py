"""What the database itself refuses, and that the tables in the code are those that the migrations make."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from src.adapters.embedded_postgres import ServerAddress
from src.adapters.postgres.addresses import DatabaseUrls
from src.adapters.postgres.connection import Connection as LentConnection
from src.adapters.postgres.tables import metadata
from src.adapters.postgres.unit_of_work import PostgresUnitOfWork
from src.application.ports.unit_of_work import OpenUnitOfWork, UnitOfWork
from src.domain.quoting.quote import Quote
from tests.builders.offers import NOON, Shop, new_shop


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop(open_postgres: OpenUnitOfWork) -> Shop:
    return await new_shop(open_postgres)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def superuser_engine(server: ServerAddress, database: DatabaseUrls) -> AsyncIterator[AsyncEngine]:
    name = make_url(database.owner).database
    assert name is not None
    engine = create_async_engine(server.url(name), poolclass=NullPool)
    yield engine
    await engine.dispose()


def _connection(uow: UnitOfWork) -> LentConnection:
    """The connection underneath, to do what no repository does."""
    assert isinstance(uow, PostgresUnitOfWork)
    return uow._transaction.connection


# Tables of nobody: only functions and operators see them.
_TENANTLESS = {"alembic_version", "throttles", "operator_keys"}
# What is looked up before a tenant is known: by id or by hash, each of which names one row of one tenant.
_LOOKED_UP_FIRST = {
    "proffer.organizations_slug_key",
    "proffer.challenges_id",
    "proffer.provider_logins_id",
    "proffer.api_keys_hash",
    "proffer.messages_id",
    # What the queue's functions ask of all tenants at once.
    "proffer.jobs_queue_id",
    "proffer.jobs_ended",
    "proffer.quote_revisions_ends",
}


def _column_differences(connection: Connection) -> list[Any]:
    """Tables and columns only: keys, indexes and checks are the migrations' own."""

    def is_ours(name: str | None, kind: str, _: Any) -> bool:
        return kind != "schema" or name == "proffer"

    def is_compared(_: object, name: str | None, kind: str, __: object, ___: object) -> bool:
        is_partition = kind == "table" and str(name).startswith("audit_entries_")
        return kind in {"table", "column"} and name not in _TENANTLESS and not is_partition

    context = MigrationContext.configure(
        connection,
        opts={
            "include_schemas": True,
            "include_name": is_ours,
            "include_object": is_compared,
            "compare_type": True,
            "version_table_schema": "proffer",
            "target_metadata": metadata,
        },
    )
    return list(compare_metadata(context, metadata))


@pytest.mark.asyncio
async def test_the_tables_of_the_code_are_those_of_the_migrations(owner_engine: AsyncEngine) -> None:
    async with owner_engine.connect() as connection:
        assert await connection.run_sync(_column_differences) == []


@pytest.mark.asyncio
async def test_the_comparison_finds_a_column_that_only_the_database_has(owner_engine: AsyncEngine) -> None:
    async with owner_engine.connect() as connection:
        await connection.execute(text("ALTER TABLE proffer.messages ADD COLUMN mislaid text"))
        await connection.execute(text("ALTER TABLE proffer.messages ALTER COLUMN note DROP NOT NULL"))
        found = await connection.run_sync(_column_differences)
        await connection.rollback()

    assert len(found) == 2


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE proffer.audit_entries SET text = '{}'",
        "DELETE FROM proffer.audit_entries",
        "TRUNCATE proffer.audit_entries",
        "INSERT INTO proffer.audit_entries (organization_id) SELECT organization_id FROM proffer.organizations",
        "SELECT 1 FROM proffer.audit_entries_default",
        "INSERT INTO proffer.audit_entries_default (sequence) VALUES (1)",
        "SELECT proffer.remove_audit_entries(1, 1)",
        "SELECT proffer.drop_empty_audit_partition('2020-01-01')",
        "SELECT proffer.make_audit_partition('2020-01-01')",
        "INSERT INTO proffer.audit_anchors SELECT organization_id, 1, '', 1, now(), now(), '', '' FROM proffer.organizations",
        "UPDATE proffer.audit_heads SET sequence = 0",
        "DELETE FROM proffer.audit_heads",
        "INSERT INTO proffer.audit_heads SELECT gen_random_uuid(), 0, ''",
        "DELETE FROM proffer.quotes",
        "DELETE FROM proffer.quote_revisions",
        "DELETE FROM proffer.organizations",
        "UPDATE proffer.organizations SET status = 'active'",
        "UPDATE proffer.organizations SET verified_domains = '[]'",
        "UPDATE proffer.organizations SET slug = 'x'",
        "SELECT 1 FROM proffer.operator_keys",
        "SELECT 1 FROM proffer.throttles",
        "SELECT proffer.purge()",
        "SELECT proffer.find_message(gen_random_uuid())",
        "UPDATE proffer.idempotency_keys SET status = 200",
        "UPDATE proffer.external_identities SET subject = 'x'",
        "UPDATE proffer.stored_documents SET sha256 = ''",
        "ALTER TABLE proffer.audit_entries DISABLE TRIGGER append_only",
        "CREATE TABLE proffer.mine (id integer)",
        "CREATE TEMP TABLE quotes (id integer)",
    ],
)
async def test_the_application_has_no_right_to(open_postgres: OpenUnitOfWork, shop: Shop, change: str) -> None:
    async with open_postgres(shop.actor) as uow:
        with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
            await _connection(uow).execute(text(change))


_REWRITINGS = (
    "UPDATE proffer.audit_entries SET text = '{}'",
    "DELETE FROM proffer.audit_entries",
    "TRUNCATE proffer.audit_entries",
)


@pytest.mark.asyncio
@pytest.mark.parametrize("change", _REWRITINGS)
async def test_not_even_the_owner_changes_the_past(owner_engine: AsyncEngine, change: str) -> None:
    async with owner_engine.connect() as connection:
        with pytest.raises(DBAPIError, match="audit entries are only ever added"):
            await connection.execute(text(change))


@pytest.mark.asyncio
@pytest.mark.parametrize("change", _REWRITINGS)
async def test_nor_does_a_superuser_who_puts_usual_triggers_to_sleep(
    superuser_engine: AsyncEngine, change: str
) -> None:
    async with superuser_engine.connect() as connection:
        await connection.execute(text("SET LOCAL session_replication_role = replica"))
        with pytest.raises(DBAPIError, match="audit entries are only ever added"):
            await connection.execute(text(change))


@pytest.mark.asyncio
async def test_the_chain_cannot_fork(open_postgres: OpenUnitOfWork, shop: Shop, superuser_engine: AsyncEngine) -> None:
    """Not even by whoever may write: within a month no place is taken twice, and nothing is followed by two."""
    await shop.stored_quote(open_postgres)
    columns = (
        "previous_hash, organization_id, at, action, resource_type, resource_id, actor_kind, user_id, text, hash, month"
    )
    for place, previous, key in (("sequence", "''", "pkey"), ("1000000", "previous_hash", "previous_hash")):
        async with superuser_engine.connect() as connection:
            with pytest.raises(IntegrityError, match=key):
                await connection.execute(
                    text(
                        f"INSERT INTO proffer.audit_entries (sequence, {columns}) "
                        f"SELECT {columns.replace('previous_hash', f'{place}, {previous}', 1)} FROM proffer.audit_entries "
                        "WHERE sequence = 1"
                    )
                )


@pytest.mark.asyncio
@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-Infinity", "1e19"])
@pytest.mark.parametrize(
    "assignment", ["quotes SET payable", "quotes SET tax_total", "line_items SET quantity", "line_items SET net"]
)
async def test_no_amount_is_beyond_all_numbers(
    open_postgres: OpenUnitOfWork, shop: Shop, assignment: str, amount: str
) -> None:
    async with open_postgres(shop.actor) as uow:
        await shop.new_quote(uow)
        with pytest.raises(IntegrityError, match="check constraint"):
            await _connection(uow).execute(text(f"UPDATE proffer.{assignment} = '{amount}'::numeric"))


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("status", "second", "constraint"),
    [
        ("draft", "approved", "quote_revisions_one_open"),
        ("rejected", "pending_approval", "quote_revisions_one_open"),
        ("sent", "sent", "quote_revisions_one_sent"),
    ],
)
async def test_a_quote_has_one_open_and_one_sent_revision(
    open_postgres: OpenUnitOfWork, shop: Shop, status: str, second: str, constraint: str
) -> None:
    async with open_postgres(shop.actor) as uow:
        quote = await shop.new_quote(uow)
        await _connection(uow).execute(
            text("UPDATE proffer.quote_revisions SET status = :status, content_digest = '' WHERE quote_id = :quote"),
            {"status": status, "quote": quote.id},
        )
        with pytest.raises(IntegrityError, match=constraint):
            await _add_revision(uow, quote, second)


@pytest.mark.asyncio
async def test_a_draft_may_stand_beside_a_sent_revision(open_postgres: OpenUnitOfWork, shop: Shop) -> None:
    async with open_postgres(shop.actor) as uow:
        quote = await shop.new_quote(uow)
        await _add_revision(uow, quote, "sent")


async def _add_revision(uow: UnitOfWork, quote: Quote, status: str) -> None:
    await _connection(uow).execute(
        text(
            "INSERT INTO proffer.quote_revisions SELECT organization_id, quote_id, 2, :status, content, calculation, "
            "'', created_at, last_edited_by, NULL, NULL, NULL, '', NULL, ends_at FROM proffer.quote_revisions WHERE quote_id = :quote"
        ),
        {"status": status, "quote": quote.id},
    )


@pytest.mark.asyncio
async def test_a_frozen_revision_has_a_digest(open_postgres: OpenUnitOfWork, shop: Shop) -> None:
    async with open_postgres(shop.actor) as uow:
        await shop.new_quote(uow)
        with pytest.raises(IntegrityError, match="quote_revisions_digest_check"):
            await _connection(uow).execute(text("UPDATE proffer.quote_revisions SET status = 'approved'"))


@pytest.mark.asyncio
async def test_numbers_of_quotes_are_unique_in_an_organisation_only(open_postgres: OpenUnitOfWork, shop: Shop) -> None:
    quote = await shop.stored_quote(open_postgres)
    other = await new_shop(open_postgres)
    theirs = await other.stored_quote(open_postgres)

    async with open_postgres(shop.actor) as uow:
        await shop.new_quote(uow)
        with pytest.raises(IntegrityError, match="quotes_number_key"):
            await _connection(uow).execute(text("UPDATE proffer.quotes SET number = :number"), {"number": quote.number})
    assert theirs.number == "Q-2026-000001"


@pytest.mark.asyncio
async def test_every_index_and_unique_constraint_begins_with_the_organisation(owner_engine: AsyncEngine) -> None:
    async with owner_engine.connect() as connection:
        rows = await connection.execute(
            text(
                "SELECT i.indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid "
                "LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0] "
                "WHERE c.relnamespace = 'proffer'::regnamespace AND c.relname <> ALL (:tenantless) "
                "AND a.attname IS DISTINCT FROM 'organization_id'"
            ),
            {"tenantless": list(_TENANTLESS)},
        )

    assert set(rows.scalars()) == _LOOKED_UP_FIRST


@pytest.mark.asyncio
async def test_the_tenant_is_found_by_index_though_row_level_security_stands_before_it(
    open_postgres: OpenUnitOfWork, superuser_engine: AsyncEngine, shop: Shop
) -> None:
    """With so many rows that the planner has no choice; they are never committed."""
    quote = await shop.stored_quote(open_postgres)
    organization = shop.made.organization.id
    async with superuser_engine.connect() as connection:
        await connection.execute(text(_MANY_QUOTES), {"quote": quote.id})
        await connection.execute(text("ANALYZE proffer.quotes"))
        await connection.execute(text("SET LOCAL ROLE proffer_app"))
        await connection.execute(
            text("SELECT set_config('app.tenant_id', :tenant, true)"), {"tenant": str(organization)}
        )
        plan = await connection.execute(
            text(
                "EXPLAIN SELECT id FROM proffer.quotes WHERE organization_id = :organization AND status = 'draft' "
                "AND (created_at, id) < (:at, :organization) ORDER BY created_at DESC, id DESC LIMIT 20"
            ),
            {"organization": organization, "at": NOON},
        )
        lines = "\n".join(plan.scalars())
        await connection.rollback()

    [condition] = [line for line in lines.splitlines() if "Index Cond" in line]
    for column in ("organization_id", "status", "created_at"):
        assert column in condition
    assert "One-Time Filter" in lines or "InitPlan" in lines  # The policy took part.
    assert "Sort" not in lines


_COPIED = {
    "id": "gen_random_uuid()",
    "number": "number || '-' || n",
    "created_at": "created_at - n * interval '1 hour'",
}
_COPIED |= {"status": "CASE WHEN n % 10 = 0 THEN 'draft' ELSE 'cancelled' END"}
_MANY_QUOTES = (
    "INSERT INTO proffer.quotes "
    f"SELECT {', '.join(_COPIED.get(column.name, column.name) for column in metadata.tables['proffer.quotes'].columns)} "
    "FROM proffer.quotes, generate_series(1, 5000) AS n WHERE id = :quote"
)


@pytest.mark.asyncio
async def test_whose_message_a_report_names_is_found_by_an_index(superuser_engine: AsyncEngine) -> None:
    async with superuser_engine.connect() as connection:
        source = await connection.scalar(
            text("SELECT prosrc FROM pg_proc WHERE oid = 'proffer.find_message(uuid)'::regprocedure")
        )
        await connection.execute(text("SET LOCAL enable_seqscan = off"))
        await connection.execute(text("SET LOCAL ROLE proffer_door"))
        question = str(source).replace("wanted", "'0192f0c1-0000-7000-8000-000000000001'::uuid")
        plan = "\n".join((await connection.exec_driver_sql(f"EXPLAIN {question}")).scalars())

    assert "messages_id" in plan
