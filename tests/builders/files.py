"""Small files of every kind, and some that are not what they say."""

import io
import zipfile
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final
from uuid import UUID, uuid4

from src.application.ports.unit_of_work import UnitOfWork
from src.domain.documents.attachment import Attachment, SubjectKind
from src.domain.documents.file_types import Content
from src.domain.shared.ids import AttachmentId, UserId
from tests.builders.quotes import NOON

PDF: Final = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
PNG: Final = b"\x89PNG\r\n\x1a\n" + bytes(40)


def a_zip(parts: Mapping[str, bytes], *, first: tuple[str, bytes] | None = None) -> bytes:
    """*first* stands at the beginning and is not compressed."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        if first is not None:
            archive.writestr(zipfile.ZipInfo(first[0]), first[1])
        for name, content in parts.items():
            archive.writestr(name, content)
    return made.getvalue()


def an_office_file(folder: str, main: str, **more: bytes) -> bytes:
    return a_zip({"[Content_Types].xml": b"<Types/>", "_rels/.rels": b"<r/>", f"{folder}/{main}": b"<x/>"} | more)


def an_open_document(kind: str, **more: bytes) -> bytes:
    mimetype = f"application/vnd.oasis.opendocument.{kind}".encode()
    return a_zip({"META-INF/manifest.xml": b"<m/>", "content.xml": b"<x/>"} | more, first=("mimetype", mimetype))


TRUE_FILES: Final = {
    "a.pdf": PDF,
    "a.png": PNG,
    "a.JPG": b"\xff\xd8\xff\xe0" + bytes(40),
    "a.jpeg": b"\xff\xd8\xff\xe1" + bytes(40),
    "a.gif": b"GIF89a" + bytes(40),
    "a.webp": b"RIFF\x20\0\0\0WEBPVP8 " + bytes(20),
    "a.tif": b"II*\0" + bytes(40),
    "a.tiff": b"MM\0*" + bytes(40),
    "a.txt": "Grüße, 1 < 2\n".encode(),
    "a.csv": b"\xef\xbb\xbfsku,name\r\n1,\xed\x95\x9c\r\n",
    "a.docx": an_office_file("word", "document.xml"),
    "a.xlsx": an_office_file("xl", "workbook.xml"),
    "a.pptx": an_office_file("ppt", "presentation.xml"),
    "a.odt": an_open_document("text"),
    "a.ods": an_open_document("spreadsheet"),
    "a.odp": an_open_document("presentation"),
}
FALSE_FILES: Final = {
    "html.txt": b"\n  <!DOCTYPE html><script>alert(1)</script>",
    "svg.txt": b"\xef\xbb\xbf<svg xmlns='http://www.w3.org/2000/svg'/>",
    "script.csv": b"#!/bin/sh\nrm -rf /\n",
    "binary.txt": b"text\x00text",
    "escape.csv": b"a,\x1b[2J\n",
    "latin.txt": "Grüße".encode("latin-1"),
    "half.txt": "Grüße".encode()[:3],
    "late.csv": b"a,b\n" * 5000 + b"\x00",
    "program.pdf": b"MZ\x90\0" + bytes(60),
    "elf.png": b"\x7fELF" + bytes(60),
    "html.pdf": b"<html>%PDF-1.7",
    "shifted.pdf": b" %PDF-1.7",
    "png.jpg": PNG,
    "gif.webp": b"GIF89a" + bytes(40),
    "wave.webp": b"RIFF\x20\0\0\0WAVEfmt " + bytes(20),
    "archive.docx": a_zip({"a.exe": b"MZ"}),
    "sheet.docx": an_office_file("xl", "workbook.xml"),
    "both.docx": an_office_file("word", "document.xml", **{"xl/workbook.xml": b"<x/>"}),
    "untyped.docx": a_zip({"word/document.xml": b"<x/>"}),
    "macro.docx": an_office_file("word", "document.xml", **{"word/vbaProject.bin": b"\0"}),
    "macro.xlsx": an_office_file("xl", "workbook.xml", **{"xl/macrosheets/sheet1.xml": b"<x/>"}),
    "control.pptx": an_office_file("ppt", "presentation.xml", **{"ppt/activeX/activeX1.bin": b"\0"}),
    "binary.xlsx": an_office_file("xl", "workbook.bin"),
    "cut.docx": an_office_file("word", "document.xml")[:-10],
    "old.docx": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500),
    "office.odt": an_office_file("word", "document.xml"),
    "sheet.odt": an_open_document("spreadsheet"),
    "basic.odt": an_open_document("text", **{"Basic/Standard/Module1.xml": b"<x/>"}),
    "cut.odt": an_open_document("text")[:-10],
}


async def a_stored_attachment(
    uow: UnitOfWork, kind: SubjectKind, subject_id: UUID, by: UserId, **changes: Any
) -> Attachment:
    """Whole, of one byte, and counted; nothing of it lies in any storage."""
    values: dict[str, Any] = {
        "id": AttachmentId(uuid4()),
        "subject_kind": kind,
        "subject_id": subject_id,
        "file_name": "a.txt",
        "content_type": "text/plain",
        "uploaded_by": by,
        "created_at": NOON,
        "changed_at": NOON,
    }
    uploading = await uow.attachments.save(Attachment(**values | changes).begin())
    stored = await uow.attachments.save(uploading.store(Content(1, "a" * 64), NOON))
    await uow.attachments.take_room(1, 100)
    return stored


async def in_pieces(content: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]
