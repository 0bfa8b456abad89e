"""Every object storage: keeps, never overwrites, and never leaves its place."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from src.adapters.memory.storage import MemoryStorage
from src.adapters.storage import storage_from
from src.application.ports.storage import ObjectExists, ObjectMissing, ObjectStorage, StorageUnavailable, UnsafeKey
from tests.builders.s3 import a_bucket_server

KEY = "0192f0c1-0000-7000-8000-000000000001/documents/Q-2026-000123.pdf"
UNSAFE = (
    "",
    "/",
    "/etc/passwd",
    "../x",
    "a/../b",
    "a/./b",
    "a//b",
    "a/",
    "a\\b",
    "a b",
    "a\x00b",
    "a\nb",
    "ä",
    ".x",
    "a/.x",
    "x" * 600,
    "a%2fb",
    "a?b",
    "a#1",
)


@pytest.fixture(params=["memory", "folder", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStorage]:
    if request.param == "memory":
        yield MemoryStorage()
    elif request.param == "folder":
        yield storage_from((tmp_path / "new" / "folder").as_uri())
    else:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        with a_bucket_server() as (address, _):
            yield storage_from(f"s3://bucket/prefix?region=eu-central-1&endpoint={address}&path_style=true")


@pytest.mark.asyncio
@pytest.mark.parametrize("content", [b"", b"%PDF\x00\xff", bytes(6_000_000)], ids=["nothing", "bytes", "6 MB"])
async def test_what_was_put_can_be_got(storage: ObjectStorage, content: bytes) -> None:
    await storage.put(KEY, content, content_type="application/pdf")

    assert await storage.get(KEY) == content


@pytest.mark.asyncio
async def test_the_same_content_twice_is_no_error(storage: ObjectStorage) -> None:
    await storage.put(KEY, b"same", content_type="text/plain")
    await storage.put(KEY, b"same", content_type="text/plain")

    assert await storage.get(KEY) == b"same"


@pytest.mark.asyncio
async def test_other_content_is_refused_and_the_first_stays(storage: ObjectStorage) -> None:
    await storage.put(KEY, b"first", content_type="text/plain")

    with pytest.raises(ObjectExists):
        await storage.put(KEY, b"second", content_type="text/plain")
    assert await storage.get(KEY) == b"first"


@pytest.mark.asyncio
async def test_of_many_writers_at_once_one_wins(storage: ObjectStorage) -> None:
    contents = [f"writer {i}".encode() for i in range(8)]
    puts = [storage.put(KEY, content, content_type="text/plain") for content in contents]
    outcomes = await asyncio.gather(*puts, return_exceptions=True)

    [winner] = [content for content, outcome in zip(contents, outcomes, strict=True) if outcome is None]
    assert sum(isinstance(outcome, ObjectExists) for outcome in outcomes) == 7
    assert await storage.get(KEY) == winner


@pytest.mark.asyncio
async def test_what_was_never_put_is_missing(storage: ObjectStorage) -> None:
    with pytest.raises(ObjectMissing):
        await storage.get(KEY)


@pytest.mark.asyncio
@pytest.mark.parametrize("key", UNSAFE)
async def test_an_unsafe_key_is_refused(storage: ObjectStorage, key: str) -> None:
    with pytest.raises(UnsafeKey):
        await storage.put(key, b"x", content_type="text/plain")
    with pytest.raises(UnsafeKey):
        await storage.get(key)
    with pytest.raises(UnsafeKey):
        await storage.put_stream(key, chunks(b"x"), content_type="text/plain")
    with pytest.raises(UnsafeKey):
        await streamed(storage, key)
    with pytest.raises(UnsafeKey):
        await storage.delete(key)
    with pytest.raises(UnsafeKey):
        await anext(storage.objects(key))


class Broken(Exception):
    """The source of a stream gave up."""


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def breaking(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
    raise Broken


async def streamed(storage: ObjectStorage, key: str) -> bytes:
    return b"".join([piece async for piece in storage.stream(key)])


@pytest.mark.asyncio
@pytest.mark.parametrize("parts", [(), (b"one", b"", b"two"), (bytes(7_000_000), b"\x01" * 7_000_000)])
async def test_a_stream_comes_back_as_it_went(storage: ObjectStorage, parts: tuple[bytes, ...]) -> None:
    assert await storage.put_stream(KEY, chunks(*parts), content_type="text/plain") == sum(map(len, parts))

    assert await streamed(storage, KEY) == b"".join(parts)
    assert await storage.get(KEY) == b"".join(parts)


@pytest.mark.asyncio
@pytest.mark.parametrize("parts", [(), (b"some",), (bytes(12_000_000),)], ids=["nothing", "little", "much"])
async def test_a_stream_that_breaks_off_leaves_nothing(storage: ObjectStorage, parts: tuple[bytes, ...]) -> None:
    with pytest.raises(Broken):
        await storage.put_stream(KEY, breaking(*parts), content_type="text/plain")

    with pytest.raises(ObjectMissing):
        await storage.get(KEY)
    assert [found async for found in storage.objects("0192f0c1-0000-7000-8000-000000000001")] == []


@pytest.mark.asyncio
async def test_a_stream_of_what_was_never_put_is_missing(storage: ObjectStorage) -> None:
    with pytest.raises(ObjectMissing):
        await streamed(storage, KEY)


@pytest.mark.asyncio
async def test_what_was_deleted_is_missing_and_deleting_again_is_no_error(storage: ObjectStorage) -> None:
    await storage.put(KEY, b"x", content_type="text/plain")
    await storage.delete(KEY)
    await storage.delete(KEY)

    with pytest.raises(ObjectMissing):
        await storage.get(KEY)


@pytest.mark.asyncio
async def test_a_folder_lists_what_is_below_it_and_nothing_beside(storage: ObjectStorage) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)  # S3 tells whole seconds.
    for key, content in {"a/files/1": b"x", "a/files/deep/2": b"yy", "a/filesystem/3": b"", "b/files/1": b""}.items():
        await storage.put(key, content, content_type="text/plain")

    found = [one async for one in storage.objects("a/files")]
    assert {one.key: one.size for one in found} == {"a/files/1": 1, "a/files/deep/2": 2}
    assert all(before < one.changed_at <= datetime.now(UTC) for one in found)
    assert [one async for one in storage.objects("c")] == []


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


_WRITER: Final = """
import asyncio, os, signal, sys
from src.adapters.storage import storage_from

async def chunks():
    for _ in range(20):
        yield bytes(1 << 20)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(storage_from(sys.argv[1]).put_stream("a/files/1", chunks(), content_type="text/plain"))
"""


@pytest.mark.asyncio
async def test_what_a_dead_writer_left_is_taken_away(tmp_path: Path) -> None:
    writer = await asyncio.create_subprocess_exec(sys.executable, "-c", _WRITER, str(tmp_path))
    assert await writer.wait() == -signal.SIGKILL
    storage = storage_from(str(tmp_path))
    await storage.put("a/files/2", b"x", content_type="text/plain")
    now = datetime.now(UTC) + timedelta(seconds=1)

    assert len(_names(tmp_path)) == 2
    assert [one.key async for one in storage.objects("a/files")] == ["a/files/2"]
    assert await storage.discard_unfinished("a/files", now - timedelta(hours=1)) == 0
    assert await storage.discard_unfinished("b", now) == 0
    assert await storage.discard_unfinished("a/files", now) == 1
    assert _names(tmp_path) == ["2"]


@pytest.mark.asyncio
async def test_a_file_that_vanishes_meanwhile_stops_nobody(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / "1#1").symlink_to(folder / "gone")  # Listed, and not there when it is looked at.
    (folder / "2#1").write_bytes(b"left")

    later = datetime.now(UTC) + timedelta(days=1)

    assert await storage_from(str(tmp_path)).discard_unfinished("a", later) == 1
    assert not (folder / "2#1").exists()


@pytest.mark.asyncio
async def test_unfinished_files_are_no_others(storage: ObjectStorage) -> None:
    await storage.put("a/files/2", b"x", content_type="text/plain")

    assert await storage.discard_unfinished("a/files", datetime.now(UTC) + timedelta(days=1)) == 0
    assert await storage.get("a/files/2") == b"x"
    with pytest.raises(UnsafeKey):
        await storage.discard_unfinished("../a", datetime.now(UTC))


@pytest.mark.asyncio
async def test_a_storage_that_can_be_used_says_so(storage: ObjectStorage) -> None:
    await storage.check()
    await storage.check()


@pytest.mark.asyncio
async def test_a_folder_that_became_a_file_is_an_outage(tmp_path: Path) -> None:
    storage = storage_from(str(tmp_path / "folder"))
    (tmp_path / "folder").rmdir()
    (tmp_path / "folder").write_text("in the way")

    with pytest.raises(StorageUnavailable):
        await storage.check()
    with pytest.raises(StorageUnavailable):
        await storage.put(KEY, b"x", content_type="text/plain")


@pytest.mark.asyncio
async def test_a_bucket_knows_prefix_and_content_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with a_bucket_server() as (address, kept):
        storage = storage_from(f"s3://bucket/prefix?endpoint={address}&path_style=true")
        await storage.put("a/b.pdf", b"x", content_type="application/pdf")
        await storage.put_stream("a/c.pdf", chunks(b"y"), content_type="application/pdf")

        assert kept.keys() == {"prefix/a/b.pdf", "prefix/a/c.pdf"}
        assert kept.content("prefix/a/b.pdf") == (b"x", "application/pdf")
        assert kept.content("prefix/a/c.pdf") == (b"y", "application/pdf")


@pytest.mark.asyncio
async def test_a_bucket_is_left_without_parts_of_what_broke_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with a_bucket_server() as (address, kept):
        storage = storage_from(f"s3://bucket/prefix?endpoint={address}&path_style=true")
        with pytest.raises(Broken):
            await storage.put_stream(KEY, breaking(bytes(12_000_000)), content_type="text/plain")

        assert kept.keys() == set()
        assert kept.unfinished() == 0


@pytest.mark.parametrize(
    "url", ["", "ftp://x/y", "s3://", "s3://key:secret@bucket", "s3://bucket?secret=x", "file://host/x"]
)
def test_a_url_that_names_no_storage_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"storage|S3 URL"):
        storage_from(url)
