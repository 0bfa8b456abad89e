"""From a bare server to a schema, and back, as often as one likes."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from src.adapters.embedded_postgres import ServerAddress
from src.adapters.postgres.addresses import DatabaseUrls
from src.adapters.postgres.bootstrap import bootstrap, migrate
from src.adapters.postgres.directories import PostgresOrganizationDirectory
from src.adapters.postgres.engine import make_engine
from src.adapters.postgres.lint import lint
from src.adapters.postgres.unit_of_work import OpenPostgresUnitOfWork
from src.adapters.postgres.versions import alembic_config, downgrade, upgrade
from src.application.ports.identity import OperatorKey, OperatorRights
from src.application.ports.paging import Paging
from src.application.ports.quoting import QuoteFilter
from src.domain.approvals.conditions import Condition, Operator
from src.domain.identity.actor import Role
from src.domain.messaging.message import DeliveryStatus
from src.domain.shared.change import Change
from tests.builders.everything import a_full_organization
from tests.builders.messages import a_queued_message
from tests.builders.quotes import NOON, a_policy
from tests.database import SECRET, drop_database, empty_database

pytestmark = pytest.mark.asyncio

# Everything that a migration may make: tables, columns, indexes, constraints, policies, functions, triggers, rights.
_DESCRIPTION = """
    WITH ours AS (SELECT oid FROM pg_namespace WHERE nspname IN ('proffer', 'jobs', 'public')),
    r AS (SELECT c.* FROM pg_class c JOIN ours ON ours.oid = c.relnamespace WHERE c.relname NOT LIKE 'alembic%')
    SELECT concat_ws(' ', 'relation', r.oid::regclass, relkind, relrowsecurity, relforcerowsecurity, relacl) FROM r
    UNION ALL
    SELECT concat_ws(' ', 'column', a.attrelid::regclass, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
                     pg_get_expr(d.adbin, d.adrelid), a.attacl)
    FROM pg_attribute a JOIN r ON r.oid = a.attrelid
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum WHERE a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT concat_ws(' ', 'index', pg_get_indexdef(i.indexrelid)) FROM pg_index i JOIN r ON r.oid = i.indrelid
    UNION ALL
    SELECT concat_ws(' ', 'constraint', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid))
    FROM pg_constraint k JOIN r ON r.oid = k.conrelid
    UNION ALL
    SELECT concat_ws(' ', 'policy', p.polrelid::regclass, p.polname, p.polcmd, p.polroles::regrole[],
                     pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) FROM pg_policy p
    UNION ALL
    SELECT concat_ws(' ', 'function', p.oid::regprocedure, p.proowner::regrole, p.proacl, pg_get_functiondef(p.oid))
    FROM pg_proc p JOIN ours ON ours.oid = p.pronamespace
    UNION ALL
    SELECT concat_ws(' ', 'trigger', t.tgenabled, pg_get_triggerdef(t.oid))
    FROM pg_trigger t JOIN r ON r.oid = t.tgrelid WHERE NOT t.tgisinternal
    UNION ALL
    SELECT concat_ws(' ', 'type', t.oid::regtype, t.typtype) FROM pg_type t JOIN ours ON ours.oid = t.typnamespace
    WHERE t.typname NOT LIKE '%alembic%'
    UNION ALL
    SELECT concat_ws(' ', 'schema', n.nspname, n.nspacl) FROM pg_namespace n JOIN ours ON ours.oid = n.oid
"""


async def _description(connection: AsyncConnection) -> list[str]:
    return sorted((await connection.execute(text(_DESCRIPTION))).scalars())


def _revisions(connection: Connection) -> list[str]:
    """Oldest first."""
    script = ScriptDirectory.from_config(alembic_config(connection))
    return [revision.revision for revision in script.walk_revisions()][::-1]


@pytest_asyncio.fixture(loop_scope="session")
async def empty(test_home: Path, server: ServerAddress, worker_name: str) -> AsyncIterator[DatabaseUrls]:
    """A database with roles and schemas, and no table."""
    name = f"empty_{worker_name}"
    yield await empty_database(test_home, server, name)
    await drop_database(server, name)


@pytest_asyncio.fixture(loop_scope="session")
async def owner(empty: DatabaseUrls) -> AsyncIterator[AsyncConnection]:
    engine = create_async_engine(empty.owner, poolclass=NullPool)
    async with engine.connect() as connection:
        yield connection
    await engine.dispose()


async def test_every_step_up_can_be_undone_and_done_again(owner: AsyncConnection) -> None:
    for revision in await owner.run_sync(_revisions):
        before = await _description(owner)
        await owner.run_sync(upgrade, revision)
        after = await _description(owner)
        assert after != before

        await owner.run_sync(downgrade, "-1")
        assert await _description(owner) == before

        await owner.run_sync(upgrade, revision)
        assert await _description(owner) == after


async def test_up_down_up_ends_where_it_began(owner: AsyncConnection) -> None:
    bare = await _description(owner)
    await owner.run_sync(upgrade)
    full = await _description(owner)
    await owner.run_sync(downgrade, "base")
    assert await _description(owner) == bare

    await owner.run_sync(upgrade)

    assert await _description(owner) == full
    assert await lint(owner) == []


async def test_there_is_one_line_of_migrations(owner: AsyncConnection) -> None:
    def heads(connection: Connection) -> list[str]:
        return list(ScriptDirectory.from_config(alembic_config(connection)).get_heads())

    assert await owner.run_sync(heads) == (await owner.run_sync(_revisions))[-1:]


async def test_migrating_may_be_repeated_and_raced(empty: DatabaseUrls, owner: AsyncConnection) -> None:
    await asyncio.gather(*(migrate(empty.owner) for _ in range(3)))
    first = await _description(owner)
    await owner.rollback()
    await migrate(empty.owner)

    assert await _description(owner) == first


async def test_bootstrapping_may_be_repeated_and_raced(
    empty: DatabaseUrls, owner: AsyncConnection, server: ServerAddress
) -> None:
    name = empty.owner.rpartition("/")[2]
    await migrate(empty.owner)
    before = await _description(owner)
    await owner.rollback()

    again = await asyncio.gather(*(bootstrap(server.url(name), SECRET) for _ in range(3)))

    assert again == [empty, empty, empty]
    assert await _description(owner) == before


async def test_a_bare_server_becomes_a_database_by_an_address_in_the_form_of_libpq(
    server: ServerAddress, worker_name: str
) -> None:
    name = f"odd-name-{worker_name}"
    address = server.url(name).replace("postgresql+asyncpg://", "postgres://") + "?sslmode=prefer"
    try:
        urls = await bootstrap(address, SECRET)
        await migrate(urls.owner)
        engine = make_engine(urls.app, pool_size=1)
        async with engine.connect() as connection:
            seen = (await connection.execute(text("SELECT current_user || ' in ' || current_database()"))).scalar_one()
        await engine.dispose()
    finally:
        await drop_database(server, f'"{name}"')

    assert address.startswith("postgres://")
    assert seen == f"proffer_app in {name}"


async def test_only_our_roles_may_connect_and_nobody_may_make_temporary_tables(
    empty: DatabaseUrls, owner: AsyncConnection
) -> None:
    [acl] = (
        await owner.execute(text("SELECT datacl::text FROM pg_database WHERE datname = current_database()"))
    ).scalars()
    rights = dict(entry.partition("/")[0].split("=") for entry in acl.strip("{}").split(","))

    assert rights == {
        "proffer_owner": "CTc",
        "proffer_app": "c",
        "proffer_operator": "c",
        "proffer_worker": "c",
    }
    assert make_engine(empty.app, pool_size=1).url.database == empty.owner.rpartition("/")[2]


async def test_the_pools_limit_how_long_a_request_may_hold_rows(empty: DatabaseUrls) -> None:
    engine = make_engine(empty.app, pool_size=1)
    async with engine.connect() as connection:
        rows = await connection.execute(
            text(
                "SELECT name, setting FROM pg_settings "
                "WHERE name IN ('statement_timeout', 'idle_in_transaction_session_timeout', 'TimeZone')"
            )
        )
        settings = {row.name: row.setting for row in rows}
    await engine.dispose()

    assert settings == {
        "statement_timeout": "5000",
        "idle_in_transaction_session_timeout": "10000",
        "TimeZone": "UTC",
    }


async def test_the_pools_write_days_and_instants_alike_whatever_the_server_is_set_to(
    empty: DatabaseUrls, owner: AsyncConnection
) -> None:
    """Exports take the texts that PostgreSQL makes of them."""
    name = empty.owner.rpartition("/")[2]
    for setting in ("datestyle TO 'SQL, DMY'", "timezone TO 'Asia/Seoul'"):
        await owner.execute(text(f'ALTER DATABASE "{name}" SET {setting}'))
    await owner.commit()
    engine = make_engine(empty.app, pool_size=1)
    async with engine.connect() as connection:
        told = (await connection.execute(text("SELECT '2026-07-01T23:00Z'::timestamptz::text"))).scalar_one()
    await engine.dispose()

    assert told == "2026-07-01 23:00:00+00"


async def test_approvals_are_told_over_into_the_form_of_their_time(empty: DatabaseUrls, owner: AsyncConnection) -> None:
    """What was decided and asked before a change of form reads the same after it, and nothing gets laxer on the way back."""
    await migrate(empty.owner)
    app, operator = make_engine(empty.app, pool_size=2), make_engine(empty.operator, pool_size=1)
    open_uow = OpenPostgresUnitOfWork(app, operator)
    team = await a_full_organization(open_uow)
    admin = team.actor(Role.ADMIN)
    total = Condition(fact="total", operator=Operator.AT_LEAST, values=(Decimal("1250.50"),))
    currency = Condition(fact="currency", operator=Operator.IN, values=("EUR", "CHF"))
    policy = a_policy(total, currency, owner_id=None)

    async def kept() -> tuple[object, ...]:
        async with open_uow(admin) as uow:
            policies = {one.name: one.conditions for one in await uow.policies.all()}
            requests = [
                (one.facts, one.status, [(step.name, step.rule.roles, step.decisions) for step in one.steps])
                for one in await uow.approvals.live()
            ]
        return policies, requests

    async def there_and_back() -> None:
        await app.dispose()
        await owner.run_sync(downgrade, "0010")
        await owner.run_sync(upgrade)
        await owner.commit()

    async with open_uow(admin) as uow:
        await uow.policies.save(policy.create())
        request = (await uow.approvals.live())[0]
        facts = (("currency", "EUR"), ("discount_percent", Decimal("5.5")), ("total", Decimal(7)))
        changed = replace(request, facts=facts)
        await uow.approvals.save(Change(request, changed, request.withdraw(at=NOON).events))
        await uow.commit()
    before = await kept()
    await there_and_back()
    assert await kept() == before

    async with open_uow(admin) as uow:
        margin = Condition(fact="margin_percent", operator=Operator.LESS, values=(Decimal(20),))
        await uow.policies.save(a_policy(margin, name="Thin", owner_id=None).create())
        await uow.commit()
    with pytest.raises(DBAPIError, match="end them first"):
        await there_and_back()
    await owner.rollback()
    await app.dispose()
    await operator.dispose()


async def test_mails_to_one_address_are_told_apart_by_attempt_groups(
    empty: DatabaseUrls, owner: AsyncConnection
) -> None:
    """Before there were groups somebody could have an offer twice: as its recipient, and for a copy."""
    await migrate(empty.owner)
    app, operator = make_engine(empty.app, pool_size=2), make_engine(empty.operator, pool_size=1)
    open_uow = OpenPostgresUnitOfWork(app, operator)
    sales = (await a_full_organization(open_uow)).actor(Role.SALES)
    async with open_uow(sales) as uow:
        (quote,) = (await uow.quotes.page(QuoteFilter(), Paging())).items
        (first,) = await uow.messages.of_quote(quote.id)
        made = [("ann@example.com", 1), (first.recipient, 2), (first.recipient, 3)]
        for minute, (recipient, group) in enumerate(made, start=1):
            at = first.created_at + timedelta(minutes=minute)
            await uow.messages.save(
                a_queued_message(quote.id, revision=first.revision, recipient=recipient, at=at, attempt_group=group)
            )
        await uow.commit()

    await app.dispose()
    await owner.run_sync(downgrade, "0012")
    await owner.run_sync(upgrade)
    await owner.commit()
    async with open_uow(sales) as uow:
        kept = await uow.messages.of_quote(quote.id)
    await app.dispose()
    await operator.dispose()

    assert [(one.recipient, one.attempt_group) for one in kept] == [(first.recipient, 1), *made]
    assert first.contact_id is not None
    assert [one.contact_id for one in kept] == [first.contact_id, None, first.contact_id, first.contact_id]


async def test_what_reports_said_becomes_the_nearest_of_before_and_gateways_are_locked_out(
    empty: DatabaseUrls, owner: AsyncConnection
) -> None:
    await migrate(empty.owner)
    app, operator = make_engine(empty.app, pool_size=2), make_engine(empty.operator, pool_size=1)
    open_uow, directory = OpenPostgresUnitOfWork(app, operator), PostgresOrganizationDirectory(operator)
    await directory.add_operator_key(OperatorKey("olga", OperatorRights.EVERYTHING), "1", NOON)
    await directory.add_operator_key(OperatorKey("mailgate", OperatorRights.MAIL_REPORTS), "2", NOON)
    sales = (await a_full_organization(open_uow)).actor(Role.SALES)
    statuses = (DeliveryStatus.DELIVERED, DeliveryStatus.BOUNCED)
    async with open_uow(sales) as uow:
        (quote,) = (await uow.quotes.page(QuoteFilter(), Paging())).items
        (first,) = await uow.messages.of_quote(quote.id)
        for group, status in enumerate(statuses, start=2):
            at = first.created_at + timedelta(minutes=group)
            queued = a_queued_message(quote.id, revision=first.revision, at=at, attempt_group=group)
            await uow.messages.save(replace(queued, after=replace(queued.after, status=status)))
        await uow.commit()
    await app.dispose()
    await operator.dispose()

    await owner.run_sync(downgrade, "0012")
    await owner.run_sync(upgrade)
    await owner.commit()

    async with open_uow(sales) as uow:
        kept = [one.status for one in await uow.messages.of_quote(quote.id)]
    keys = [await directory.operator_of(key_hash) for key_hash in ("1", "2")]
    await app.dispose()
    await operator.dispose()
    assert kept == [first.status, DeliveryStatus.HANDED_OVER, DeliveryStatus.FAILED]
    assert keys == [OperatorKey("olga", OperatorRights.EVERYTHING), None]
