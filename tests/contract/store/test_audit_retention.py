"""Removing what is old from chains, so that the rest still verifies; on both stores."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from src.adapters.audit_heads import JsonLinesArchives
from src.adapters.memory.audit import MemoryAuditPartitions
from src.adapters.memory.audit_heads import MemoryHeads
from src.adapters.memory.system import TickingClock
from src.adapters.spreadsheets import FileSpreadsheets
from src.application.audit.retain_audit import RetainAudit
from src.application.audit.sign_heads import ChainBroken
from src.application.audit.verify_audit import VerifyArchive, VerifyAudit, VerifyAuditCommand
from src.application.ports.audit import AuditFilter
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.application.transactions import Transactions
from src.domain.audit.chain import ChainHead, latest_month
from src.domain.audit.entry import AuditEntry
from src.domain.audit.retention import (
    LEAST_MONTHS,
    AnchorTaken,
    ArchiveRefused,
    NotCovered,
    RetentionAnchor,
    RetentionTooShort,
    first_month_kept,
)
from src.domain.audit.signed_head import HeadRefused, SignedHead
from src.domain.audit.verification import Tampering
from src.domain.identity.actor import Actor, PermissionMissing, Role
from src.domain.identity.user import UserLoginFailed
from tests.builders.audit import OTHER_SIGNER, SIGNER, verifying
from tests.organizations import ORIGIN, TestOrganization, new_organization

pytestmark = pytest.mark.asyncio

MARCH = datetime(2020, 3, 31, 23, 59, 59, 999999, tzinfo=UTC)
JULY = datetime(2021, 7, 1, 12, tzinfo=UTC)
ELSEWHERE = MemoryHeads()  # Of all tests: each has organisations of its own.
MONTHS = 12  # Before July 2021: all of before July 2020.


def operator_of(team: TestOrganization) -> Actor:
    return Actor.operator(organization_id=team.organization.id, name="audit retention", origin=ORIGIN)


def retaining(open_uow: OpenUnitOfWork, now: datetime = JULY) -> RetainAudit:
    transactions = Transactions(open_uow)
    verify = VerifyAudit(transactions, SIGNER)
    outside = FileSpreadsheets(), JsonLinesArchives(), MemoryAuditPartitions()
    return RetainAudit(transactions, verify, SIGNER, ELSEWHERE, *outside, TickingClock(now))


async def tell(open_uow: OpenUnitOfWork, team: TestOrganization, *times: datetime) -> None:
    for at in times:
        async with open_uow(team.actor(Role.OWNER)) as uow:
            uow.record(UserLoginFailed(resource_id=team.users[Role.OWNER].id, at=at))
            await uow.commit()


async def sign(open_uow: OpenUnitOfWork, team: TestOrganization) -> None:
    async with open_uow(team.actor(Role.OWNER)) as uow:
        head = await uow.audit.head()
    await keep_head(open_uow, SIGNER.sign(team.organization.id, head, MARCH), team)


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def keep_head(open_uow: OpenUnitOfWork, signed: SignedHead, team: TestOrganization) -> None:
    await ELSEWHERE.put(signed)
    async with open_uow(team.actor(Role.OWNER)) as uow:
        await uow.audit.keep_head(signed)
        await uow.commit()


async def entries_of(open_uow: OpenUnitOfWork, team: TestOrganization) -> list[AuditEntry]:
    async with open_uow(team.actor(Role.OWNER)) as uow:
        return [entry async for entry in uow.audit.stream(AuditFilter())]


@pytest_asyncio.fixture
async def team(open_uow: OpenUnitOfWork) -> TestOrganization:
    """With six entries or more up to March 2020, then two of July 2021; all under a signed head."""
    made = await new_organization(open_uow, clock=TickingClock(datetime(2020, 3, 1, tzinfo=UTC)))
    await tell(open_uow, made, MARCH, JULY, JULY)
    await sign(open_uow, made)
    return made


async def test_a_month_is_that_of_the_time_in_utc_and_never_goes_back(open_uow: OpenUnitOfWork) -> None:
    team = await new_organization(open_uow, clock=TickingClock(datetime(2020, 3, 1, tzinfo=UTC)))
    before = len(await entries_of(open_uow, team))
    still_march = datetime.fromisoformat("2020-04-01T01:59:59.999999+02:00")
    april = datetime(2020, 4, 1, tzinfo=UTC)

    await tell(open_uow, team, MARCH, still_march, april, MARCH, datetime(2020, 12, 31, 23, tzinfo=UTC))

    months = [entry.month for entry in await entries_of(open_uow, team)]
    march = date(2020, 3, 1)
    assert months == [march] * (before + 2) + [date(2020, 4, 1), date(2020, 4, 1), date(2020, 12, 1)]
    assert (await verifying(open_uow)(team.actor(Role.OWNER))).intact


async def test_a_time_is_found_whatever_month_it_is_kept_in(open_uow: OpenUnitOfWork, team: TestOrganization) -> None:
    """The straggler of March is kept in July."""
    await tell(open_uow, team, MARCH)
    async with open_uow(team.actor(Role.OWNER)) as uow:
        march = [
            entry
            async for entry in uow.audit.stream(AuditFilter(since=MARCH, before=MARCH + timedelta(microseconds=1)))
        ]
        july = [entry async for entry in uow.audit.stream(AuditFilter(since=JULY))]

    assert [entry.month for entry in march] == [date(2020, 3, 1), date(2021, 7, 1)]
    assert len(july) == 2


async def test_what_is_old_goes_and_the_rest_verifies_from_the_anchor(
    open_uow: OpenUnitOfWork, team: TestOrganization, tmp_path: Path
) -> None:
    before, owner, operator = await entries_of(open_uow, team), team.actor(Role.OWNER), operator_of(team)
    retain, file = retaining(open_uow), tmp_path / "archive.jsonl"
    planned = await retain.plan(operator, MONTHS)

    anchor = await retain(operator, MONTHS, file)

    assert anchor is not None
    assert (planned.entries, planned.upto, planned.uncovered) == (anchor.entries, anchor.head, 0)
    assert anchor.head == ChainHead(len(before) - 2, before[-3].hash)
    assert anchor.before == date(2020, 7, 1)
    left = await entries_of(open_uow, team)
    assert left[:2] == before[-2:]
    assert [entry.record.action for entry in left[2:]] == ["audit.entries_removed"]
    details = json.loads(left[-1].record.text)["details"]
    assert (details["sequence"], details["hash"], details["entries"]) == (
        anchor.head.sequence,
        anchor.head.hash,
        anchor.entries,
    )
    verification = await verifying(open_uow)(owner)
    assert (verification.intact, verification.entries, verification.total) == (True, 3, len(before) + 1)
    assert verification.anchor == anchor
    assert f"Entries 1 to {anchor.head.sequence}" in anchor.sentence()
    assert names_in(tmp_path) == ["archive.jsonl"]


async def test_the_archive_and_the_rest_are_the_whole(
    open_uow: OpenUnitOfWork, team: TestOrganization, tmp_path: Path
) -> None:
    before, operator = await entries_of(open_uow, team), operator_of(team)
    old_head = SIGNER.sign(team.organization.id, ChainHead(3, before[2].hash), MARCH)
    other_head = SIGNER.sign(team.organization.id, ChainHead(3, "0" * 64), MARCH)
    file = tmp_path / "archive.jsonl"
    await retaining(open_uow)(operator, MONTHS, file)
    verify = VerifyArchive(Transactions(open_uow), SIGNER, JsonLinesArchives())

    whole = await verify(operator, file, [old_head])
    differs = await verify(operator, file, [other_head])

    assert (whole.intact, whole.entries, whole.kept_heads) == (True, len(before) - 2, 1)
    assert [json.loads(line)["hash"] for line in file.read_text("utf-8").splitlines()] == [
        entry.hash for entry in before[:-2]
    ]
    assert differs.finding is not None
    assert differs.finding.tampering is Tampering.REWRITTEN


@pytest.mark.parametrize("harm", ["cut", "first", "text", "action", "time", "swap"])
async def test_an_archive_that_was_changed_is_found(
    harm: str, open_uow: OpenUnitOfWork, team: TestOrganization, tmp_path: Path
) -> None:
    operator, file = operator_of(team), tmp_path / "archive.jsonl"
    await retaining(open_uow)(operator, MONTHS, file)
    lines = file.read_text("utf-8").splitlines(keepends=True)
    match harm:
        case "cut":
            lines.pop()
        case "first":
            del lines[1]
        case "text":
            lines[2] = lines[2].replace("127.0.0.1", "127.0.0.2")
        case "action":
            lines[2] = lines[2].replace('"action":"', '"action":"x', 1)
        case "time":
            lines[2] = lines[2].replace('"at":"2020-03-01', '"at":"2020-03-02', 1)
        case _:
            lines[2], lines[3] = lines[3], lines[2]
    file.write_text("".join(lines), "utf-8")

    verification = await VerifyArchive(Transactions(open_uow), SIGNER, JsonLinesArchives())(operator, file)

    assert not verification.intact


async def test_what_is_no_archive_is_refused(open_uow: OpenUnitOfWork, team: TestOrganization, tmp_path: Path) -> None:
    operator, file, verify = (
        operator_of(team),
        tmp_path / "archive.jsonl",
        VerifyArchive(Transactions(open_uow), SIGNER, JsonLinesArchives()),
    )
    await retaining(open_uow)(operator, MONTHS, file)
    rest = file.read_text("utf-8").partition("\n")[2]
    for harmed in ("", "[]\n", "{}\n", "\xff", rest):
        file.write_text(harmed, "latin-1")
        with pytest.raises(ArchiveRefused):
            await verify(operator, file)
    with pytest.raises(ArchiveRefused):
        await verify(operator, tmp_path / "nowhere.jsonl")


async def test_a_second_retention_begins_at_the_first_ones_anchor(
    open_uow: OpenUnitOfWork, team: TestOrganization, tmp_path: Path
) -> None:
    operator, files = operator_of(team), (tmp_path / "1.jsonl", tmp_path / "2.jsonl")
    first = await retaining(open_uow)(operator, MONTHS, files[0])
    nothing = await retaining(open_uow)(operator, MONTHS, files[1])
    later = JULY + timedelta(days=800)
    await tell(open_uow, team, later)
    await sign(open_uow, team)

    second = await retaining(open_uow, later)(operator, MONTHS, files[1])

    assert nothing is None
    assert first is not None
    assert second is not None
    assert second.head.sequence == first.head.sequence + second.entries
    verification = await verifying(open_uow)(team.actor(Role.OWNER))
    assert (verification.intact, verification.anchor) == (True, second)
    verify = VerifyArchive(Transactions(open_uow), SIGNER, JsonLinesArchives())
    assert [(await verify(operator, file)).intact for file in files] == [True, True]
    resumed = await verifying(open_uow)(team.actor(Role.OWNER), VerifyAuditCommand(after=first.head))
    assert resumed.intact  # A proof that is older than the anchor goes on from the anchor.


async def test_nothing_goes_that_no_signed_head_covers(open_uow: OpenUnitOfWork, tmp_path: Path) -> None:
    team = await new_organization(open_uow, clock=TickingClock(datetime(2020, 3, 1, tzinfo=UTC)))
    before, operator = await entries_of(open_uow, team), operator_of(team)
    await keep_head(open_uow, OTHER_SIGNER.sign(team.organization.id, ChainHead(6, before[5].hash), MARCH), team)

    plan = await retaining(open_uow).plan(operator, MONTHS)
    with pytest.raises(NotCovered):
        await retaining(open_uow)(operator, MONTHS, tmp_path / "archive.jsonl")

    assert (plan.entries, plan.uncovered) == (0, len(before))
    assert await entries_of(open_uow, team) == before
    assert names_in(tmp_path) == []
    await keep_head(open_uow, SIGNER.sign(team.organization.id, ChainHead(2, before[1].hash), MARCH), team)
    plan = await retaining(open_uow).plan(operator, MONTHS)
    anchor = await retaining(open_uow)(operator, MONTHS, tmp_path / "archive.jsonl")
    assert (plan.entries, plan.uncovered) == (2, len(before) - 2)
    assert anchor is not None
    assert anchor.head == ChainHead(2, before[1].hash)
    assert (await entries_of(open_uow, team))[:-1] == before[2:]


async def test_nothing_goes_from_a_chain_that_is_broken(
    open_uow: OpenUnitOfWork, team: TestOrganization, tmp_path: Path
) -> None:
    """Wherever it is broken, behind what would go as well."""
    before = await entries_of(open_uow, team)
    await keep_head(open_uow, SIGNER.sign(team.organization.id, ChainHead(len(before), "0" * 64), JULY), team)

    with pytest.raises(ChainBroken):
        await retaining(open_uow)(operator_of(team), MONTHS, tmp_path / "archive.jsonl")

    assert await entries_of(open_uow, team) == before


@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize("beyond", [-1, 5])
async def test_nothing_goes_from_a_chain_that_leaves_a_head_that_is_kept_elsewhere(
    beyond: int, given: bool, open_uow: OpenUnitOfWork, team: TestOrganization, tmp_path: Path
) -> None:
    """The database's heads all agree: what is kept elsewhere says that the chain was written anew, or cut off."""
    before = await entries_of(open_uow, team)
    true = SIGNER.sign(team.organization.id, ChainHead(len(before) + beyond, "0" * 64), JULY)
    if not given:
        await ELSEWHERE.put(true)

    with pytest.raises(ChainBroken, match=f"the kept head {true.head.sequence}"):
        await retaining(open_uow)(operator_of(team), MONTHS, tmp_path / "archive.jsonl", [true] if given else [])

    assert await entries_of(open_uow, team) == before
    assert names_in(tmp_path) == []


async def test_a_clock_that_was_wrong_once_stops_no_retention(
    open_uow: OpenUnitOfWork, team: TestOrganization, tmp_path: Path
) -> None:
    """What ran ahead goes with its month, where a head says that it was there by then; what only the store says is not enough."""
    now, later = datetime.now(UTC), datetime.now(UTC) + timedelta(days=800)
    before = len(await entries_of(open_uow, team))
    await tell(open_uow, team, datetime(2099, 12, 31, tzinfo=UTC), now, now)
    entries, operator = await entries_of(open_uow, team), operator_of(team)
    assert {entry.month for entry in entries[before:]} <= {latest_month(now), latest_month(datetime.now(UTC))}
    head = ChainHead(entries[-1].sequence, entries[-1].hash)

    await keep_head(open_uow, SIGNER.sign(team.organization.id, head, later), team)
    plan = await retaining(open_uow, later).plan(operator, MONTHS)
    assert plan.upto == ChainHead(before, entries[before - 1].hash)
    await keep_head(open_uow, SIGNER.sign(team.organization.id, head, now), team)
    anchor = await retaining(open_uow, later)(operator, MONTHS, tmp_path / "archive.jsonl")

    assert anchor is not None
    assert anchor.head == head
    assert (await verifying(open_uow)(team.actor(Role.OWNER))).intact


async def test_what_ran_ahead_is_not_found_behind_the_month_it_is_kept_in(
    open_uow: OpenUnitOfWork, team: TestOrganization
) -> None:
    ahead = datetime(2099, 12, 31, tzinfo=UTC)
    await tell(open_uow, team, ahead)
    async with open_uow(team.actor(Role.OWNER)) as uow:
        found = [
            [entry.record.at async for entry in uow.audit.stream(AuditFilter(since=since))]
            for since in (JULY + timedelta(microseconds=1), ahead)
        ]

    assert found == [[ahead], []]


async def test_a_head_that_only_the_database_has_covers_nothing(open_uow: OpenUnitOfWork, tmp_path: Path) -> None:
    team = await new_organization(open_uow, clock=TickingClock(datetime(2020, 3, 1, tzinfo=UTC)))
    before, operator = await entries_of(open_uow, team), operator_of(team)
    signed = SIGNER.sign(team.organization.id, ChainHead(6, before[5].hash), MARCH)
    async with open_uow(team.actor(Role.OWNER)) as uow:
        await uow.audit.keep_head(signed)
        await uow.commit()
    retain, file = retaining(open_uow), tmp_path / "archive.jsonl"

    with pytest.raises(NotCovered):
        await retain(operator, MONTHS, file)
    with pytest.raises(HeadRefused):
        await retain(operator, MONTHS, file, [OTHER_SIGNER.sign(team.organization.id, signed.head, MARCH)])
    assert await entries_of(open_uow, team) == before
    anchor = await retain(operator, MONTHS, file, [signed])

    assert anchor is not None
    assert anchor.head == signed.head


async def test_a_retention_that_was_cut_short_goes_on(
    open_uow: OpenUnitOfWork, team: TestOrganization, tmp_path: Path
) -> None:
    """The anchor is kept, and the entries are still there."""
    operator, before = operator_of(team), await entries_of(open_uow, team)
    await keep(open_uow, team, anchor_of(team, before, len(before) - 2))

    assert (await verifying(open_uow)(team.actor(Role.OWNER))).intact
    assert await retaining(open_uow)(operator, MONTHS, tmp_path / "archive.jsonl") is None

    assert await entries_of(open_uow, team) == before[-2:]


def anchor_of(team: TestOrganization, entries: Sequence[AuditEntry], place: int) -> RetentionAnchor:
    head = ChainHead(place, entries[place - 1].hash)
    return SIGNER.sign_anchor(team.organization.id, head, place, date(2020, 7, 1), JULY)


async def keep(open_uow: OpenUnitOfWork, team: TestOrganization, anchor: RetentionAnchor) -> None:
    async with open_uow(operator_of(team)) as uow:
        await uow.audit.keep_anchor(anchor)
        await uow.commit()


@pytest.mark.parametrize("harm", ["another key", "further", "another hash", "another's", "later"])
async def test_a_forged_anchor_is_found(
    harm: str, open_uow: OpenUnitOfWork, team: TestOrganization, other: TestOrganization
) -> None:
    good = anchor_of(team, await entries_of(open_uow, team), 4)
    forged = {
        "another key": OTHER_SIGNER.sign_anchor(team.organization.id, good.head, 4, good.before, JULY),
        "further": replace(good, head=ChainHead(5, good.head.hash)),
        "another hash": replace(good, head=ChainHead(4, "0" * 64)),
        "another's": replace(
            SIGNER.sign_anchor(other.organization.id, good.head, 4, good.before, JULY),
            organization_id=team.organization.id,
        ),
        "later": replace(good, retained_at=JULY + timedelta(days=1)),
    }[harm]
    await keep(open_uow, team, forged)

    finding = (await verifying(open_uow)(team.actor(Role.OWNER))).finding

    assert finding is not None
    assert (finding.tampering, finding.first_bad) == (Tampering.FORGED, 1)
    with pytest.raises(ChainBroken):
        await retaining(open_uow).plan(operator_of(team), MONTHS)


async def test_heads_from_before_the_anchor_are_told_apart(
    open_uow: OpenUnitOfWork, team: TestOrganization, tmp_path: Path
) -> None:
    entries = await entries_of(open_uow, team)
    anchor = await retaining(open_uow)(operator_of(team), MONTHS, tmp_path / "archive.jsonl")
    assert anchor is not None
    heads = [
        SIGNER.sign(team.organization.id, ChainHead(entry.sequence, entry.hash), MARCH)
        for entry in (entries[1], entries[-3], entries[-1])
    ]
    owner = team.actor(Role.OWNER)

    verification = await verifying(open_uow)(owner, VerifyAuditCommand(heads=heads))
    at_the_anchor = SIGNER.sign(team.organization.id, ChainHead(anchor.head.sequence, "0" * 64), MARCH)
    differs = await verifying(open_uow)(owner, VerifyAuditCommand(heads=[at_the_anchor]))

    assert (verification.intact, verification.kept_heads, verification.older_heads) == (True, 2, 1)
    assert (differs.intact, differs.first_bad) == (False, anchor.head.sequence)


async def test_only_operators_remove_and_not_twice_at_once(
    open_uow: OpenUnitOfWork, team: TestOrganization, tmp_path: Path
) -> None:
    for actor in (
        team.actor(Role.OWNER),
        Actor.job(organization_id=team.organization.id, name="audit", origin=ORIGIN),
    ):
        with pytest.raises(PermissionMissing):
            await retaining(open_uow)(actor, MONTHS, tmp_path / "archive.jsonl")
    anchor = anchor_of(team, await entries_of(open_uow, team), 4)
    await keep(open_uow, team, anchor)
    with pytest.raises(AnchorTaken):
        await keep(open_uow, team, anchor)


async def test_the_store_removes_nothing_beyond_an_anchor(open_uow: OpenUnitOfWork, team: TestOrganization) -> None:
    before = await entries_of(open_uow, team)
    await keep(open_uow, team, anchor_of(team, before, 4))

    async with open_uow(operator_of(team)) as uow:
        with pytest.raises(Exception, match="o anchor covers entry 5"):
            await uow.audit.remove(5, 100)

    async with open_uow(operator_of(team)) as uow:
        assert [await uow.audit.remove(4, 3), await uow.audit.remove(4, 3), await uow.audit.remove(4, 3)] == [3, 1, 0]
        await uow.commit()
    assert await entries_of(open_uow, team) == before[4:]


@given(today=st.dates(date(1990, 1, 1), date(2200, 12, 31)), months=st.integers(LEAST_MONTHS, 1200))
async def test_so_many_whole_months_are_kept(today: date, months: int) -> None:
    kept = first_month_kept(today, months)

    assert kept.day == 1
    assert (today.year - kept.year) * 12 + today.month - kept.month == months


async def test_less_than_a_year_is_refused() -> None:
    with pytest.raises(RetentionTooShort):
        first_month_kept(JULY.date(), LEAST_MONTHS - 1)
