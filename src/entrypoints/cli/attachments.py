"""``proffer attachment …``: files of quotes, customers and approval requests."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Annotated
from uuid import UUID

from cyclopts import Parameter

from src.application.documents.add_attachment import AddAttachment, AddAttachmentCommand
from src.application.documents.read_attachments import DeleteAttachment, ListAttachments, OpenAttachment
from src.domain.documents.attachment import Attachment, SubjectKind
from src.domain.shared.calendar import instant_text
from src.domain.shared.errors import invalid_field
from src.domain.shared.ids import AttachmentId
from src.entrypoints.cli.files import FileRefused, check_new, written_whole
from src.entrypoints.cli.naming import customer_of, quote_of
from src.entrypoints.cli.output import counted, print_json, print_table, progress
from src.entrypoints.cli.pages import every
from src.entrypoints.cli.session import As, CliSession, Organization, session_of
from src.entrypoints.strict_json import printable

Quote = Annotated[str, Parameter(help="Of the quote with this number.")]
Customer = Annotated[str, Parameter(help="Of this customer: part of its name, or its id.")]
Approval = Annotated[UUID | None, Parameter(help="Of the approval request with this id.")]
Which = Annotated[UUID, Parameter(help="The attachment's id, as the list shows it.")]
_PIECE = 1 << 18  # Bytes.


async def add(
    file: Annotated[Path, Parameter(help="The file to add.")],
    *,
    user: As,
    organization: Organization = None,
    quote: Quote = "",
    customer: Customer = "",
    approval: Approval = None,
) -> int:
    """Add a file to a quote, a customer or an approval request.

    Example: proffer attachment add drawing.pdf --quote Q-2026-000001 --as sales@nordlicht.example
    """
    try:
        size = file.stat().st_size
        if not file.is_file():
            raise FileRefused(f"{file} is no file.")
    except OSError as error:
        raise FileRefused(f"{file} cannot be read: {error.strerror}.") from None
    async with session_of(user, organization) as session:
        kind, subject_id = await _subject(session, quote, customer, approval)
        command = AddAttachmentCommand(
            subject_kind=kind, subject_id=subject_id, file_name=file.name, announced_size=size
        )
        with progress() as bar:
            task = bar.add_task(f"Adding {printable(file.name)}", total=size)
            chunks = _pieces(file, lambda count: bar.advance(task, count))
            added = await (await session.get(AddAttachment))(session.actor, command, chunks)
    print(f"{printable(added.file_name)} is there: {added.id}")
    return 0


async def list_attachments(
    *,
    user: As,
    organization: Organization = None,
    quote: Quote = "",
    customer: Customer = "",
    approval: Approval = None,
    json: Annotated[bool, Parameter(help="Print JSON instead of a table.", negative="")] = False,
) -> int:
    """List the files of a quote, a customer or an approval request, newest first.

    Example: proffer attachment list --quote Q-2026-000001 --as sales@nordlicht.example
    """
    async with session_of(user, organization) as session:
        kind, subject_id = await _subject(session, quote, customer, approval)
        found = await _all(session, kind, subject_id)
    if json:
        print_json([_as_json(one) for one in found])
        return 0
    columns = (("Id", "left"), ("Name", "left"), ("Type", "left"), ("Bytes", "right"), ("Added", "left"))
    rows = [
        (str(one.id), printable(one.file_name), one.content_type, str(one.size), f"{one.created_at:%Y-%m-%d %H:%M}")
        for one in found
    ]
    print_table(columns, rows)
    print(f"{counted(len(found), 'file')}.")
    return 0


async def get(
    attachment: Which,
    file: Annotated[Path | None, Parameter(help="Where to write; its own name, here, when absent.")] = None,
    *,
    user: As,
    organization: Organization = None,
    force: Annotated[bool, Parameter(help="Write over a file that is there.", negative="")] = False,
) -> int:
    """Download a file.

    Example: proffer attachment get ID drawing.pdf --as sales@nordlicht.example
    """
    async with session_of(user, organization) as session:
        download = await (await session.get(OpenAttachment))(session.actor, AttachmentId(attachment))
        target = file or Path(download.file.file_name)
        check_new(target, force=force)
        with progress() as bar:
            task = bar.add_task(f"Fetching {printable(download.file.file_name)}", total=download.file.size)
            async with written_whole(target) as unfinished:
                with unfinished.open("wb") as written:
                    async for piece in download.content:
                        await asyncio.to_thread(written.write, piece)
                        bar.advance(task, len(piece))
    print(f"{counted(download.file.size, 'byte')} in {printable(str(target))}.")
    return 0


async def remove(attachment: Which, *, user: As, organization: Organization = None) -> int:
    """Delete a file for good.

    Example: proffer attachment remove ID --as sales@nordlicht.example
    """
    async with session_of(user, organization) as session:
        await (await session.get(DeleteAttachment))(session.actor, AttachmentId(attachment))
    print("The file is deleted.")
    return 0


async def _subject(session: CliSession, quote: str, customer: str, approval: UUID | None) -> tuple[SubjectKind, UUID]:
    """Raises Invalid unless exactly one is named, QuoteNotFound, NotFound."""
    if sum(map(bool, (quote, customer, approval))) != 1:
        raise invalid_field("subject", "Name one: --quote NUMBER, --customer NAME or --approval ID.")
    if quote:
        return SubjectKind.QUOTE, (await quote_of(session, quote)).id
    if customer:
        return SubjectKind.CUSTOMER, await customer_of(session, customer)
    assert approval is not None
    return SubjectKind.APPROVAL_REQUEST, approval


async def _all(session: CliSession, kind: SubjectKind, subject_id: UUID) -> list[Attachment]:
    list_attachments = await session.get(ListAttachments)
    return [one async for one in every(partial(list_attachments, session.actor, kind, subject_id))]


async def _pieces(file: Path, tell: Callable[[int], None]) -> AsyncIterator[bytes]:
    with file.open("rb") as opened:
        while piece := await asyncio.to_thread(opened.read, _PIECE):
            tell(len(piece))
            yield piece


def _as_json(one: Attachment) -> dict[str, object]:
    return {
        "id": str(one.id),
        "file_name": one.file_name,
        "content_type": one.content_type,
        "size": one.size,
        "sha256": one.sha256,
        "created_at": instant_text(one.created_at),
    }
