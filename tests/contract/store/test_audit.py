"""Proving chains and signing heads, on both stores."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from src.adapters.audit_heads import StoredHeads, head_of_json, json_of_head
from src.adapters.memory.audit_heads import MemoryHeads
from src.adapters.spreadsheets import FileSpreadsheets
from src.adapters.storage import storage_from
from src.adapters.system import SystemClock
from src.application.audit.read_audit import ListAuditEntries
from src.application.audit.sign_heads import ChainBroken, ListSignedHeads, SignAuditHead
from src.application.audit.verify_audit import VerifyAudit, VerifyAuditCommand
from src.application.documents.export_data import ExportData, ExportDataCommand
from src.application.documents.export_sources import ExportRequest
from src.application.documents.export_writer import ExportWriter
from src.application.ports.audit import AuditFilter, HeadStore
from src.application.ports.customers import CustomerFilter
from src.application.ports.documents import NothingToExport
from src.application.ports.paging import Paging
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.application.transactions import AuditedTransactions, Transactions
from src.domain.audit.chain import ChainHead, link_hash
from src.domain.audit.signed_head import HeadRefused, SignedHead
from src.domain.audit.verification import Tampering
from src.domain.documents.export import ExportFilters, ExportFormat, ExportKind
from src.domain.identity.actor import Actor, ActorKind, Origin, Permission, PermissionMissing, Role
from src.domain.shared.errors import Forbidden
from src.domain.shared.ids import ApiKeyId, OrganizationId
from src.domain.shared.once import StoredAnswer
from tests.builders.audit import OTHER_SIGNER, SIGNER, verifying
from tests.builders.identity import once
from tests.builders.quotes import NOON, a_customer
from tests.builders.renderers import SUMMARIES
from tests.organizations import TestOrganization

pytestmark = pytest.mark.asyncio


def signing(open_uow: OpenUnitOfWork, store: HeadStore) -> SignAuditHead:
    transactions = Transactions(open_uow)
    return SignAuditHead(transactions, VerifyAudit(transactions, SIGNER), SIGNER, store, SystemClock())


async def add(open_uow: OpenUnitOfWork, actor: Actor) -> ChainHead:
    async with open_uow(actor) as uow:
        await uow.customers.save(a_customer().create())
        await uow.commit()
    async with open_uow(actor) as uow:
        return await uow.audit.head()


async def test_a_chain_is_proven_piece_by_piece(open_uow: OpenUnitOfWork, organization: TestOrganization) -> None:
    owner, told, seen = organization.actor(Role.OWNER), [], 0
    whole = await verifying(open_uow)(owner)
    after = None
    while True:
        part = await verifying(open_uow)(
            owner, VerifyAuditCommand(after=after, limit=2), lambda head, upto: told.append((head.sequence, upto))
        )
        assert part.intact
        seen += part.entries
        after = part.head
        if part.complete:
            break

    assert whole.complete
    assert seen == whole.entries == whole.total
    assert after == whole.head
    assert told[0] == (2, 2)


async def test_it_resumes_only_from_where_the_chain_has_been(
    open_uow: OpenUnitOfWork, organization: TestOrganization
) -> None:
    owner = organization.actor(Role.OWNER)
    head = (await verifying(open_uow)(owner)).head

    for after, tampering in (
        (ChainHead(2, "0" * 64), Tampering.REWRITTEN),
        (ChainHead(head.sequence + 5, "0" * 64), Tampering.REMOVED),
    ):
        result = await verifying(open_uow)(owner, VerifyAuditCommand(after=after))
        assert result.finding is not None
        assert result.finding.tampering is tampering


async def test_heads_are_signed_kept_and_held_against_the_chain(
    open_uow: OpenUnitOfWork, organization: TestOrganization
) -> None:
    owner, store = organization.actor(Role.OWNER), MemoryHeads()
    first = await signing(open_uow, store).now(owner)
    await add(open_uow, owner)
    second = await signing(open_uow, store).now(owner)

    assert store.heads == [first, second] == list(await ListSignedHeads(Transactions(open_uow))(owner))
    assert second.head.sequence == first.head.sequence + 2  # The customer, and the signing of the first.
    result = await verifying(open_uow)(owner, VerifyAuditCommand(heads=[first, second]))
    assert (result.intact, result.kept_heads) == (True, 2)
    async with open_uow(owner) as uow:
        signings = [entry.record.action for entry in await uow.audit.of_resource("organization", owner.organization_id)]
    assert signings.count("audit.head_signed") == 2


async def test_a_head_is_signed_for_a_request_that_happens_once(
    open_uow: OpenUnitOfWork, organization: TestOrganization
) -> None:
    """A unit of work that only settles what was read is none of its own."""
    actor, promise = once(organization.actor(Role.OWNER))

    signed = await signing(open_uow, MemoryHeads()).now(actor)

    assert promise.held is not None
    await promise.held.finish(StoredAnswer(status=201, headers=(), body=b""))
    assert list(await ListSignedHeads(Transactions(open_uow))(organization.actor(Role.OWNER))) == [signed]


async def test_a_kept_head_that_the_chain_does_not_go_through_is_told(
    open_uow: OpenUnitOfWork, organization: TestOrganization
) -> None:
    owner = organization.actor(Role.OWNER)
    head = (await verifying(open_uow)(owner)).head
    other = SIGNER.sign(owner.organization_id, ChainHead(3, "1" * 64), NOON)
    longer = SIGNER.sign(owner.organization_id, ChainHead(head.sequence + 1, "1" * 64), NOON)

    differs = await verifying(open_uow)(owner, VerifyAuditCommand(heads=[other]))
    resumed = await verifying(open_uow)(owner, VerifyAuditCommand(heads=[other], after=head))
    short = await verifying(open_uow)(owner, VerifyAuditCommand(heads=[longer]))

    assert (differs.first_bad, resumed.first_bad, short.first_bad) == (1, 3, head.sequence + 1)
    assert "shorter than the kept head" in short.problem


async def test_heads_of_others_are_refused(
    open_uow: OpenUnitOfWork, organization: TestOrganization, other: TestOrganization
) -> None:
    owner, foreign = organization.actor(Role.OWNER), other.actor(Role.OWNER)
    head = (await verifying(open_uow)(owner)).head
    good = SIGNER.sign(owner.organization_id, head, NOON)
    for signed in (
        OTHER_SIGNER.sign(owner.organization_id, head, NOON),
        SIGNER.sign(foreign.organization_id, head, NOON),
        SignedHead(
            organization_id=good.organization_id,
            head=good.head,
            signed_at=good.signed_at + timedelta(seconds=1),
            key_id=good.key_id,
            signature=good.signature,
        ),
        SignedHead(
            organization_id=good.organization_id, head=head, signed_at=NOON, key_id=good.key_id, signature="no hex"
        ),
    ):
        with pytest.raises(HeadRefused):
            await verifying(open_uow)(owner, VerifyAuditCommand(heads=[signed]))


async def test_the_daily_head_is_signed_when_something_has_happened(
    open_uow: OpenUnitOfWork, organization: TestOrganization
) -> None:
    store = MemoryHeads()
    job = Actor.job(organization_id=organization.organization.id, name="audit heads", origin=Origin(trace_id="1" * 32))
    sign = signing(open_uow, store)

    first = await sign.if_due(job)
    idle = await sign.if_due(job, timedelta(0))
    await add(open_uow, organization.actor(Role.SALES))
    early = await sign.if_due(job)
    later = await sign.if_due(job, timedelta(0))

    assert (idle, early) == (None, None)
    assert store.heads == [first, later]


async def test_a_chain_that_ends_before_a_signed_head_is_not_taken_for_idle(
    open_uow: OpenUnitOfWork, organization: TestOrganization
) -> None:
    owner, store = organization.actor(Role.OWNER), MemoryHeads()
    head = await add(open_uow, owner)
    beyond = SIGNER.sign(organization.organization.id, ChainHead(head.sequence + 5, "a" * 64), NOON)
    async with open_uow(owner) as uow:  # As when five entries and the head were put back afterwards.
        await uow.audit.keep_head(beyond)
        await uow.commit()

    with pytest.raises(ChainBroken, match=f"the chain is shorter than the kept head {beyond.head.sequence}"):
        await signing(open_uow, store).if_due(owner)

    assert store.heads == []


@pytest.mark.parametrize("beyond", [0, 5])
async def test_a_chain_that_leaves_a_head_that_is_kept_elsewhere_is_not_signed(
    beyond: int, open_uow: OpenUnitOfWork, organization: TestOrganization
) -> None:
    """Written anew or cut off, and the database's own heads taken away: only what is kept elsewhere can tell."""
    owner, store = organization.actor(Role.OWNER), MemoryHeads()
    head = await add(open_uow, owner)
    true = SIGNER.sign(owner.organization_id, ChainHead(head.sequence + beyond, "a" * 64), NOON)
    await store.put(true)
    await store.put(OTHER_SIGNER.sign(owner.organization_id, ChainHead(head.sequence + 9, "b" * 64), NOON))
    await store.put(SIGNER.sign(organization.users[Role.OWNER].id, ChainHead(99, "c" * 64), NOON))  # type: ignore[arg-type]  # Another's.
    sign = signing(open_uow, store)

    for attempt in (sign.now, sign.if_due):
        with pytest.raises(ChainBroken, match=f"the kept head {true.head.sequence}"):
            await attempt(owner)

    assert len(store.heads) == 3
    assert list(await ListSignedHeads(Transactions(open_uow))(owner)) == []


async def test_who_may_not_verify_is_refused(open_uow: OpenUnitOfWork, organization: TestOrganization) -> None:
    for role in (Role.SALES, Role.APPROVER, Role.VIEWER):
        with pytest.raises(PermissionMissing):
            await verifying(open_uow)(organization.actor(role))


@pytest.mark.parametrize("where", ["memory", "folder"])
async def test_kept_heads_are_told_from_the_newest_on(
    where: str, organization: TestOrganization, other: TestOrganization, tmp_path: Path
) -> None:
    store: HeadStore = MemoryHeads() if where == "memory" else StoredHeads(storage_from(str(tmp_path)))
    here, there = organization.organization.id, other.organization.id
    heads = [
        SIGNER.sign(here, ChainHead(sequence, "a" * 64), NOON + timedelta(microseconds=later))
        for sequence, later in ((9, 3), (10, 0), (10, 1), (100, 2))  # A clock may go back, a chain does not.
    ]
    for signed in (heads[2], heads[0], heads[3], heads[1], SIGNER.sign(there, ChainHead(500, "b" * 64), NOON)):
        await store.put(signed)
    await store.put(heads[0])

    assert [one async for one in store.kept(here)] == heads[::-1]
    assert [one.head.sequence async for one in store.kept(there)] == [500]
    assert [one async for one in store.kept(OrganizationId(uuid4()))] == []


@pytest.mark.parametrize("name", ["20260302T120000.000000Z-7.json", "notes.txt"])
async def test_what_lies_among_kept_heads_and_is_none_is_told(
    name: str, organization: TestOrganization, tmp_path: Path
) -> None:
    storage, here = storage_from(str(tmp_path)), organization.organization.id
    await storage.put(f"{here}/{name}", b"no head", content_type="application/json")

    with pytest.raises(HeadRefused):
        [one async for one in StoredHeads(storage).kept(here)]


async def test_heads_are_files_that_nobody_overwrites(organization: TestOrganization, tmp_path: Path) -> None:
    storage = storage_from(str(tmp_path))
    signed = SIGNER.sign(organization.organization.id, ChainHead(7, "a" * 64), NOON)

    name = await StoredHeads(storage).put(signed)

    assert head_of_json(await storage.get(name)) == signed
    assert name == f"{organization.organization.id}/{NOON:%Y%m%dT%H%M%S}.000000Z-7.json"


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "null", "[" * 100_000, json_of_head(SIGNER.sign(NOON, ChainHead(), NOON))],  # type: ignore[arg-type]  # No organisation.
)
async def test_what_is_no_head_is_refused(text: str) -> None:
    with pytest.raises(HeadRefused):
        head_of_json(text)


async def test_what_is_denied_is_told(open_uow: OpenUnitOfWork, organization: TestOrganization) -> None:
    transactions, viewer = AuditedTransactions(open_uow, SystemClock()), organization.actor(Role.VIEWER)
    admin = organization.actor(Role.ADMIN)

    with pytest.raises(PermissionMissing):
        async with transactions.begin(viewer, Permission.EDIT_QUOTES):
            pass

    async def break_a_rule() -> None:
        async with transactions.begin(admin, Permission.EDIT_CUSTOMERS) as uow:
            await uow.customers.save(a_customer().create())
            raise Forbidden("By a rule behind the door.")

    with pytest.raises(Forbidden):
        await break_a_rule()

    async with open_uow(admin) as uow:
        page = await uow.audit.page(AuditFilter(action="access.denied"), Paging())
        customers = await uow.customers.page(CustomerFilter(), Paging())
    told = [(entry.record.user_id, json.loads(entry.record.text)["details"]) for entry in page.items]
    assert told == [
        (admin.user_id, {"permission": "customers.edit", "reason": "forbidden"}),
        (viewer.user_id, {"permission": "quotes.edit", "reason": "permission_missing"}),
    ]
    assert customers.total == 0


async def test_an_entry_says_who_and_from_where(open_uow: OpenUnitOfWork, organization: TestOrganization) -> None:
    sales = organization.actor(Role.SALES)
    key = Actor.api_key(
        organization_id=sales.organization_id,
        api_key_id=ApiKeyId(uuid4()),
        name="Shop",
        scopes=frozenset({Permission.EDIT_CUSTOMERS}),
        user_id=sales.person,
        role=Role.SALES,
        origin=Origin(trace_id="3" * 32, ip_address="192.0.2.7", user_agent="shop/1"),
    )
    await add(open_uow, key)

    async with open_uow(sales) as uow:
        [entry] = (await uow.audit.page(AuditFilter(), Paging(limit=1))).items
    told = json.loads(entry.record.text)

    assert (told["ip_address"], told["user_agent"], told["trace_id"]) == ("192.0.2.7", "shop/1", "3" * 32)
    assert told["actor"]["kind"] == "api_key"
    assert told["actor"]["api_key_id"] == str(key.api_key_id)
    assert told["actor"]["user_id"] == str(sales.user_id)
    assert (await verifying(open_uow)(organization.actor(Role.OWNER))).intact


async def test_a_key_that_may_see_the_audit_needs_to_see_costs_as_well(
    open_uow: OpenUnitOfWork, organization: TestOrganization, tmp_path: Path
) -> None:
    """What is hashed cannot be told in part, and it tells costs."""
    owner, transactions = organization.actor(Role.OWNER), Transactions(open_uow)
    keys = [
        Actor.api_key(
            organization_id=owner.organization_id,
            api_key_id=ApiKeyId(uuid4()),
            name="Auditor",
            scopes=frozenset(scopes),
            user_id=owner.person,
            role=Role.OWNER,
            origin=owner.origin,
        )
        for scopes in ({Permission.VIEW_AUDIT}, {Permission.VIEW_AUDIT, Permission.VIEW_COSTS})
    ]
    listing, clock = ListAuditEntries(transactions), SystemClock()
    exporting = ExportData(ExportWriter(transactions, FileSpreadsheets(), SUMMARIES, clock), transactions, clock)
    request = ExportRequest(kind=ExportKind.AUDIT, file_format=ExportFormat.JSON_LINES, filters=ExportFilters())
    command = ExportDataCommand(request=request, path=tmp_path / "audit.jsonl")

    with pytest.raises(PermissionMissing, match=r"costs\.view"):
        await listing(keys[0], AuditFilter(), Paging())
    with pytest.raises(PermissionMissing, match=r"costs\.view"):
        await exporting(keys[0], command)

    total = (await listing(keys[1], AuditFilter(), Paging())).total
    assert (await exporting(keys[1], command)).rows == total


@pytest.mark.parametrize(
    ("criteria", "found"),
    [
        (AuditFilter(trace_id="3" * 32), 1),
        (AuditFilter(trace_id="4" * 32), 0),
        (AuditFilter(actor_kind=ActorKind.API_KEY), 1),
        (AuditFilter(actor_kind=ActorKind.JOB), 0),
        (AuditFilter(actor_kind=ActorKind.API_KEY, action="customer.created", trace_id="3" * 32), 1),
    ],
)
async def test_entries_are_found_and_exported(
    criteria: AuditFilter, found: int, open_uow: OpenUnitOfWork, organization: TestOrganization, tmp_path: Path
) -> None:
    """A name that looks like a trace finds nothing: the entry's own trace counts."""
    sales = organization.actor(Role.SALES)
    agent = f',"trace_id":"{"4" * 32}","user_agent":"x'
    origin = Origin(trace_id="3" * 32, user_agent=agent)
    await add(open_uow, replace(sales, kind=ActorKind.API_KEY, origin=origin))
    transactions, clock = Transactions(open_uow), SystemClock()
    export = ExportData(ExportWriter(transactions, FileSpreadsheets(), SUMMARIES, clock), transactions, clock)
    filters = ExportFilters(trace_id=criteria.trace_id, actor_kind=criteria.actor_kind, action=criteria.action)
    request = ExportRequest(kind=ExportKind.AUDIT, file_format=ExportFormat.JSON_LINES, filters=filters)
    command = ExportDataCommand(request=request, path=tmp_path / "audit.jsonl")
    owner = organization.actor(Role.OWNER)

    if not found:
        with pytest.raises(NothingToExport):
            await export(owner, command)
        return
    count = (await export(owner, command)).rows

    rows = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text("utf-8").splitlines()]
    assert count == len(rows) == found
    assert all(row["user_agent"] == agent and sha256_fits(owner.organization_id, row) for row in rows)
    async with open_uow(owner) as uow:
        assert (await uow.audit.page(criteria, Paging())).total == found
        [entry] = (await uow.audit.page(AuditFilter(action="audit.exported"), Paging())).items
    assert json.loads(entry.record.text)["details"]["rows"] == found


def sha256_fits(organization_id: OrganizationId, row: dict[str, str]) -> bool:
    return link_hash(organization_id, int(row["sequence"]), row["previous_hash"], row["text"]) == row["hash"]
