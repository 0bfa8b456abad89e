"""Attachments in a bucket, on a server that speaks S3: whole, with their type, below their organisation, and gone again."""

from collections.abc import Iterator

import pytest

from src.adapters.memory.unit_of_work import MemoryStore, OpenMemoryUnitOfWork
from src.adapters.storage import ObstoreStorage, storage_from
from src.application.documents.add_attachment import AttachmentLimits
from src.application.documents.read_attachments import OpenAttachment
from src.domain.documents.file_types import FileTypeRefused
from src.domain.shared.storage_keys import attachment_key
from tests.builders.files import PDF
from tests.builders.s3 import Bucket, a_bucket_server
from tests.contract.store.test_attachments import Desk, a_desk

pytestmark = pytest.mark.asyncio
LARGE = PDF + bytes(range(256)) * 50_000  # Several parts.


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[ObstoreStorage, Bucket]]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with a_bucket_server() as (address, bucket):
        yield storage_from(f"s3://bucket/files?endpoint={address}&path_style=true"), bucket


async def _desk(storage: ObstoreStorage) -> Desk:
    desk = await a_desk(OpenMemoryUnitOfWork(MemoryStore()))
    desk.storage = storage
    return desk


async def test_a_file_goes_into_the_bucket_and_comes_out_of_it(s3: tuple[ObstoreStorage, Bucket]) -> None:
    storage, bucket = s3
    desk = await _desk(storage)

    added = await desk.add(content=LARGE, limits=AttachmentLimits())
    opened = await OpenAttachment(desk.transactions, storage, desk.clock)(desk.actor(), added.id)

    key = f"files/{attachment_key(desk.made.organization.id, added.id)}"
    assert bucket.content(key) == (LARGE, "application/pdf")
    assert b"".join([piece async for piece in opened.content]) == LARGE
    await desk.delete(added)
    await desk.run_jobs()
    assert bucket.keys() == set()


async def test_a_file_that_is_refused_at_its_end_leaves_no_part(s3: tuple[ObstoreStorage, Bucket]) -> None:
    storage, bucket = s3
    desk = await _desk(storage)

    with pytest.raises(FileTypeRefused):
        await desk.add("late.txt", b"x" * 12_000_000 + b"\0", limits=AttachmentLimits())

    assert bucket.keys() == set()
    assert bucket.unfinished() == 0
