"""Looks into an XLSX file before anybody reads it: what it unpacks to, by counting and not by what it says."""

import re
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from src.application.ports.tabular import FileRefused

MOST_ENTRIES = 2_000
LARGEST_UNPACKED = 100 * 1024 * 1024
LARGEST_RATIO = 100
_CHUNK = 256 * 1024
_LOCAL_HEADER = 30
_OVERLAP = 200  # Of one chunk that is looked at again with the next, so that nothing hides at a border.
_DOCTYPE = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
_FORMULA = re.compile(rb"<(?:[A-Za-z]\w*:)?f[\s/>]")
_CELL = re.compile(rb'<(?:[A-Za-z]\w*:)?c\s[^>]*?\br="([A-Z]{1,3})([0-9]{1,7})"')


def check_package(content: bytes, name: str) -> None:
    """Raises FileRefused for bombs, for what is no workbook, and for macros, external links, DTDs and formulas."""
    try:
        with ZipFile(BytesIO(content)) as package, BytesIO(content) as file:
            entries = package.infolist()
            _check_entries(entries, name)
            unpacked = 0
            for entry in entries:
                size = 0
                for chunk in _looked_at(file, entry, name):
                    size += chunk
                    if unpacked + size > LARGEST_UNPACKED:
                        raise FileRefused(f"{name} unpacks to more than 100 MB.", reason="too_large")
                if size != entry.file_size:
                    raise FileRefused(f"{name} lies about the size of {entry.filename[:80]!r}.", reason="damaged")
                unpacked += size
    except (BadZipFile, zlib.error, OSError, NotImplementedError):
        raise FileRefused(f"{name} is damaged; save it again as .xlsx.", reason="damaged") from None
    if unpacked > LARGEST_RATIO * max(len(content), 1024):
        raise FileRefused(f"{name} unpacks to more than {LARGEST_RATIO} times its size.", reason="too_large")


def _check_entries(entries: list[ZipInfo], name: str) -> None:
    names = {entry.filename for entry in entries}
    if len(entries) > MOST_ENTRIES:
        raise FileRefused(f"{name} has more than {MOST_ENTRIES} parts.", reason="too_large")
    if len(names) < len(entries):
        raise FileRefused(f"{name} is damaged: it has parts twice.", reason="damaged")
    if not {"[Content_Types].xml", "xl/workbook.xml"} <= names:
        raise FileRefused(f"{name} is no XLSX file, whatever its name says.", reason="not_xlsx")
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.header_offset < end:
            raise FileRefused(f"{name} is damaged: its parts overlap.", reason="damaged")
        end = entry.header_offset + _LOCAL_HEADER + entry.compress_size
        _check_entry(entry, name)


def _check_entry(entry: ZipInfo, name: str) -> None:
    low = entry.filename.lower()
    if entry.flag_bits & 1:
        raise FileRefused(f"{name} is encrypted.", reason="not_xlsx")
    if entry.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:
        raise FileRefused(f"{name} is packed in a way that spreadsheets do not use.", reason="not_xlsx")
    if "vbaproject" in low or low.startswith("xl/macrosheets/"):
        raise FileRefused(f"{name} has macros; save it as .xlsx without them.", reason="macros")
    if low.startswith("xl/externallinks/"):
        raise FileRefused(f"{name} refers to other files; paste the values.", reason="external_links")
    if low.endswith((".zip", ".xlsx", ".xlsm", ".gz", ".7z", ".rar")):
        raise FileRefused(f"{name} has an archive inside.", reason="not_xlsx")


def _looked_at(file: BinaryIO, entry: ZipInfo, name: str) -> Iterator[int]:
    """Sizes of the unpacked chunks of one part, each looked at. Raises FileRefused."""
    tail, first = b"", True
    is_sheet = entry.filename.startswith("xl/worksheets/")
    for chunk in _unpacked(file, entry):
        if first and chunk.startswith(b"PK\x03\x04"):
            raise FileRefused(f"{name} has an archive inside.", reason="not_xlsx")
        first = False
        seen = tail + chunk
        if entry.filename.endswith((".xml", ".rels")) and _DOCTYPE.search(seen):
            raise FileRefused(f"{name} has a document type, which no spreadsheet needs.", reason="not_xlsx")
        if is_sheet and (found := _FORMULA.search(seen)):
            cells = _CELL.findall(seen, 0, found.start())
            column, row = (cells[-1][0].decode(), int(cells[-1][1])) if cells else ("", None)
            message = "A cell has a formula; paste its value instead."
            raise FileRefused(message, row=row, column=column, reason="formula")
        tail = seen[-_OVERLAP:]
        yield len(chunk)


def _unpacked(file: BinaryIO, entry: ZipInfo) -> Iterator[bytes]:
    """The part itself, whatever its header says of its size. Raises zlib.error, BadZipFile."""
    file.seek(entry.header_offset)
    header = file.read(_LOCAL_HEADER)
    if len(header) < _LOCAL_HEADER or not header.startswith(b"PK\x03\x04"):
        raise BadZipFile
    file.seek(int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little"), 1)
    left = entry.compress_size
    if entry.compress_type == ZIP_STORED:
        while left > 0 and (chunk := file.read(min(_CHUNK, left))):
            left -= len(chunk)
            yield chunk
        return
    unpacker = zlib.decompressobj(-15)
    while left > 0 and not unpacker.eof:
        packed = file.read(min(_CHUNK, left))
        if not packed:
            raise BadZipFile
        left -= len(packed)
        while packed and not unpacker.eof:
            yield unpacker.decompress(packed, _CHUNK)
            packed = unpacker.unconsumed_tail
    if not unpacker.eof:
        yield unpacker.flush(_CHUNK)
