"""Exports by a job on both stores: written in the name of whoever asked, with the rights that they have by then."""

from collections.abc import AsyncIterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from src.adapters.memory.storage import MemoryStorage
from src.adapters.security import KeyRing, SignedDownloadLinks
from src.adapters.spreadsheets import FileSpreadsheets
from src.adapters.system import SystemClock, TemporaryFiles, Uuid7Ids
from src.application.documents.delete_old_exports import DeletedExports, DeleteOldExports
from src.application.documents.export_sources import ExportRequest
from src.application.documents.export_writer import ExportWriter
from src.application.documents.exports import (
    EXPORT_LINK,
    CancelExport,
    ExportLink,
    GetExport,
    ListExports,
    MakeExportLink,
    RequestExport,
    find_export,
)
from src.application.documents.open_download import DownloadKinds, OpenDownload
from src.application.documents.run_export import RunExport, RunExportCommand
from src.application.jobs.manage_jobs import CancelJob, ClearUpAfterJob
from src.application.ports.audit import AuditFilter
from src.application.ports.clock import Clock
from src.application.ports.paging import Paging
from src.application.ports.storage import StorageUnavailable
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.application.transactions import Transactions
from src.domain.documents.export import (
    KEPT_FOR,
    LISTED_FOR,
    MOST_PREPARING,
    DataExport,
    ExportFilters,
    ExportFormat,
    ExportKind,
    ExportNotFound,
    ExportState,
    ExportStateConflict,
    TooManyExports,
)
from src.domain.identity.actor import Actor, Permission, PermissionMissing, Role
from src.domain.identity.api_key import ApiKey
from src.domain.jobs.record import JobState
from src.domain.shared.errors import Invalid, NotFound
from src.domain.shared.ids import ApiKeyId, ExportId
from tests.builders.exports import an_export, made
from tests.builders.quotes import a_product
from tests.builders.renderers import SUMMARIES
from tests.organizations import ORIGIN, TestOrganization

pytestmark = pytest.mark.asyncio
BEGIN = datetime(2026, 7, 1, 23, 30, tzinfo=UTC)


class SetClock(Clock):
    """Stands still until somebody sets it."""

    def __init__(self) -> None:
        self.at = BEGIN

    def now(self) -> datetime:
        return self.at


class BrokenStorage(MemoryStorage):
    """Keeps nothing while it is *broken*."""

    broken = True

    async def put_stream(self, key: str, chunks: AsyncIterable[bytes], *, content_type: str) -> int:
        if self.broken:
            raise StorageUnavailable("The disk is full.")
        return await super().put_stream(key, chunks, content_type=content_type)


class Desk:
    """An organisation in Berlin with two products, and everything that makes exports there."""

    def __init__(self, open_uow: OpenUnitOfWork, team: TestOrganization, storage: MemoryStorage, folder: Path) -> None:
        self.open, self.team, self.storage, self.clock = open_uow, team, storage, SetClock()
        self.transactions, self.ids = Transactions(open_uow), Uuid7Ids()
        self.links = SignedDownloadLinks(KeyRing(["k" * 32]))
        self.scratch = TemporaryFiles(folder)
        self.writer = ExportWriter(self.transactions, FileSpreadsheets(), SUMMARIES, self.clock)

    @property
    def job(self) -> Actor:
        return Actor.job(organization_id=self.team.organization.id, name="test", origin=ORIGIN)

    async def request(
        self, actor: Actor | None = None, kind: ExportKind = ExportKind.PRODUCTS, **filters: Any
    ) -> DataExport:
        request = ExportRequest(kind=kind, file_format=ExportFormat.CSV, filters=ExportFilters(**filters))
        asking = RequestExport(self.transactions, self.clock, self.ids)
        return await asking(actor or self.team.actor(Role.ADMIN), request)

    async def run(self, export: DataExport, *, writer: ExportWriter | None = None) -> DataExport:
        running = RunExport(writer or self.writer, self.transactions, self.storage, self.scratch, self.clock, self.ids)
        await running(self.job, RunExportCommand(export_id=export.id))
        return await self.look(export)

    async def look(self, export: DataExport) -> DataExport:
        async with self.open(self.job) as uow:
            return await uow.exports.get(export.id)

    async def link(self, export: DataExport, actor: Actor | None = None) -> ExportLink:
        making = MakeExportLink(self.transactions, self.links, self.clock)
        return await making(actor or self.team.actor(Role.ADMIN), export.id)

    async def download(self, link: ExportLink) -> bytes:
        kinds = DownloadKinds({EXPORT_LINK: find_export})
        opening = OpenDownload(self.transactions, self.links, kinds, self.storage, self.clock)
        return b"".join([piece async for piece in (await opening(link.token, ORIGIN)).content])

    async def sweep(self) -> DeletedExports:
        return await DeleteOldExports(self.transactions, self.storage, self.clock)(self.job)

    async def become(self, who: Role, role: Role | None) -> None:
        """What somebody is from now on; None: locked out."""
        owner = self.team.actor(Role.OWNER)
        async with self.open(owner) as uow:
            user = await uow.users.get(self.team.users[who].id)
            if role is None:
                await uow.users.save(user.deactivate(by=owner, owners=1, at=self.clock.now()))
            else:
                await uow.users.save(user.take_role(role, by=owner, owners=1, at=self.clock.now()))
            await uow.commit()

    async def told(self, action: str) -> int:
        async with self.open(self.team.actor(Role.OWNER)) as uow:
            return (await uow.audit.page(AuditFilter(action=action), Paging())).total


@pytest_asyncio.fixture
async def desk(open_uow: OpenUnitOfWork, organization: TestOrganization, tmp_path: Path) -> Desk:
    async with open_uow(organization.actor(Role.ADMIN)) as uow:
        for sku in "AB":
            await uow.products.save(a_product(sku=sku, cost=None, created_at=BEGIN).create())
        await uow.commit()
    return Desk(open_uow, organization, MemoryStorage(), tmp_path)


async def test_a_job_makes_the_file_and_a_link_opens_it(desk: Desk) -> None:
    asked = await desk.request()
    async with desk.open(desk.job) as uow:
        job = await uow.jobs.get(asked.job_id)
    assert (asked.state, job.name, job.subject_id) == (ExportState.PREPARING, "run_export", asked.id)

    ready = await desk.run(asked)
    content = await desk.download(await desk.link(ready))

    assert (ready.state, ready.rows, ready.size) == (ExportState.READY, 2, len(content))
    assert ready.file_name == "products-20260702-013000.csv"  # In Berlin it is the next day.
    assert ready.expires_at == BEGIN + timedelta(hours=24)
    assert content.decode("utf-8-sig").count("\r\n") == 3
    assert [await desk.told(f"export.{verb}") for verb in ("requested", "ready", "link_made")] == [1, 1, 1]
    assert await desk.told("file.downloaded") == 1


async def test_nothing_is_an_end_of_its_own(desk: Desk) -> None:
    empty = await desk.run(await desk.request(archived=True))

    assert (empty.state, empty.storage_key) == (ExportState.EMPTY, "")
    assert "No data for export" in empty.message
    with pytest.raises(ExportStateConflict):
        await desk.link(empty)
    assert desk.storage.keys() == []


async def test_what_cannot_be_asked_for_is_refused_at_once(desk: Desk) -> None:
    for refused, actor, kind, filters in (
        (PermissionMissing, Role.VIEWER, ExportKind.PRODUCTS, {}),
        (PermissionMissing, Role.SALES, ExportKind.AUDIT, {}),
        (Invalid, Role.ADMIN, ExportKind.PRODUCTS, {"statuses": ("draft",)}),
        (Invalid, Role.ADMIN, ExportKind.QUOTES, {"statuses": ("unheard of",)}),
    ):
        with pytest.raises(refused):
            await desk.request(desk.team.actor(actor), kind, **filters)
    async with desk.open(desk.job) as uow:
        assert await uow.exports.unended(BEGIN + timedelta(days=1), 10) == []


async def test_an_export_is_its_persons_alone(desk: Desk) -> None:
    sales, admin = desk.team.actor(Role.SALES), desk.team.actor(Role.ADMIN)
    export = await desk.run(await desk.request(sales))

    for use_case in (
        GetExport(desk.transactions),
        CancelExport(desk.transactions, desk.clock),
        MakeExportLink(desk.transactions, desk.links, desk.clock),
    ):
        with pytest.raises(ExportNotFound):
            await use_case(admin, export.id)
        with pytest.raises(ExportNotFound):
            await use_case(admin, ExportId(uuid4()))
    listed = ListExports(desk.transactions)
    assert [one.id for one in (await listed(sales, Paging())).items] == [export.id]
    assert (await listed(admin, Paging())).total == 0
    assert (await GetExport(desk.transactions)(sales, export.id)).id == export.id


async def test_whoever_is_locked_out_meanwhile_gets_nothing(desk: Desk) -> None:
    asked = await desk.request(desk.team.actor(Role.SALES))
    await desk.become(Role.SALES, None)

    ended = await desk.run(asked)

    assert (ended.state, desk.storage.keys()) == (ExportState.FAILED, [])
    assert "locked out" in ended.message


async def test_whoever_has_lost_the_right_meanwhile_gets_nothing(desk: Desk) -> None:
    asked = await desk.request(desk.team.actor(Role.SALES))
    await desk.become(Role.SALES, Role.VIEWER)

    ended = await desk.run(asked)

    assert (ended.state, desk.storage.keys()) == (ExportState.FAILED, [])
    assert "products.export" in ended.message


async def test_whoever_loses_the_right_while_it_is_written_gets_nothing(desk: Desk) -> None:
    class Demoting(ExportWriter):
        async def write(self, *arguments: Any, **more: Any) -> Any:
            written = await super().write(*arguments, **more)
            await desk.become(Role.SALES, Role.VIEWER)
            return written

    asked = await desk.request(desk.team.actor(Role.SALES))
    ended = await desk.run(asked, writer=Demoting(desk.transactions, FileSpreadsheets(), SUMMARIES, desk.clock))

    assert (ended.state, ended.storage_key) == (ExportState.FAILED, "")


async def test_costs_are_for_those_who_may_see_them_when_it_is_written_and_when_it_is_fetched(desk: Desk) -> None:
    admin = desk.team.actor(Role.ADMIN)
    first, second = await desk.request(admin), await desk.request(admin)
    with_costs = await desk.run(first)
    link = await desk.link(with_costs)
    assert b'"Cost"' in await desk.download(link)

    await desk.become(Role.ADMIN, Role.SALES)
    without = await desk.run(second)

    assert (with_costs.with_costs, without.with_costs) == (True, False)
    demoted = replace(admin, permissions=desk.team.actor(Role.SALES).permissions)
    assert b'"Cost"' not in await desk.download(await desk.link(without, demoted))
    with pytest.raises(PermissionMissing):
        await desk.link(with_costs, demoted)
    with pytest.raises(NotFound):
        await desk.download(link)


async def test_a_key_asks_within_its_scopes_and_for_as_long_as_it_lives(desk: Desk) -> None:
    sales = desk.team.actor(Role.SALES)
    key = ApiKey(
        id=ApiKeyId(uuid4()),
        name="Shop",
        prefix="pk",
        key_hash=uuid4().hex,
        scopes=(Permission.RUN_EXPORTS, Permission.EXPORT_PRODUCTS),
        user_id=sales.person,
        created_at=BEGIN,
        expires_at=BEGIN + timedelta(hours=1),
    )
    async with desk.open(sales) as uow:
        key = await uow.api_keys.save(key.create(sales))
        await uow.commit()
    machine = Actor.api_key(
        organization_id=sales.organization_id,
        api_key_id=key.id,
        name=key.name,
        scopes=frozenset(key.scopes),
        user_id=sales.person,
        role=Role.SALES,
        origin=ORIGIN,
    )
    with pytest.raises(PermissionMissing):
        await desk.request(machine, ExportKind.QUOTES)
    in_time, too_late = await desk.request(machine), await desk.request(machine)

    assert (await desk.run(in_time)).state is ExportState.READY
    desk.clock.at += timedelta(hours=1)
    ended = await desk.run(too_late)
    assert (ended.state, ended.message) == (ExportState.FAILED, "The API key that asked for this has ended.")


async def test_a_link_ends_after_a_quarter_of_an_hour_and_with_the_file(desk: Desk) -> None:
    ready = await desk.run(await desk.request())
    early = await desk.link(ready)
    assert early.expires_at == BEGIN + timedelta(minutes=15)

    desk.clock.at = BEGIN + timedelta(hours=23, minutes=50)
    with pytest.raises(NotFound):
        await desk.download(early)
    assert (await desk.link(ready)).expires_at == ready.expires_at
    desk.clock.at = BEGIN + timedelta(hours=24)
    with pytest.raises(ExportStateConflict):
        await desk.link(ready)


async def test_a_store_that_fails_is_tried_again(desk: Desk) -> None:
    desk.storage = broken = BrokenStorage()
    asked = await desk.request()

    with pytest.raises(StorageUnavailable):
        await desk.run(asked)
    assert (await desk.look(asked)).is_preparing

    broken.broken = False
    assert (await desk.run(asked)).state is ExportState.READY


async def test_only_one_attempt_counts_and_the_other_leaves_nothing(desk: Desk) -> None:
    """The second begins while the first has still to say that it is ready."""
    asked = await desk.request()

    class Overtaken(ExportWriter):
        async def write(self, *arguments: Any, **more: Any) -> Any:
            written = await super().write(*arguments, **more)
            await desk.run(asked)
            return written

    ready = await desk.run(asked, writer=Overtaken(desk.transactions, FileSpreadsheets(), SUMMARIES, desk.clock))
    again = await desk.run(asked)

    assert again == ready
    assert desk.storage.keys() == [ready.storage_key]
    assert await desk.told("export.ready") == 1


async def test_a_person_has_so_many_exports_preparing_at_once(desk: Desk) -> None:
    asked = [await desk.request() for _ in range(MOST_PREPARING)]

    with pytest.raises(TooManyExports):
        await desk.request()
    await desk.request(desk.team.actor(Role.SALES))
    await desk.run(asked[0])
    await desk.request()


async def test_what_is_given_up_is_not_made(desk: Desk) -> None:
    admin = desk.team.actor(Role.ADMIN)
    cancel = CancelExport(desk.transactions, desk.clock)
    given_up, ready = await desk.request(admin), await desk.run(await desk.request(admin))

    cancelled = await cancel(admin, given_up.id)
    assert await desk.run(given_up) == cancelled
    async with desk.open(desk.job) as uow:
        assert (await uow.jobs.get(given_up.job_id)).state is JobState.CANCELLED
    assert cancelled.state is ExportState.CANCELLED
    for ended in (cancelled, ready):
        with pytest.raises(ExportStateConflict):
            await cancel(admin, ended.id)


async def test_an_export_ends_with_the_job_that_an_administrator_cancels(desk: Desk) -> None:
    asked = await desk.request(desk.team.actor(Role.SALES))

    await CancelJob(desk.transactions, desk.clock, desk.ids)(desk.team.actor(Role.ADMIN), asked.job_id)
    await ClearUpAfterJob(desk.transactions, desk.clock, desk.ids)(desk.job, asked.job_id)

    assert (await desk.look(asked)).state is ExportState.CANCELLED


async def test_files_go_after_a_day_and_their_exports_say_so(desk: Desk) -> None:
    ready = await desk.run(await desk.request())
    desk.clock.at = BEGIN + KEPT_FOR - timedelta(seconds=1)
    later = await desk.run(await desk.request())
    assert await desk.sweep() == DeletedExports(expired=0, strays=0, abandoned=0)

    desk.clock.at = BEGIN + KEPT_FOR
    assert await desk.sweep() == DeletedExports(expired=1, strays=0, abandoned=0)

    gone = await desk.look(ready)
    assert (gone.state, gone.storage_key, gone.rows) == (ExportState.EXPIRED, "", 2)
    assert desk.storage.keys() == [later.storage_key]
    assert await desk.told("export.expired") == 1
    assert await desk.sweep() == DeletedExports(expired=0, strays=0, abandoned=0)


async def test_a_sweep_that_broke_off_is_finished_by_the_next(desk: Desk) -> None:
    """Between a file and its export, whichever of the two is gone already."""
    ready = await desk.run(await desk.request())
    await desk.storage.delete(ready.storage_key)
    desk.clock.at = BEGIN + KEPT_FOR

    assert (await desk.sweep()).expired == 1
    assert (await desk.look(ready)).state is ExportState.EXPIRED


async def test_files_that_no_export_knows_go_too_once_they_are_old(desk: Desk) -> None:
    tenant, foreign = desk.team.organization.id, uuid4()
    ready = await desk.run(await desk.request())
    strays = [f"{tenant}/exports/{uuid4()}/{number}" for number in range(3)]
    others = [f"{foreign}/exports/x/1", f"{tenant}/imports/y"]
    for key in (*strays, *others):
        await desk.storage.put(key, b"x", content_type="text/csv")

    desk.clock.at = SystemClock().now()  # The store says when it got them, by the machine's clock.
    early = await desk.sweep()
    assert (early.strays, set(strays) - set(desk.storage.keys())) == (0, set())

    # The export's own time is far from over, as if it had been made much later than its file.
    async with desk.open(desk.job) as uow:
        kept = made(an_export(ready.created_by), SystemClock().now() + KEPT_FOR, key=f"{tenant}/exports/kept/1")
        await uow.exports.save(replace(kept, before=None))
        await uow.commit()
    await desk.storage.put(f"{tenant}/exports/kept/1", b"x", content_type="text/csv")
    desk.clock.at = SystemClock().now() + KEPT_FOR
    assert (await desk.sweep()).strays == 3
    assert sorted(desk.storage.keys()) == sorted([*others, f"{tenant}/exports/kept/1"])


async def test_exports_whose_job_ended_without_a_word_are_failed_in_the_end(desk: Desk) -> None:
    waiting = await desk.request()
    async with desk.open(desk.job) as uow:
        lost = await uow.exports.save(an_export(waiting.created_by, created_at=BEGIN, job_id=uuid4()).request())
        await uow.commit()

    desk.clock.at = BEGIN + KEPT_FOR
    assert (await desk.sweep()).abandoned == 0
    desk.clock.at += timedelta(seconds=1)
    assert (await desk.sweep()).abandoned == 1

    assert (await desk.look(lost)).state is ExportState.FAILED
    assert (await desk.look(waiting)).is_preparing


async def test_exports_are_forgotten_ninety_days_after_their_end_unless_a_job_or_a_file_needs_them(desk: Desk) -> None:
    over = BEGIN - LISTED_FOR
    with_job = await desk.request()
    async with desk.open(desk.job) as uow:
        old, young, ready = [await uow.exports.save(an_export(with_job.created_by).request()) for _ in range(3)]
        for export, at in ((old, over - timedelta(seconds=1)), (young, over), (with_job, over - timedelta(days=1))):
            await uow.exports.save(export.ended(ExportState.EMPTY, message="x", at=at))
        await uow.exports.save(made(ready, over - timedelta(days=1)))
        await uow.commit()

    async with desk.open(desk.job) as uow:
        assert await uow.exports.forget(over, 10) == 1
        with pytest.raises(ExportNotFound):
            await uow.exports.get(old.id)
        assert (await uow.exports.get(ready.id)).state is ExportState.READY
    # Of the ready one, the file is taken away first.
    assert await desk.sweep() == DeletedExports(expired=1, strays=0, abandoned=0, forgotten=2)
    assert (await desk.sweep()).forgotten == 0
    for left in (young, with_job):
        assert (await desk.look(left)).state is ExportState.EMPTY


async def test_nobody_elses_export_is_found(desk: Desk, other: TestOrganization) -> None:
    ready = await desk.run(await desk.request())
    async with desk.open(other.actor(Role.ADMIN)) as uow:
        with pytest.raises(ExportNotFound):
            await uow.exports.get(ready.id)
        assert await uow.exports.kept([ready.storage_key]) == frozenset()
        assert await uow.exports.over(BEGIN + KEPT_FOR, 10) == []
        assert await uow.exports.forget(SystemClock().now() + LISTED_FOR, 10) == 0
        with pytest.raises(ExportNotFound):
            await find_export(uow, desk.team.actor(Role.ADMIN), UUID(str(ready.id)))
