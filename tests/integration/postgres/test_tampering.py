"""Whatever the owner of the database does to a chain is found, and the first entry is named."""

import os
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from src.adapters.audit_heads import JsonLinesArchives, StoredHeads
from src.adapters.memory.audit import MemoryAuditPartitions
from src.adapters.memory.system import TickingClock
from src.adapters.postgres.connection import Connection
from src.adapters.postgres.tables import audit_entries
from src.adapters.postgres.transaction import Transaction
from src.adapters.postgres.unit_of_work import PostgresUnitOfWork
from src.adapters.spreadsheets import FileSpreadsheets
from src.adapters.storage import storage_from
from src.application.audit.retain_audit import RetainAudit
from src.application.audit.sign_heads import ChainBroken, SignAuditHead
from src.application.audit.verify_audit import VerifyAuditCommand
from src.application.ports.unit_of_work import OpenUnitOfWork, UnitOfWork
from src.application.transactions import Transactions
from src.domain.audit.chain import BEGINNING, ChainHead, link_hash
from src.domain.audit.signed_head import SignedHead
from src.domain.audit.verification import Tampering
from src.domain.identity.actor import Actor, Role
from src.domain.shared.ids import OrganizationId
from tests.builders.audit import SIGNER, verifying
from tests.builders.quotes import NOON, a_customer
from tests.organizations import ORIGIN, new_organization

# ``HYPOTHESIS_PROFILE=thorough`` does all ten thousand.
TIMES: Final = 10_000 if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" else 600
Row = dict[str, Any]


@dataclass(slots=True)
class Chain:
    """What the owner sees, and may change: *rows* in their order, and the *head* (sequence and hash)."""

    rows: list[Row]
    head: ChainHead
    here: OrganizationId
    foreign: list[Row]

    def renumber(self) -> None:
        for place, row in enumerate(self.rows, 1):
            row["sequence"] = place

    def rehash(self, first: int, last: int | None = None) -> None:
        """Hashes that fit, from *first* to *last* (places from 1)."""
        for place in range(first, (last or len(self.rows)) + 1):
            row = self.rows[place - 1]
            row["previous_hash"] = self.rows[place - 2]["hash"] if place > 1 else BEGINNING
            row["hash"] = link_hash(self.here, row["sequence"], row["previous_hash"], row["text"])

    def end_here(self) -> None:
        self.head = ChainHead(self.rows[-1]["sequence"], self.rows[-1]["hash"]) if self.rows else ChainHead()


# Each changes a chain at a place (from 1), and tells the first and the last entry that may be named for it.
Mutation = Callable[[Chain, int, random.Random], tuple[int, int]]


def _other_text(row: Row, chance: random.Random) -> str:
    position = chance.randrange(len(row["text"]))
    old = row["text"][position]
    return str(row["text"][:position] + ("x" if old != "x" else "y") + row["text"][position + 1 :])


def flip_text(chain: Chain, place: int, chance: random.Random) -> tuple[int, int]:
    chain.rows[place - 1]["text"] = _other_text(chain.rows[place - 1], chance)
    return place, place


def flip_hash(chain: Chain, place: int, chance: random.Random) -> tuple[int, int]:
    column = chance.choice(["hash", "previous_hash"])
    row = chain.rows[place - 1]
    row[column] = row[column][:-1] + ("1" if row[column][-1] == "0" else "0")
    return place, place


def change_what_is_shown(chain: Chain, place: int, chance: random.Random) -> tuple[int, int]:
    row = chain.rows[place - 1]
    column = chance.choice(["action", "resource_type", "resource_id", "actor_kind", "user_id", "at"])
    if column == "at":
        row["at"] += timedelta(microseconds=chance.choice([-1, 1]))
    elif column.endswith("_id"):
        row[column] = uuid4()
    else:
        row[column] += chance.choice(["x", '"'])
    return place, place


def delete(chain: Chain, place: int, chance: random.Random) -> tuple[int, int]:
    del chain.rows[place - 1]
    if chance.random() < 0.5:
        chain.renumber()
    return place, place


def swap(chain: Chain, place: int, chance: random.Random) -> tuple[int, int]:
    other = chance.choice([one for one in range(1, len(chain.rows) + 1) if one != place])
    rows = chain.rows
    rows[place - 1], rows[other - 1] = rows[other - 1], rows[place - 1]
    chain.renumber()
    return min(place, other), min(place, other)


def duplicate(chain: Chain, place: int, chance: random.Random) -> tuple[int, int]:
    """A copy of any entry, before the one at *place*; which of two equal ones is the copy, nobody can tell."""
    chain.rows.insert(place - 1, dict(chance.choice(chain.rows)))
    same = chain.rows[place - 1]["hash"] == chain.rows[place]["hash"]
    chain.renumber()
    return place, place + 1 if same else place


def take_a_place_twice(chain: Chain, place: int, chance: random.Random) -> tuple[int, int]:
    twin = dict(chain.rows[place - 1])
    kind = chance.randrange(3)
    if kind:
        twin["text"] = _other_text(twin, chance)
    if kind == 2:
        twin["hash"] = link_hash(chain.here, place, twin["previous_hash"], twin["text"])
    chain.rows.insert(place, twin)
    return place, place


def insert_with_a_hash_that_fits(chain: Chain, place: int, chance: random.Random) -> tuple[int, int]:
    chain.rows.insert(place - 1, {**chain.rows[place - 1], "text": _other_text(chain.rows[place - 1], chance)})
    chain.renumber()
    chain.rehash(place, place)
    _show_what_is_written(chain.rows[place - 1], chain.foreign[0])
    return place, place


def change_with_a_hash_that_fits(chain: Chain, place: int, chance: random.Random) -> tuple[int, int]:
    _show_what_is_written(chain.rows[place - 1], chance.choice(chain.foreign))
    chain.rehash(place, place)
    return place, place


def write_anew(chain: Chain, place: int, chance: random.Random) -> tuple[int, int]:
    """Everything from *place* on, the head too: only kept heads tell, and only between which of them it lies."""
    _show_what_is_written(chain.rows[place - 1], chance.choice(chain.foreign))
    chain.rehash(place)
    chain.end_here()
    return 1, place


def cut(chain: Chain, place: int, chance: random.Random) -> tuple[int, int]:
    del chain.rows[place - 1 :]
    if chance.random() < 0.5:
        chain.end_here()
    return place, place


def move_here(chain: Chain, place: int, chance: random.Random) -> tuple[int, int]:
    foreign = chance.choice(chain.foreign)
    chain.rows[place - 1] = {**foreign, "organization_id": chain.here, "sequence": place}
    if chance.random() < 0.5:
        chain.rows[place - 1]["previous_hash"] = chain.rows[place - 2]["hash"] if place > 1 else BEGINNING
    return place, place


def change_the_head(chain: Chain, place: int, chance: random.Random) -> tuple[int, int]:
    last = len(chain.rows)
    if chance.random() < 0.5:
        chain.head = ChainHead(chain.head.sequence, "0" * 64)
        return last, last
    chain.head = ChainHead(place - 1, chain.rows[place - 2]["hash"] if place > 1 else BEGINNING)
    return place, place


def _show_what_is_written(row: Row, other: Row) -> None:
    """What a careful forger does: text and shown fields of another entry that fit each other."""
    shown = ("text", "at", "action", "resource_type", "resource_id", "actor_kind", "user_id")
    row.update({name: other[name] for name in shown})
    row["hash"] = link_hash(row["organization_id"], row["sequence"], row["previous_hash"], row["text"])


MUTATIONS: Final[tuple[Mutation, ...]] = (
    flip_text,
    flip_hash,
    change_what_is_shown,
    delete,
    swap,
    duplicate,
    take_a_place_twice,
    insert_with_a_hash_that_fits,
    change_with_a_hash_that_fits,
    write_anew,
    cut,
    move_here,
    change_the_head,
)


class WithinAnother(PostgresUnitOfWork):
    """Its end is the end of the transaction that it is in."""

    async def settle(self) -> None: ...


class OnOneConnection(OpenUnitOfWork):
    """Units of work inside the owner's own transaction, which sees what it has changed."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    def __call__(self, actor: Actor) -> AbstractAsyncContextManager[UnitOfWork]:
        return self._open(actor)

    @asynccontextmanager
    async def _open(self, actor: Actor) -> AsyncIterator[UnitOfWork]:
        lent = await self._connection.get_raw_connection()
        same = Connection(self._connection.engine.sync_engine, lent)
        yield WithinAnother(Transaction(same, actor.organization_id), actor)


@asynccontextmanager
async def nothing_in_the_way(owner_engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """The owner takes away whatever protects the table; in the end all of it is as before."""
    async with owner_engine.connect() as connection:
        for table in ("audit_entries", "audit_heads", "audit_signed_heads", "audit_anchors"):
            await connection.execute(text(f"ALTER TABLE proffer.{table} NO FORCE ROW LEVEL SECURITY"))
        for table in ("audit_entries", "audit_anchors"):
            await connection.execute(text(f"ALTER TABLE proffer.{table} DISABLE TRIGGER USER"))
        await connection.execute(text("ALTER TABLE proffer.audit_entries DROP CONSTRAINT audit_entries_pkey"))
        await connection.execute(text("ALTER TABLE proffer.audit_entries DROP CONSTRAINT audit_entries_previous_key"))
        await connection.execute(text("SET LOCAL enable_seqscan = off"))
        yield connection
        await connection.rollback()


async def _rows(connection: AsyncConnection, organization_id: OrganizationId) -> list[Row]:
    own = audit_entries.c.organization_id == organization_id
    found = await connection.execute(audit_entries.select().where(own).order_by(audit_entries.c.sequence))
    return [{name: value for name, value in row._mapping.items() if name != "trace_id"} for row in found]  # Generated.


async def _write(connection: AsyncConnection, chain: Chain) -> None:
    tenant = {"tenant": chain.here}
    await connection.execute(text("DELETE FROM proffer.audit_entries WHERE organization_id = :tenant"), tenant)
    if chain.rows:
        await connection.execute(audit_entries.insert(), chain.rows)
    await connection.execute(
        text("UPDATE proffer.audit_heads SET sequence = :sequence, hash = :hash WHERE organization_id = :tenant"),
        {**tenant, "sequence": chain.head.sequence, "hash": chain.head.hash},
    )


@pytest.mark.asyncio
async def test_every_tampering_by_the_databases_owner_is_found_and_named(
    open_postgres: OpenUnitOfWork, owner_engine: AsyncEngine
) -> None:
    made, other = await new_organization(open_postgres), await new_organization(open_postgres)
    actor, here = made.actor(Role.OWNER), made.organization.id
    async with open_postgres(actor) as uow:
        for _ in range(5):
            await uow.customers.save(a_customer().create())
        await uow.commit()
    chance = random.Random(11)
    seen: dict[str, set[Tampering]] = {mutation.__name__: set() for mutation in MUTATIONS}
    async with nothing_in_the_way(owner_engine) as connection:
        rows, foreign = await _rows(connection, here), await _rows(connection, other.organization.id)
        last = ChainHead(rows[-1]["sequence"], rows[-1]["hash"])
        verify = verifying(OnOneConnection(connection))
        assert (await verify(actor)).intact
        for number in range(TIMES):
            mutation = MUTATIONS[number % len(MUTATIONS)]
            chain = Chain(deepcopy(rows), last, here, foreign)
            place = chance.randrange(1, len(rows) + 1)
            kept = _some_heads(rows, here, chance)
            earliest, latest = mutation(chain, place, chance)
            agreed = 1 + max((one.head.sequence for one in kept if one.head.sequence < place), default=0)
            async with connection.begin_nested() as savepoint:
                await _write(connection, chain)

                result = await verify(actor, VerifyAuditCommand(heads=kept, others=[other.organization.id]))

                await savepoint.rollback()
            told = f"{mutation.__name__} at {place} ({number}): {result.finding}"
            assert result.finding is not None, told
            if (
                result.finding.tampering is Tampering.REWRITTEN
            ):  # Which of the entries since the last kept head, none can tell.
                earliest = latest = agreed
            assert earliest <= result.finding.first_bad <= latest, told
            seen[mutation.__name__].add(result.finding.tampering)
        assert (await verify(actor)).intact
    assert seen["move_here"] >= {Tampering.MOVED}
    assert seen["swap"] == {Tampering.REORDERED}
    assert seen["write_anew"] == {Tampering.REWRITTEN}
    assert seen["cut"] == seen["delete"] == {Tampering.REMOVED}


@pytest.mark.asyncio
async def test_a_chain_written_anew_whose_heads_were_taken_away_is_neither_signed_nor_retained(
    open_postgres: OpenUnitOfWork, owner_engine: AsyncEngine, tmp_path: Path
) -> None:
    """The owner of the database leaves nothing in it that tells: only what is kept elsewhere does."""
    old = TickingClock(datetime(2020, 3, 1, tzinfo=UTC))
    made, other = [await new_organization(open_postgres, clock=old) for _ in range(2)]
    here, elsewhere = made.organization.id, StoredHeads(storage_from(str(tmp_path / "heads")))
    job = Actor.job(organization_id=here, name="audit heads", origin=ORIGIN)
    operator = Actor.operator(organization_id=here, name="audit retention", origin=ORIGIN)
    async with nothing_in_the_way(owner_engine) as connection:
        open_uow = OnOneConnection(connection)
        transactions, verify = Transactions(open_uow), verifying(open_uow)
        sign = SignAuditHead(transactions, verify, SIGNER, elsewhere, TickingClock())
        outside = FileSpreadsheets(), JsonLinesArchives(), MemoryAuditPartitions()
        retain = RetainAudit(transactions, verify, SIGNER, elsewhere, *outside, TickingClock())
        rows, foreign = await _rows(connection, here), await _rows(connection, other.organization.id)
        signed = SIGNER.sign(here, ChainHead(rows[-1]["sequence"], rows[-1]["hash"]), NOON)
        await elsewhere.put(signed)
        async with open_uow(job) as uow:
            await uow.audit.keep_head(signed)
        chain = Chain(rows, signed.head, here, foreign)
        write_anew(chain, 3, random.Random(1))
        await _write(connection, chain)
        await connection.execute(text("ALTER TABLE proffer.audit_signed_heads DISABLE TRIGGER USER"))
        taken = await connection.execute(
            text("DELETE FROM proffer.audit_signed_heads WHERE organization_id = :here"), {"here": here}
        )

        assert taken.rowcount == 1
        assert (await verify(job)).intact
        for attempt in (sign.now, sign.if_due):
            with pytest.raises(ChainBroken, match="written anew"):
                await attempt(job)
        with pytest.raises(ChainBroken, match="written anew"):
            await retain(operator, 12, tmp_path / "archive.jsonl")

        assert [one async for one in elsewhere.kept(here)] == [signed]
        assert await _rows(connection, here) == chain.rows


# ruff: noqa: ISC004 — a harm may need several statements.
# Each harms a chain of which retention has removed the first four entries, and tells what must be said of it.
HARM: Final[dict[str, tuple[str, Tampering, int]]] = {
    "the first entry that is left is removed": (
        "DELETE FROM proffer.audit_entries WHERE organization_id = :here AND sequence = 5",
        Tampering.REMOVED,
        5,
    ),
    "another one is removed": (
        "DELETE FROM proffer.audit_entries WHERE organization_id = :here AND sequence = 6",
        Tampering.REMOVED,
        6,
    ),
    "everything that is left is removed": (
        "DELETE FROM proffer.audit_entries WHERE organization_id = :here",
        Tampering.REMOVED,
        5,
    ),
    "and the head put back to the anchor": (
        "DELETE FROM proffer.audit_entries WHERE organization_id = :here; "
        "UPDATE proffer.audit_heads h SET sequence = a.sequence, hash = a.hash FROM proffer.audit_anchors a "
        "WHERE h.organization_id = :here AND a.organization_id = :here AND a.sequence = 4",
        Tampering.REMOVED,
        5,
    ),
    "the first entry that is left is changed": (
        "UPDATE proffer.audit_entries SET text = text || ' ' WHERE organization_id = :here AND sequence = 5",
        Tampering.CHANGED,
        5,
    ),
    "it is kept in another month": (
        "UPDATE proffer.audit_entries SET month = '2099-01-01' WHERE organization_id = :here AND sequence = 6",
        Tampering.CHANGED,
        6,
    ),
    "the anchor is moved on and more removed": (
        "UPDATE proffer.audit_anchors a SET sequence = e.sequence, hash = e.hash FROM proffer.audit_entries e "
        "WHERE a.organization_id = :here AND e.organization_id = :here AND a.sequence = 4 AND e.sequence = 6; "
        "DELETE FROM proffer.audit_entries WHERE organization_id = :here AND sequence <= 6",
        Tampering.FORGED,
        3,
    ),
    "an anchor is added and more removed": (
        "INSERT INTO proffer.audit_anchors SELECT e.organization_id, e.sequence, e.hash, a.entries, a.before, "
        "a.retained_at, a.key_id, a.signature FROM proffer.audit_anchors a, proffer.audit_entries e "
        "WHERE a.organization_id = :here AND e.organization_id = :here AND a.sequence = 4 AND e.sequence = 6; "
        "DELETE FROM proffer.audit_entries WHERE organization_id = :here AND sequence <= 6",
        Tampering.FORGED,
        5,
    ),
    "the anchor of another organisation is taken": (
        "DELETE FROM proffer.audit_anchors WHERE organization_id = :here; "
        "UPDATE proffer.audit_anchors SET organization_id = :here WHERE organization_id = :there",
        Tampering.FORGED,
        1,
    ),
    "the anchor's day is changed": (
        "UPDATE proffer.audit_anchors SET retained_at = retained_at - interval '1 day' "
        "WHERE organization_id = :here AND sequence = 4",
        Tampering.FORGED,
        3,
    ),
    "the anchor's month is changed": (
        "UPDATE proffer.audit_anchors SET before = before - interval '1 month' "
        "WHERE organization_id = :here AND sequence = 4",
        Tampering.FORGED,
        3,
    ),
    "the anchor's number is changed": (
        "UPDATE proffer.audit_anchors SET entries = entries + 1 WHERE organization_id = :here AND sequence = 4",
        Tampering.FORGED,
        3,
    ),
    "an entry is put where everything was removed": (
        "INSERT INTO proffer.audit_entries (organization_id, sequence, at, action, resource_type, resource_id, actor_kind, "
        "user_id, text, previous_hash, hash, month) SELECT organization_id, 4, at, action, resource_type, resource_id, "
        "actor_kind, user_id, text, previous_hash, hash, month FROM proffer.audit_entries "
        "WHERE organization_id = :here AND sequence = 6",
        Tampering.INSERTED,
        4,
    ),
    "an entry is put before the first": (
        "ALTER TABLE proffer.audit_entries DROP CONSTRAINT audit_entries_sequence_check; "
        "UPDATE proffer.audit_entries SET sequence = 0 WHERE organization_id = :here AND sequence = 6",
        Tampering.INSERTED,
        0,
    ),
    "the last anchor is removed": (
        "DELETE FROM proffer.audit_anchors WHERE organization_id = :here AND sequence = 4",
        Tampering.REMOVED,
        3,
    ),
    "all anchors are removed": (
        "DELETE FROM proffer.audit_anchors WHERE organization_id = :here",
        Tampering.REMOVED,
        1,
    ),
}


@asynccontextmanager
async def _retained(
    open_postgres: OpenUnitOfWork, owner_engine: AsyncEngine
) -> AsyncIterator[tuple[Actor, dict[str, Any], AsyncConnection]]:
    """Entries 1 and 2, and then 3 and 4, were removed; nothing of the database stands in the owner's way."""
    made, other = await new_organization(open_postgres), await new_organization(open_postgres)
    ids = {"here": made.organization.id, "there": other.organization.id}
    async with nothing_in_the_way(owner_engine) as connection:
        for organization_id in ids.values():
            rows = await _rows(connection, organization_id)
            for last in (2, 4):
                head = ChainHead(last, rows[last - 1]["hash"])
                anchor = SIGNER.sign_anchor(organization_id, head, 2, NOON.date(), NOON)
                operator = Actor.operator(organization_id=organization_id, name="audit retention", origin=ORIGIN)
                async with OnOneConnection(connection)(operator) as uow:
                    await uow.audit.keep_anchor(anchor)
            await connection.execute(
                text("DELETE FROM proffer.audit_entries WHERE organization_id = :own AND sequence <= 4"),
                {"own": organization_id},
            )
        yield made.actor(Role.OWNER), ids, connection


@pytest.mark.asyncio
@pytest.mark.parametrize("harm", HARM)
async def test_what_retention_has_left_is_guarded_as_well(
    harm: str, open_postgres: OpenUnitOfWork, owner_engine: AsyncEngine
) -> None:
    statements, tampering, first_bad = HARM[harm]
    async with _retained(open_postgres, owner_engine) as (actor, ids, connection):
        verify = verifying(OnOneConnection(connection))
        rows = await _rows(connection, ids["here"])
        last = SIGNER.sign(ids["here"], ChainHead(rows[-1]["sequence"], rows[-1]["hash"]), NOON)
        untouched = await verify(actor, VerifyAuditCommand(heads=[last]))
        for statement in statements.split("; "):
            given = {name: value for name, value in ids.items() if f":{name}" in statement}
            await connection.execute(text(statement), given)

        result = await verify(actor, VerifyAuditCommand(heads=[last]))

    assert untouched.intact
    assert untouched.anchor is not None
    assert untouched.anchor.head.sequence == 4
    assert result.finding is not None
    assert (result.finding.tampering, result.finding.first_bad) == (tampering, first_bad), result.finding.problem


NULLABLE: Final = (
    "previous_hash",
    "text",
    "hash",
    "at",
    "action",
    "resource_type",
    "resource_id",
    "actor_kind",
    "user_id",
    "month",
)


@pytest.mark.asyncio
@pytest.mark.parametrize("column", NULLABLE)
async def test_a_field_that_is_emptied_is_found(
    column: str, open_postgres: OpenUnitOfWork, owner_engine: AsyncEngine
) -> None:
    made = await new_organization(open_postgres)
    actor, here = made.actor(Role.OWNER), made.organization.id
    async with open_postgres(actor) as uow:  # By a person, so that there is one to take away.
        await uow.customers.save(a_customer().create())
        await uow.commit()
    async with nothing_in_the_way(owner_engine) as connection:
        place = len(await _rows(connection, here))
        if column != "user_id":
            await connection.execute(text(f"ALTER TABLE proffer.audit_entries ALTER COLUMN {column} DROP NOT NULL"))
        await connection.execute(
            text(
                f"UPDATE proffer.audit_entries SET {column} = NULL WHERE organization_id = :here AND sequence = :place"
            ),
            {"here": here, "place": place},
        )

        finding = (await verifying(OnOneConnection(connection))(actor)).finding

    assert finding is not None
    assert (finding.tampering, finding.first_bad) == (Tampering.CHANGED, place), finding.problem


@pytest.mark.asyncio
async def test_an_entry_before_the_beginning_is_found(open_postgres: OpenUnitOfWork, owner_engine: AsyncEngine) -> None:
    made = await new_organization(open_postgres)
    here = made.organization.id
    async with nothing_in_the_way(owner_engine) as connection:
        await connection.execute(text("ALTER TABLE proffer.audit_entries DROP CONSTRAINT audit_entries_sequence_check"))
        first = (await _rows(connection, here))[0]
        hash_that_fits = link_hash(here, 0, first["previous_hash"], first["text"])
        await connection.execute(audit_entries.insert(), [{**first, "sequence": 0, "hash": hash_that_fits}])

        finding = (await verifying(OnOneConnection(connection))(made.actor(Role.OWNER))).finding

    assert finding is not None
    assert (finding.tampering, finding.first_bad) == (Tampering.INSERTED, 0), finding.problem


@pytest.mark.asyncio
@pytest.mark.parametrize("rows_too", [False, True])
async def test_a_head_that_is_gone_is_no_empty_chain(
    rows_too: bool, open_postgres: OpenUnitOfWork, owner_engine: AsyncEngine
) -> None:
    made = await new_organization(open_postgres)
    async with nothing_in_the_way(owner_engine) as connection:
        for table in ("audit_heads", *(["audit_entries"] if rows_too else [])):
            await connection.execute(
                text(f"DELETE FROM proffer.{table} WHERE organization_id = :here"), {"here": made.organization.id}
            )

        result = await verifying(OnOneConnection(connection))(made.actor(Role.OWNER))

    assert not result.intact


def _some_heads(rows: list[Row], here: OrganizationId, chance: random.Random) -> list[SignedHead]:
    """The last head that was exported, and some earlier ones."""
    wanted = sorted({len(rows), *chance.sample(range(1, len(rows)), 2)})
    return [SIGNER.sign(here, ChainHead(place, rows[place - 1]["hash"]), NOON) for place in wanted]
