"""Attachments on both stores and a storage: whole or not at all, within the quota, and gone without a trace."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from src.adapters.memory.storage import MemoryStorage
from src.adapters.security import KeyRing, SignedDownloadLinks
from src.adapters.system import SystemClock, Uuid7Ids
from src.application.customers.change_customer import DeleteCustomer, MergeCustomers
from src.application.documents.add_attachment import (
    LONGEST_UPLOAD,
    AddAttachment,
    AddAttachmentCommand,
    AttachmentLimits,
)
from src.application.documents.erase_attachment import ERASE_ATTACHMENT, GRACE, EraseAttachment, SweepAttachments
from src.application.documents.open_download import ATTACHMENT, DownloadKinds, OpenDownload, found_attachment
from src.application.documents.read_attachments import (
    DeleteAttachment,
    GetAttachment,
    LinkAttachment,
    ListAttachments,
    OpenAttachment,
)
from src.application.ports.attachments import StorageUse
from src.application.ports.audit import AuditFilter
from src.application.ports.clock import Clock
from src.application.ports.jobs import Job, JobFilter
from src.application.ports.paging import Paging
from src.application.ports.storage import ObjectStorage, StorageUnavailable
from src.application.ports.unit_of_work import OpenUnitOfWork, UnitOfWork
from src.application.transactions import Transactions
from src.domain.approvals.errors import RequestNotFound
from src.domain.approvals.request import ApprovalRequest
from src.domain.customers.customer import CustomerDeleted, CustomerNotFound
from src.domain.documents.attachment import (
    Attachment,
    AttachmentIsEvidence,
    AttachmentNotFound,
    NotTheUploader,
    QuotaExceeded,
    SubjectKind,
    TooManyAttachments,
    TooManyUploads,
)
from src.domain.documents.file_types import FileTooLarge, FileTypeRefused
from src.domain.identity.actor import Actor, ActorKind, Origin, Permission, PermissionMissing, Role
from src.domain.quoting.errors import QuoteNotFound
from src.domain.shared.errors import Invalid, NotFound, Stale
from src.domain.shared.ids import CustomerId, QuoteId
from src.domain.shared.once import KeyReused, Replayed, StoredAnswer
from src.domain.shared.storage_keys import attachment_key
from tests.builders.approvals import a_subject, a_submission, asked, decision
from tests.builders.files import FALSE_FILES, PDF, in_pieces
from tests.builders.identity import an_api_key, once
from tests.builders.quotes import a_content, a_customer, a_new_quote, a_policy
from tests.organizations import ORIGIN, TestOrganization, new_organization

pytestmark = pytest.mark.asyncio
LIMITS = AttachmentLimits(largest=100_000, quota=200_000, per_subject=3)
LINKS = SignedDownloadLinks(KeyRing(["k" * 32]))


@dataclass(slots=True)
class SetClock(Clock):
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def now(self) -> datetime:
        return self.at


class PatientTransactions(Transactions):
    """Jobs are due tomorrow, so that no worker of another test takes one and looks into another storage."""

    @asynccontextmanager
    async def begin(self, actor: Actor, permission: Permission) -> AsyncIterator[UnitOfWork]:
        async with super().begin(actor, permission) as uow:
            enqueue = uow.jobs.enqueue

            async def later(job: Job) -> None:
                await enqueue(replace(job, not_before=datetime.now(UTC) + timedelta(days=1)))

            uow.jobs.enqueue = later  # type: ignore[method-assign]  # A part of this unit of work alone.
            yield uow


class Desk:
    """An organisation with a quote and a customer, and everything that can be done with files."""

    def __init__(self, open_uow: OpenUnitOfWork, made: TestOrganization, customer: UUID, quote: UUID) -> None:
        self.open_uow, self.made, self.customer, self.quote = open_uow, made, customer, quote
        self.clock = SetClock()
        self.storage: ObjectStorage = MemoryStorage()
        self.transactions: Transactions = PatientTransactions(open_uow)

    def actor(self, role: Role = Role.SALES) -> Actor:
        return self.made.actor(role)

    @property
    def worker(self) -> Actor:
        return Actor.job(organization_id=self.made.organization.id, name="storage", origin=Origin(trace_id="0" * 32))

    async def add(
        self,
        name: str = "offer.pdf",
        content: bytes = PDF,
        *,
        kind: SubjectKind = SubjectKind.QUOTE,
        subject_id: UUID | None = None,
        by: Actor | None = None,
        announced: int | None = None,
        limits: AttachmentLimits = LIMITS,
        chunks: AsyncIterator[bytes] | None = None,
    ) -> Attachment:
        use_case = AddAttachment(self.transactions, self.storage, limits, self.clock, Uuid7Ids())
        command = AddAttachmentCommand(
            subject_kind=kind,
            subject_id=subject_id or (self.customer if kind is SubjectKind.CUSTOMER else self.quote),
            file_name=name,
            announced_size=announced,
        )
        return await use_case(by or self.actor(), command, chunks or in_pieces(content))

    async def delete(self, attachment: Attachment, by: Actor | None = None) -> None:
        await DeleteAttachment(self.transactions, self.clock, Uuid7Ids())(by or self.actor(), attachment.id)

    async def run_jobs(self) -> int:
        """What a worker would do with the erasures that are queued; twice, since it runs at least once."""
        erase = EraseAttachment(self.transactions, self.storage, self.clock)
        async with self.open_uow(self.actor()) as uow:
            queued = await uow.jobs.page(JobFilter(name=ERASE_ATTACHMENT), Paging(limit=100))
        for job in [*queued.items, *queued.items]:
            await erase(self.worker, job.subject_id)  # type: ignore[arg-type]  # The id of an attachment.
        return queued.total

    async def sweep(self) -> int:
        erase = EraseAttachment(self.transactions, self.storage, self.clock)
        return await SweepAttachments(self.transactions, self.storage, erase, self.clock)(self.worker)

    async def keys(self) -> list[str]:
        """What of the organisation lies in the storage."""
        return [found.key async for found in self.storage.objects(str(self.made.organization.id))]

    async def rows(self) -> int:
        """Of whatever status."""
        keys = [UUID(key.rpartition("/")[2]) for key in await self.keys()]
        async with self.open_uow(self.actor()) as uow:
            left = await uow.attachments.unfinished(self.clock.now() + timedelta(days=9))
            return len(left) + len(await uow.attachments.known(keys))

    async def use(self) -> StorageUse:
        async with self.open_uow(self.actor()) as uow:
            return await uow.attachments.use()

    async def told(self) -> list[str]:
        async with self.open_uow(self.actor(Role.OWNER)) as uow:
            page = await uow.audit.page(AuditFilter(), Paging(limit=100))
        return [one.record.action for one in reversed(page.items) if one.record.action.startswith(("attach", "file"))]


@pytest_asyncio.fixture
async def desk(open_uow: OpenUnitOfWork) -> Desk:
    return await a_desk(open_uow)


async def a_desk(open_uow: OpenUnitOfWork) -> Desk:
    made = await new_organization(open_uow)
    sales = made.actor(Role.SALES)
    async with open_uow(sales) as uow:
        customer = await uow.customers.save(a_customer().create())
        quote = await uow.quotes.save(
            a_new_quote(customer_id=customer.id, by=sales.person, content=a_content(valid_until=date(2090, 1, 1)))
        )
        await uow.commit()
    return Desk(open_uow, made, customer.id, quote.id)


async def test_a_file_is_kept_as_it_came(desk: Desk) -> None:
    added = await desk.add("../Angebot (1).pdf")

    key = attachment_key(desk.made.organization.id, added.id)
    assert await desk.keys() == [key]
    assert await desk.storage.get(key) == PDF
    assert (added.file_name, added.content_type) == ("Angebot (1).pdf", "application/pdf")
    assert (added.size, added.sha256) == (len(PDF), sha256(PDF).hexdigest())
    assert await GetAttachment(desk.transactions)(desk.actor(Role.VIEWER), added.id) == added
    assert await desk.use() == StorageUse(len(PDF), 1)
    assert await desk.told() == ["attachment.upload_begun", "attachment.added"]


async def test_a_name_is_personal_and_not_in_the_audit(desk: Desk) -> None:
    await desk.add("Kündigung Katrin Brandt.pdf")

    async with desk.open_uow(desk.actor(Role.OWNER)) as uow:
        page = await uow.audit.page(AuditFilter(), Paging(limit=100))
    assert not [one for one in page.items if "Brandt.pdf" in one.record.text]


async def test_files_are_listed_by_subject_newest_first(desk: Desk) -> None:
    first = await desk.add("a.pdf")
    desk.clock.at += timedelta(seconds=1)
    second = await desk.add("b.pdf")
    await desk.add("c.pdf", kind=SubjectKind.CUSTOMER)
    gone = await desk.add("d.pdf")
    await desk.delete(gone)

    page = await ListAttachments(desk.transactions)(
        desk.actor(Role.VIEWER), SubjectKind.QUOTE, desk.quote, Paging(limit=1)
    )
    rest = await ListAttachments(desk.transactions)(
        desk.actor(Role.VIEWER), SubjectKind.QUOTE, desk.quote, Paging(limit=1, cursor=page.next_cursor)
    )

    assert (page.items, page.total) == ((second,), 2)
    assert (rest.items, rest.next_cursor) == ((first,), None)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (SubjectKind.QUOTE, QuoteNotFound),
        (SubjectKind.CUSTOMER, CustomerNotFound),
        (SubjectKind.APPROVAL_REQUEST, RequestNotFound),
    ],
)
async def test_what_is_not_there_takes_no_files(desk: Desk, kind: SubjectKind, error: type[NotFound]) -> None:
    with pytest.raises(error):
        await desk.add(kind=kind, subject_id=uuid4())
    with pytest.raises(error):
        await ListAttachments(desk.transactions)(desk.actor(), kind, uuid4(), Paging())
    assert await desk.keys() == []
    assert await desk.rows() == 0


async def test_so_many_uploads_are_under_way_at_once_and_those_that_died_count_no_more(desk: Desk) -> None:
    few = replace(LIMITS, at_once=1)

    async def another() -> AsyncIterator[bytes]:
        with pytest.raises(TooManyUploads):
            await desk.add(limits=few)
        desk.clock.at += LONGEST_UPLOAD
        await desk.add("second.pdf", limits=few)
        yield PDF

    await desk.add(chunks=another(), limits=few)
    async with desk.open_uow(desk.actor()) as uow:
        assert (await uow.attachments.use()).count == 2


async def test_a_full_organisation_sends_nothing_with_a_new_key_either(desk: Desk) -> None:
    read = []

    async def content() -> AsyncIterator[bytes]:
        read.append(PDF)
        yield PDF

    actor, _ = once(desk.actor())
    with pytest.raises(QuotaExceeded):
        await desk.add(by=actor, announced=90_000, limits=replace(LIMITS, quota=80_000), chunks=content())
    assert read == []


async def test_a_deleted_customer_takes_no_files(desk: Desk) -> None:
    await DeleteCustomer(desk.transactions, desk.clock)(desk.actor(), CustomerId(desk.customer))

    with pytest.raises(CustomerDeleted):
        await desk.add(kind=SubjectKind.CUSTOMER)


async def test_another_organisation_sees_nothing_of_it(desk: Desk) -> None:
    added = await desk.add()
    stranger = (await a_desk(desk.open_uow)).actor(Role.OWNER)

    for attempt in (
        GetAttachment(desk.transactions)(stranger, added.id),
        OpenAttachment(desk.transactions, desk.storage, desk.clock)(stranger, added.id),
        LinkAttachment(desk.transactions, LINKS, desk.clock)(stranger, added.id),
        desk.delete(added, by=stranger),
    ):
        with pytest.raises(AttachmentNotFound):
            await attempt


async def test_who_does_not_see_the_subject_does_not_see_its_files(desk: Desk) -> None:
    added = await desk.add()
    key = replace(desk.actor(), permissions=frozenset({Permission.VIEW_ATTACHMENTS, Permission.DELETE_ATTACHMENTS}))
    reader = replace(key, permissions=key.permissions | {Permission.VIEW_QUOTES})

    for attempt in (
        GetAttachment(desk.transactions)(key, added.id),
        OpenAttachment(desk.transactions, desk.storage, desk.clock)(key, added.id),
        LinkAttachment(desk.transactions, LINKS, desk.clock)(key, added.id),
        desk.delete(added, by=key),
    ):
        with pytest.raises(AttachmentNotFound):
            await attempt
    assert (await GetAttachment(desk.transactions)(reader, added.id)).id == added.id
    with pytest.raises(PermissionMissing):  # Seeing is not changing.
        await desk.delete(added, by=reader)


@pytest.mark.parametrize(
    ("kind", "refused"),
    [
        (SubjectKind.QUOTE, {Role.VIEWER, Role.APPROVER}),
        (SubjectKind.CUSTOMER, {Role.VIEWER, Role.APPROVER}),
        (SubjectKind.APPROVAL_REQUEST, {Role.VIEWER}),
    ],
)
async def test_who_may_not_change_the_subject_adds_nothing(desk: Desk, kind: SubjectKind, refused: set[Role]) -> None:
    request = await _a_request(desk)
    subject = request.id if kind is SubjectKind.APPROVAL_REQUEST else None
    for role in Role:
        if role in refused:
            with pytest.raises(PermissionMissing):
                await desk.add(kind=kind, subject_id=subject, by=desk.actor(role))
        else:
            await desk.add(kind=kind, subject_id=subject, by=desk.actor(role), limits=AttachmentLimits())


@pytest.mark.parametrize("name", FALSE_FILES)
async def test_a_refused_file_leaves_nothing(desk: Desk, name: str) -> None:
    with pytest.raises(FileTypeRefused):
        await desk.add(name, FALSE_FILES[name])

    await desk.run_jobs()
    assert await desk.keys() == []
    assert await desk.rows() == 0
    assert await desk.use() == StorageUse(0, 0)


async def test_too_large_is_seen_before_and_on_the_way(desk: Desk) -> None:
    with pytest.raises(FileTooLarge):
        await desk.add(announced=LIMITS.largest + 1, chunks=_broken())
    with pytest.raises(FileTooLarge):
        await desk.add("a.txt", b"x" * (LIMITS.largest + 1))
    assert (await desk.add("a.txt", b"x" * LIMITS.largest)).size == LIMITS.largest
    await desk.run_jobs()
    assert len(await desk.keys()) == 1


async def test_the_quota_is_kept_to_the_byte_and_given_back(desk: Desk) -> None:
    half = b"x" * (LIMITS.quota // 2)
    first = await desk.add("a.txt", half)
    await desk.add("b.txt", half)

    with pytest.raises(QuotaExceeded) as refused:
        await desk.add("c.txt", b"x")
    assert refused.value.details == {"quota": LIMITS.quota, "used": LIMITS.quota}
    await desk.delete(first)
    assert await desk.use() == StorageUse(len(half), 1)
    with pytest.raises(QuotaExceeded):  # Announced.
        await desk.add("c.txt", announced=len(half) + 1, chunks=_broken(), limits=replace(LIMITS, largest=LIMITS.quota))
    with pytest.raises(QuotaExceeded):  # Found out at the end.
        await desk.add("c.txt", half + b"x", limits=replace(LIMITS, largest=LIMITS.quota))
    assert (await desk.add("c.txt", half)).size == len(half)
    await desk.run_jobs()
    assert len(await desk.keys()) == 2
    assert await desk.rows() == 2


async def test_a_file_larger_than_the_whole_quota_is_refused(desk: Desk) -> None:
    with pytest.raises(QuotaExceeded):
        await desk.add("a.txt", b"xx", limits=replace(LIMITS, quota=1))
    assert await desk.use() == StorageUse(0, 0)


async def test_a_request_that_is_sent_again_is_no_second_file_where_there_is_no_room_for_one(desk: Desk) -> None:
    full, limits = b"x" * LIMITS.quota, replace(LIMITS, largest=LIMITS.quota)
    actor, promise = once(desk.actor())
    added = await desk.add("a.txt", full, by=actor, limits=limits)
    assert promise.held is not None
    await promise.held.finish(StoredAnswer(status=201, headers=(), body=b"sealed"))

    again, _ = once(desk.actor())
    with pytest.raises(Replayed):
        await desk.add("a.txt", full, by=again, limits=limits)
    other, _ = once(desk.actor())
    with pytest.raises(KeyReused):
        await desk.add("a.txt", full[1:] + b"y", by=other, limits=limits)
    await desk.run_jobs()
    assert await desk.keys() == [attachment_key(desk.made.organization.id, added.id)]
    assert await desk.use() == StorageUse(LIMITS.quota, 1)


async def test_a_subject_takes_so_many_files(desk: Desk) -> None:
    for number in range(LIMITS.per_subject):
        await desk.add(f"{number}.pdf")

    with pytest.raises(TooManyAttachments) as refused:
        await desk.add()
    assert refused.value.details == {"limit": 3}
    assert (await desk.add(kind=SubjectKind.CUSTOMER)).subject_id == desk.customer


async def _broken() -> AsyncIterator[bytes]:
    yield PDF
    raise ConnectionResetError("the sender is gone")


async def test_a_sender_that_goes_away_leaves_nothing(desk: Desk) -> None:
    with pytest.raises(ConnectionResetError):
        await desk.add(chunks=_broken())

    assert await desk.run_jobs() == 1
    assert await desk.keys() == []
    assert await desk.rows() == 0
    assert await desk.told() == ["attachment.upload_begun", "attachment.upload_discarded", "attachment.erased"]


async def test_an_empty_file_is_refused(desk: Desk) -> None:
    with pytest.raises(Invalid):
        await desk.add("a.txt", b"")


async def test_a_download_is_audited(desk: Desk) -> None:
    added = await desk.add()

    opened = await OpenAttachment(desk.transactions, desk.storage, desk.clock)(desk.actor(Role.VIEWER), added.id)

    assert b"".join([piece async for piece in opened.content]) == PDF
    async with desk.open_uow(desk.actor(Role.OWNER)) as uow:
        (entry,) = (await uow.audit.page(AuditFilter(action="file.downloaded"), Paging())).items
    assert (entry.record.resource_type, entry.record.resource_id) == ("quote", desk.quote)
    assert entry.record.user_id == desk.made.users[Role.VIEWER].id


async def test_a_link_opens_the_file_until_it_is_deleted(desk: Desk) -> None:
    added = await desk.add()
    open_download = OpenDownload(
        desk.transactions, LINKS, DownloadKinds({ATTACHMENT: found_attachment}), desk.storage, desk.clock
    )

    given = await LinkAttachment(desk.transactions, LINKS, desk.clock)(desk.actor(), added.id)
    opened = await open_download(given.token, ORIGIN)

    assert b"".join([piece async for piece in opened.content]) == PDF
    assert given.expires_at == desk.clock.now().replace(microsecond=0) + timedelta(minutes=15)
    await desk.delete(added)
    with pytest.raises(NotFound):
        await open_download(given.token, ORIGIN)


async def test_a_link_ends_with_the_api_key_by_which_it_was_asked_for(desk: Desk) -> None:
    added, sales = await desk.add(), desk.made.users[Role.SALES]
    key = an_api_key(sales, Permission.VIEW_ATTACHMENTS, Permission.VIEW_QUOTES)
    blind = an_api_key(sales, Permission.VIEW_ATTACHMENTS)
    async with desk.open_uow(desk.actor(Role.ADMIN)) as uow:
        stored = await uow.api_keys.save(key.create(desk.actor(Role.ADMIN)))
        await uow.api_keys.save(blind.create(desk.actor(Role.ADMIN)))
        await uow.commit()
    machine = replace(desk.actor(), kind=ActorKind.API_KEY, api_key_id=key.id)
    kinds = DownloadKinds({ATTACHMENT: found_attachment})
    open_download = OpenDownload(desk.transactions, LINKS, kinds, desk.storage, desk.clock)
    link = LinkAttachment(desk.transactions, LINKS, desk.clock)

    given = await link(machine, added.id)
    unseen = await link(replace(machine, api_key_id=blind.id), added.id)

    assert (await open_download(given.token, ORIGIN)).file.size == len(PDF)
    with pytest.raises(NotFound):  # What the key may not see now.
        await open_download(unseen.token, ORIGIN)
    async with desk.open_uow(desk.actor(Role.ADMIN)) as uow:
        await uow.api_keys.save(stored.revoke(desk.clock.now()))
        await uow.commit()
    with pytest.raises(NotFound):
        await open_download(given.token, ORIGIN)


@pytest.mark.parametrize(
    ("lifetime", "taken"),
    [
        (timedelta(seconds=59), False),
        (timedelta(minutes=1), True),
        (timedelta(days=1), True),
        (timedelta(days=1, seconds=1), False),
    ],
)
async def test_a_link_lasts_from_a_minute_to_a_day(desk: Desk, lifetime: timedelta, taken: bool) -> None:
    added = await desk.add()
    link = LinkAttachment(desk.transactions, LINKS, desk.clock)
    if taken:
        assert (await link(desk.actor(), added.id, lifetime)).token
    else:
        with pytest.raises(Invalid):
            await link(desk.actor(), added.id, lifetime)


async def test_deletion_is_at_once_for_people_and_later_for_the_bytes(desk: Desk) -> None:
    added = await desk.add()

    await desk.delete(added)
    with pytest.raises(AttachmentNotFound):
        await GetAttachment(desk.transactions)(desk.actor(), added.id)
    with pytest.raises(AttachmentNotFound):
        await desk.delete(added)
    assert await desk.use() == StorageUse(0, 0)
    assert len(await desk.keys()) == 1

    await desk.run_jobs()
    assert await desk.keys() == []
    assert await desk.rows() == 0
    assert await desk.told() == [
        "attachment.upload_begun",
        "attachment.added",
        "attachment.deleted",
        "attachment.erased",
    ]


async def test_what_somebody_changed_or_removed_meanwhile_is_not_removed(desk: Desk) -> None:
    now = desk.clock.now()
    added = await desk.add()
    async with desk.open_uow(desk.worker) as uow:
        deleted = await uow.attachments.save(added.delete(now))
        await uow.commit()

    async with desk.open_uow(desk.worker) as uow:
        with pytest.raises(Stale):
            await uow.attachments.remove(added.erase(now))
        assert await uow.attachments.get(added.id) == deleted
    async with desk.open_uow(desk.worker) as uow:
        await uow.attachments.remove(deleted.erase(now))
        with pytest.raises(Stale):
            await uow.attachments.remove(deleted.erase(now))
    assert "attachment.erased" not in await desk.told()


async def test_a_stored_file_is_not_erased_whatever_job_asks(desk: Desk) -> None:
    added = await desk.add()

    await EraseAttachment(desk.transactions, desk.storage, desk.clock)(desk.worker, added.id)

    assert len(await desk.keys()) == 1
    with pytest.raises(PermissionMissing):
        await EraseAttachment(desk.transactions, desk.storage, desk.clock)(desk.actor(Role.OWNER), added.id)
    with pytest.raises(PermissionMissing):
        await SweepAttachments(
            desk.transactions,
            desk.storage,
            EraseAttachment(desk.transactions, desk.storage, desk.clock),
            desk.clock,
        )(desk.actor(Role.OWNER))


async def test_what_was_submitted_with_an_offer_is_evidence(desk: Desk) -> None:
    before = await desk.add()
    async with desk.open_uow(desk.actor()) as uow:
        quote = await uow.quotes.lock(QuoteId(desk.quote))
        submitted = quote.submit(by=desk.actor().person, at=desk.clock.now(), needs_approval=True)
        await uow.quotes.save(submitted)
        await uow.commit()
    desk.clock.at += timedelta(seconds=1)
    after = await desk.add()

    with pytest.raises(AttachmentIsEvidence):
        await desk.delete(before)
    await desk.delete(after)
    async with desk.open_uow(desk.actor()) as uow:
        quote = await uow.quotes.lock(QuoteId(desk.quote))
        await uow.quotes.save(quote.recall(by=desk.actor().person, at=desk.clock.now(), may_recall_any=False))
        await uow.commit()
    await desk.delete(before)


async def test_a_file_that_was_under_way_when_an_offer_was_submitted_is_no_evidence(desk: Desk) -> None:
    async def submitted_meanwhile() -> AsyncIterator[bytes]:
        async with desk.open_uow(desk.actor()) as uow:
            quote = await uow.quotes.lock(QuoteId(desk.quote))
            desk.clock.at += timedelta(seconds=1)
            await uow.quotes.save(quote.submit(by=desk.actor().person, at=desk.clock.now(), needs_approval=True))
            await uow.commit()
        desk.clock.at += timedelta(seconds=1)
        yield PDF

    await desk.delete(await desk.add(chunks=submitted_meanwhile()))


async def test_a_customer_that_is_deleted_during_the_upload_takes_no_file(desk: Desk) -> None:
    async def deleted_meanwhile() -> AsyncIterator[bytes]:
        await DeleteCustomer(desk.transactions, desk.clock)(desk.actor(), CustomerId(desk.customer))
        yield PDF

    with pytest.raises(CustomerDeleted):
        await desk.add(kind=SubjectKind.CUSTOMER, chunks=deleted_meanwhile())
    async with desk.open_uow(desk.actor()) as uow:
        assert await uow.attachments.use() == StorageUse(0, 0)


async def _a_request(desk: Desk) -> ApprovalRequest:
    async with desk.open_uow(desk.actor(Role.ADMIN)) as uow:
        policy = a_policy()
        from_policy = await uow.policies.save(policy.create())
        submission = a_submission(desk.actor().person, subject=a_subject(QuoteId(desk.quote)))
        request = await uow.approvals.save(asked(submission, [from_policy], list(desk.made.users.values())))
        await uow.commit()
    return request


async def test_files_of_a_request_are_their_senders_until_somebody_decides(desk: Desk) -> None:
    request = await _a_request(desk)
    approver, sales = desk.actor(Role.APPROVER), desk.actor()
    kept = await desk.add(kind=SubjectKind.APPROVAL_REQUEST, subject_id=request.id, by=approver)
    taken = await desk.add(kind=SubjectKind.APPROVAL_REQUEST, subject_id=request.id, by=approver)

    with pytest.raises(NotTheUploader):
        await desk.delete(kept, by=sales)
    await desk.delete(taken, by=approver)
    async with desk.open_uow(approver) as uow:
        live = await uow.approvals.get(request.id, lock=True)
        decided = decision(live, desk.made.users[Role.APPROVER], list(desk.made.users.values()), at=desk.clock.now())
        assert decided is not None
        await uow.approvals.save(decided)
        await uow.commit()
    desk.clock.at += timedelta(seconds=1)
    later = await desk.add(kind=SubjectKind.APPROVAL_REQUEST, subject_id=request.id, by=approver)
    with pytest.raises(AttachmentIsEvidence):
        await desk.delete(kept, by=approver)
    with pytest.raises(NotTheUploader):
        await desk.delete(later, by=sales)
    await desk.delete(later, by=approver)


async def test_files_of_a_request_that_was_taken_back_before_anybody_decided_are_no_evidence(desk: Desk) -> None:
    request = await _a_request(desk)
    added = await desk.add(kind=SubjectKind.APPROVAL_REQUEST, subject_id=request.id)
    async with desk.open_uow(desk.actor()) as uow:
        live = await uow.approvals.get(request.id, lock=True)
        await uow.approvals.save(live.withdraw(at=desk.clock.now()))
        await uow.commit()

    await desk.delete(added)


async def test_a_merged_customers_files_are_the_survivors(desk: Desk) -> None:
    async with desk.open_uow(desk.actor()) as uow:
        survivor = await uow.customers.save(a_customer().create())
        await uow.commit()
    added = await desk.add(kind=SubjectKind.CUSTOMER)
    await desk.add()

    await MergeCustomers(desk.transactions, SystemClock())(
        desk.actor(Role.ADMIN), survivor.id, CustomerId(desk.customer)
    )

    page = await ListAttachments(desk.transactions)(desk.actor(), SubjectKind.CUSTOMER, survivor.id, Paging())
    assert [one.id for one in page.items] == [added.id]


async def test_the_sweep_takes_what_is_left_and_nothing_else(desk: Desk) -> None:
    kept = await desk.add("kept.pdf")
    key = attachment_key(desk.made.organization.id, uuid4())
    await desk.storage.put(key, b"orphan", content_type="text/plain")
    await desk.storage.put(f"{key}.x", b"no id", content_type="text/plain")
    other = f"{desk.made.organization.id}/documents/a.pdf"
    await desk.storage.put(other, b"other", content_type="text/plain")
    foreign = await a_desk(desk.open_uow)
    foreign.storage = desk.storage
    theirs = await foreign.add()
    deleted = await desk.add("deleted.pdf")
    await desk.delete(deleted)

    assert await desk.sweep() == 0  # All of it is too young.
    desk.clock.at += GRACE + timedelta(minutes=1)

    assert await desk.sweep() == 3
    assert await desk.sweep() == 0
    assert set(await desk.keys()) == {attachment_key(desk.made.organization.id, kept.id), other}
    assert await foreign.keys() == [attachment_key(foreign.made.organization.id, theirs.id)]


async def test_a_full_storage_leaves_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: object, **__: object) -> int:
        raise StorageUnavailable("No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(desk.storage, "put_stream", full)
        with pytest.raises(StorageUnavailable):
            await desk.add()

    await desk.run_jobs()
    assert await desk.rows() == 0
    assert (await desk.add()).size == len(PDF)


async def test_a_storage_that_hangs_is_given_up_without_a_trace(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    hangs = asyncio.Event()

    async def hang(*_: object, **__: object) -> None:
        hangs.set()
        await asyncio.get_running_loop().create_future()

    monkeypatch.setattr(desk.storage, "put_stream", hang)
    upload = asyncio.create_task(desk.add())
    await hangs.wait()
    upload.cancel()  # As a request's timeout does.
    with pytest.raises(asyncio.CancelledError):
        await upload

    assert await desk.run_jobs() == 1
    assert await desk.rows() == 0


class Killed(BaseException):
    """The process has died here: nothing that it would have done after this happens."""


@dataclass(slots=True)
class Life:
    """Ends at the *left*-th step, for good."""

    left: int

    def step(self) -> None:
        self.left -= 1
        if self.left <= 0:
            raise Killed


class MortalTransactions(PatientTransactions):
    """A process may die before it begins one, before it commits, and between its commit and hearing of it."""

    def __init__(self, open_uow: OpenUnitOfWork, life: Life) -> None:
        super().__init__(open_uow)
        self._life = life

    @asynccontextmanager
    async def begin(self, actor: Actor, permission: Permission) -> AsyncIterator[UnitOfWork]:
        self._life.step()
        async with super().begin(actor, permission) as uow:
            commit = uow.commit

            async def mortal() -> None:
                self._life.step()
                await commit()
                self._life.step()

            uow.commit = mortal  # type: ignore[method-assign]  # As above.
            yield uow


class MortalStorage(MemoryStorage):
    """It stays when the process that uses it dies."""

    def __init__(self) -> None:
        super().__init__()
        self.life = Life(1_000_000)

    async def put_stream(self, key: str, chunks: AsyncIterable[bytes], *, content_type: str) -> int:
        self.life.step()
        size = await super().put_stream(key, self._mortal(chunks), content_type=content_type)
        self.life.step()
        return size

    async def _mortal(self, chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        async for chunk in chunks:
            self.life.step()
            yield chunk

    async def delete(self, key: str) -> None:
        self.life.step()
        await super().delete(key)
        self.life.step()


async def test_whoever_dies_at_whatever_step_leaves_no_orphan(desk: Desk) -> None:
    """An upload, a deletion and its job, each killed at every step in turn; upkeep comes by the next day."""
    desk.storage = storage = MortalStorage()
    patient, deaths, done = desk.transactions, 0, False
    for step in range(1, 100):
        kept = await desk.add("kept.pdf", limits=AttachmentLimits())
        doomed = await desk.add("doomed.pdf", limits=AttachmentLimits())
        life = storage.life = Life(step)
        desk.transactions = MortalTransactions(desk.open_uow, life)
        erase = EraseAttachment(desk.transactions, storage, desk.clock)
        added = None
        try:
            added = await desk.add("new.pdf", limits=AttachmentLimits())
            await desk.delete(doomed)
            await erase(desk.worker, doomed.id)
            done = True
        except Killed:
            deaths += 1
        storage.life, desk.transactions = Life(1_000_000), patient
        desk.clock.at += GRACE + timedelta(minutes=1)
        await desk.sweep()
        await _check_nothing_is_orphaned(desk)
        seen = await ListAttachments(patient)(desk.actor(), SubjectKind.QUOTE, desk.quote, Paging(limit=100))
        ids = {one.id for one in seen.items}
        assert kept.id in ids
        assert added is None or added.id in ids  # What was acknowledged is there.
        for one in seen.items:
            await desk.delete(one)
        await desk.run_jobs()
        if done:
            break

    assert done
    assert deaths == 18  # Nine steps of the upload, three of the deletion, six of its job.
    assert await desk.keys() == []
    assert await desk.rows() == 0


async def _check_nothing_is_orphaned(desk: Desk) -> None:
    """Every row is stored and has its bytes, all bytes have their row, and the count is that of the rows."""
    page = await ListAttachments(desk.transactions)(desk.actor(), SubjectKind.QUOTE, desk.quote, Paging(limit=100))
    assert {attachment_key(desk.made.organization.id, one.id) for one in page.items} == set(await desk.keys())
    assert await desk.rows() == page.total
    assert await desk.use() == StorageUse(sum(one.size for one in page.items), page.total)
