"""Files as answers: streamed, named, and never shown by a browser inside of its page."""

from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import quote

from litestar.openapi.datastructures import ResponseSpec
from litestar.response import Stream

from src.application.documents.open_download import Download

_UNNAMED: Final = "file"
# What the handlers of files declare: their own media type would win over the file's.
FILE_RESPONSE: Final = {
    200: ResponseSpec(
        data_container=bytes, generate_examples=False, media_type="application/octet-stream", description="The file."
    )
}


async def file_answer(download: Download) -> Stream:
    """The file itself. Its first piece is fetched before anything is answered, so that an outage is still told as one."""
    pieces = download.content
    first = await anext(pieces, b"")
    file = download.file
    headers = {
        "Content-Disposition": content_disposition(file.file_name),
        "Content-Length": str(file.size),
        "ETag": f'"{file.sha256}"',
        "X-Content-Type-Options": "nosniff",
    }
    return Stream(_joined(first, pieces), media_type=file.content_type, headers=headers)


def content_disposition(file_name: str) -> str:
    """``attachment`` with the name twice (RFC 6266 §4.3): in ASCII for old clients, and in UTF-8 as RFC 8187 writes it."""
    plain = "".join(
        character if character.isascii() and character.isprintable() and character not in '"\\%' else "_"
        for character in file_name
    )
    return f"attachment; filename=\"{plain or _UNNAMED}\"; filename*=UTF-8''{quote(file_name or _UNNAMED, safe='')}"


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece
